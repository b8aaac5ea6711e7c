/**
 * Promises a disk that takes nothing until a test lets it, as one does that is overloaded or failing over.
 *
 * @module
 */

import { openPlainFile, type PlainFile } from "../../lib/archive/day/plain_file.ts";

/** Opens files whose writes wait, or fail, while the disk stalls. */
export class StalledDisk {
  #released = Promise.withResolvers<void>();
  #error: Error | null = null;

  /** Begins to stall at once, unless told otherwise. */
  constructor(options: { stalls?: boolean } = {}) {
    if (options.stalls === false) this.release();
  }

  /** Opens a file; for the archive. */
  open = async (path: string): Promise<PlainFile> => {
    const file = await openPlainFile(path);
    return {
      ...file,
      write: async (bytes) => {
        await this.#released.promise;
        if (this.#error !== null) throw this.#error;
        return await file.write(bytes);
      },
    };
  };

  /** Takes nothing from now on. */
  stall(): void {
    this.#released = Promise.withResolvers();
  }

  /** Takes everything again. */
  release(): void {
    this.#error = null;
    this.#released.resolve();
  }

  /** Refuses everything from now on. */
  fail(): void {
    this.#error = new Error("No space left on device (os error 28)");
    this.#released.resolve();
  }
}
