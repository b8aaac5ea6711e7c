/**
 * Promises that whoever goes on from a cursor misses no line: a cursor stands between two lines, never inside of one;
 * and that every answer says where the next one goes on.
 *
 * @module
 */

import type { Context } from "hono";
import type { PlaceSide } from "../lib/archive/day/edits.ts";
import { formatPlace, LostPlace, type Place } from "../lib/archive/place.ts";
import type { DayRange } from "../lib/archive/read/plan.ts";
import { dayName, type DayNumber } from "../lib/day.ts";
import { formatTimestamp } from "../lib/timestamp.ts";
import { unreadableDay } from "./day_name.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import type { LineQuery } from "./query.ts";
import { reserve } from "./reader_place.ts";

/** Where a later request goes on, as {@linkcode formatPlace} writes it. */
export const CURSOR_HEADER = "Log-Cursor";

/**
 * Makes sure that there are lines to go on with after `cursor`, and returns where it stands in its day as it is now: lines may
 * have been inserted since it was given out.
 *
 * @throws {Problem} 400 where it is no place between two lines, cannot be followed, or is of another day than is asked for;
 * 410 where the day was removed; 503 where too many are reading.
 */
export async function checkCursor(
  cursor: Place | null,
  day: DayNumber | null,
  parts: Parts,
  signal: AbortSignal,
): Promise<Place | null> {
  if (cursor === null) return null;
  const param = "cursor";
  if (day !== null && cursor.day !== day) {
    throw new Problem("bad-parameter", `cursor must be one of ${dayName(day)} here; /search takes any`, {
      param,
    });
  }
  const name = dayName(cursor.day);
  if (parts.archive.day(cursor.day) === undefined && parts.archive.wasRemoved(cursor.day)) {
    throw new Problem("removed-day", `Retention removed ${name}; go on without cursor`, { param });
  }
  const reason = parts.archive.untouched.get(cursor.day);
  if (reason !== undefined) throw unreadableDay(cursor.day, reason, { param });
  const place = await currentPlace(cursor, "end", parts, param);
  const bytes = parts.archive.day(cursor.day)?.bytes ?? 0;
  if (place.offset > bytes) {
    throw new Problem("bad-parameter", `cursor lies behind the end of ${name}, which has ${bytes} bytes`, {
      param,
    });
  }
  await checkLineStart(place, parts, signal);
  return place;
}

/**
 * Where `place` stands in its day as it is now. `side` says what it is of where lines were inserted exactly there; `param` is
 * where the place was asked for. Reads nothing where none were inserted since.
 *
 * @throws {Problem} 400 where it cannot be followed.
 */
export async function currentPlace(
  place: Place,
  side: PlaceSide,
  { archive, lines }: Pick<Parts, "archive" | "lines">,
  param: string,
): Promise<Place> {
  const edition = archive.day(place.day)?.edition ?? 0;
  if (edition === place.edition) return place;
  const name = dayName(place.day);
  try {
    if (edition === 0) {
      throw new LostPlace(place, `no lines were brought back to ${name}: it is of another archive`);
    }
    return await lines.translate(place, side);
  } catch (error) {
    if (!(error instanceof LostPlace)) throw error;
    const detail = `${param} cannot be followed: ${error.reason}; go on without ${param}`;
    throw new Problem("bad-parameter", detail, { param });
  }
}

/**
 * Makes sure that a place in a day that is there and as long cuts no line in two: the rest of that line would be left out
 * without a word. `param` is where the place was asked for.
 *
 * @throws {Problem} 400 where it does, 503 where too many are reading.
 */
export async function checkLineStart(
  place: Place,
  parts: Pick<Parts, "lines">,
  signal: AbortSignal,
  param = "cursor",
): Promise<void> {
  if (place.offset === 0) return;
  using _slot = await reserve(parts, signal);
  if (await parts.lines.isBetweenLines(place)) return;
  const detail =
    `${param} must stand between two lines, and byte ${place.offset} of ${
      dayName(place.day)
    } is inside one: ` +
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
    return last ? endOfRange(last) : query.cursor;
  }
  const newest = day === null ? parts.archive.days()[0] : undefined;
  const newestDay = newest === undefined ? last.day : Math.max(last.day, newest.day);
  if (newestDay === last.day) return endOfRange(last);
  return { day: newestDay, offset: newest!.bytes, edition: newest!.edition };
}

function endOfRange({ day, end, edition }: DayRange): Place {
  return { day, offset: end, edition };
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
