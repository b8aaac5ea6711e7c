/**
 * Kills Flightlog at many random moments under load and has the oracle of the fault tests say what became of
 * the lines.
 *
 * @module
 */

import { endSteadily } from "../faults/end_steadily.ts";
import { killUnderLoad } from "../faults/kill_under_load.ts";
import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { millisText, type Row } from "./report.ts";

/** An archive is killed so often under one seed; then another one is begun with another seed. */
const KILLS_PER_SEED = 10;

/** It is killed so often, and so long after it has begun to record, while lines come steadily. */
const STEADY_KILLS = 10;
const STEADY_RUN_MS = 3_500;

/** What a gap may claim beyond what was lost, in milliseconds. */
const EXCESS_LIMIT_MS = 1_500;

/** How long it may take until it records again, in milliseconds. */
const READY_LIMIT_MS = 5_000;

/**
 * Measures recovery from `kill -9`, {@linkcode Scale.kills} times.
 *
 * Of the gaps, how much they claim beyond what was lost is measured by kills while lines come at a steady rate.
 *
 * @throws {Error} At the first line that is missing without a gap, twice there, or changed.
 */
export async function measureKills(bench: Bench): Promise<Row[]> {
  await using scope = bench.scope();
  const server = scope.use(await NatsServer.start());
  let kept = 0;
  let missing = 0;
  let slowestReadyMs = 0;
  for (let done = 0, seed = 1000; done < bench.scale.kills; done += KILLS_PER_SEED, seed++) {
    const report = await killUnderLoad(server, { seed, kills: KILLS_PER_SEED });
    kept += report.verdict.kept;
    missing += report.verdict.missing;
    slowestReadyMs = Math.max(slowestReadyMs, report.slowestReadyMs);
    bench.tell(`kill: seed ${seed}, ${report.verdict.kept} kept, ${report.verdict.missing} in gaps`);
  }
  const claims = await endSteadily(server, { signal: "SIGKILL", times: STEADY_KILLS, runMs: STEADY_RUN_MS });
  const excessMs = claims.reduce((largest, claim) => Math.max(largest, claim.excessMs), 0);
  return [{
    what: `claimed by a gap beyond what was lost, the most of ${STEADY_KILLS} kills`,
    ours: millisText(excessMs),
    theirs: "",
    ratio: `${(excessMs / EXCESS_LIMIT_MS).toFixed(2)}×`,
    wanted: `≤ ${millisText(EXCESS_LIMIT_MS)}`,
  }, {
    what: `lines in no gap and lost, after ${bench.scale.kills} kills under load`,
    ours: "0",
    theirs: `${kept} kept, ${missing} in gaps`,
    ratio: "–",
    wanted: "0",
  }, {
    what: "recording again after a kill, at the slowest",
    ours: millisText(slowestReadyMs),
    theirs: "",
    ratio: `${(slowestReadyMs / READY_LIMIT_MS).toFixed(2)}×`,
    wanted: `≤ ${millisText(READY_LIMIT_MS)}`,
  }];
}
