/**
 * Promises to tell the last moment up to which every line is not only here but in the files, or on the disk.
 *
 * A line that was taken waits in memory until it is written, and in the system's cache until it is synced. So at
 * each look the moment that is known good is kept together with how far the text of each day had been taken, and
 * counts once each of these texts has come so far. Example: at 10.0 s the day had 5,000 bytes taken and 4,000
 * written; once 5,000 are written, all lines up to 10.0 s are in the file, however much came meanwhile.
 *
 * @module
 */

import type { DayEnds } from "../archive/archive.ts";

/** At most so many looks wait for the disk; while they do, no further look is kept. */
const LOOKS_LIMIT = 256;

/** A moment, and what the days have to hold for it to count. */
export interface KeptMoment {
  /** Up to this everything is here, by {@linkcode Clock.elapsed}. */
  readonly goodMs: number;
  /** How far the text of each day had been taken. */
  readonly ends: readonly DayEnds[];
}

/** The looks whose lines are on their way to the disk. */
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

  /** Looks: everything up to `goodMs` has been handed to the archive, whose days are `ends` far. */
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
