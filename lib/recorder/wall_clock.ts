/**
 * Promises to remember how this machine's clock was set over time: a moment in {@linkcode Clock.elapsed} can be told in
 * every reading of the clock that was in force around it.
 *
 * The *offset* of the clock is what it shows less the time that has passed; while nobody sets the clock it stays the same.
 * Example: the clock shows 13:00:00 when the process starts, an hour ahead, so its offset is 13:00:00. At 100 s it is set
 * right and shows 12:01:40; from then on its offset is 12:00:00. Of a cut from 103 s to 105 s only 12:00:00 was in force:
 * it lasted from 12:01:43 to 12:01:45. Of one from 98 s to 105 s both were: by the watch it began at 13:01:38 and ended at
 * 12:01:45, and the gap has to be found by either.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Offsets } from "./stamp_offsets.ts";

/** The clock is taken to have been set when it has moved by more than this, in milliseconds. */
const STEP_MS = 100;

/** {@linkcode Clock.now} returns whole milliseconds, cut off: it is up to so much later than that, in milliseconds. */
const RESOLUTION_MS = 1;

/** So many readings are remembered. When there are more, the two oldest are joined into one that spans both. */
const READINGS_LIMIT = 32;

interface Reading {
  lowMs: number;
  highMs: number;
  /** When it was first and last seen, by {@linkcode Clock.elapsed}. */
  firstMs: number;
  lastMs: number;
}

/**
 * Watches the machine's clock.
 *
 * @example The example above, with times in seconds.
 * ```ts
 * import assert from "node:assert/strict";
 * import { systemClock } from "../clock.ts";
 * import { WallClock } from "./wall_clock.ts";
 *
 * let elapsedMs = 0;
 * let offsetMs = Date.parse("2026-11-22T13:00:00Z");
 * const clock = new WallClock({ ...systemClock, elapsed: () => elapsedMs, now: () => offsetMs + elapsedMs });
 * elapsedMs = 99_900;
 * clock.look();
 * elapsedMs = 100_000;
 * offsetMs = Date.parse("2026-11-22T12:00:00Z");
 * clock.look();
 * elapsedMs = 105_000;
 * const shown = (fromMs: number) =>
 *   clock.between(fromMs, elapsedMs).map(({ lowMs }) => new Date(lowMs).toISOString().slice(11, 19));
 * assert.deepEqual(shown(103_000), ["12:00:00"]);
 * assert.deepEqual(shown(98_000), ["13:00:00", "12:00:00"]);
 * ```
 */
export class WallClock {
  readonly #clock: Clock;
  readonly #readings: Reading[] = [];

  /** Looks at the clock for the first time. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.look();
  }

  /** The offset of the clock when it was last looked at. */
  get offsetMs(): number {
    return this.#readings.at(-1)!.lowMs;
  }

  /** Looks at the clock. If it is set and set back between two looks, nobody notices. */
  look(): void {
    const elapsedMs = this.#clock.elapsed();
    const offsetMs = this.#clock.now() - elapsedMs;
    const last = this.#readings.at(-1);
    if (
      last !== undefined && Math.max(last.highMs, offsetMs) - Math.min(last.lowMs, offsetMs) <= STEP_MS
    ) {
      last.lowMs = Math.min(last.lowMs, offsetMs);
      last.highMs = Math.max(last.highMs, offsetMs);
      last.lastMs = elapsedMs;
      return;
    }
    this.#readings.push({ lowMs: offsetMs, highMs: offsetMs, firstMs: elapsedMs, lastMs: elapsedMs });
    if (this.#readings.length > READINGS_LIMIT) this.#joinOldest();
  }

  /**
   * The offsets that were in force at some time from `fromMs` to `untilMs`, by {@linkcode Clock.elapsed}. When exactly the
   * clock was set is not known, only between which two looks; between these, both offsets count.
   */
  between(fromMs: number, untilMs: number): Offsets[] {
    this.look();
    const readings = this.#readings;
    return readings
      .filter(({ firstMs }, i) =>
        (readings[i - 1]?.lastMs ?? firstMs) <= untilMs && (readings[i + 1]?.firstMs ?? Infinity) >= fromMs
      )
      .map(({ lowMs, highMs }) => ({ lowMs, highMs: highMs + RESOLUTION_MS }));
  }

  #joinOldest(): void {
    const [first, second] = this.#readings.splice(0, 2);
    this.#readings.unshift({
      lowMs: Math.min(first!.lowMs, second!.lowMs),
      highMs: Math.max(first!.highMs, second!.highMs),
      firstMs: first!.firstMs,
      lastMs: second!.lastMs,
    });
  }
}
