/**
 * Promises that two sets of lines can be compared minute by minute without sending a line: for each UTC minute of the
 * lines' own timestamps there is a count and the sum of their identities, modulo 2^128. The same lines have the same
 * sums in whatever order and byte form they came.
 *
 * **Why a sum and not XOR.** Lines repeat. With XOR two equal lines cancel each other, so that "a line twice" looks like
 * "another line twice", and the count is the same, too. In a sum each of them counts.
 *
 * **What it finds** is chance: lines that got lost on the way. It does not withstand somebody who chooses the lines: whoever
 * prints thousands of them can find two sets with the same sum. They would also have to choose which of them get lost,
 * and would hide nothing but their own lines.
 *
 * **What it cannot find.** Sums are of `FULL_IDENTITY` (identity.ts): nine decimals and the instance. A line that was brought back from
 * Fly's logs API has fewer decimals, and some rows do not know their instance. So it is another line here than in a
 * recorder that has it from the stream. Example: we have `10:00:00.123Z` from Fly, a peer has `10:00:00.123456789Z` from the
 * stream; nothing is missing on either side, and the sums of 10:00 differ for good. That sums are equal proves that
 * nothing is missing; that they differ says only that the lines of this minute have to be compared, those that were
 * brought back at their own precision.
 *
 * @module
 */

import { type DayNumber, dayStartMs } from "../day.ts";
import type { Identity } from "./identity.ts";

/** How many minutes a day has. */
export const DAY_MINUTES = 1440;

/**
 * So many minutes outside of the day have an entry of their own: those nearest to the day. A line of a strange timestamp
 * is recorded on the day on which it came, and a machine whose clock is wrong makes as many such minutes as a day has.
 * The lines of all other minutes are counted in one entry, so that no choice of timestamps makes a table grow.
 */
export const OUTSIDE_MINUTES_LIMIT = 1440;

/** A sum is so many numbers of 32 bits, the most significant first. */
const LANES = 4;
const LANE_DIGITS = 8;
const LANE_MAXIMUM = 0xffff_ffff;
const MINUTE_SECONDS = 60;
const MINUTE_MS = 60_000;

/** The sums of a day or of a part of it, by minute. May be used as a structured clone. */
export interface MinuteTable {
  /** The minutes that have lines, in minutes since 1970, sorted. */
  minutes: Float64Array<ArrayBuffer>;
  /** How many lines each of them has. */
  lines: Float64Array<ArrayBuffer>;
  /** The sum of each of them, as {@linkcode sumText} reads it. */
  sums: Uint32Array<ArrayBuffer>;
  /** How many lines are of minutes that have no entry of their own; see {@linkcode OUTSIDE_MINUTES_LIMIT}. */
  distantLines: number;
  /** The sum of those. */
  distantSum: Uint32Array<ArrayBuffer>;
  /** How many lines have no identity: envelopes, and lines without a timestamp that is a moment. */
  withoutIdentity: number;
}

interface MinuteSum {
  lines: number;
  sum: Uint32Array<ArrayBuffer>;
}

/**
 * Adds up lines of one day. Which minutes get an entry does not depend on the order of the lines: a minute that has lost
 * its entry has as many nearer ones as there may be, and these stay or are replaced by nearer ones still. So if another
 * line of it comes, it loses its entry again.
 *
 * @example The same two lines in either order, and the one of them twice
 * ```ts
 * import assert from "node:assert/strict";
 * import { MinuteSums, sumText } from "./minute_sums.ts";
 *
 * const [a, b] = ["0".repeat(31) + "1", "f".repeat(32)];
 * const sumOf = (identities: string[]) => {
 *   const sums = new MinuteSums(20_779);
 *   for (const identity of identities) sums.add(20_779 * 86_400, identity);
 *   return sumText(sums.table().sums, 0);
 * };
 * assert.equal(sumOf([a, b]), "0".repeat(32));
 * assert.equal(sumOf([b, a]), sumOf([a, b]));
 * assert.equal(sumOf([a, b, a]), a);
 * ```
 */
export class MinuteSums {
  readonly #firstMinute: number;
  readonly #minutes = new Map<number, MinuteSum>();
  readonly #distant: MinuteSum = noLines();
  #outside = 0;
  #withoutIdentity = 0;
  /** The minute of the line before, whose entry costs no lookup. */
  #lastMinute = NaN;
  #last: MinuteSum = this.#distant;
  readonly #lanes = new Uint32Array(LANES);

