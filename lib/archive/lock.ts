/**
 * Promises that one process at a time writes in a directory. The lock is the kernel's (flock): it goes with
 * the process, however that ends, so it never has to be removed by hand.
 *
 * @module
 */

import { join } from "node:path";
import { LOCK_FILE } from "./format.ts";

/** The lock on an archive's directory. */
export class ArchiveLock {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes the lock.
   *
   * @throws {Error} If another process holds it, or the file cannot be made.
   */
  static take(directory: string): ArchiveLock {
    const file = Deno.openSync(join(directory, LOCK_FILE), { write: true, create: true });
    if (file.tryLockSync(true)) return new ArchiveLock(file);
    file.close();
    throw new Error(`Cannot record in "${directory}": another Flightlog is recording there; stop it first`);
  }

  /** Lets another process have the directory. */
  release(): void {
    this.#file.close();
  }
}
