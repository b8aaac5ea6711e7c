/**
 * Promises kills at moments that a seed chooses, after so many lines were recorded and in the middle of more:
 * a moment chosen by the clock would be another one on each machine.
 *
 * @module
 */

import { FlightlogProcess } from "../rig/flightlog_process.ts";
import type { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, NumberedLines, untilRecorded, type Verdict } from "./oracle.ts";
import { createRandom } from "../rig/random.ts";

/** Lines that are published between two looks at what was recorded. */
const BATCH_LINES = 100;

/** At most this many lines are recorded before a kill, and published during it. */
const LINES_LIMIT = 1500;

/** What came of it. */
export interface KillReport {
  /** The oracle's word. */
  verdict: Verdict;
  /** From the start of a process until it recorded, at the worst, in milliseconds. */
  slowestReadyMs: number;
}

/**
 * Starts Flightlog over one archive again and again and kills it each time.
 *
 * @throws {Error} If the oracle finds a fault.
 */
export async function killUnderLoad(
  server: NatsServer,
  options: { seed: number; kills: number; onKill?: (kill: number) => void },
): Promise<KillReport> {
  const random = createRandom(options.seed);
  const lines = new NumberedLines();
  const directory = await Deno.makeTempDir({ prefix: "flightlog-kill-" });
  // Small intervals, so that syncs and seals of late lines fall between the kills too.
  const env = { NATS_URL: server.url, SYNC_INTERVAL: "10ms" };
  let slowestReadyMs = 0;
  try {
    await using publisher = await Publisher.connect({ port: server.port });
    for (let kill = 0; kill <= options.kills; kill++) {
      const startMs = performance.now();
      await using flightlog = await FlightlogProcess.start({ env, logDirectory: directory });
      await flightlog.untilLog("recording");
      slowestReadyMs = Math.max(slowestReadyMs, performance.now() - startMs);
      const recorded = Math.floor(random() * LINES_LIMIT);
      for (let count = BATCH_LINES; count <= recorded; count += BATCH_LINES) {
        await lines.publish(publisher, BATCH_LINES);
        await untilRecorded(flightlog, count);
      }
      if (kill === options.kills) return { verdict: await checkOracle(flightlog, lines), slowestReadyMs };
      const publishing = lines.publish(publisher, Math.ceil(random() * LINES_LIMIT));
      if (random() < 0.5) await publishing;
      await flightlog.kill();
      await publishing;
      options.onKill?.(kill + 1);
    }
    throw new RangeError(`Cannot kill ${options.kills} times`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
