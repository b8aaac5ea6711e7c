/**
 * Promises to know which offsets the machine's clock had against the time that has passed, and when: a moment
 * kept in {@linkcode Clock.elapsed} can be told in every reading of the clock that was in force around it.
 *
 * Example: the clock runs an hour ahead, at 100 s it is set right, and a cut lasts from 103 s to 105 s. Then
 * only the right reading was in force in the cut. Where the last sign of life was at 98 s, both were.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Offsets } from "./stamp_offsets.ts";

/** The clock is taken to have been set when it has moved by more than this, in milliseconds. */
const STEP_MS = 100;

/** {@linkcode Clock.now} has no fractions: the time is up to so much later than it says, in milliseconds. */
const RESOLUTION_MS = 1;

/** So many readings are remembered; of more, the oldest two become one that holds for both. */
const READINGS_LIMIT = 32;

interface Reading {
  lowMs: number;
  highMs: number;
  /** When it was first and last seen, by {@linkcode Clock.elapsed}. */
  firstMs: number;
  lastMs: number;
}

/** Watches the machine's clock. */
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

  /** Looks at the clock; a step that is taken back between two looks is not seen. */
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
   * The offsets in force at some time from `fromMs` to `untilMs`, by {@linkcode Clock.elapsed}. The clock was set
   * somewhere between the last look that saw one reading and the first that saw the next, so there both count.
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
