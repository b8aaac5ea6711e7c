/**
 * Promises what is known of a day without reading it: as others see it, and as opening the archive found it.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import { emptySummary, type TextSummary } from "../blocks/block.ts";
import { type DayIndex, indexHeader } from "../blocks/day_index.ts";
import type { SealEntry } from "../format.ts";

/** What a day looks like from outside. */
export interface DayInfo {
  /** Which day it is. */
  day: DayNumber;
  /** How many lines it has. */
  lines: number;
  /** Length of the text in bytes. */
  bytes: number;
  /** Which edition of the text it is: how many times lines were inserted, 0 for never. */
  edition: number;
  /** Length in bytes of what was recorded, without what was inserted: where the next line that is recorded begins. */
  recordedBytes: number;
  /** Size of the gzip file in bytes; of a day that is not sealed, of the blocks made so far. */
  gzBytes: number;
  /** The smallest timestamp of the lines, to the nanosecond in UTC; null where none has one. */
  first: string | null;
  /** The largest timestamp, as {@linkcode DayInfo.first}. */
  last: string | null;
  /** Whether it is complete on disk; a late line opens it again. */
  sealed: boolean;
  /** CRC-32 of the text, eight hexadecimal digits; null while it may still grow. */
  crc32: string | null;
  /** When the text last changed, as far as is known, in milliseconds since 1970. */
  modifiedMs: number;
  /** How many lines besides were received and are in memory only, since the disk does not take them. */
  held: number;
}

/** What opening the archive found of a day; see recovery.ts. */
export interface DayState {
  /** Which day it is. */
  day: DayNumber;
  /** The totals of the sealed text; null where none is sealed. */
  seal: SealEntry | null;
  /**
   * The plain file: where it starts in the day's text, its size, in bytes, and whether it has lines that are no records;
   * null where there is none.
   */
  plain: { from: number; size: number; isDamaged: boolean } | null;
  /** The index of the gzip part; its header says where the part begins. */
  part: DayIndex;
  /** What the plain file's lines after the last block of the part are. */
  tail: TextSummary;
  /** When its text last changed, in milliseconds since 1970. */
  modifiedMs: number;
}

/** The state of a day that has no lines yet. */
export function emptyDay(day: DayNumber, nowMs: number): DayState {
  return {
    day,
    seal: null,
    plain: null,
    part: { header: indexHeader(day, 0, 0), blocks: [], seal: null },
    tail: emptySummary(),
    modifiedMs: nowMs,
  };
}
