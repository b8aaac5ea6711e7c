/**
 * Promises a moment up to which everything that was received is on the disk, kept where a kill or a loss of
 * power cannot reach it: the start of the gap that a crash makes.
 *
 * @module
 */

import { join } from "node:path";
import { ALIVE_FILE } from "./format.ts";

/** How often the mark is moved while lines are recorded, in milliseconds. */
export const ALIVE_INTERVAL_MS = 5000;

/** The time of modification of a file: moving it takes no room on a full disk. */
export class AliveMark {
  readonly #path: string;
  #moving: Promise<unknown> = Promise.resolve();

  /** The mark in an archive's directory. */
  constructor(directory: string) {
    this.#path = join(directory, ALIVE_FILE);
  }

  /** The mark as it was left, in milliseconds since 1970; null where there never was one. */
  read(): number | null {
    try {
      return Deno.statSync(this.#path).mtime?.getTime() ?? null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Moves the mark to `epochMs`, and makes it last. The last call is the last to move it. */
  move(epochMs: number): Promise<void> {
    const move = () => this.#move(epochMs);
    const moving = this.#moving.then(move, move);
    this.#moving = moving;
    return moving;
  }

  async #move(epochMs: number): Promise<void> {
    using file = await Deno.open(this.#path, { write: true, create: true });
    await file.utime(epochMs / 1000, epochMs / 1000);
    await file.sync();
  }
}
