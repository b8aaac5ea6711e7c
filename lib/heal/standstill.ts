/**
 * Promises to notice when the program stood still, or the machine was suspended, and until when what came meanwhile is waited for.
 *
 * Lines of that time may wait in the connection, as old as the standstill was long: older than what peers are compared by. Brought back
 * from elsewhere and then recorded, they would be here twice. Example: the program is frozen from 12:00:00 to 12:03:00. Two
 * minutes of lines wait in the connection when it goes on. Until 12:03:10 nothing is compared, and then they are recorded.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** So much later than it should be, by either hand of the clock, a look is taken for the end of a standstill, in milliseconds. */
export const STANDSTILL_MS = 5000;

/** After a standstill nothing is looked at for so long, in milliseconds. */
export const CATCH_UP_MS = 10_000;

/** Notices it by looking regularly. */
export class Standstill {
  readonly #clock: Pick<Clock, "now" | "elapsed">;
  readonly #everyMs: number;
  #seen: { elapsedMs: number; nowMs: number };
  #untilMs = -Infinity;

  /** {@linkcode Standstill.look} is to be called each `everyMs` milliseconds, or more often. */
  constructor(clock: Pick<Clock, "now" | "elapsed">, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#seen = { elapsedMs: clock.elapsed(), nowMs: clock.now() };
  }

  /** For how many milliseconds from now on it is to be waited; 0 or less for not at all. */
  get waitMs(): number {
    return this.#untilMs - this.#clock.elapsed();
  }

  /** Sees whether it stood still since this was called last. */
  look(): void {
    const [elapsedMs, nowMs] = [this.#clock.elapsed(), this.#clock.now()];
    const passedMs = Math.max(elapsedMs - this.#seen.elapsedMs, nowMs - this.#seen.nowMs);
    if (passedMs > this.#everyMs + STANDSTILL_MS) this.#untilMs = elapsedMs + CATCH_UP_MS;
    this.#seen = { elapsedMs, nowMs };
  }

  /** Takes the time until now for none: nobody looked before. */
  begin(): void {
    this.#seen = { elapsedMs: this.#clock.elapsed(), nowMs: this.#clock.now() };
  }
}
