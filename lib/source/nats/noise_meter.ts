/**
 * Promises that a server which sends without end, and never a message, is found out before it costs anything.
 *
 * Lines of the protocol that tell nothing (PING, +OK, a PONG that nobody waits for, another INFO, a message to a
 * subscription that does not exist) are noise. They are counted since the last message and since the last ping
 * interval, whichever was later. A quiet server sends in ten seconds a PING at most, a few +OK in verbose mode, and
 * some INFOs of a few kilobytes when its cluster changes: below 50 lines and 200 kB. A flood of PONGs at
 * 100 MB/s passes the limit of 10,000 lines with its first 60 kB, 0.6 ms after it began.
 *
 * @module
 */

/** So many lines that tell nothing may come in a row: 200 times what a quiet server sends in ten seconds. */
export const NOISE_LIMIT_LINES = 10_000;

/**
 * So many bytes of them may come in a row. Eight INFOs of the longest line that is taken, or 1,600 of the
 * 5 kB that a big cluster's has.
 */
export const NOISE_LIMIT_BYTES = 8 * 1024 * 1024;

/** Counts what tells nothing. Two numbers, however much comes. */
export class NoiseMeter {
  #lines = 0;
  #bytes = 0;

  /** Takes a line of so many bytes that tells nothing. Returns why it is one too many, or null. */
  add(bytes: number): string | null {
    this.#lines++;
    this.#bytes += bytes;
    if (this.#lines > NOISE_LIMIT_LINES) return describe(`${NOISE_LIMIT_LINES} lines`);
    return this.#bytes > NOISE_LIMIT_BYTES ? describe(`${NOISE_LIMIT_BYTES} bytes`) : null;
  }

  /** Begins to count at 0 again: there was a message, or a ping interval has passed. */
  reset(): void {
    this.#lines = this.#bytes = 0;
  }
}

function describe(limit: string): string {
  return `The server sends nothing but noise: more than ${limit} that tell nothing, and no message`;
}
