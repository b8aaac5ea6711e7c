/**
 * Promises to find out whether two recorders are one truth: each loses lines in ways of its own, never both at once, and afterwards
 * both have every line that was published, as often as it was, byte for byte, in order of time, by every way out.
 *
 * What two recorders lose at the same moment nobody has. Even when only what one says of its loss touches what the other says of
 * its own, neither can tell the other that nothing is missing; a gap claims about a second more than was lost on either side. So
 * the faults come {@linkcode PAUSE_MS} apart.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createRandom, pick } from "../rig/random.ts";
import { checkArchives, checkReadable, checkSilence, type HealedGap } from "./pair_checks.ts";
import { FAULTS, isSilent, needsEviction, needsVolume, pass } from "./pair_faults.ts";
import { type PairOptions, PAUSE_MS, RecorderPair } from "./recorder_pair.ts";
import { RepeatedLines } from "./repeated_lines.ts";

/** So many lines are published a second. */
const LINES_PER_SECOND = 5_000;

/** In every other run each repeat follows its line at once, in the others it is of one of so many before it. */
const REPEAT_WITHIN = [1, 20] as const;

/** Lines are published for so long before the first fault and after the last, in milliseconds. */
const EDGE_MS = 800;

/** What a disk that is filled has at first, in bytes: more than a short run takes. */
const VOLUME_BYTES = 192 * 1024 * 1024;

/** One that is frozen is put out after so long, in milliseconds; one that only waits for a processor should not be. */
const EVICT_AFTER_MS = 4_000;

/** An outage that lasts longer than this is to be claimed by less than {@linkcode CLAIM_LIMIT} times as much, in milliseconds. */
export const LONG_OUTAGE_MS = 10_000;

/** See {@linkcode LONG_OUTAGE_MS}. */
export const CLAIM_LIMIT = 1.5;

/** What befalls one of the two. */
export interface PlannedFault {
  /** A key of {@linkcode FAULTS}. */
  name: string;
  /** Whom: 0 or 1. */
  whom: 0 | 1;
  /** How long it is away where the fault has a length, in milliseconds. */
  awayMs: number;
}

/** How long faults last, and how many there are. */
export interface PlanOptions {
  /** Chooses everything. */
  seed: number;
  /** How many faults there are. */
  faults: number;
  /** The shortest and the longest time away, in milliseconds. */
  awayMs: readonly [number, number];
}

/** What came of one run. */
export interface PairReport {
  /** What befell whom. */
  faults: string;
  /** How many lines were published, repeats counted. */
  lines: number;
  /** How many of these had to be brought back, on both sides. */
  brought: number;
  /** How many gaps there are on both sides. */
  gaps: number;
  /** How long the gaps are together, in milliseconds. */
  gapMs: number;
  /** How long lines were lost: that many lines take so long to publish, in milliseconds. */
  outageMs: number;
  /** The same for the gaps of outages above {@linkcode LONG_OUTAGE_MS}. */
  long: { gapMs: number; outageMs: number };
  /** How much of the gaps is healed, from 0 to 1. */
  healedShare: number;
  /** The gaps that are not, in words. */
  unhealed: string[];
}

/** Chooses the faults of a seed: the kinds take turns, each of the two gets some, and all else is by chance. */
export function planFaults({ seed, faults, awayMs: [least, most] }: PlanOptions): PlannedFault[] {
  const random = createRandom(seed);
  const names = Object.keys(FAULTS);
  const first = random() < 0.5 ? 0 : 1;
  return Array.from({ length: faults }, (_, index) => ({
    name: index === 0 ? names[seed % names.length]! : pick(names, random),
    whom: (first + index) % 2 === 0 ? 0 : 1,
    awayMs: Math.round(least + random() * (most - least)),
  }));
}

/** Two recorders of which each has lost something. */
export class LossyPair implements AsyncDisposable {
  readonly #seed: number;
  readonly #plan: readonly PlannedFault[];
  readonly #pair: RecorderPair;
  readonly #lines: RepeatedLines;

  private constructor(seed: number, plan: readonly PlannedFault[], pair: RecorderPair, lines: RepeatedLines) {
    this.#seed = seed;
    this.#plan = plan;
    this.#pair = pair;
    this.#lines = lines;
  }

  /**
   * Starts both and publishes while the faults come one after the other. A disk that is filled has `volumeBytes`, which must be more
   * than all lines take.
   *
   * @throws {Error} If a fault does not come about. The seed is in it.
   */
  static async spoil(
    seed: number,
    plan: readonly PlannedFault[],
    volumeBytes: number = VOLUME_BYTES,
  ): Promise<LossyPair> {
    const random = createRandom(seed);
    const optionsOf = (whom: 0 | 1): PairOptions => {
      const names = plan.filter((fault) => fault.whom === whom).map(({ name }) => name);
      return {
        volumeBytes: names.some(needsVolume) ? volumeBytes : null,
        evictAfterMs: names.some(needsEviction) ? EVICT_AFTER_MS : undefined,
      };
    };
    const pair = await RecorderPair.start([optionsOf(0), optionsOf(1)]);
    const spoilt = new LossyPair(seed, plan, pair, new RepeatedLines(random, REPEAT_WITHIN[seed % 2]!));
    try {
      await spoilt.#naming(() => spoilt.#spoil(random));
    } catch (error) {
      await spoilt[Symbol.asyncDispose]();
      throw error;
    }
    return spoilt;
  }

