/**
 * Promises where in a text that is only roughly in the order of time a line belongs that was found later.
 *
 * Lines stand as they came: some came late, and some have the time of a clock that is wrong. So a line that was found is put
 * before the first line of the text that is later than it, if most lines of the text from that one on are later too: more than
 * half of it and the {@linkcode PLACING_WINDOW_LINES} - 1 lines after it, or of those there are up to the end of the text.
 * Lines of the same time stay before it. Lines without a time count neither way. Where no line of the text is followed by later
 * ones, it goes to the end.
 *
 * Example: the lines of a text are of 10:00, 10:01, 17:00 (a wrong clock), 10:02, 10:03 and 10:10. One of 10:03 was found. The first
 * line that is later is that of 17:00; but of the four from there on only two are later than 10:03, which is not most. The next
 * that is later is that of 10:10: it is the only one up to the end, so the line goes before it.
 *
 * Of two lines that were found, the later one never goes before the other: what a line of the text lets pass is always all that
 * is earlier than some moment. That moment is what {@linkcode passesBefore} gives.
 *
 * @module
 */

import { type DayNumber, dayStartMs } from "../../day.ts";
import { parseFlyRecord } from "../../line/fly_log.ts";
import { LineScanner } from "../../line/scanner.ts";
import { parseTimestamp, type Timestamp } from "../../timestamp.ts";
import { LINE_FEED } from "../format.ts";

/** How many lines with a time are looked at to know what most of them are. */
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
 * The moment before which found lines go before the line of the text whose moment is `moments[at]`; minus infinity where one of
 * `moment` does not. What follows in `moments` is what follows in the text, at least up to the end of the window.
 */
export function passesBefore(moments: readonly number[], at: number, moment: number): number {
  const own = moments[at]!;
  if (own <= moment) return -Infinity;
  const end = Math.min(moments.length, at + PLACING_WINDOW_LINES);
  const most = Math.floor((end - at) / 2) + 1;
  if (!hasMost(moments, at, end, most, moment)) return -Infinity;
  // Where most of them are earlier than the line itself, it is they that say how late a line may be that goes before it.
  const isOwnEarly = hasMost(moments, at, end, most, own - 1);
  return isOwnEarly ? own : moments.slice(at, end).sort((a, b) => b - a)[most - 1]!;
}

/** Whether `most` of the moments from place `start` to `end` are after `moment`. */
function hasMost(
  moments: readonly number[],
  start: number,
  end: number,
  most: number,
  moment: number,
): boolean {
  let later = 0;
  for (let at = start; at < end; at++) {
    if (moments[at]! > moment && ++later === most) return true;
  }
  return false;
}
