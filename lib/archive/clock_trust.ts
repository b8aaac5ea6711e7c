/**
 * Promises that no day is removed because the wall clock is wrong. After a jump the clock is believed again only when it
 * has gone on evenly for an hour, and never while most lines bear timestamps of an earlier day, which other machines'
 * clocks made.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** A clock that was moved by more than this against the time that has passed has jumped, in milliseconds. */
export const JUMP_MS = 60_000;

/** A clock that has gone on evenly for so long is believed, in milliseconds. */
export const STEADY_MS = 3_600_000;

/**
 * How far the clock is believed: `none` after a jump; `next` from the start on, so that the day that comes of
 * age today goes today; `any` after {@linkcode STEADY_MS}.
 */
export type Trust = "none" | "next" | "any";

/** Watches the wall clock. */
export class ClockTrust {
  readonly #clock: Clock;
  /** Wall clock less time passed, when it was last set. */
  #offsetMs: number;
  #sinceElapsedMs: number;
  #hasJumped = false;
  /** Lines that came since. */
  lines = 0;
  /** Those of them whose own time is before the day that the wall clock had put them into. */
  strays = 0;

  /** Begins to watch. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.elapsed();
    this.#sinceElapsedMs = clock.elapsed();
  }

  /** Looks at the clock; to be called more often than {@linkcode STEADY_MS}. */
  look(): void {
    const offsetMs = this.#clock.now() - this.#clock.elapsed();
    if (Math.abs(offsetMs - this.#offsetMs) <= JUMP_MS) return;
    this.#offsetMs = offsetMs;
    this.#sinceElapsedMs = this.#clock.elapsed();
    this.#hasJumped = true;
    this.lines = this.strays = 0;
  }

  /** Whether the clock has gone on evenly for so many milliseconds. */
  isSteadyFor(durationMs: number): boolean {
    return this.#clock.elapsed() - this.#sinceElapsedMs >= durationMs;
  }

  /**
   * How far the clock is believed. Where most lines are stamped before the day that it says, it is ahead: of a
   * clock that is 60 days ahead no line can be on its way for so long.
   */
  get trust(): Trust {
    if (!this.isSteadyFor(STEADY_MS)) return this.#hasJumped ? "none" : "next";
    return this.strays * 2 > this.lines ? "none" : "any";
  }
}
