/**
 * Promises that whoever goes on from a cursor misses no line: a cursor stands between two lines, never inside of one;
 * and that every answer says where the next one goes on.
 *
 * @module
 */

import type { Context } from "hono";
import { formatPlace, type Place } from "../lib/archive/place.ts";
import type { DayRange } from "../lib/archive/read/plan.ts";
import { dayName, type DayNumber } from "../lib/day.ts";
import { formatTimestamp } from "../lib/timestamp.ts";
import { unreadableDay } from "./day_name.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import type { LineQuery } from "./query.ts";
import { reserve } from "./reader_place.ts";

/** Where a later request goes on: `day:offset`. */
export const CURSOR_HEADER = "Log-Cursor";

const NEWLINE = 0x0a;

/**
 * Makes sure that there are lines to go on with after `cursor`.
 *
 * @throws {Problem} 400 where it is no place between two lines, or of another day than is asked for; 410 where the day
 * was removed; 503 where too many are reading.
 */
export async function checkCursor(
  cursor: Place | null,
  day: DayNumber | null,
  parts: Parts,
  signal: AbortSignal,
): Promise<void> {
  if (cursor === null) return;
  const param = "cursor";
  if (day !== null && cursor.day !== day) {
    throw new Problem("bad-parameter", `cursor must be one of ${dayName(day)} here; /search takes any`, {
      param,
    });
  }
  const info = parts.archive.day(cursor.day);
  const name = dayName(cursor.day);
  if (info === undefined && parts.archive.wasRemoved(cursor.day)) {
    throw new Problem("removed-day", `Retention removed ${name}; go on without cursor`, { param });
  }
  const reason = parts.archive.untouched.get(cursor.day);
  if (reason !== undefined) throw unreadableDay(cursor.day, reason, { param });
  const bytes = info?.bytes ?? 0;
  if (cursor.offset > bytes) {
    throw new Problem("bad-parameter", `cursor lies behind the end of ${name}, which has ${bytes} bytes`, {
      param,
    });
  }
  await checkLineStart(cursor, parts, signal);
}

/**
 * Makes sure that a place in a day that is there and as long cuts no line in two: the rest of that line would be left out
 * without a word. `param` is where the place was asked for.
 *
 * @throws {Problem} 400 where it does, 503 where too many are reading.
 */
export async function checkLineStart(
  { day, offset }: Place,
  parts: Pick<Parts, "archive" | "lines">,
  signal: AbortSignal,
  param = "cursor",
): Promise<void> {
  if (offset === 0) return;
  using _slot = await reserve(parts, signal);
  const range = { start: offset - 1, end: offset };
  const [byte] = await new Response(parts.archive.openText(day, range)).bytes();
  if (byte === NEWLINE) return;
  const detail =
    `${param} must stand between two lines, and byte ${offset} of ${dayName(day)} is inside one: ` +
    `it is of another archive, or was changed; go on without ${param}`;
  throw new Problem("bad-parameter", detail, { param });
}

/** The place after everything that this answer looks at. */
export function endOf(
  ranges: readonly DayRange[],
  query: LineQuery,
  day: DayNumber | null,
  parts: Parts,
): Place | null {
  const last = ranges.at(-1);
  if (query.filter.until || last === undefined) {
    return last ? { day: last.day, offset: last.end } : query.cursor;
  }
  const newest = day === null ? parts.archive.days()[0] : undefined;
  const newestDay = newest === undefined ? last.day : Math.max(last.day, newest.day);
  return newestDay === last.day
    ? { day: last.day, offset: last.end }
    : { day: newestDay, offset: newest!.bytes };
}

/** Says in a header where to go on. */
export function sendCursor(c: Context, cursor: Place | null): void {
  if (cursor !== null) c.header(CURSOR_HEADER, formatPlace(cursor));
}

/**
 * The same question from `cursor` on. Times that were durations are fixed, and so is a day that was called today:
 * the next page asks about the same span, also after midnight.
 */
export function nextPage(url: string, cursor: Place, { filter }: LineQuery): string {
  const { pathname, searchParams } = new URL(url);
  searchParams.set("cursor", formatPlace(cursor));
  if (filter.since) searchParams.set("since", formatTimestamp(filter.since));
  if (filter.until) searchParams.set("until", formatTimestamp(filter.until));
  const fixed = pathname.replace(/\/(today|yesterday)(?=$|\.)/, `/${dayName(cursor.day)}`);
  return `${fixed}?${searchParams}`;
}
