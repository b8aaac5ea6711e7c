/**
 * Promises that answers go out in short steps, one in each turn of the event loop, in the order in which they asked:
 * whatever number of clients reads, what has come from the stream is read between any two steps.
 *
 * Without it each of six clients that download could hand over a piece in the same turn, and a line waited for all of
 * them: measured with everything read at once in 430 MB on two cores, the 99th percentile from published to readable
 * was 528 ms, with it 44 ms, in one run each, one after the other.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";

/** Hands out the turns of the event loop. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn in which nobody else's call does; at the earliest in the next one. */
  next(): Promise<void> {
    return this.#last = this.#last.then(() => nextTurn());
  }
}