  /**
   * Has both recorders heal, as soon as they may, and holds them against what was published.
   *
   * @throws {Error} If a line is missing, changed, there too often or out of order, or a loss is not named. The seed is in it.
   */
  async heal(): Promise<PairReport> {
    return await this.#naming(async () => {
      const { span } = this.#lines;
      await this.#pair.untilReadable(this.#lines);
      await this.#pair.settle(span, this.#plan.some(({ name }) => isSilent(name)));
      await this.#pair.heal();
      const gaps = await checkReadable(this.#pair, this.#lines);
      await checkSilence(this.#pair);
      await checkArchives(this.#pair);
      checkCauses(this.#plan, gaps);
      return report(this.#plan, this.#lines, gaps.flat());
    });
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pair[Symbol.asyncDispose]();
  }

  async #spoil(random: () => number): Promise<void> {
    await using _publishing = this.#pair.publish(this.#lines, LINES_PER_SECOND);
    await pass(EDGE_MS);
    for (const { name, whom, awayMs } of this.#plan) {
      await FAULTS[name]!(this.#pair.both[whom], { awayMs, random });
      await pass(PAUSE_MS);
      // On a busy machine lines are late: what the next fault costs must not be what this one has cost the other recorder.
      await this.#pair.untilReadable(this.#lines);
    }
    await pass(EDGE_MS);
  }

  async #naming<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const faults = this.#plan.map(({ name, whom, awayMs }) => `${name} of ${whom} for ${awayMs} ms`);
      const reason = (error as Error).message;
      throw new Error(`Cannot pass seed ${this.#seed} (${faults.join(", ")}): ${reason}`, { cause: error });
    }
  }
}

/** Each loss is named, and those that nobody could notice are told from the others. */
function checkCauses(plan: readonly PlannedFault[], gaps: readonly HealedGap[][]): void {
  const causes: Readonly<Record<string, string>> = {
    ...{ killed: "crash", "cut off": "disconnect", frozen: "disconnect" },
    ...{ "lossy stream": "undelivered", "disk full": "disk" },
  };
  for (const { name, whom } of plan) {
    const found = gaps[whom]!.map(({ cause }) => cause);
    assert.ok(found.includes(causes[name]!), `${name}: there are gaps of ${found.join(", ") || "no cause"}`);
  }
}

function report(plan: readonly PlannedFault[], lines: RepeatedLines, gaps: readonly HealedGap[]): PairReport {
  const sum = (of: readonly HealedGap[], value: (gap: HealedGap) => number): number =>
    of.reduce((total, gap) => total + value(gap), 0);
  const outageMs = (gap: HealedGap): number => gap.lines / LINES_PER_SECOND * 1000;
  const long = gaps.filter((gap) => outageMs(gap) > LONG_OUTAGE_MS);
  const gapMs = sum(gaps, ({ ms }) => ms);
  return {
    faults: plan.map(({ name, whom }) => `${name} (${whom === 0 ? "first" : "second"})`).join(", "),
    lines: lines.count,
    brought: sum(gaps, (gap) => gap.lines),
    gaps: gaps.length,
    gapMs,
    outageMs: sum(gaps, outageMs),
    long: { gapMs: sum(long, ({ ms }) => ms), outageMs: sum(long, outageMs) },
    healedShare: sum(gaps.filter(({ unhealed }) => unhealed === null), ({ ms }) => ms) / gapMs,
    unhealed: gaps.flatMap(({ unhealed }) => unhealed ?? []),
  };
}

/** One line that says what came of runs; `what` names them. */
export function describeReports(what: string, reports: readonly PairReport[]): string {
  const sum = (value: (report: PairReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const [gapMs, outageMs] = [sum((report) => report.gapMs), sum((report) => report.outageMs)];
  const long = { gapMs: sum((report) => report.long.gapMs), outageMs: sum((report) => report.long.outageMs) };
  const ofLong = long.outageMs === 0
    ? `no outage above ${LONG_OUTAGE_MS / 1000} s`
    : `${(long.gapMs / long.outageMs).toFixed(2)} for outages above ${LONG_OUTAGE_MS / 1000} s`;
  const healed = sum((report) => report.healedShare * report.gapMs) / gapMs;
  return `${what}: gaps of ${seconds(gapMs)} for outages of ${seconds(outageMs)} ` +
    `(${(gapMs / outageMs).toFixed(2)}; ${ofLong}), ${(healed * 100).toFixed(1)} % of gap seconds healed; ` +
    `${sum(({ lines }) => lines)} lines, ${sum(({ brought }) => brought)} brought back`;
}
