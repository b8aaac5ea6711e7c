/**
 * Promises that a place in a day's text that was given out before lines were inserted still leads to the same line: it knows
 * where, and how much, was inserted.
 *
 * A text in which lines were inserted n times is of *edition* n; what was recorded, without all that was inserted, is edition 0.
 * The file has a section for each edition, one after another: a head, and then the edits that made this edition of the one
 * before, in the order of the text. Heads and edits are records of the same size, each with a checksum of its own, so that a
 * place is looked up by a few reads, whatever was inserted.
 *
 * Example: 50 bytes are inserted at byte 100, and 30 at byte 200, into a text of edition 0. Its first section has a head
 * (edition 1, 2 edits, so many lines) and the edits (100, 50 in all) and (200, 80 in all). Offset 150 becomes 200, and offset 250 becomes 330.
 * Offset 100, if it is where a reader goes on, stays 100, so that he gets the lines that were inserted there; if it is where a
 * line begins, it becomes 150.
 *
 * @module
 */

import zlib from "node:zlib";
import type { Bytes } from "../read/bytes.ts";

/** The size of a record in bytes: 16 of numbers, what kind it is, and the CRC-32 of these 20. */
export const EDIT_RECORD_BYTES = 24;

const CHECKED_BYTES = 20;

/** The kinds of record. */
const HEAD = 1;
const EDIT = 2;

/** What a place is of which lines may have been inserted exactly at: the end of what was read, or the beginning of a line. */
export type PlaceSide = "end" | "start";

/** One place at which something was inserted. */
export interface Edit {
  /** Where, in bytes, in the text of the edition before. */
  at: number;
  /** How many bytes were inserted in this edition here and before, in all. */
  total: number;
}

/** The head of the section of an edition. */
export interface EditionHead {
  /** Which edition the section makes, from 1 on. */
  edition: number;
  /** How many edits follow. */
  edits: number;
  /** How many lines were inserted in this edition. */
  lines: number;
}

/** The record of a head. */
export function headRecord({ edition, edits, lines }: EditionHead): Uint8Array<ArrayBuffer> {
  return record(HEAD, (view) => {
    view.setUint32(0, edition, true);
    view.setUint32(4, edits, true);
    view.setFloat64(8, lines, true);
  });
}

/** The record of an edit. */
export function editRecord({ at, total }: Edit): Uint8Array<ArrayBuffer> {
  return record(EDIT, (view) => {
    view.setFloat64(0, at, true);
    view.setFloat64(8, total, true);
  });
}

/** Reads what {@linkcode headRecord} wrote; null for anything else. */
export function readHead(bytes: Uint8Array): EditionHead | null {
  const view = viewOf(bytes, HEAD);
  return view &&
    { edition: view.getUint32(0, true), edits: view.getUint32(4, true), lines: view.getFloat64(8, true) };
}

/** Reads what {@linkcode editRecord} wrote; null for anything else. */
export function readEdit(bytes: Uint8Array): Edit | null {
  const view = viewOf(bytes, EDIT);
  return view && { at: view.getFloat64(0, true), total: view.getFloat64(8, true) };
}

/** The edits of a day, as far as an edition of its text. */
export class DayEdits {
  readonly #bytes: Bytes;
  readonly #lengthBytes: number;

  /** Reads the first `lengthBytes` of `bytes`, which are the sections of all editions; what follows does not count. */
  constructor(bytes: Bytes, lengthBytes: number) {
    this.#bytes = bytes;
    this.#lengthBytes = lengthBytes;
  }

  /**
   * Where the place at `offset` of the text of `edition` stands in the newest one, in bytes. `side` says what it is of where
   * lines were inserted exactly there.
   *
   * @throws {Error} If what is needed of the file is damaged or not there.
   */
  async translate(offset: number, edition: number, side: PlaceSide): Promise<number> {
    let translated = offset;
    let expected = 1;
    for (let at = 0; at < this.#lengthBytes; expected++) {
      const head = readHead(await this.#bytes.read(at, EDIT_RECORD_BYTES));
      if (head === null || head.edition !== expected) throw this.#damage(at);
      const start = at + EDIT_RECORD_BYTES;
      if (head.edition > edition) {
        translated += await this.#insertedBefore(translated, side, start, head.edits);
      }
      at = start + head.edits * EDIT_RECORD_BYTES;
    }
    return translated;
  }

  /** How many bytes one edition has inserted before `offset`: by halves, for the edits are in the order of the text. */
  async #insertedBefore(offset: number, side: PlaceSide, start: number, edits: number): Promise<number> {
    let low = 0;
    let high = edits;
    let total = 0;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const place = start + middle * EDIT_RECORD_BYTES;
      const edit = readEdit(await this.#bytes.read(place, EDIT_RECORD_BYTES));
      if (edit === null) throw this.#damage(place);
      if (edit.at < offset || (edit.at === offset && side === "start")) {
        total = edit.total;
        low = middle + 1;
      } else high = middle;
    }
    return total;
  }

  #damage(at: number): Error {
    return new Error(
      `Cannot read where lines were inserted: the record at ${at} of "${this.#bytes.name}" is damaged`,
    );
  }
}

/** A record of `kind` with the numbers that `write` puts into its first 16 bytes. */
function record(kind: number, write: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(EDIT_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  write(view);
  view.setUint32(16, kind, true);
  view.setUint32(CHECKED_BYTES, zlib.crc32(bytes.subarray(0, CHECKED_BYTES)), true);
  return bytes;
}

/** What is in a record of `kind`; null where the bytes are none. */
function viewOf(bytes: Uint8Array, kind: number): DataView | null {
  if (bytes.length !== EDIT_RECORD_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, EDIT_RECORD_BYTES);
  if (view.getUint32(CHECKED_BYTES, true) !== zlib.crc32(bytes.subarray(0, CHECKED_BYTES))) return null;
  return view.getUint32(16, true) === kind ? view : null;
}
