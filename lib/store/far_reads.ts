/**
 * Promises that only so many requests for bytes are under way at a time, however many read, and that those which somebody waits for
 * come first, in the order in which they asked.
 *
 * @module
 */

/**
 * So many are under way at most. Each holds what it reads in memory, up to 1 MiB as a rule, and eight of them at 20 ms each are 400 in a
 * second.
 */
export const FAR_READS_LIMIT = 8;

/**
 * Hands out the right to make a request. Nobody waits for more than one at a time, so that those who wait are no more than the readers,
 * which the memory for reading bounds.
 */
export class FarReads {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #active = 0;

  /** None is under way yet. */
  constructor(limit: number = FAR_READS_LIMIT) {
    this.#limit = limit;
  }

  /** How many are under way. */
  get active(): number {
    return this.#active;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Makes a request when it is its turn.
   *
   * @throws The reason of `signal`, if it aborts before that; and what `request` throws.
   */
  async run<Result>(request: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    if (this.#active >= this.#limit) await this.#turn(signal);
    else this.#active++;
    try {
      return await request();
    } finally {
      this.#end();
    }
  }

  /** Makes a request that nobody waits for, if one can be made at once and nobody waits; else returns null. */
  tryRun<Result>(request: () => Promise<Result>, signal: AbortSignal): Promise<Result> | null {
    return this.#active < this.#limit ? this.run(request, signal) : null;
  }

  /** Waits for a request to end, whose place is taken over. */
  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const admit = () => {
      signal.removeEventListener("abort", leave);
      this.#waiting.delete(admit);
      resolve();
    };
    const leave = () => {
      this.#waiting.delete(admit);
      reject(signal.reason);
    };
    this.#waiting.add(admit);
    signal.addEventListener("abort", leave, { once: true });
    return promise;
  }

  #end(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#active--;
    else next();
  }
}
