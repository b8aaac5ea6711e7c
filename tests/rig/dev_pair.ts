/**
 * Promises two recorders of the same lines to play with, and to show what that is good for: after some seconds the first one is
 * killed, and when it is back it has the lines that it missed from the second.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program for a person in front of a terminal
import * as v from "valibot";
import { OVERLAP_MS } from "../../lib/heal/proof.ts";
import { SETTLED_MS } from "../../lib/heal/peers/peer_healer.ts";
import { type GapAnswer, gapsSchema } from "../../routes/wire/gaps.ts";
import { DevLines, pause } from "./dev_lines.ts";
import { choosePorts, chooseSource, devEnvironment, type DevSource, makeArchive } from "./dev_place.ts";
import { FlightlogProcess } from "./flightlog_process.ts";

/** Both record for so long before the first is killed, in milliseconds: enough lines to compare them by. */
const BEFORE_KILL_MS = 6_000;

/** It is away for so long, in milliseconds. */
const AWAY_MS = 4_000;

/** The second is started so long after the first, in milliseconds: what each says of the time before its start is not the same. */
const APART_MS = 2_500;

/**
 * Runs until `signal` aborts or a recorder ends by itself. Returns the exit code.
 *
 * @throws {DevFault} If a port is taken.
 * @throws {MissingNatsServer} If there is no server.
 */
export async function devPair(signal: AbortSignal): Promise<number> {
  const [port, nextPort] = choosePorts(2);
  await using stack = new AsyncDisposableStack();
  const source = await chooseSource(stack);
  const first = await DevRecorder.prepare({ name: "first", port: port!, peerPort: nextPort!, source }, stack);
  const second = await DevRecorder.prepare(
    { name: "second", port: nextPort!, peerPort: port!, source },
    stack,
  );
  const over = new AbortController();
  signal.addEventListener("abort", () => over.abort());
  if (signal.aborted) over.abort();
  const failed = Promise.withResolvers<number>();
  for (const recorder of [first, second]) recorder.onEnd = failed.resolve;
  const aborted = new Promise<number>((resolve) => over.signal.addEventListener("abort", () => resolve(0)));
  const shown = show(first, second, source, over.signal).catch((error) => {
    if (over.signal.aborted) return;
    console.error(error);
    failed.resolve(1);
  });
  const code = over.signal.aborted ? 0 : await Promise.race([failed.promise, aborted]);
  over.abort();
  await Promise.all([first.stop(), second.stop()]);
  await shown;
  return code;
}

/** All that happens, until `signal` aborts. */
async function show(
  first: DevRecorder,
  second: DevRecorder,
  source: DevSource,
  signal: AbortSignal,
): Promise<void> {
  await first.start();
  await pause(APART_MS, signal);
  if (signal.aborted) return;
  await second.start();
  if (source.port === undefined) return await killAndHeal(first, second, () => 0, signal);
  await using lines = await DevLines.connect(source.port);
  await lines.fill();
  await Promise.all([
    lines.trickle(signal),
    killAndHeal(first, second, () => lines.count, signal),
  ]);
}

/** Kills the first, lets it start again, and says what came of it. `count` tells how many lines were published. */
async function killAndHeal(
  first: DevRecorder,
  second: DevRecorder,
  count: () => number,
  signal: AbortSignal,
): Promise<void> {
  tell(`Two recorders record the same lines: the first at ${first.url}, the second at ${second.url}.
Each was told of the other: PEERS=${second.url} and PEERS=${first.url}.
In ${BEFORE_KILL_MS / 1000} s the first is killed.`);
  await pause(BEFORE_KILL_MS, signal);
  if (signal.aborted) return;
  const before = count();
  const killedMs = Date.now();
  await first.kill();
  tell(`The first recorder was killed with SIGKILL, as by a crash of its machine.
Lines go on, and only the second hears them. In ${AWAY_MS / 1000} s the first starts again.`);
  await pause(AWAY_MS, signal);
  if (signal.aborted) return;
  await first.start();
  const missed = count() - before;
  tell(`The first recorder records again.${missed > 0 ? ` About ${missed} lines came while it was away.` : ""}
It has written down a gap. In about ${
    (SETTLED_MS + OVERLAP_MS) / 1000
  } s no line of that time can still be on its way
to either of them; then it asks the second for what is missing.`);
  const gap = await first.healed(killedMs);
  if (signal.aborted) return;
  if (gap === null) {
    tell(`The gap is not healed yet; why, and what is done about it, says: curl ${first.url}/gaps`);
    return;
  }
  const { sources } = gap.healed!;
  const span = `since=${gap.since}&until=${gap.until}`;
  tell(
    `The gap is healed: ${
      sources.map(({ name, lines }) => `${lines} lines came back from ${name}`).join(", ")
    }.
Each stands at its place in time. The gap: ${gap.cause}, from ${gap.since} to ${gap.until}.

See for yourself, in another terminal (bash):

  curl ${first.url}/gaps
  curl -D - '${first.url}/search?${span}'
  diff <(curl -s '${first.url}/search?${span}' | sort) <(curl -s '${second.url}/search?${span}' | sort) && echo the same
  curl -X POST ${first.url}/heal

Both go on recording. Ctrl-C ends them and removes everything.`,
  );
}

