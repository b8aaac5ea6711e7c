/**
 * Promises that the name of a day is computed from a number and never cut from a string, so that nothing a
 * payload, a subject or a parameter contains can become part of a path.
 *
 * @module
 */

/** Days since 1970-01-01 UTC. */
export type DayNumber = number;

/** Milliseconds in a UTC day; Unix time has no leap seconds. */
export const DAY_MS = 86_400_000;

/** The first and the last day that have a four-digit year, 0001-01-01 and 9999-12-31. */
const FIRST_DAY: DayNumber = -719_162;
const LAST_DAY: DayNumber = 2_932_896;

/**
 * The UTC day in which a moment lies. `epochMs` is milliseconds since 1970-01-01T00:00:00Z.
 *
 * @example The last millisecond of a day
 * ```ts
 * import assert from "node:assert/strict";
 * import { dayOf, dayStartMs } from "./day.ts";
 *
 * const day = dayOf(Date.parse("2026-11-22T23:59:59.999Z"));
 * assert.equal(dayStartMs(day), Date.parse("2026-11-22"));
 * ```
 */
export function dayOf(epochMs: number): DayNumber {
  return Math.floor(epochMs / DAY_MS);
}

/** The first millisecond of a day. */
export function dayStartMs(day: DayNumber): number {
  return day * DAY_MS;
}

/**
 * The `YYYY-MM-DD` name of a day.
 *
 * @throws {RangeError} If `day` is no whole number or its year has not four digits.
 */
export function dayName(day: DayNumber): string {
  if (!Number.isInteger(day) || day < FIRST_DAY || day > LAST_DAY) {
    throw new RangeError(`Cannot name day ${day}: not a whole number of days within years 0001 to 9999`);
  }
  return new Date(dayStartMs(day)).toISOString().slice(0, 10);
}

/**
 * Reads a `YYYY-MM-DD` name. Returns null for anything else, also for dates that do not exist: JavaScript
 * reads 2026-02-30 as March 2, so the name must survive the way back.
 *
 * @example A day that there is not
 * ```ts
 * import assert from "node:assert/strict";
 * import { dayName, parseDayName } from "./day.ts";
 *
 * assert.equal(dayName(parseDayName("2026-11-22")!), "2026-11-22");
 * assert.equal(parseDayName("2026-02-30"), null);
 * ```
 */
export function parseDayName(text: string): DayNumber | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const epochMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(epochMs)) return null;
  const day = dayOf(epochMs);
  if (day < FIRST_DAY || day > LAST_DAY) return null;
  return dayName(day) === text ? day : null;
}
