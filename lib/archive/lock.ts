/**
 * Promises that one process at a time writes in a directory. The lock is the kernel's (flock): it goes with
 * the process, however that ends, so it never has to be removed by hand.
 *
 * @module
 */

import { join } from "node:path";
import { LOCK_FILE } from "./format.ts";

/** Another process has taken a lock that this one held: its file was removed, and the other one has made it again. */
export class LockLost extends Error {
  /** The name of the class. */
  override name = "LockLost";
}

/** The lock on an archive's directory. */
export class ArchiveLock {
  readonly #directory: string;
  #file: Deno.FsFile;

  private constructor(directory: string, file: Deno.FsFile) {
    this.#directory = directory;
    this.#file = file;
  }

  /**
   * Takes the lock.
   *
   * @throws {Error} If another process holds it, or the file cannot be made.
   */
  static take(directory: string): ArchiveLock {
    const file = tryLock(directory);
    if (file !== null) return new ArchiveLock(directory, file);
    throw new Error(`Cannot record in "${directory}": another Flightlog is recording there; stop it first`);
  }

  /**
   * Makes sure that the lock still keeps others away: the kernel locks a file and not a name, so once somebody has removed
   * the file, the next process locks another of that name. Where it is gone it is made again and locked.
   *
   * @throws {LockLost} If another process holds it now: this one must not write any more.
   * @throws {Error} If the file cannot be made.
   */
  confirm(): void {
    if (this.#isInPlace()) return;
    Deno.mkdirSync(this.#directory, { recursive: true });
    const file = tryLock(this.#directory);
    if (file === null) {
      throw new LockLost(
        `Cannot go on recording in "${this.#directory}": the file "${LOCK_FILE}" was removed, and another Flightlog ` +
          "records there now",
      );
    }
    this.#file.close();
    this.#file = file;
  }

  /** Lets another process have the directory. */
  release(): void {
    this.#file.close();
  }

  #isInPlace(): boolean {
    try {
      const { dev, ino } = Deno.statSync(join(this.#directory, LOCK_FILE));
      const own = this.#file.statSync();
      return dev === own.dev && ino === own.ino;
    } catch {
      return false; // what keeps the file from being looked at is told where it is made
    }
  }
}

/** Opens the file, which is made if it is not there, and locks it; null where another process has it locked. */
function tryLock(directory: string): Deno.FsFile | null {
  const file = Deno.openSync(join(directory, LOCK_FILE), { write: true, create: true });
  if (file.tryLockSync(true)) return file;
  file.close();
  return null;
}