/** Sets what is said apart from the logs of the recorders. */
function tell(text: string): void {
  console.log(`\n${text.split("\n").map((line) => `>>> ${line}`).join("\n")}\n`);
}

interface DevRecorderOptions {
  name: string;
  port: number;
  peerPort: number;
  source: DevSource;
}

/** One of the two. */
class DevRecorder {
  readonly url: string;
  /** Called when it ends without having been told to, with the code to exit with. */
  onEnd: (code: number) => void = () => {};
  readonly #name: string;
  readonly #logDirectory: string;
  readonly #env: Record<string, string>;
  #process: FlightlogProcess | null = null;
  #isStopped = false;

  private constructor({ name, port, peerPort, source }: DevRecorderOptions, logDirectory: string) {
    this.#name = name;
    this.url = `http://127.0.0.1:${port}`;
    this.#logDirectory = logDirectory;
    this.#env = {
      ...devEnvironment(),
      ...{ NATS_URL: source.url, PORT: String(port), PEERS: `http://127.0.0.1:${peerPort}` },
      // Two cannot have the same one.
      METRICS_PORT: "0",
      LOG_DIR: logDirectory,
    };
  }

  /** Makes its archive, which is removed with `stack`, as it is ended. */
  static async prepare(options: DevRecorderOptions, stack: AsyncDisposableStack): Promise<DevRecorder> {
    const recorder = new DevRecorder(options, await makeArchive(stack));
    stack.defer(async () => await recorder.#process?.[Symbol.asyncDispose]());
    return recorder;
  }

  /** Starts it and waits until it records. */
  async start(): Promise<void> {
    const process = await FlightlogProcess.start({
      env: this.#env,
      logDirectory: this.#logDirectory,
      mayFetch: true,
      untilListening: false,
      onLine: (line) => console.log(`${this.#name.padEnd(6)} ${line}`),
    });
    this.#process = process;
    process.status.then(({ code, signal }) => {
      if (this.#process !== process || this.#isStopped) return;
      console.error(`The ${this.#name} recorder has ended (${signal ?? `code ${code}`}), so this ends too`);
      this.onEnd(code);
    });
    if (this.#isStopped) await this.stop();
    await process.listening();
    await process.untilLog("recording");
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const process = this.#process!;
    this.#process = null;
    await process.kill();
  }

  /** Ends it in good order, for good. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#process?.stop();
  }

  /** The gap in which `killedMs` is when it is healed; null where that does not come soon enough to wait for it. */
  async healed(killedMs: number): Promise<GapAnswer | null> {
    const isHealed = (line: string): boolean => {
      if (!line.includes('"event":"gap healing"')) return false;
      const { since, until, state } = JSON.parse(line);
      return state === "healed" && Date.parse(since) <= killedMs && killedMs < Date.parse(until);
    };
    try {
      const { since } = JSON.parse(await this.#process!.log.until(isHealed, "the gap to be healed"));
      const { gaps } = v.parse(gapsSchema, await (await fetch(`${this.url}/gaps`)).json());
      return gaps.find((gap) => gap.since === since) ?? null;
    } catch {
      return null; // it has ended, or is not healed within what a wait may take
    }
  }
}
