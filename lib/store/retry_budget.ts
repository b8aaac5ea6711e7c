/**
 * Promises that a server in trouble is not asked several times as much as one that is well: of many requests that fail, only some
 * are tried again.
 *
 * @module
 */

/** So many retries may be made in a row, whatever else happens. */
export const RETRIES_LIMIT = 40;

/** After which each so many requests that succeed allow one more. */
export const SUCCESSES_PER_RETRY = 4;

/**
 * Counts the retries of all requests to one server.
 *
 * Example: a server fails for an hour. The first 40 retries are made, at six attempts a request that is eight requests; from then on
 * each request is made once. When it is well again, 160 requests later 40 retries are allowed again.
 */
export class RetryBudget {
  #left = RETRIES_LIMIT * SUCCESSES_PER_RETRY;

  /** Takes one retry; returns whether there was one left. */
  take(): boolean {
    if (this.#left < SUCCESSES_PER_RETRY) return false;
    this.#left -= SUCCESSES_PER_RETRY;
    return true;
  }

  /** Counts a request that has succeeded. */
  succeed(): void {
    this.#left = Math.min(this.#left + 1, RETRIES_LIMIT * SUCCESSES_PER_RETRY);
  }
}
