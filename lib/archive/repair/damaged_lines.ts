/**
 * Promises to find zeros or garbage that a disk has left among the lines of a hot day, and to say which timestamps the
 * lines that stood there may have had.
 *
 * @module
 */

import { type DayNumber, dayStartMs } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { parseFlyRecord } from "../../line/fly_log.ts";
import { LineScanner } from "../../line/scanner.ts";
import { parseTimestamp, type Timestamp, timestampMs } from "../../timestamp.ts";
import { cutBlock } from "../blocks/block.ts";
import { readAt } from "../disk.ts";
import { BLOCK_BYTES, LINE_FEED } from "../format.ts";

/** At most so many spans are told of; the last of them goes on to the end of all others. */
export const DAMAGED_SPANS_LIMIT = 100;

/** Where lines that are no records are looked for. */
export interface DamagedText {
  /** Which day it is. */
  day: DayNumber;
  /** The plain file. */
  path: string;
  /** Its bytes from `start` to `end` are looked at; both are where lines begin and end. */
  start: number;
  /** See {@linkcode DamagedText.start}. */
  end: number;
  /** The largest timestamp of what stands before; null where that is not known. */
  before: string | null;
}

/**
 * The times around each run of lines that are no records: from the timestamp before them to the one after them, within
 * the day. Example: between a line of 10:00:02.5 and one of 10:00:08.5 stand 4096 zeros, which are one line; lines of
 * 10:00:02.500 to 10:00:08.501 may be lost.
 */
export function spansOfDamagedLines({ day, path, start, end, before }: DamagedText): Span[] {
  using file = Deno.openSync(path, { read: true });
  const scanner = new LineScanner();
  const spans: { sinceMs: number; untilMs: number }[] = [];
  let lastMs = msOf(parseTimestamp(before ?? ""));
  let isInDamage = false;
  const endDamage = (nextMs: number | null): void => {
    isInDamage = false;
    const span = spanBetween(day, lastMs, nextMs);
    const last = spans.at(-1);
    if (last === undefined || spans.length < DAMAGED_SPANS_LIMIT) spans.push(span);
    else {
      last.sinceMs = Math.min(last.sinceMs, span.sinceMs);
      last.untilMs = Math.max(last.untilMs, span.untilMs);
    }
  };
  for (let at = start; at < end;) {
    const text = readLines(file, at, end);
    for (let from = 0; from < text.length;) {
      const newline = text.indexOf(LINE_FEED, from);
      const time = readTime(scanner, text, from, newline);
      from = newline + 1;
      if (time === "no record") isInDamage = true;
      else if (time !== null) {
        if (isInDamage) endDamage(msOf(time));
        lastMs = msOf(time);
      }
    }
    at += text.length;
  }
  if (isInDamage) endDamage(null);
  return spans;
}

/** Whole lines from `at` on, at least one. */
function readLines(file: Deno.FsFile, at: number, end: number): Uint8Array {
  for (let length = Math.min(BLOCK_BYTES, end - at);; length = Math.min(length * 2, end - at)) {
    const text = readAt(file, at, length);
    const cut = cutBlock(text);
    if (cut > 0) return text.subarray(0, cut);
  }
}

/** The timestamp of a line; null for a record without one. */
function readTime(
  scanner: LineScanner,
  text: Uint8Array,
  start: number,
  end: number,
): Timestamp | null | "no record" {
  if (scanner.scan(text, start, end)) {
    return scanner.timed ? { seconds: scanner.seconds, nanoseconds: scanner.nanoseconds } : null;
  }
  const { record } = parseFlyRecord(text.subarray(start, end));
  if (record === undefined) return "no record";
  return record.timestamp === undefined ? null : parseTimestamp(record.timestamp);
}

function msOf(time: Timestamp | null): number | null {
  return time === null ? null : Math.floor(timestampMs(time));
}

/** The times from one line to another, whichever is the later, cut to the day; what is not known is the day's end. */
function spanBetween(
  day: DayNumber,
  a: number | null,
  b: number | null,
): { sinceMs: number; untilMs: number } {
  const [startMs, endMs] = [dayStartMs(day), dayStartMs(day + 1)];
  const sinceMs = Math.max(startMs, Math.min(a ?? startMs, b ?? endMs));
  const untilMs = Math.min(endMs, Math.max(a ?? startMs, b ?? endMs) + 1);
  return sinceMs < untilMs ? { sinceMs, untilMs } : { sinceMs: startMs, untilMs: endMs };
}
