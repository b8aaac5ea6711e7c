/**
 * Promises that what fails is tried again less and less often, and at random moments, so that many clients that have lost
 * the same server do not all come back at once.
 *
 * Example with the usual first and longest wait: the waits are at most 250, 500, 1,000, 2,000, 4,000, 8,000 and from then on
 * 15,000 ms, and at least half of that.
 *
 * @module
 */

/** The first wait, and the longest one, in milliseconds, unless others are given. */
export const FIRST_WAIT_MS = 250;
/** See {@linkcode FIRST_WAIT_MS}. */
export const LONGEST_WAIT_MS = 15_000;

/**
 * Waits that double, each shortened by up to a half at random.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Backoff } from "./backoff.ts";
 *
 * const backoff = new Backoff(() => 0.5);
 * assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [187.5, 375, 750]);
 * backoff.reset();
 * assert.equal(backoff.next(), 187.5);
 * ```
 */
export class Backoff {
  #nextMs: number;
  readonly #random: () => number;
  readonly #firstMs: number;
  readonly #longestMs: number;

  /** `random` returns numbers from 0 to below 1. `firstMs` and `longestMs` are the first and the longest wait. */
  constructor(random: () => number = Math.random, firstMs = FIRST_WAIT_MS, longestMs = LONGEST_WAIT_MS) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#nextMs = firstMs;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const waitMs = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#longestMs);
    return waitMs;
  }

  /** Starts again with the first wait. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
