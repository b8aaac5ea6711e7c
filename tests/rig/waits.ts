/**
 * Promises a clock for code that waits between requests over real connections, where a test cannot know when to move a
 * fake clock on: each wait ends after a turn of the event loop. Only limits of time wait for the test.
 *
 * @module
 */

import type { Cancel, Clock } from "../../lib/clock.ts";
import type { FakeClock } from "./fake_clock.ts";

/**
 * A clock that moves on by itself to where the next wait ends. Waits of exactly one of `limitsMs`, which stand for limits, come only
 * when the test moves the {@linkcode FakeClock} beneath.
 */
export class WaitsClock implements Clock {
  /** How long each wait was to be, in the order in which they began. */
  readonly waitsMs: number[] = [];
  readonly #clock: FakeClock;
  readonly #limitsMs: readonly number[];

  /** Moves `clock`. */
  constructor(clock: FakeClock, ...limitsMs: number[]) {
    this.#clock = clock;
    this.#limitsMs = limitsMs;
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
    if (this.#limitsMs.includes(delayMs)) return cancel;
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
