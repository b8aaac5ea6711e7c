/**
 * Promises that a moment is understood in the ways in which people write one, all of them in UTC, and that a
 * number which might mean several is refused.
 *
 * @module
 */

import { DAY_MS, dayName, type DayNumber, dayOf, dayStartMs } from "../lib/day.ts";
import { parseDuration } from "../lib/duration.ts";
import {
  compareTimestamps,
  FIRST_SECOND,
  parseTimestamp,
  type Timestamp,
  timestampFromMs,
} from "../lib/timestamp.ts";
import { readDay } from "./day_name.ts";
import { show } from "./problem.ts";

const TIME_SHAPE = "a time such as 10:00, 2026-11-22T10:00, 2026-11-22, yesterday or now (all UTC), " +
  "or a duration back from now such as 15m, 2h30m, 3d or 1w";

/** A time of day, with a date before it or without, with an offset or without. */
const CLOCK_TIME =
  /^(?:(today|yesterday|\d{4}-\d\d-\d\d)[Tt ])?(\d{1,2}:\d\d)(:\d\d(?:\.\d{1,20})?)?([Zz]|[+ -]\d\d:?\d\d)?$/;

/** Unix time in seconds, with decimals or without, or in milli-, micro- or nanoseconds, from 2001 to 2286. */
const UNIX_TIME = /^([1-9]\d{9})(?:\.(\d{1,9})|(\d{3}|\d{6}|\d{9}))?$/;

const DAY_SECONDS = DAY_MS / 1000;

/**
 * Reads a moment: a time of day, with a date or an offset or neither; a date (its midnight); `now`, `today`,
 * `yesterday`; Unix time with ten digits before its decimals, or with 13, 16 or 19; or a duration back from
 * `nowMs`, with a minus or without. What says no offset is UTC. A time of day alone is that of `day`, and where
 * there is none the last one before `nowMs`: at 09:00, 10:00 is yesterday's. Returns null for anything else.
 *
 * @example A duration, and a time of day that is yesterday's
 * ```ts
 * import assert from "node:assert/strict";
 * import { timestampMs } from "../lib/timestamp.ts";
 * import { readTime } from "./time_parameter.ts";
 *
 * const nowMs = Date.parse("2026-11-22T09:00:00Z");
 * const read = (text: string) => new Date(timestampMs(readTime(text, nowMs)!)).toISOString();
 * assert.equal(read("15m"), "2026-11-22T08:45:00.000Z");
 * assert.equal(read("08:30"), "2026-11-22T08:30:00.000Z");
 * assert.equal(read("10:00"), "2026-11-21T10:00:00.000Z");
 * assert.equal(readTime("15", nowMs), null);
 * ```
 */
export function readTime(text: string, nowMs: number, day: DayNumber | null = null): Timestamp | null {
  if (text === "now") return timestampFromMs(nowMs);
  const named = readDay(text, nowMs);
  if (named !== null) return timestampFromMs(dayStartMs(named));
  const unix = UNIX_TIME.exec(text);
  if (unix !== null) {
    return { seconds: Number(unix[1]), nanoseconds: Number((unix[2] ?? unix[3] ?? "").padEnd(9, "0")) };
  }
  const durationMs = /^-?\d+$/.test(text) ? null : parseDuration(text.replace(/^-/, ""));
  if (durationMs !== null) return writable(timestampFromMs(nowMs - durationMs));
  const clockTime = CLOCK_TIME.exec(text);
  return clockTime === null ? parseTimestamp(text) : readClockTime(clockTime, nowMs, day);
}

/** Whether a text is a time of day alone, which could be that of any day. */
export function isTimeOfDay(text: string): boolean {
  const match = CLOCK_TIME.exec(text);
  return match !== null && match[1] === undefined;
}

/**
 * `time`, or where that is not after `since`, the same time of the first day on which it is.
 *
 * @example From 22:00 until 02:00
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTimestamp } from "../lib/timestamp.ts";
 * import { firstAfter } from "./time_parameter.ts";
 *
 * const since = parseTimestamp("2026-11-21T22:00:00Z")!;
 * const until = parseTimestamp("2026-11-21T02:00:00Z")!;
 * assert.deepEqual(firstAfter(until, since), parseTimestamp("2026-11-22T02:00:00Z"));
 * ```
 */
export function firstAfter(time: Timestamp, since: Timestamp): Timestamp {
  if (compareTimestamps(time, since) > 0) return time;
  const days = Math.floor((since.seconds - time.seconds) / DAY_SECONDS);
  const next = { ...time, seconds: time.seconds + days * DAY_SECONDS };
  return compareTimestamps(next, since) > 0 ? next : { ...next, seconds: next.seconds + DAY_SECONDS };
}

/** What is wrong with a text that {@linkcode readTime} cannot read, and what to write instead. */
export function timeFault(text: string): string {
  if (!/^-?\d{1,9}$/.test(text)) return `must be ${TIME_SHAPE}, not ${show(text)}`;
  const count = text.replace(/^-/, "");
  return `must have a unit: ${count}m, ${count}h or ${count}d are that long before now; ` +
    `Unix time has ten digits, and ${show(text)} has not`;
}

function readClockTime(match: RegExpExecArray, nowMs: number, day: DayNumber | null): Timestamp | null {
  const [, date, minute, second = ":00", offset = "Z"] = match;
  // Where it stands for a time of day alone, an offset might move it to another day than is meant.
  if (date === undefined && offset.toUpperCase() !== "Z") return null;
  const dated = date === undefined ? day ?? dayOf(nowMs) : readDay(date, nowMs);
  if (dated === null) return null;
  // The plus of an offset means a space in a query, and hardly anybody writes it as %2B.
  const zone = offset.replace(" ", "+").replace(/(\d\d)(\d\d)$/, "$1:$2");
  const time = parseTimestamp(`${dayName(dated)}T${minute!.padStart(5, "0")}${second}${zone}`);
  if (time === null || date !== undefined || day !== null) return time;
  const isAhead = compareTimestamps(time, timestampFromMs(nowMs)) > 0;
  return isAhead ? { ...time, seconds: time.seconds - DAY_SECONDS } : time;
}

/** A moment that can be written in an address again, or null: a duration may reach back before all calendars. */
function writable(time: Timestamp): Timestamp | null {
  return time.seconds < FIRST_SECOND ? null : time;
}