  /** Has no lines yet. The minutes of `day` all have entries of their own. */
  constructor(day: DayNumber) {
    this.#firstMinute = dayStartMs(day) / MINUTE_MS;
  }

  /** Adds a line of the second `seconds` since 1970. */
  add(seconds: number, identity: Identity): void {
    const minute = Math.floor(seconds / MINUTE_SECONDS);
    if (minute !== this.#lastMinute) {
      this.#last = this.#entry(minute);
      this.#lastMinute = minute;
    }
    const lanes = this.#lanes;
    for (let lane = 0; lane < LANES; lane++) {
      lanes[lane] = parseInt(identity.slice(lane * LANE_DIGITS, (lane + 1) * LANE_DIGITS), 16);
    }
    this.#last.lines++;
    addLanes(this.#last.sum, lanes, 0);
  }

  /** Counts a line that has no identity. */
  addWithoutIdentity(): void {
    this.#withoutIdentity++;
  }

  /** Adds what {@linkcode MinuteSums.table} returned for other lines of the same day. */
  addTable(table: MinuteTable): void {
    for (const [index, minute] of table.minutes.entries()) {
      const entry = this.#entry(minute);
      entry.lines += table.lines[index]!;
      addLanes(entry.sum, table.sums, index * LANES);
    }
    this.#lastMinute = NaN;
    this.#distant.lines += table.distantLines;
    addLanes(this.#distant.sum, table.distantSum, 0);
    this.#withoutIdentity += table.withoutIdentity;
  }

  /** What was added so far. */
  table(): MinuteTable {
    this.#keepNearest();
    const minutes = Float64Array.from(this.#minutes.keys()).sort();
    const lines = new Float64Array(minutes.length);
    const sums = new Uint32Array(minutes.length * LANES);
    for (const [index, minute] of minutes.entries()) {
      const entry = this.#minutes.get(minute)!;
      lines[index] = entry.lines;
      sums.set(entry.sum, index * LANES);
    }
    const distant = { distantLines: this.#distant.lines, distantSum: this.#distant.sum.slice() };
    return { minutes, lines, sums, ...distant, withoutIdentity: this.#withoutIdentity };
  }

  #entry(minute: number): MinuteSum {
    const found = this.#minutes.get(minute);
    if (found !== undefined) return found;
    // Twice as many as may stay, so that they are not sorted for each line.
    if (this.#outside >= 2 * OUTSIDE_MINUTES_LIMIT) this.#keepNearest();
    if (this.#distance(minute) > 0) this.#outside++;
    const entry = noLines();
    this.#minutes.set(minute, entry);
    return entry;
  }

  /** Takes the entries from the minutes outside of the day that are too many, those farthest from it. */
  #keepNearest(): void {
    if (this.#outside <= OUTSIDE_MINUTES_LIMIT) return;
    const outside = [...this.#minutes.keys()].filter((minute) => this.#distance(minute) > 0)
      .sort((a, b) => this.#distance(a) - this.#distance(b) || a - b);
    for (const minute of outside.slice(OUTSIDE_MINUTES_LIMIT)) {
      const { lines, sum } = this.#minutes.get(minute)!;
      this.#distant.lines += lines;
      addLanes(this.#distant.sum, sum, 0);
      this.#minutes.delete(minute);
    }
    this.#outside = OUTSIDE_MINUTES_LIMIT;
    this.#lastMinute = NaN;
  }

  /** How far a minute is from the day: 0 within it, 1 for the last minute of the day before and the first of the next. */
  #distance(minute: number): number {
    return Math.max(this.#firstMinute - minute, 0, minute - (this.#firstMinute + DAY_MINUTES - 1));
  }
}

/** The sum at `index` of {@linkcode MinuteTable.sums}, as 32 hexadecimal digits. */
export function sumText(sums: Uint32Array, index: number): string {
  let text = "";
  for (let at = index * LANES; at < (index + 1) * LANES; at++) {
    text += sums[at]!.toString(16).padStart(LANE_DIGITS, "0");
  }
  return text;
}

function noLines(): MinuteSum {
  return { lines: 0, sum: new Uint32Array(LANES) };
}

/** Adds the number that stands in `lanes` from `at` on to `sum`, modulo 2^128. */
function addLanes(sum: Uint32Array, lanes: Uint32Array, at: number): void {
  let carry = 0;
  for (let lane = LANES - 1; lane >= 0; lane--) {
    const total = sum[lane]! + lanes[at + lane]! + carry;
    sum[lane] = total; // what is above 32 bits is cut off, and carried
    carry = total > LANE_MAXIMUM ? 1 : 0;
  }
}
