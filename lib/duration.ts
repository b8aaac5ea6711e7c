/**
 * Promises one way of writing a span of time, in the configuration and in query parameters alike.
 *
 * @module
 */

/** What each unit is in milliseconds, in the order in which units are written. */
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1];

const DURATION =
  /^(?:(\d{1,12})w)?(?:(\d{1,12})d)?(?:(\d{1,12})h)?(?:(\d{1,12})m)?(?:(\d{1,12})s)?(?:(\d{1,12})ms)?$/;

/**
 * Reads whole numbers with units, `500ms 1s 2m 1h 3d 1w`, the larger ones first where there are several, `2h30m`,
 * as milliseconds. Returns null for anything else, also for a number without a unit: it would be seconds to one
 * reader and milliseconds to the next. Only `0` needs none.
 *
 * @example Units are needed
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseDuration } from "./duration.ts";
 *
 * assert.equal(parseDuration("2h30m"), 9_000_000);
 * assert.equal(parseDuration("15"), null);
 * ```
 */
export function parseDuration(text: string): number | null {
  if (text === "0") return 0;
  const match = DURATION.exec(text);
  if (match === null || text === "") return null;
  const durationMs = UNITS_MS.reduce((sum, unitMs, unit) => sum + Number(match[unit + 1] ?? 0) * unitMs, 0);
  return Number.isSafeInteger(durationMs) ? durationMs : null;
}
