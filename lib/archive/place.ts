/**
 * Promises one way to name a byte of the archive, the same in cursors, event ids, addresses of lines and readers.
 *
 * @module
 */

import { dayName, type DayNumber, parseDayName } from "../day.ts";

/**
 * A place in the archive: a byte of a day's text, counted from the start of that text, and of which edition of the text that
 * is said, since lines that were missing may be inserted later. So a place means the same line for ever: where lines were
 * inserted since, {@linkcode LineReader.translate} tells where it stands now.
 *
 * Example: 2026-11-22 has two lines of 100 bytes, and `2026-11-22:100` is where the second begins. Then a line of 50 bytes is
 * brought back that belongs between them, which makes edition 1 of the text. The second line begins at `2026-11-22:150.1`
 * now, and `2026-11-22:100` still leads to it.
 */
export interface Place {
  /** The day. */
  day: DayNumber;
  /** The offset in its text, in bytes. */
  offset: number;
  /** Which edition of the text that is: 0 for a day into which nothing was inserted, and for offsets in what was recorded. */
  edition: number;
}

/** A place that cannot be followed: it is of another archive, or what it takes to find it is damaged. */
export class LostPlace extends Error {
  /** The name of the class. */
  override name = "LostPlace";
  /** Why, as what follows a colon. */
  readonly reason: string;

  /** `reason` goes on from a colon, and holds nothing that a client may not see. */
  constructor(place: Place, reason: string, options?: ErrorOptions) {
    super(`Cannot follow "${formatPlace(place)}": ${reason}`, options);
    this.reason = reason;
  }
}

/** An offset has up to 15 digits: a number with more may not be exact. An edition has up to six. */
const PLACE = /^(.{10}):(0|[1-9]\d{0,14})(?:\.([1-9]\d{0,5}))?$/;

/**
 * Writes a place as `YYYY-MM-DD:offset`, and of an edition from 1 on as `YYYY-MM-DD:offset.edition`.
 *
 * @example The byte after the first 123 bytes of a day
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatPlace } from "./place.ts";
 * import { parseDayName } from "../day.ts";
 *
 * const day = parseDayName("2026-11-22")!;
 * assert.equal(formatPlace({ day, offset: 123, edition: 0 }), "2026-11-22:123");
 * assert.equal(formatPlace({ day, offset: 123, edition: 2 }), "2026-11-22:123.2");
 * ```
 *
 * @throws {RangeError} If the year of the day has not four digits.
 */
export function formatPlace({ day, offset, edition }: Place): string {
  return `${placePrefix(day)}${offset}${placeSuffix(edition)}`;
}

/**
 * What every place of `day` begins with, `YYYY-MM-DD:`, for whoever writes many of them: the offset comes after it, and
 * then {@linkcode placeSuffix}.
 *
 * @throws {RangeError} If the year of the day has not four digits.
 */
export function placePrefix(day: DayNumber): string {
  return `${dayName(day)}:`;
}

/** What every place of this edition ends with: nothing for edition 0, else a point and the number. */
export function placeSuffix(edition: number): string {
  return edition === 0 ? "" : `.${edition}`;
}

/**
 * Reads what {@linkcode formatPlace} wrote. Returns null for anything else, also for a day that does not exist.
 *
 * @example There and back, and a typo
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatPlace, parsePlace } from "./place.ts";
 *
 * const place = parsePlace("2026-11-22:123.2")!;
 * assert.deepEqual([place.offset, place.edition], [123, 2]);
 * assert.equal(formatPlace(place), "2026-11-22:123.2");
 * assert.equal(parsePlace("2026-11-22:123")!.edition, 0);
 * assert.equal(parsePlace("2026-02-30:123"), null);
 * ```
 */
export function parsePlace(text: string): Place | null {
  const match = PLACE.exec(text);
  const day = match && parseDayName(match[1]!);
  if (match === null || day === null) return null;
  return { day, offset: Number(match[2]), edition: Number(match[3] ?? 0) };
}
