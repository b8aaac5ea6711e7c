/**
 * Measures how long after its publishing a line can be read in the file, at a thousand lines a second.
 *
 * @module
 */

import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { bun, type Contender, flightlog, node } from "./contenders.ts";
import { dayAgo } from "./flood.ts";
import { PATIENT_SERVER } from "./ingest.ts";
import { type LatencyJob, wallMs } from "./latency_reader.ts";
import { Publisher } from "./publisher.ts";
import { millisText, missingRow, percentile, ratioText, type Row } from "./report.ts";
import { MissingTool } from "./tools.ts";

/** Lines that are due each millisecond. */
const LINES_PER_MS = 1;

/** What every line of the measurement carries before its number. */
const MARKER = "latency-line-";

/** How long the last line may take, in milliseconds. */
const LAST_LINE_LIMIT_MS = 20_000;

/** Half of the lines and all but one in a hundred were readable within so many milliseconds. */
export interface Latency {
  /** The median. */
  p50: number;
  /** The 99th percentile. */
  p99: number;
}

/** Measures latency: Flightlog and the blog post's script on both runtimes. */
export async function measureLatency(bench: Bench): Promise<Row[]> {
  const ours = await latencyOf(bench, flightlog);
  bench.tell(`latency: ${flightlog.name} ${latencyText(ours)}`);
  const rows: Row[] = [];
  for (const contender of [node, bun]) {
    try {
      const theirs = await latencyOf(bench, contender);
      bench.tell(`latency: ${contender.name} ${latencyText(theirs)}`);
      rows.push({
        what: "published → readable in the file, 1,000 lines/s",
        ours: latencyText(ours),
        theirs: `${contender.name}: ${latencyText(theirs)}`,
        ratio: `p99 ${ratioText(ours.p99, theirs.p99)}`,
        wanted: "p99 < 20 ms",
      });
    } catch (error) {
      if (!(error instanceof MissingTool)) throw error;
      rows.push(missingRow(`latency: ${contender.name}`, error.message));
    }
  }
  return rows;
}

/** Measures one contender on its own server. */
export async function latencyOf(bench: Bench, contender: Contender): Promise<Latency> {
  await using scope = bench.scope();
  const directory = bench.scopedDirectory(scope, "latency");
  const server = scope.use(await NatsServer.start(PATIENT_SERVER));
  const day = dayAgo(0).name;
  const lines = bench.scale.latencyMs * LINES_PER_MS;
  const { program, file } = await contender.start(bench, { scope, server, directory, day, lines });
  const publisher = scope.use(await Publisher.connect(server.port));
  await program.rest(5_000);
  return await measureLines(scope, { publisher, file, lines });
}

/**
 * Publishes `lines` lines, a thousand a second, and tells how long each took to be readable in `file`.
 *
 * @throws {Error} If one of them never was.
 */
export async function measureLines(
  scope: AsyncDisposableStack,
  options: { publisher: Publisher; file: string; lines: number },
): Promise<Latency> {
  const { publisher, file, lines } = options;
  const [latencies] = await timeLines(scope, { publisher, files: [file], lines });
  return latencyOfLines(latencies!);
}

/** The figures of lines of which each took so many milliseconds. */
export function latencyOfLines(latencies: number[]): Latency {
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/**
 * Publishes `lines` lines, a thousand a second, and returns for each of `files`, which are of recorders that all get them, how
 * many milliseconds each line took to be readable.
 *
 * @throws {Error} If one of them never was.
 */
export async function timeLines(
  scope: AsyncDisposableStack,
  options: { publisher: Publisher; files: readonly string[]; lines: number },
): Promise<number[][]> {
  const { publisher, files, lines } = options;
  const readers = await Promise.all(files.map((file) => followFile(scope, file, lines)));
  const sentMs = await publishSteadily(publisher, lines);
  return await Promise.all(readers.map(async ({ seenMs, done }) => {
    const seen = await done;
    if (seen !== lines) throw new Error(`Cannot measure latency: ${seen} of ${lines} lines were readable`);
    return [...new Float64Array(seenMs)].map((ms, i) => ms - sentMs[i]!);
  }));
}

async function followFile(
  scope: AsyncDisposableStack,
  file: string,
  lines: number,
): Promise<{ seenMs: SharedArrayBuffer; done: Promise<unknown> }> {
  const seenMs = new SharedArrayBuffer(lines * Float64Array.BYTES_PER_ELEMENT);
  const reader = new Worker(import.meta.resolve("./latency_reader.ts"), { type: "module" });
  scope.defer(() => reader.terminate());
  await message(reader);
  const from = await Deno.stat(file).then((info) => info.size, () => 0);
  const limitMs = lines / LINES_PER_MS + LAST_LINE_LIMIT_MS;
  reader.postMessage({ file, from, seenMs, marker: MARKER, limitMs } satisfies LatencyJob);
  return { seenMs, done: message(reader) };
}

/** Gives when each line was handed to the kernel. What is late goes out at once, so the rate holds. */
async function publishSteadily(publisher: Publisher, lines: number): Promise<Float64Array> {
  const sentMs = new Float64Array(lines);
  const encoder = new TextEncoder();
  const startMs = performance.now();
  for (let next = 0; next < lines;) {
    const due = Math.min(lines, Math.floor((performance.now() - startMs) * LINES_PER_MS) + 1);
    for (; next < due; next++) {
      const payload = `{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},` +
        `"region":"ams"},"host":"0ad1","log":{"level":"info"},"message":"${MARKER}${next} GET /items 200",` +
        `"timestamp":"${new Date().toISOString().replace("Z", "123456Z")}"}`;
      const frame = encoder.encode(`PUB logs.web.ams.0e286551c30586 ${payload.length}\r\n${payload}\r\n`);
      sentMs[next] = wallMs();
      await publisher.publish(frame);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await publisher.confirm();
  return sentMs;
}

function message(reader: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    reader.onmessage = (event) => resolve(event.data);
    reader.onerror = (event) => reject(new Error(`Cannot follow the file: ${event.message}`));
  });
}

/** Both figures as text. */
export function latencyText({ p50, p99 }: Latency): string {
  return `p50 ${millisText(p50)}, p99 ${millisText(p99)}`;
}
