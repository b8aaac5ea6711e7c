/**
 * Promises a recorder to play with: `deno task dev` runs this. It starts a nats-server full of Fly-shaped
 * lines, or takes the one at `NATS_URL`, and the program itself with reload on change, and leaves neither
 * files nor processes when it is stopped.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program for a person in front of a terminal
import { fileURLToPath } from "node:url";
import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { silentLogger as logger } from "../../lib/logger.ts";
import { type FlyLine, flyLines } from "./fly_lines.ts";
import { LineLog } from "./line_log.ts";
import { MissingNatsServer } from "./nats_executable.ts";
import { NatsServer } from "./nats_server.ts";
import { Publisher } from "./publisher.ts";

/** The lines of yesterday; enough for a few pages, few enough to be there at once. */
const YESTERDAY_LINES = 20_000;

/** The pause between two lines of today, in milliseconds. */
const TRICKLE_MS = 200;

/** How long the program may take to stop before it is killed, in milliseconds: what Fly.io gives it. */
const STOP_LIMIT_MS = 10_000;

const DAY_MS = 86_400_000;

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** Runs until `signal` aborts or the program ends. Returns the exit code. */
async function dev(signal: AbortSignal): Promise<number> {
  const port = Number(Deno.env.get("PORT") ?? "8080");
  if (port !== 0 && !isFree(port)) {
    console.error(
      `Cannot listen on port ${port}: something else does; choose another with PORT=8081 deno task dev`,
    );
    return 1;
  }
  const givenUrl = Deno.env.get("NATS_URL");
  await using stack = new AsyncDisposableStack();
  const server = givenUrl === undefined ? stack.use(await NatsServer.start()) : undefined;
  const logDirectory = await Deno.makeTempDir({ prefix: "flightlog-dev-" });
  stack.defer(() => Deno.remove(logDirectory, { recursive: true }));
  await recordSinceYesterday(logDirectory);

  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--watch", "--no-clear-screen", "-P=start", "main.ts"],
    cwd: repository,
    env: {
      FLY_APP_NAME: "flightlog",
      SEAL_AFTER: "1s",
      METRICS_PORT: "0",
      HOST: "127.0.0.1",
      ...Deno.env.toObject(),
      NATS_URL: givenUrl ?? server!.url,
      LOG_DIR: logDirectory,
      PORT: String(port),
    },
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
  const filled = fill(log, server, over.signal).catch((error) => {
    if (over.signal.aborted) return;
    console.error(error);
  });
  const code = signal.aborted ? 0 : await Promise.race([ended, aborted]);
  await stop(process, log);
  await filled;
  return code;
}

/**
 * Makes the archive of a recorder that was first started at the midnight before today's and stopped just now: else all of
 * yesterday, whose lines are published in a moment, would be time before the first start, and missing.
 */
async function recordSinceYesterday(directory: string): Promise<void> {
  const startMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;
  const ledger = GapLedger.open(directory, { clock, logger });
  ledger.begin("start", startMs - 1000);
  ledger.end(startMs);
  await ledger.close();
  await new HeartbeatFiles(directory).move(Date.now());
}

/** Waits until the program records, gives it lines if the server is ours, and says what to try. */
async function fill(
  log: LineLog,
  server: NatsServer | undefined,
  signal: AbortSignal,
): Promise<void> {
  const untilEvent = (event: string): Promise<string> =>
    log.until((line) => line.startsWith("{") && JSON.parse(line).event === event, `"${event}"`);
  const port: number = JSON.parse(await untilEvent("api listening")).port;
  await untilEvent("recording");
  if (server === undefined) return printHelp(port);
  await using publisher = await Publisher.connect({ port: server.port });
  const midnightMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  // Half of the mean interval is left over, so that the last line is still of yesterday.
  const intervalMs = DAY_MS / YESTERDAY_LINES * 0.98;
  await publisher.publishAll(flyLines({ startMs: midnightMs - DAY_MS, intervalMs, count: YESTERDAY_LINES }));
  await publisher.publishAll(flyLines({ seed: 2, startMs: Date.now() - 1000, intervalMs: 1, count: 500 }));
  printHelp(port);
  let seed = 3;
  while (!signal.aborted) {
    for (const line of trickle(seed++)) {
      await publisher.publishAll([line]);
      await pause(TRICKLE_MS, signal);
      if (signal.aborted) return;
    }
  }
}

// A fresh start every few lines keeps their time that of the clock.
function trickle(seed: number): Iterable<FlyLine> {
  return flyLines({ seed, startMs: Date.now(), intervalMs: TRICKLE_MS, count: 20 });
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

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
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

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

if (import.meta.main) {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  Deno.exit(
    await dev(controller.signal).catch((error) => {
      if (!(error instanceof MissingNatsServer)) throw error;
      console.error(error.message);
      return 1;
    }),
  );
}
