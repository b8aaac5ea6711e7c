/**
 * Has many pairs of recorders lose lines at random for minutes, one recorder after the other, and the oracle of the fault tests say
 * whether both have all lines in the end.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import {
  CLAIM_LIMIT,
  describeReports,
  LONG_OUTAGE_MS,
  LossyPair,
  type PairReport,
  planFaults,
} from "../faults/two_recorders.ts";
import { inLanes } from "../rig/lanes.ts";
import type { Bench } from "./bench.ts";
import type { Row } from "./report.ts";

/** The first seed; the tests have others. */
const FIRST_SEED = 1000;

/** So many pairs at once for each core: most of the time a pair waits for the clock. */
const PAIRS_PER_CORE = 3;

/** The shortest and the longest time away, in milliseconds. */
const AWAY_MS = [200, 15_000] as const;

/** A fault takes about so long, with the pause after it, in milliseconds. */
const FAULT_MS = 11_000;

/** A disk that is filled has so much, in bytes: more than the lines of two minutes, as they are and deflated. */
const VOLUME_BYTES = 768 * 1024 * 1024;

/** How much of the gaps is to be healed. */
const HEALED_LIMIT = 0.99;

/**
 * Runs {@linkcode Scale.pairs} pairs for {@linkcode Scale.pairMs} each.
 *
 * @throws {Error} At the first line that is missing, changed, there too often or out of order; the seed is in it.
 */
export async function measureTwoRecorders(bench: Bench): Promise<Row[]> {
  const { pairs, pairMs } = bench.scale;
  const faults = Math.max(2, Math.round(pairMs / FAULT_MS));
  const reports: PairReport[] = [];
  const seeds = Array.from({ length: pairs }, (_, index) => FIRST_SEED + index);
  await using scope = bench.scope();
  await inLanes(seeds, availableParallelism() * PAIRS_PER_CORE, async (seed) => {
    const plan = planFaults({ seed, faults, awayMs: AWAY_MS });
    const pair = scope.use(await LossyPair.spoil(seed, plan, VOLUME_BYTES));
    const report = await pair.heal();
    await pair[Symbol.asyncDispose]();
    reports.push(report);
    bench.tell(describeReports(`two recorders, seed ${seed}, ${report.faults}`, [report]));
    for (const gap of report.unhealed) bench.tell(`two recorders, seed ${seed}: ${gap}`);
  });
  bench.tell(describeReports(`two recorders, ${pairs} seeds`, reports));
  return rowsOf(reports, pairs);
}

function rowsOf(reports: readonly PairReport[], pairs: number): Row[] {
  const sum = (value: (report: PairReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0);
  const gapMs = sum((report) => report.gapMs);
  const healed = sum((report) => report.healedShare * report.gapMs) / gapMs;
  const long = { gapMs: sum((report) => report.long.gapMs), outageMs: sum((report) => report.long.outageMs) };
  return [{
    what: `lines missing, changed or there too often in two recorders, after ${pairs} runs`,
    ours: "0",
    theirs: `${sum(({ lines }) => lines)} published, ${sum(({ brought }) => brought)} brought back`,
    ratio: "–",
    wanted: "0",
  }, {
    what: "gap seconds that are healed",
    ours: `${(healed * 100).toFixed(1)} %`,
    theirs: `${Math.round(gapMs / 1000)} s in ${sum(({ gaps }) => gaps)} gaps`,
    ratio: `${(healed / HEALED_LIMIT).toFixed(2)}×`,
    wanted: `≥ ${HEALED_LIMIT * 100} %`,
  }, {
    what: `claimed by gaps of outages above ${LONG_OUTAGE_MS / 1000} s`,
    ours: `${Math.round(long.gapMs / 1000)} s`,
    theirs: `lost: ${Math.round(long.outageMs / 1000)} s`,
    ratio: `${(long.gapMs / long.outageMs).toFixed(2)}×`,
    wanted: `< ${CLAIM_LIMIT}×`,
  }];
}
