/**
 * Promises lines to look at: a whole yesterday at once, and new ones all the time.
 *
 * @module
 */

import { type FlyLine, flyLines } from "./fly_lines.ts";
import { Publisher } from "./publisher.ts";

/** The lines of yesterday; enough for a few pages, few enough to be there at once. */
const YESTERDAY_LINES = 20_000;

/** The lines of the second before the first new one. */
const RECENT_LINES = 500;

/** The pause between two lines of today, in milliseconds. */
const TRICKLE_MS = 200;

/** The clock is looked at anew after so many lines, so that their time is that of the clock. */
const TRICKLE_LINES = 20;

const DAY_MS = 86_400_000;

/** Publishes to the server at a port of this machine. */
export class DevLines implements AsyncDisposable {
  readonly #publisher: Publisher;
  #seed = 1;
  #count = 0;

  private constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** Connects to the server at `port`. */
  static async connect(port: number): Promise<DevLines> {
    return new DevLines(await Publisher.connect({ port }));
  }

  /** How many new lines there have been so far. */
  get count(): number {
    return this.#count;
  }

  /** Publishes all of yesterday, and a second of today. */
  async fill(): Promise<void> {
    const midnightMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    // Half of the mean interval is left over, so that the last line is still of yesterday.
    const intervalMs = DAY_MS / YESTERDAY_LINES * 0.98;
    await this.#publish(midnightMs - DAY_MS, intervalMs, YESTERDAY_LINES);
    await this.#publish(Date.now() - 1000, 1, RECENT_LINES);
  }

  /** Publishes a new line every {@linkcode TRICKLE_MS} until `signal` aborts. */
  async trickle(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const line of this.#lines(Date.now(), TRICKLE_MS, TRICKLE_LINES)) {
        await this.#publisher.publishAll([line]);
        this.#count++;
        await pause(TRICKLE_MS, signal);
        if (signal.aborted) return;
      }
    }
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher[Symbol.asyncDispose]();
  }

  async #publish(startMs: number, intervalMs: number, count: number): Promise<void> {
    await this.#publisher.publishAll(this.#lines(startMs, intervalMs, count));
  }

  #lines(startMs: number, intervalMs: number, count: number): Iterable<FlyLine> {
    return flyLines({ seed: this.#seed++, startMs, intervalMs, count });
  }
}

/** Waits so many milliseconds, or until `signal` aborts. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
