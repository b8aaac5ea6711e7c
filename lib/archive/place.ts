/**
 * Promises one way to name a byte of the archive, the same in cursors, event ids, addresses of lines and readers.
 *
 * @module
 */

import { dayName, type DayNumber, parseDayName } from "../day.ts";

/**
 * A place in the archive: a byte of a day's text, counted from the start of that text. A day's text only grows, so a
 * place means the same byte for ever, whether the day is sealed or not.
 */
export interface Place {
  /** The day. */
  day: DayNumber;
  /** The offset in its text, in bytes. */
  offset: number;
}

/** An offset has up to 15 digits: a number with more may not be exact. */
const PLACE = /^(.{10}):(0|[1-9]\d{0,14})$/;

/**
 * Writes a place as `YYYY-MM-DD:offset`.
 *
 * @example The byte after the first 123 bytes of a day
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatPlace } from "./place.ts";
 * import { parseDayName } from "../day.ts";
 *
 * assert.equal(formatPlace({ day: parseDayName("2026-11-22")!, offset: 123 }), "2026-11-22:123");
 * ```
 *
 * @throws {RangeError} If the year of the day has not four digits.
 */
export function formatPlace({ day, offset }: Place): string {
  return `${placePrefix(day)}${offset}`;
}

/**
 * What every place of `day` begins with, `YYYY-MM-DD:`, for whoever writes many of them: the offset comes after it.
 *
 * @throws {RangeError} If the year of the day has not four digits.
 */
export function placePrefix(day: DayNumber): string {
  return `${dayName(day)}:`;
}

/**
 * Reads what {@linkcode formatPlace} wrote. Returns null for anything else, also for a day that does not exist.
 *
 * @example There and back, and a typo
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatPlace, parsePlace } from "./place.ts";
 *
 * const place = parsePlace("2026-11-22:123")!;
 * assert.equal(place.offset, 123);
 * assert.equal(formatPlace(place), "2026-11-22:123");
 * assert.equal(parsePlace("2026-02-30:123"), null);
 * ```
 */
export function parsePlace(text: string): Place | null {
  const match = PLACE.exec(text);
  const day = match && parseDayName(match[1]!);
  return match === null || day === null ? null : { day, offset: Number(match[2]) };
}
