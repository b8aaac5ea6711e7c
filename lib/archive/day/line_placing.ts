/**
 * Promises where in a text that is only roughly in the order of time a line belongs that was found later.
 *
 * Lines stand as they came: some came late, and some have the time of a clock that is wrong. So a line that was found is put
 * before the first line of the text that is later than it, unless the text takes that back: among that one and the lines
 * after it, up to {@linkcode PLACING_WINDOW_LINES} in all, those that are later must at no point be outnumbered by those that are
 * not. Lines of the same time are not later. Lines without a time count neither way. Where there is no such line, it goes to the
 * end.
 *
 * Example: the lines of a text are of 10:00, 10:01, 17:00 (a wrong clock), 10:02, 10:03 and 10:10. One of 10:03 was found. The first
 * line that is later is that of 17:00, but with 10:02 and 10:03 after it one that is later stands against two that are not. The
 * next that is later is that of 10:10, and nothing comes after it: so the line goes before that.
 *
 * So a line hours ahead draws to it no line but one that belongs right beside it, and a handful that came late after a gap does
 * not keep out of it what was lost in it. Of two lines that were found, the later one never goes before the other: what is
 * later than it is later than the other too.
 *
 * @module
 */

import { type DayNumber, dayStartMs } from "../../day.ts";
import { parseFlyRecord } from "../../line/fly_log.ts";
import { LineScanner } from "../../line/scanner.ts";
import { parseTimestamp, type Timestamp } from "../../timestamp.ts";
import { LINE_FEED } from "../format.ts";

/** At most so many lines with a time are looked at to know whether a line is later for good. */
export const PLACING_WINDOW_LINES = 64;

const SECOND_NANOSECONDS = 1e9;

/** Moments are told apart up to so far from the day, in nanoseconds: 100 days, about as far as a number holds them exactly. */
const MOMENT_LIMIT: number = 100 * 86_400 * SECOND_NANOSECONDS;

/** The lines of a piece of text that have a time. */
export interface TimedLines {
  /** Where each begins, in bytes from the start of the piece. */
  starts: number[];
  /** The {@linkcode momentOf} each. */
  moments: number[];
}

/**
 * A time in nanoseconds from the start of `day`, exactly; what is more than 100 days from it counts as 100 days.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { momentOf } from "./line_placing.ts";
 *
 * assert.equal(momentOf({ seconds: 86_401, nanoseconds: 5 }, 1), 1_000_000_005);
 * ```
 */
export function momentOf({ seconds, nanoseconds }: Timestamp, day: DayNumber): number {
  const moment = (seconds - dayStartMs(day) / 1000) * SECOND_NANOSECONDS + nanoseconds;
  return Math.max(-MOMENT_LIMIT, Math.min(MOMENT_LIMIT, moment));
}

/** The lines of `text`, which is whole lines of `day`, that have a time. */
export function timedLines(text: Uint8Array, day: DayNumber): TimedLines {
  const scanner = new LineScanner();
  const lines: TimedLines = { starts: [], moments: [] };
  for (let start = 0; start < text.length;) {
    const lineFeed = text.indexOf(LINE_FEED, start);
    const end = lineFeed === -1 ? text.length : lineFeed;
    const time = timeOf(scanner, text, start, end);
    if (time !== null) {
      lines.starts.push(start);
      lines.moments.push(momentOf(time, day));
    }
    start = end + 1;
  }
  return lines;
}

function timeOf(scanner: LineScanner, text: Uint8Array, start: number, end: number): Timestamp | null {
  if (scanner.scan(text, start, end)) return scanner.timed ? scanner : null;
  const timestamp = parseFlyRecord(text.subarray(start, end)).record?.timestamp;
  return timestamp === undefined ? null : parseTimestamp(timestamp);
}

/**
 * Whether a found line of `moment` goes before the line of the text whose moment is `moments[at]`, if it goes before none that
 * stands earlier. What follows in `moments` is what follows in the text, at least up to the end of the window.
 */
export function goesBefore(moments: readonly number[], at: number, moment: number): boolean {
  const end = Math.min(moments.length, at + PLACING_WINDOW_LINES);
  let lead = 0;
  for (let other = at; other < end; other++) {
    lead += moments[other]! > moment ? 1 : -1;
    if (lead < 0) return false;
    if (lead >= end - other) return true; // too few are left to outnumber them
  }
  return true;
}
