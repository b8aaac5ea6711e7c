/**
 * Promises the earliest moment at which a line that has waited in the connection can have reached the server.
 *
 * When it came says nothing, so its timestamp has to tell. The fastest lines that came lately show how much later than its
 * timestamp a line gets here at least. Example: these had an offset of 12:00:00.0 (see stamp_offsets.ts), which is to say
 * that one stamped 12:00:09.0 came at 9 s. A line that comes at 18 s and is stamped 12:00:12.0 reached the server at 12 s
 * or later, and so everything that the server passed on until 12 s is here.
 *
 * A clock that is ahead would make that too late, and what is lost would have no name. So {@linkcode WITNESSES} lines in a
 * row have to agree: the earliest of their moments counts.
 *
 * @module
 */

/** So many lines in a row have to agree. */
const WITNESSES = 3;

/** The lines of one pause. Moments are of `Clock.elapsed()`. */
export class WaitedLines {
  readonly #highMs: number | null;
  /** The moments of the last lines; the oldest one is written over. */
  readonly #moments: number[] = [];
  #count = 0;

  /** `highMs` is the offset of the fastest lines, in milliseconds since 1970; null where none is known. */
  constructor(highMs: number | null) {
    this.#highMs = highMs;
  }

  /**
   * Takes a line that comes at `elapsedMs` and has the timestamp `stampMs`, in milliseconds since 1970. Returns the moment up
   * to which everything is here; -Infinity while that cannot be told.
   */
  note(elapsedMs: number, stampMs: number): number {
    if (this.#highMs === null) return -Infinity;
    this.#moments[this.#count++ % WITNESSES] = Math.min(stampMs - this.#highMs, elapsedMs);
    return this.#count < WITNESSES ? -Infinity : Math.min(...this.#moments);
  }
}
