/**
 * Promises one way of writing a span of time, in the configuration and in query parameters alike.
 *
 * @module
 */

/** What each unit is in milliseconds. */
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads a whole number with a unit, `500ms 1s 2m 1h 3d`, as milliseconds. Gives null for anything else, also
 * for a number without a unit: it would be seconds to one reader and milliseconds to the next. Only `0` needs
 * none.
 */
export function parseDuration(text: string): number | null {
  if (text === "0") return 0;
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return null;
  const durationMs = Number(match[1]) * UNIT_MS[match[2]!]!;
  return Number.isSafeInteger(durationMs) ? durationMs : null;
}
