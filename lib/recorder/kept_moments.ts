/**
 * Promises the last moment up to which every line is not only here but in the files, or on the disk.
 *
 * A line that was taken waits in memory until it is written, and in the system's cache until it is synced. So each look
 * keeps the moment that is good together with how long the text of each day is then; the moment counts when the files have
 * grown to that length. Example: at the look of 10.0 s everything up to 10.0 s is here, the day is 5,000 bytes long, and
 * 4,000 of them are in the file. When the file has 5,000 bytes, at 10.2 s, every line up to 10.0 s is in it, however many
 * have come in the meantime.
 *
 * @module
 */

import type { DayEnds } from "../archive/archive.ts";

/** At most so many looks wait for the disk; while they do, no further look is kept. */
const LOOKS_LIMIT = 256;

/** A moment, and how long the days' files have to be for it to count. */
export interface KeptMoment {
  /** Every line up to this is here, by {@linkcode Clock.elapsed}. */
  readonly goodMs: number;
  /** How long the text of each day was at the look. */
  readonly ends: readonly DayEnds[];
}

/**
 * The looks of which lines are on their way to the disk.
 *
 * @example The example above: one day, looked at twice.
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeptMoments } from "./kept_moments.ts";
 *
 * const moments = new KeptMoments();
 * moments.look(10_000, [{ day: 20_779, appended: 5_000, committed: 4_000, synced: 0 }]);
 * const { written } = moments;
 * assert.equal(written, null); // 4,000 bytes are in the file, not yet 5,000
 * moments.look(10_200, [{ day: 20_779, appended: 6_000, committed: 5_000, synced: 0 }]);
 * assert.equal(moments.written?.goodMs, 10_000);
 * ```
 */
export class KeptMoments {
  #waiting: KeptMoment[] = [];
  #written: KeptMoment | null = null;
  #synced: KeptMoment | null = null;

  /** The latest look of which every line is in the files; null before. */
  get written(): KeptMoment | null {
    return this.#written;
  }

  /** Whether there is a look of which not every line is in the files. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0 && this.#waiting.at(-1) !== this.#written;
  }

  /** The latest look of which every line is on the disk; null before. */
  get synced(): KeptMoment | null {
    return this.#synced;
  }

  /** A look: every line up to `goodMs` has been handed to the archive, and its days have come as far as `ends` says. */
  look(goodMs: number, ends: readonly DayEnds[]): void {
    const lastMs = (this.#waiting.at(-1) ?? this.#synced)?.goodMs ?? -Infinity;
    if (goodMs > lastMs && this.#waiting.length < LOOKS_LIMIT) this.#waiting.push({ goodMs, ends });
    this.follow(ends);
  }

  /** The days have come as far as `ends` says. */
  follow(ends: readonly DayEnds[]): void {
    const now = new Map(ends.map((end) => [end.day, end]));
    const reach = (moment: KeptMoment, what: "committed" | "synced") =>
      moment.ends.every(({ day, appended }) => (now.get(day)?.[what] ?? Infinity) >= appended);
    while (this.#waiting[0] !== undefined && reach(this.#waiting[0], "synced")) {
      this.#written = this.#synced = this.#waiting.shift()!;
    }
    for (const moment of this.#waiting) {
      if (!reach(moment, "committed")) break;
      this.#written = moment;
    }
  }
}
