/**
 * Promises that requests leave no faster than whoever answers them wants.
 *
 * @module
 */

import { type Clock, sleep } from "../../clock.ts";

/** How fast requests may leave. */
export interface PaceLimit {
  /** So many at once. */
  readonly burst: number;
  /** After which one more may leave each so many milliseconds. */
  readonly intervalMs: number;
}

/**
 * Hands out turns: `burst` at once, then one each `intervalMs`. Turns are handed out in the order in which they are asked for.
 *
 * Example with a burst of 3 and 1,000 ms: of five turns that are asked for at 0 s, three come at 0 s, one at 1 s, one at 2 s.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #limit: PaceLimit;
  /** The moment, by {@linkcode Clock.elapsed}, at which the turns that were handed out are used up: the next one's interval begins. */
  #usedUntilMs: number;

  /** `clock` is what turns are waited for by. */
  constructor(clock: Clock, limit: PaceLimit) {
    this.#clock = clock;
    this.#limit = limit;
    this.#usedUntilMs = clock.elapsed();
  }

  /** Resolves when it is the caller's turn, or when `signal` aborts; then the turn is used up all the same. */
  async turn(signal?: AbortSignal): Promise<void> {
    const { burst, intervalMs } = this.#limit;
    const nowMs = this.#clock.elapsed();
    this.#usedUntilMs = Math.max(this.#usedUntilMs, nowMs) + intervalMs;
    const waitMs = this.#usedUntilMs - burst * intervalMs - nowMs;
    if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
  }
}
