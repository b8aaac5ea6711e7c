/**
 * Measures what hundreds of followers cost: recording with them against recording without, how soon they have a
 * line, and the memory, also with one among them that never reads.
 *
 * @module
 */

import { join } from "node:path";
import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { startFlightlog } from "./flightlog.ts";
import { dayAgo } from "./flood.ts";
import type { FollowJob, FollowResult } from "./follow_clients.ts";
import { PATIENT_SERVER } from "./ingest.ts";
import { latencyText, measureLines } from "./latency.ts";
import { Publisher } from "./publisher.ts";
import { millisText, percentile, ratioText, type Row, sizeText } from "./report.ts";

/** How many follow. */
const FOLLOWERS = 500;

/** How many of them never read. */
const STALLED = 1;

/** How long Flightlog may take to come to rest, in milliseconds. */
const REST_LIMIT_MS = 10_000;

/** Measures recording at 1,000 lines a second with and without followers. */
export async function measureFollowers(bench: Bench): Promise<Row[]> {
  const lines = bench.scale.latencyMs;
  await using scope = bench.scope();
  const directory = bench.scopedDirectory(scope, "follow");
  const server = scope.use(await NatsServer.start(PATIENT_SERVER));
  const { api, program } = await startFlightlog(scope, { url: server.url, directory });
  const publisher = scope.use(await Publisher.connect(server.port));
  const file = join(directory, `${dayAgo(0).name}.jsonl`);
  await program.rest(REST_LIMIT_MS);
  const alone = await measureLines(scope, { publisher, file, lines });

  const clients = new Worker(import.meta.resolve("./follow_clients.ts"), { type: "module" });
  scope.defer(() => clients.terminate());
  await message(clients);
  const job: FollowJob = { port: Number(new URL(api).port), followers: FOLLOWERS, stalled: STALLED };
  clients.postMessage(job);
  await message(clients);
  const together = await measureLines(scope, { publisher, file, lines });
  const result = message(clients);
  clients.postMessage(lines);
  const { lines: got, delaysMs } = await result as FollowResult;
  if (Math.min(...got) < lines) {
    throw new Error(`Cannot measure followers: one got ${Math.min(...got)} of ${lines} lines`);
  }
  const what = `${FOLLOWERS} followers at 1,000 lines/s`;
  return [
    {
      what: `published → readable in the file, ${what}, ${STALLED} of them stalled`,
      ours: latencyText(together),
      theirs: `without: ${latencyText(alone)}`,
      ratio: `p99 ${ratioText(together.p99, alone.p99)}`,
      wanted: "p99 < 20 ms",
    },
    {
      what: `published → read by a follower, ${what}`,
      ours: `p50 ${millisText(percentile(delaysMs, 0.5))}, p99 ${millisText(percentile(delaysMs, 0.99))}`,
      theirs: "",
      ratio: ratioText(percentile(delaysMs, 0.99), 50),
      wanted: "< 50 ms",
    },
    {
      what: `memory, ${what}`,
      ours: sizeText(program.peakBytes()),
      theirs: "",
      ratio: "",
      wanted: "",
    },
  ];
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(`Cannot follow: ${event.message}`));
  });
}
