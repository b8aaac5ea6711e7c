/**
 * Promises one recorder to play with: a nats-server full of Fly-shaped lines, or the one at `NATS_URL`, and the program itself with
 * reload on change.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program for a person in front of a terminal
import { fileURLToPath } from "node:url";
import { DevLines } from "./dev_lines.ts";
import { choosePorts, chooseSource, devEnvironment, makeArchive } from "./dev_place.ts";
import { LineLog } from "./line_log.ts";

/** How long the program may take to stop before it is killed, in milliseconds: what Fly.io gives it. */
const STOP_LIMIT_MS = 10_000;

const repository = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Runs until `signal` aborts or the program ends. Returns the exit code.
 *
 * @throws {DevFault} If its port is taken.
 * @throws {MissingNatsServer} If there is no server.
 */
export async function devAlone(signal: AbortSignal): Promise<number> {
  const [port] = choosePorts(1);
  await using stack = new AsyncDisposableStack();
  const source = await chooseSource(stack);
  const logDirectory = await makeArchive(stack);

  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--watch", "--no-clear-screen", "-P=start", "main.ts"],
    cwd: repository,
    env: { ...devEnvironment(), NATS_URL: source.url, LOG_DIR: logDirectory, PORT: String(port) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new LineLog("the recorder", [process.stdout, process.stderr], (line) => console.log(line));
  stack.defer(async () => {
    await stop(process, log);
    await log.ended();
  });

  const over = new AbortController();
  signal.addEventListener("abort", () => over.abort());
  if (signal.aborted) over.abort();
  const ended = process.status.then(({ code, signal: killedBy }) => {
    if (!signal.aborted) {
      console.error(`The recorder has ended (${killedBy ?? `code ${code}`}), so this ends too`);
    }
    over.abort();
    return code;
  });
  const aborted = new Promise<number>((resolve) => signal.addEventListener("abort", () => resolve(0)));
  const filled = fill(log, source.port, over.signal).catch((error) => {
    if (over.signal.aborted) return;
    console.error(error);
  });
  const code = signal.aborted ? 0 : await Promise.race([ended, aborted]);
  await stop(process, log);
  await filled;
  return code;
}

/** Waits until the program records, gives it lines if the server is ours, and says what to try. */
async function fill(log: LineLog, serverPort: number | undefined, signal: AbortSignal): Promise<void> {
  const untilEvent = (event: string): Promise<string> =>
    log.until((line) => line.startsWith("{") && JSON.parse(line).event === event, `"${event}"`);
  const port: number = JSON.parse(await untilEvent("api listening")).port;
  await untilEvent("recording");
  if (serverPort === undefined) return printHelp(port);
  await using lines = await DevLines.connect(serverPort);
  await lines.fill();
  printHelp(port);
  await lines.trickle(signal);
}

function printHelp(port: number): void {
  const at = `http://127.0.0.1:${port}`;
  console.log(`
Flightlog is recording. Try, in another terminal:

  curl ${at}/
  curl ${at}/logs
  curl ${at}/logs/yesterday | tail -3
  curl ${at}/logs/today.log
  curl -fOJ ${at}/logs/yesterday.jsonl.gz
  curl '${at}/search?q=TypeError&limit=5'
  curl '${at}/search?q=checkout&since=2h&format=text'
  curl -N '${at}/tail?tail=5&format=text'
  curl ${at}/gaps
  curl ${at}/status
  curl ${at}/ready

Ctrl-C ends it and removes everything.
`);
}

// Under --watch the process outlives the program, to wait for a change: the program's end is what counts.
async function stop(process: Deno.ChildProcess, log: LineLog): Promise<void> {
  const from = log.count;
  signalProcess(process, "SIGTERM");
  const isEnd = (line: string): boolean => /Process (finished|failed)\. Restarting/.test(line);
  await log.until(isEnd, "the end of the program", from, STOP_LIMIT_MS).catch(() => {});
  signalProcess(process, "SIGKILL");
  await process.status;
}

function signalProcess(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
