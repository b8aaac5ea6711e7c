/**
 * Promises a day's text with lines inserted at their times, made beside the files that are read: every line that was there is
 * still there, in its order and byte for byte, and every line that was found is there once.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import type { DayIndex } from "../blocks/day_index.ts";
import type { SealEntry } from "../format.ts";

/** Blocks, and the file that they lie in. */
export interface InsertionSource {
  /** The gzip file, or the part. */
  gzPath: string;
  /** Its index; offsets are those of the whole gzip file, and `header.gzFrom` is where the file begins in that. */
  index: DayIndex;
}

/** What {@linkcode insertLines} does. */
export interface InsertTask {
  /** Tells the tasks of the block worker apart. */
  kind: "insert";
  /** Which day it is. */
  day: DayNumber;
  /** The text as it is: what is sealed, then the blocks made of the plain file, either of which may be missing. */
  sources: readonly InsertionSource[];
  /** The seal of the text that is sealed; null where none is. */
  before: SealEntry | null;
  /** The lines to insert, in the order of their times; see found_lines.ts. */
  foundPath: string;
  /** The day's edits. What is after those of `before` is cut off first. */
  editsPath: string;
  /** Where the whole gzip file is put together. */
  gzTargetPath: string;
  /** Where the whole index is written. */
  indexTargetPath: string;
}

/** What was inserted. */
export interface Insertion {
  /** The totals of the new text. */
  seal: SealEntry;
  /** How many lines were inserted. */
  lines: number;
  /** How many bytes. */
  bytes: number;
}

/**
 * Puts the new gzip file, its index and the edits together, syncs and verifies them. All that is left is to rename the index
 * and then the gzip file. Blocks.
 *
 * @throws {Error} If a block is damaged, or what was written does not read back.
 */
export function insertLines(_task: InsertTask): Insertion {
  throw new Error("Cannot insert lines: not built yet");
}
