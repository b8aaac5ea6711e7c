/**
 * Promises to tell what a day's file of edits, see edits.ts, says in all, and whether all of it is there; and that nothing of it
 * is left that belongs to no edition. Blocks: it is for the block worker, for opening and for verifying.
 *
 * @module
 */

import { readAt, removeIfThere, sizeOf } from "../disk.ts";
import type { HealedEntry } from "../format.ts";
import { type Edit, EDIT_RECORD_BYTES, type EditionHead, readEdit, readHead } from "./edits.ts";

/** So many records are read at a time. */
const READ_RECORDS = 2048;

/** What a file of edits says. */
export interface EditsTotals {
  /** The sum of what can be read. */
  healed: HealedEntry;
  /** What is wrong, the first of it; null for nothing. */
  fault: string | null;
}

/** How much of a file of edits is read; all of it where nothing is said. */
export interface EditsExtent {
  /** So many bytes, which have to be there. */
  lengthBytes?: number;
  /** So many sections. */
  editions?: number;
}

/**
 * Reads the file at `path`, as far as `extent` says. Of what is damaged the sum has as much as the rest still
 * says: the last edit of a section has all bytes of it. A last section that is not whole does not count, for it was never finished.
 *
 * Example: a section has the edits (100, 50 in all) and (200, 80 in all). Where the first is damaged it still counts 80 bytes.
 */
export function readEdits(path: string, { lengthBytes, editions }: EditsExtent = {}): EditsTotals {
  const size = sizeOf(path);
  const reader = new TotalsReader(editions);
  if (size === null) reader.fail("it is missing");
  else if (size < (lengthBytes ?? 0)) reader.fail(`it has ${size} bytes of ${lengthBytes}`);
  if (size !== null) {
    using file = Deno.openSync(path, { read: true });
    const end = Math.min(size, lengthBytes ?? size);
    for (let at = 0; at < end && !reader.isDone;) {
      const bytes = readAt(file, at, Math.min(READ_RECORDS * EDIT_RECORD_BYTES, end - at));
      for (let start = 0; start < bytes.length && !reader.isDone; start += EDIT_RECORD_BYTES) {
        reader.take(bytes.subarray(start, start + EDIT_RECORD_BYTES), at + start);
      }
      at += bytes.length;
    }
  }
  return reader.finish();
}

/**
 * What is wrong with the file of edits at `path`, which belongs to a text of which `healed` was inserted, and what that means;
 * null for nothing.
 */
export function editsFault(path: string, healed: HealedEntry): string | null {
  const { healed: said, fault } = readEdits(path, { lengthBytes: healed.editsBytes });
  const isSame = said.edition === healed.edition && said.bytes === healed.bytes &&
    said.lines === healed.lines;
  if (fault === null && isSame) return null;
  const what = fault ??
    `it tells of ${said.bytes} bytes in ${said.lines} lines and ${said.edition} editions, ` +
      `the index of ${healed.bytes} in ${healed.lines} and ${healed.edition}`;
  return `${what}; cursors and links into this day from before lines were inserted cannot be followed, ` +
    "its lines are all there";
}

/** Leaves the first `bytes` of the file of edits at `path`, or no file where these are none. Harmless where there is none. */
export function cutEdits(path: string, bytes: number): void {
  if (bytes === 0) removeIfThere(path);
  else if ((sizeOf(path) ?? 0) > bytes) Deno.truncateSync(path, bytes);
}

/** Adds records up. */
class TotalsReader {
  #fault: string | null = null;
  /** What the sections before this one say. */
  #before: HealedEntry = { edition: 0, bytes: 0, lines: 0, editsBytes: 0 };
  /** What they say with this one, as far as it was read. */
  #healed = this.#before;
  /** How many edits of the section are still to come; null where its head is damaged. */
  #left: number | null = 0;
  /** The edit before, in the same section. */
  #at = -1;
  #total = 0;
  readonly #editions: number;

  /** Stops before the section after the first `editions`. */
  constructor(editions = Infinity) {
    this.#editions = editions;
  }

  /** Whether nothing more counts. */
  get isDone(): boolean {
    return this.#healed.edition >= this.#editions && this.#left === 0;
  }

  fail(what: string): void {
    this.#fault ??= what;
  }

  /** Takes the record that is at `place` of the file. */
  take(record: Uint8Array, place: number): void {
    const head = readHead(record);
    const edit = head === null ? readEdit(record) : null;
    if (head !== null) this.#begin(head, place);
    else if (edit !== null) this.#add(edit, place);
    else this.#passOver(place);
    if (record.length === EDIT_RECORD_BYTES) this.#healed.editsBytes = place + record.length;
  }

  finish(): EditsTotals {
    // The head is written last: without it, or with too little behind it, the last section was never finished.
    const isFinished = this.#left === 0;
    if (!isFinished) this.fail(`the section of edition ${this.#healed.edition} is not whole`);
    return { healed: isFinished ? this.#healed : this.#before, fault: this.#fault };
  }

  #begin(head: EditionHead, place: number): void {
    this.#beginSection();
    if (head.edition !== this.#healed.edition) {
      this.fail(`edition ${head.edition} comes at ${place}, after ${this.#before.edition}`);
    }
    this.#healed.edition = head.edition;
    this.#healed.lines += head.lines;
    this.#left = head.edits;
  }

  #add({ at, total }: Edit, place: number): void {
    const isInOrder = at > this.#at && total > this.#total;
    if (this.#left === 0 || (this.#left === null && !isInOrder)) this.#beginUnknown(place);
    else if (!isInOrder) this.fail(`the record at ${place} is not in the order of the text`);
    if (this.#left !== null) this.#left--;
    this.#at = at;
    this.#healed.bytes += Math.max(0, total - this.#total);
    this.#total = total;
  }

  #passOver(place: number): void {
    this.fail(`the record at ${place} is damaged`);
    // The last record of a section is an edit: what is after it is a head.
    if (this.#left === 0) this.#beginUnknown(place);
    else if (this.#left !== null) this.#left--;
  }

  /** Begins a section whose head cannot be read. */
  #beginUnknown(place: number): void {
    this.#beginSection();
    this.fail(`the record at ${place} is no head`);
    this.#left = null;
  }

  #beginSection(): void {
    if (this.#left !== null && this.#left > 0) {
      this.fail(`the section of edition ${this.#healed.edition} lacks ${this.#left} records`);
    }
    this.#before = this.#healed;
    this.#healed = { ...this.#before, edition: this.#before.edition + 1 };
    this.#at = -1;
    this.#total = 0;
  }
}
