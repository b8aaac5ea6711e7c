/**
 * Promises a clock for code that waits between requests over real connections, where a test cannot know when to move a
 * fake clock on: each wait ends after a turn of the event loop. Only limits of time wait for the test.
 *
 * @module
 */

import type { Cancel, Clock } from "../../lib/clock.ts";
import type { FakeClock } from "./fake_clock.ts";

/**
 * A clock that moves on by itself to where the next wait ends. Waits that are limits, which are of exactly one of some lengths or of
 * those that the test picks, come only when the test moves the {@linkcode FakeClock} beneath.
 */
export class WaitsClock implements Clock {
  /** How long each wait was to be, in the order in which they began. */
  readonly waitsMs: number[] = [];
  readonly #clock: FakeClock;
  readonly #limits: readonly (number | ((delayMs: number) => boolean))[];

  /** Moves `clock`, but for `limits`, in milliseconds. */
  constructor(clock: FakeClock, ...limits: (number | ((delayMs: number) => boolean))[]) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** See {@linkcode Clock.now}. */
  now(): number {
    return this.#clock.now();
  }

  /** See {@linkcode Clock.elapsed}. */
  elapsed(): number {
    return this.#clock.elapsed();
  }

  /** See {@linkcode Clock.after}. */
  after(delayMs: number, callback: () => void): Cancel {
    const cancel = this.#clock.after(delayMs, callback);
    const isLimit = this.#limits.some((limit) =>
      typeof limit === "number" ? limit === delayMs : limit(delayMs)
    );
    if (isLimit) return cancel;
    this.waitsMs.push(delayMs);
    const dueMs = this.#clock.elapsed() + delayMs;
    const turn = setTimeout(() => this.#clock.advance(Math.max(0, dueMs - this.#clock.elapsed())), 0);
    return () => {
      clearTimeout(turn);
      cancel();
    };
  }

  /** See {@linkcode Clock.every}. */
  every(intervalMs: number, callback: () => void): Cancel {
    return this.#clock.every(intervalMs, callback);
  }
}
