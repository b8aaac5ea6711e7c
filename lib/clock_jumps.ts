/**
 * Promises that a span of time is not placed beside the lines that it is about because the clock was set
 * meanwhile: which of two clocks was right nobody knows, so the span is made to hold for both.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** Watches how far the wall clock was moved against the time that has passed. */
export class ClockJumps {
  readonly #clock: Clock;
  /** The wall clock less the time passed: the least, the largest and the present of it, in milliseconds. */
  #least: number;
  #largest: number;
  #present: number;

  /** Has seen no jump yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#least = this.#largest = this.#present = clock.now() - clock.elapsed();
  }

  /** Looks at the clock; a jump that is taken back between two looks is not seen. */
  look(): void {
    this.#present = this.#clock.now() - this.#clock.elapsed();
    this.#least = Math.min(this.#least, this.#present);
    this.#largest = Math.max(this.#largest, this.#present);
  }

  /** The earliest that a time of the present clock may have been by the clock as it was, in milliseconds since 1970. */
  earliest(epochMs: number): number {
    this.look();
    return epochMs - (this.#present - this.#least);
  }

  /** The latest that a time of the present clock may have been by the clock as it was, in milliseconds since 1970. */
  latest(epochMs: number): number {
    this.look();
    return epochMs + (this.#largest - this.#present);
  }

  /** Forgets the jumps so far: what comes is about the present clock only. */
  forget(): void {
    this.look();
    this.#least = this.#largest = this.#present;
  }
}
