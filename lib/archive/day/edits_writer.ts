/**
 * Promises the section of one edition in a day's file of edits, see edits.ts: one edit for each place at which lines were
 * inserted, and the head before them once it is known how many there are. What was in the file before stays. Blocks: it is for
 * the block worker.
 *
 * Example: lines of 20 and of 30 bytes are inserted at byte 100, and one of 30 bytes at byte 200. The section has a head and the
 * edits (100, 50 in all) and (200, 80 in all).
 *
 * @module
 */

import { writeAll } from "../disk.ts";
import { type Edit, EDIT_RECORD_BYTES, editRecord, headRecord } from "./edits.ts";

/** So many edits are gathered before they are written. */
const GATHERED_EDITS = 2048;

/** Writes the section of an edition. */
export class EditsWriter implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #start: number;
  readonly #gathered = new Uint8Array(GATHERED_EDITS * EDIT_RECORD_BYTES);
  #gatheredBytes = 0;
  /** The place at which lines are inserted at the moment. */
  #edit: Edit | null = null;
  #edits = 0;

  /**
   * Begins a section at `start` of the file at `path`, which is made if there is none. What is behind belongs to no edition
   * and is cut off. If what should be before is not there, zeros stand for it: they are no records, and so tell of the damage.
   *
   * @throws {Error} If the disk does not take it.
   */
  constructor(path: string, start: number) {
    this.#file = Deno.openSync(path, { write: true, create: true });
    this.#start = start;
    this.#file.truncateSync(start);
    this.#file.seekSync(start + EDIT_RECORD_BYTES, Deno.SeekMode.Start);
  }

  /** How many bytes were inserted in this edition. */
  get total(): number {
    return this.#edit?.total ?? 0;
  }

  /** Says that `bytes` were inserted at `at` of the text before, which is not before the place told last. */
  add(at: number, bytes: number): void {
    if (this.#edit?.at === at) {
      this.#edit.total += bytes;
      return;
    }
    const total = this.total + bytes;
    this.#gather();
    this.#edit = { at, total };
  }

  /**
   * Writes what is left, the head last, and syncs the file: `lines` were inserted in this `edition`. Gives how long the file is
   * with the section, in bytes.
   *
   * @throws {Error} If the disk does not take it.
   */
  finish(edition: number, lines: number): number {
    this.#gather();
    this.#write();
    this.#file.seekSync(this.#start, Deno.SeekMode.Start);
    writeAll(this.#file, headRecord({ edition, edits: this.#edits, lines }));
    this.#file.syncSync();
    return this.#start + (1 + this.#edits) * EDIT_RECORD_BYTES;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** Puts the record of the edit that is complete now to the others. */
  #gather(): void {
    if (this.#edit === null) return;
    if (this.#gatheredBytes === this.#gathered.length) this.#write();
    this.#gathered.set(editRecord(this.#edit), this.#gatheredBytes);
    this.#gatheredBytes += EDIT_RECORD_BYTES;
    this.#edits++;
  }

  #write(): void {
    writeAll(this.#file, this.#gathered.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
  }
}
