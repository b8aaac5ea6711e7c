/**
 * Runs the whole program in a memory cgroup as large as a small machine, has it record while everything that can
 * be read is read at once, and asks the kernel from outside what that took.
 *
 * @module
 */

import { join } from "node:path";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { MemoryCgroup, whyNoCgroup } from "../rig/memory_cgroup.ts";
import { NatsServer } from "../rig/nats_server.ts";
import type { ReadCounts, ReadJob } from "../rig/reading_clients.ts";
import type { Bench } from "./bench.ts";
import { sealedArchive } from "./fixture.ts";
import { dayAgo } from "./flood.ts";
import { PATIENT_SERVER } from "./ingest.ts";
import { latencyText, measureLines } from "./latency.ts";
import { LineSource, NEEDLE, RARE_APP } from "./lines.ts";
import { Publisher } from "./publisher.ts";
import { missingRow, ratioText, type Row, sizeText } from "./report.ts";

/** What a machine of 512 MB and one of 256 MB have for programs, in bytes. */
const MACHINES_BYTES = [430e6, 210e6];

/** What is published besides the lines that are timed: so many lines at a time, so often, in milliseconds. */
const LOAD_LINES = 100;
const LOAD_EVERY_MS = 50;

/** How many lines today has before anybody reads. */
const TODAY_LINES = 200_000;

/** Clients that ask for a page and do not read it. */
const STALLED_CLIENTS = 64;

/** How long everybody reads before lines are timed, in milliseconds. */
const SETTLE_MS = 5_000;

/** How often the kernel is asked, in milliseconds. */
const LOOK_MS = 250;

/** Measures each size of machine. */
export async function measureMemory(bench: Bench): Promise<Row[]> {
  if (whyNoCgroup !== null) return [missingRow("memory of a small machine", whyNoCgroup)];
  const rows: Row[] = [];
  for (const machineBytes of MACHINES_BYTES) {
    rows.push(...await measureMachine(bench, machineBytes, bench.scale.latencyMs * 3));
  }
  return rows;
}

/** Measures the smallest machine for as long as a bad hour lasts. */
export async function measureMemorySoak(bench: Bench): Promise<Row[]> {
  if (whyNoCgroup !== null) return [missingRow("an hour on a small machine", whyNoCgroup)];
  return await measureMachine(bench, Math.min(...MACHINES_BYTES), bench.scale.memorySoakMs);
}

/** Times a line each millisecond, for `timedMs`. */
async function measureMachine(bench: Bench, machineBytes: number, timedMs: number): Promise<Row[]> {
  const { dayBytes } = bench.scale;
  const archive = await sealedArchive(bench, dayBytes);
  await using scope = bench.scope();
  const directory = bench.scopedDirectory(scope, "memory");
  for (const suffix of [".jsonl.gz", ".index"]) {
    const name = `${archive.day.name}${suffix}`;
    await Deno.link(join(archive.directory, name), join(directory, name));
  }
  const server = scope.use(await NatsServer.start(PATIENT_SERVER));
  const group = scope.use(MemoryCgroup.create(machineBytes));
  const flightlog = scope.use(
    await FlightlogProcess.start({
      cgroup: group,
      logDirectory: directory,
      env: { NATS_URL: `nats://127.0.0.1:${server.port}`, RETENTION_DAYS: "0", MAX_DISK_PERCENT: "0" },
    }),
  );
  await flightlog.untilLog("recording");
  const publisher = scope.use(await Publisher.connect(server.port));
  const today = dayAgo(0);
  const source = new LineSource({ dayStartMs: today.startMs, spanMs: 60_000, total: TODAY_LINES });
  await publisher.publish(source.batch(TODAY_LINES).frames);
  await publisher.confirm();

  const clients = await readingClients(scope, readJob(flightlog.port, archive.day.name));
  let mostBytes = 0;
  const look = setInterval(() => mostBytes = Math.max(mostBytes, group.read().anonymousBytes), LOOK_MS);
  scope.defer(() => clearInterval(look));
  const load = new AbortController();
  const loading = publishSteadily(server.port, load.signal);
  scope.defer(() => load.abort());
  // Threads start, blocks of today's lines are made: what is timed is what comes after that.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const file = join(directory, `${today.name}.jsonl`);
  const latency = await measureLines(scope, { publisher, file, lines: timedMs });
  load.abort();
  await loading;
  const counts = await clients("count");
  const { kills } = group.read();
  const what = `in a cgroup of ${sizeText(machineBytes)}, everything read at once for ${timedMs / 1000} s`;
  const answered = `${JSON.stringify(counts.answers)}, ${sizeText(counts.bytes)}`;
  return [
    {
      what: `memory ${what}`,
      ours: `${sizeText(mostBytes)}, ${kills} kills`,
      theirs: `answers: ${answered}`,
      ratio: ratioText(mostBytes, machineBytes),
      wanted: "0 kills",
    },
    {
      what: `published → readable ${what}`,
      ours: latencyText(latency),
      theirs: "",
      ratio: ratioText(latency.p99, 20),
      wanted: "p99 < 20 ms",
    },
  ];
}

function readJob(port: number, day: string): ReadJob {
  const search = `/search?since=${day}`;
  const searches = [
    `${search}&q=${encodeURIComponent(NEEDLE)}`,
    `${search}&level=error`,
    `${search}&app=${RARE_APP}`,
    `${search}&q=checkout&format=text`,
    `${search}&tail=50000`,
    `${search}&limit=9000`,
    `${search}&limit=200000&format=text`,
    `/logs/${day}.log`,
  ];
  const hot = ["/logs/today.jsonl", "/logs/today.jsonl.gz"];
  const loops = [searches, searches.slice(3), [`/logs/${day}.jsonl`], [`/logs/${day}.jsonl`], hot, hot];
  return { port, loops, stalled: { path: `${search}&limit=9000`, clients: STALLED_CLIENTS } };
}

async function publishSteadily(port: number, signal: AbortSignal): Promise<void> {
  await using publisher = await Publisher.connect(port);
  const source = () => new LineSource({ dayStartMs: dayAgo(0).startMs, spanMs: 60_000, total: LOAD_LINES });
  const { frames } = source().batch(LOAD_LINES);
  while (!signal.aborted) {
    await publisher.publish(frames);
    await new Promise((resolve) => setTimeout(resolve, LOAD_EVERY_MS));
  }
}

async function readingClients(
  scope: AsyncDisposableStack,
  job: ReadJob,
): Promise<(message: "count") => Promise<ReadCounts>> {
  const worker = new Worker(import.meta.resolve("../rig/reading_clients.ts"), { type: "module" });
  scope.defer(() => worker.terminate());
  const answer = (): Promise<ReadCounts> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  await answer();
  worker.postMessage(job);
  await answer();
  return (message) => {
    worker.postMessage(message);
    return answer();
  };
}
