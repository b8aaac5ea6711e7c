/**
 * Promises numbered lines at a steady rate, as apps print them, whatever becomes of the recorder meanwhile.
 *
 * @module
 */

import type { Publisher } from "../rig/publisher.ts";
import type { NumberedLines } from "./oracle.ts";

/** A line is published every so many milliseconds. */
export const EVERY_MS = 10;

/** Publishes until it pauses. */
export class SteadyLines implements AsyncDisposable {
  readonly #publisher: Publisher;
  readonly #lines: NumberedLines;
  #timer: ReturnType<typeof setInterval> | undefined;
  #publishing: Promise<void> = Promise.resolve();
  #waits: { count: number; resolve: () => void }[] = [];

  /** Begins at once. */
  constructor(publisher: Publisher, lines: NumberedLines) {
    this.#publisher = publisher;
    this.#lines = lines;
    this.resume();
  }

  /** Goes on after a pause. */
  resume(): void {
    this.#timer ??= setInterval(() => {
      this.#publishing = this.#publishing.then(() => this.#publish());
    }, EVERY_MS);
  }

  /** Publishes no more; resolves when the server has every line. */
  async pause(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#publishing;
  }

  /** Waits until so many milliseconds' worth of lines more have been published. */
  for(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waits.push({ count: this.#lines.count + ms / EVERY_MS, resolve });
    });
  }

  /** As {@linkcode SteadyLines.pause}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.pause();
  }

  async #publish(): Promise<void> {
    await this.#lines.publish(this.#publisher, 1);
    const due = this.#waits.filter(({ count }) => count <= this.#lines.count);
    this.#waits = this.#waits.filter(({ count }) => count > this.#lines.count);
    for (const { resolve } of due) resolve();
  }
}
