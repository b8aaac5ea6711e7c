/**
 * Promises that what was on the disk once and is not there any more is told: in which file, and of which time.
 *
 * The last process left a note of what was on the disk (see heartbeat_files.ts): so many bytes of each day that was not
 * sealed, gaps up to such a number. A file that was removed, emptied or cut has less. A block tells of a changed byte
 * by its checksum; that the last lines of a day are not there, only the note does.
 *
 * Example: the note of 10:00:05 says that 5,000 bytes of the day were synced, and the file ends at 4,000 with a line
 * of 09:59:58. What is missing may bear any time from 09:58:58 on, since lines overtake each other, to 10:00:05.
 *
 * @module
 */

import { type DayNumber, dayStartMs } from "../../day.ts";
import type { Gap, Span } from "../../gaps/gap.ts";
import { parseTimestamp, timestampMs } from "../../timestamp.ts";
import type { KeptNote } from "../../gaps/heartbeat_files.ts";
import { plainFile } from "../format.ts";

/**
 * What is lost may bear an earlier time than the last that is left, by this much in milliseconds: lines overtake each
 * other on their way, and gaps begin where the lines are.
 */
export const LATE_MS = 60_000;

/** A day of which less is there than was. */
export interface ShortDay {
  /** Which day it is. */
  day: DayNumber;
  /** The name of its file, and what is wrong with it, in words that follow the name. */
  file: string;
  /** See {@linkcode ShortDay.file}. */
  what: string;
}

/**
 * The days that are shorter than `note` says they were. `bytesOf` tells how long a day is now, and null of one of which
 * nothing can be said: retention has removed it, or it could not be read.
 */
export function findShortDays(note: KeptNote, bytesOf: (day: DayNumber) => number | null): ShortDay[] {
  const short: ShortDay[] = [];
  for (const { day, synced } of note.days) {
    const bytes = bytesOf(day);
    if (bytes === null || bytes >= synced) continue;
    const what = bytes === 0 ? "is gone, or empty" : `ends at byte ${bytes}`;
    short.push({
      day,
      file: plainFile(day, 0),
      what: `${what}: ${synced} bytes of the day were on the disk`,
    });
  }
  return short;
}

/**
 * The times of which lost gaps may have told that were known at `knownMs`: since the last one that is left, which may
 * be of a later time than the next, or since `oldestDay` began; null where there is neither.
 */
export function spanOfLostGaps(
  last: Pick<Gap, "sinceMs"> | null,
  oldestDay: DayNumber | null,
  knownMs: number,
): Span | null {
  if (last !== null) return { sinceMs: Math.min(last.sinceMs, knownMs) - LATE_MS, untilMs: knownMs };
  const sinceMs = oldestDay === null ? knownMs : dayStartMs(oldestDay);
  return sinceMs < knownMs ? { sinceMs, untilMs: knownMs } : null;
}

/** The times that lines of `day` may bear which were there at `knownMs`, if `last` is the last that is left; see above. */
export function spanOfLost(day: DayNumber, last: string | null, knownMs: number): Span {
  const startMs = dayStartMs(day);
  const endMs = dayStartMs(day + 1);
  const time = last === null ? null : parseTimestamp(last);
  const sinceMs = time === null ? startMs : Math.max(startMs, Math.floor(timestampMs(time)) - LATE_MS);
  return { sinceMs, untilMs: knownMs > sinceMs && knownMs < endMs ? knownMs : endMs };
}

/**
 * What is wrong with a ledger that tells of gaps up to number `lastId`, in words that follow its name; null for
 * nothing. An archive in which anything was recorded has at least the gap before its first start: `isMarked`.
 */
export function findLostGaps(note: KeptNote | null, isMarked: boolean, lastId: number): string | null {
  const once = Math.max(note?.lastGap ?? 0, isMarked ? 1 : 0);
  if (lastId >= once) return null;
  const what = lastId === 0 ? "is gone, or empty" : `ends with gap ${lastId}`;
  return `${what}: there ${once === 1 ? "was a gap" : `were gaps up to number ${once}`}`;
}
