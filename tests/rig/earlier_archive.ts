/**
 * Promises the archive of a recorder that has been recording since yesterday, and has stopped just now: what comes next is not its first
 * start, before which everything is missing.
 *
 * @module
 */

import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { silentLogger as logger } from "../../lib/logger.ts";

const DAY_MS = 86_400_000;

/** Makes it in an empty directory: as if it had been started at the midnight before today's. */
export async function recordSinceYesterday(directory: string): Promise<void> {
  const nowMs = clock.now();
  const startMs = Math.floor(nowMs / DAY_MS) * DAY_MS - DAY_MS;
  const ledger = GapLedger.open(directory, { clock, logger });
  ledger.begin("start", startMs - 1000);
  ledger.end(startMs);
  await ledger.close();
  await new HeartbeatFiles(directory).move(nowMs);
}
