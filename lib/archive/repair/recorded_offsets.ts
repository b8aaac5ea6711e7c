/**
 * Promises where a place of a text into which lines were inserted stands in what was recorded: the other way than edits.ts goes. It
 * is for repairing a day: of a gzip file that is damaged, a plain file may still have what was recorded. Blocks.
 *
 * Example: 50 bytes are inserted at byte 100, and 30 at byte 200. Offset 90 of the text is 90 of what was recorded, 150 is 100, 170 is 120, 330 is
 * 250; and 130, which is within what was inserted, is 100, where it was inserted.
 *
 * @module
 */

import { EDIT_RECORD_BYTES, readEdit, readHead } from "../day/edits.ts";
import { readAt } from "../disk.ts";

/** A section of a file of edits: where its edits begin in it, in bytes, and how many these are. */
interface Section {
  start: number;
  edits: number;
}

/** A day's edits, to be gone through from the newest edition back. */
export class RecordedOffsets implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #sections: readonly Section[];

  /**
   * Opens the file of edits at `path`, whose first `lengthBytes` count.
   *
   * @throws {Error} If it is not there, or the head of a section is damaged.
   */
  constructor(path: string, lengthBytes: number) {
    this.#file = Deno.openSync(path, { read: true });
    try {
      this.#sections = this.#readSections(lengthBytes);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /**
   * Where `offset` of the newest text stands in what was recorded.
   *
   * @throws {Error} If an edit that is needed is damaged.
   */
  recordedOffset(offset: number): number {
    return this.#sections.reduceRight((at, section) => this.#before(section, at), offset);
  }

  #readSections(lengthBytes: number): Section[] {
    const sections: Section[] = [];
    for (let at = 0; at < lengthBytes;) {
      const head = readHead(readAt(this.#file, at, EDIT_RECORD_BYTES));
      if (head === null) throw this.#damage(at);
      const start = at + EDIT_RECORD_BYTES;
      sections.push({ start, edits: head.edits });
      at = start + head.edits * EDIT_RECORD_BYTES;
    }
    return sections;
  }

  /** Where a place stood before the edits of a section. */
  #before(section: Section, offset: number): number {
    let low = 0; // so many of the edits end at or before the place
    let high = section.edits;
    let total = 0;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const edit = this.#edit(section, middle);
      if (edit.at + edit.total <= offset) {
        total = edit.total;
        low = middle + 1;
      } else high = middle;
    }
    const next = low < section.edits ? this.#edit(section, low).at : Infinity;
    return Math.min(offset - total, next);
  }

  #edit({ start }: Section, number: number): { at: number; total: number } {
    const place = start + number * EDIT_RECORD_BYTES;
    const edit = readEdit(readAt(this.#file, place, EDIT_RECORD_BYTES));
    if (edit === null) throw this.#damage(place);
    return edit;
  }

  #damage(at: number): Error {
    return new Error(`Cannot tell what was recorded: the record at ${at} of the edits is damaged`);
  }
}
