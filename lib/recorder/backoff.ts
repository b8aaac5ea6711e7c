/**
 * Promises that whoever tries again and again does it less and less often, at moments that others who lost
 * the same server do not choose too.
 *
 * @module
 */

/** The first wait, and the longest one, in milliseconds. */
export const FIRST_WAIT_MS = 250;
/** See {@linkcode FIRST_WAIT_MS}. */
export const LONGEST_WAIT_MS = 15_000;

/** Waits that double, each shortened by up to a half at random. */
export class Backoff {
  #nextMs = FIRST_WAIT_MS;
  readonly #random: () => number;

  /** `random` gives numbers from 0 to below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const waitMs = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, LONGEST_WAIT_MS);
    return waitMs;
  }

  /** Starts again with the first wait. */
  reset(): void {
    this.#nextMs = FIRST_WAIT_MS;
  }
}
