/**
 * Promises that a step of a request which does not come in time ends it, and that it can be told afterwards which one.
 *
 * @module
 */

import type { Cancel, Clock } from "./clock.ts";

/** The times of one request. Disposed of, it ends the request. */
export class Deadline implements Disposable {
  readonly #over = new AbortController();
  readonly #clock: Clock;
  #cancel: Cancel = () => {};
  /** What did not come in time, such as `no answer within 30 s`; null while all does. */
  missed: string | null = null;

  /** Nothing is awaited yet; times go by `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when the request is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Ends the request unless this is called again within so many milliseconds. `what` is what does not come. */
  expect(withinMs: number, what: string): void {
    this.#cancel();
    this.#cancel = this.#clock.after(withinMs, () => {
      this.missed = `${what} within ${withinMs / 1000} s`;
      this.#over.abort();
    });
  }

  /** Ends the request; harmless when repeated. */
  [Symbol.dispose](): void {
    this.#cancel();
    this.#over.abort();
  }
}
