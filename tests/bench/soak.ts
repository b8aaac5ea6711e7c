/**
 * Runs Flightlog for minutes under a steady load with a fault every few seconds, and has the oracle of the
 * fault tests say what became of the lines. In the first half it is killed and stopped too; in the second one
 * process has to last, and its memory and its file descriptors have to stay where they were.
 *
 * @module
 */

import { checkOracle, NumberedLines } from "../faults/oracle.ts";
import { createRandom } from "../rig/random.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import type { Bench } from "./bench.ts";
import { type Row, sizeText } from "./report.ts";

/** How many lines are published in a second, and how often some of them are, in milliseconds. */
const LINES_PER_SECOND = 5_000;
const TICK_MS = 50;

/** The time between two faults, in milliseconds. */
const FAULT_EVERY_MS = 3_000;

/** How long a fault that has a length lasts, in milliseconds. */
const FAULT_MS = 700;

/** How long a process is left alone before it is measured for the first time, in milliseconds. */
const SETTLE_MS = 10_000;

/** What a run consists of. */
interface Soak {
  env: Record<string, string>;
  directory: string;
  server: NatsServer;
  proxy: TcpProxy;
  flightlog: FlightlogProcess;
}

/** Faults that the process has to survive. */
const STREAM_FAULTS: [name: string, fault: (soak: Soak) => Promise<void>][] = [
  ["cut", ({ proxy }) => Promise.resolve(proxy.cut())],
  ["held up", async ({ proxy }) => {
    proxy.halfOpen();
    await pass(FAULT_MS);
    proxy.resume();
  }],
  ["cut while held up", async ({ proxy }) => {
    proxy.halfOpen();
    await pass(FAULT_MS);
    proxy.cut();
    proxy.resume();
  }],
  ["refused for a while", async ({ proxy }) => {
    await proxy.refuse();
    proxy.cut();
    await pass(FAULT_MS);
    proxy.resume();
  }],
  ["slow", async ({ proxy }) => {
    proxy.slow(64);
    await pass(FAULT_MS);
    proxy.resume();
  }],
  ["server frozen", async ({ server }) => {
    server.freeze();
    await pass(FAULT_MS);
    server.thaw();
  }],
  ["download given up", async ({ flightlog }) => {
    const response = await fetch(`${flightlog.url}/logs/today`);
    await response.body?.cancel();
  }],
];

/** Faults that it does not survive. */
const PROCESS_FAULTS: [name: string, fault: (soak: Soak) => Promise<void>][] = [
  ["killed", async (soak) => {
    await soak.flightlog.kill();
    await startAgain(soak);
  }],
  ["stopped", async (soak) => {
    await soak.flightlog.stop();
    await startAgain(soak);
  }],
];

/**
 * Measures {@linkcode Scale.soakMs}.
 *
 * @throws {Error} At the first line that is missing without a gap, twice there, or changed.
 */
export async function measureSoak(bench: Bench): Promise<Row[]> {
  await using scope = bench.scope();
  const { soakMs } = bench.scale;
  const directory = bench.scopedDirectory(scope, "soak");
  const server = scope.use(await NatsServer.start());
  const proxy = scope.use(TcpProxy.start(server.port));
  const publisher = scope.use(await Publisher.connect({ port: server.port }));
  const env = { NATS_URL: `nats://127.0.0.1:${proxy.port}`, MAX_DISK_PERCENT: "0" };
  const soak: Soak = {
    ...{ env, directory, server, proxy },
    flightlog: await FlightlogProcess.start({ env, logDirectory: directory }),
  };
  scope.defer(() => soak.flightlog[Symbol.asyncDispose]());
  await soak.flightlog.untilLog("recording");

  const lines = new NumberedLines();
  const load = new AbortController();
  const loading = publishSteadily(publisher, lines, load.signal);
  const faults = await spoil(bench, soak, [...STREAM_FAULTS, ...PROCESS_FAULTS], soakMs / 2);
  await pass(Math.min(SETTLE_MS, soakMs / 10));
  const before = await measure(soak.flightlog.pid);
  const lasting = await spoil(bench, soak, STREAM_FAULTS, soakMs / 2);
  const after = await measure(soak.flightlog.pid);
  load.abort();
  await loading;

  const verdict = await checkOracle(soak.flightlog, lines);
  const told = `${verdict.kept} kept, ${verdict.missing} in ${verdict.causes.length} gaps`;
  bench.tell(`soak: ${told}; ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
  return [{
    what: `lines in no gap and lost, after ${faults + lasting} faults in ${Math.round(soakMs / 1000)} s`,
    ours: "0",
    theirs: told,
    ratio: "–",
    wanted: "0",
  }, {
    what: "memory in the second half of that",
    ours: `${sizeText(before.bytes)} → ${sizeText(after.bytes)}`,
    theirs: "",
    ratio: `${(after.bytes / before.bytes).toFixed(2)}×`,
    wanted: "flat",
  }, {
    what: "file descriptors in the second half of that",
    ours: `${before.files} → ${after.files}`,
    theirs: "",
    ratio: `${(after.files / before.files).toFixed(2)}×`,
    wanted: "flat",
  }];
}

async function publishSteadily(
  publisher: Publisher,
  lines: NumberedLines,
  signal: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  const first = lines.count;
  while (!signal.aborted) {
    const due = Math.floor((performance.now() - startMs) / 1000 * LINES_PER_SECOND);
    await lines.publish(publisher, Math.max(1, first + due - lines.count));
    await pass(TICK_MS);
  }
}

/** Does one fault after the other, in an order by chance; gives how many. */
async function spoil(bench: Bench, soak: Soak, faults: typeof STREAM_FAULTS, forMs: number): Promise<number> {
  const random = createRandom(forMs);
  const endMs = performance.now() + forMs;
  let done = 0;
  while (performance.now() + FAULT_EVERY_MS < endMs) {
    await pass(FAULT_EVERY_MS);
    const [name, fault] = faults[Math.floor(random() * faults.length)]!;
    await fault(soak);
    bench.tell(`soak: ${name}`);
    done++;
  }
  const from = soak.flightlog.log.count;
  const response = await fetch(`${soak.flightlog.url}/ready`);
  await response.body?.cancel();
  if (!response.ok) await soak.flightlog.untilLog("recording", from);
  return done;
}

async function startAgain(soak: Soak): Promise<void> {
  soak.flightlog = await FlightlogProcess.start({ env: soak.env, logDirectory: soak.directory });
  await soak.flightlog.untilLog("recording");
}

/** Resident memory and open files of a process; through other programs, for Deno may not read all of /proc. */
async function measure(pid: number): Promise<{ bytes: number; files: number }> {
  const status = await output("cat", `/proc/${pid}/status`);
  const files = await output("ls", `/proc/${pid}/fd`);
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { bytes: kilobytes * 1024, files: files.trim().split("\n").length };
}

async function output(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args, stdin: "null", stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
