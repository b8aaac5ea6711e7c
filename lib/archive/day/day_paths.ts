/**
 * Promises where the files of one day are, and that they are removed in such an order that after a removal that was cut
 * short the next start still knows what the rest of them are.
 *
 * @module
 */

import { join } from "node:path";
import type { DayNumber } from "../../day.ts";
import { removeIfThere, syncDirectory } from "../disk.ts";
import {
  editsFile,
  gzFile,
  gzPartFile,
  indexFile,
  indexPartFile,
  parseFileName,
  plainFile,
} from "../format.ts";

/** The paths of a day's files; which of them are there depends on what the day is at the moment. */
export class DayPaths {
  readonly #directory: string;
  readonly #day: DayNumber;

  /** Those of `day` in the archive at `directory`. */
  constructor(directory: string, day: DayNumber) {
    this.#directory = directory;
    this.#day = day;
  }

  /** The sealed gzip file. */
  get gz(): string {
    return this.#path(gzFile(this.#day));
  }

  /** The index of {@linkcode gz}. */
  get index(): string {
    return this.#path(indexFile(this.#day));
  }

  /** The gzip blocks that are made of the plain file. */
  get gzPart(): string {
    return this.#path(gzPartFile(this.#day));
  }

  /** The index of {@linkcode gzPart}. */
  get indexPart(): string {
    return this.#path(indexPartFile(this.#day));
  }

  /** Where lines were inserted into the sealed text. */
  get edits(): string {
    return this.#path(editsFile(this.#day));
  }

  /** The plain file that begins at `from` of what was recorded, in bytes. */
  plain(from: number): string {
    return this.#path(plainFile(this.#day, from));
  }

  /** Makes the changes to the names of files last. Blocks. */
  sync(): void {
    syncDirectory(this.#directory);
  }

  /** Removes what a day has no more when it is sealed: the plain file at `plainPath` and what was made of it. */
  removeHot(plainPath: string): void {
    removeIfThere(plainPath);
    this.removeParts();
    this.sync();
  }

  /** Removes what was made of the plain file. */
  removeParts(): void {
    removeIfThere(this.gzPart);
    removeIfThere(this.indexPart);
  }

  /**
   * Removes every file of a sealed day, what was torn off it too. A reader that has one open goes on reading it.
   * What was set aside as damaged or as a conflict stays: it was reported, and somebody may want to look at it.
   * The index and then the gzip file go last: from the gzip file alone the day is made again, and a removal that is cut short is
   * begun again. An index alone would tell of a day whose gzip file was lost.
   */
  removeAll(): void {
    const last = [indexFile(this.#day), gzFile(this.#day)];
    const others = [...Deno.readDirSync(this.#directory)]
      .map(({ name }) => name)
      .filter((name) => parseFileName(name)?.day === this.#day && !last.includes(name));
    for (const file of [...others, ...last]) removeIfThere(this.#path(file));
    this.sync();
  }

  #path(file: string): string {
    return join(this.#directory, file);
  }
}
