/**
 * Promises the same words for a gap wherever people meet one: on the pages, and as a line among lines of text.
 *
 * @module
 */

import type { Gap } from "../lib/gaps/gap.ts";
import { formatSpan } from "./home.ts";

/** A gap on a page: "2026-11-23 22:35:57 to 22:36:12 (15 s): disconnect, lost". Times are rounded outwards. */
export function gapWords(gap: Gap): string {
  const { cause, state } = gap;
  const { since, until, span } = timesOf(gap);
  if (cause === "before") return `Nothing was recorded before ${spaced(until!)}`;
  const sameDay = until !== null && until.slice(0, 10) === since.slice(0, 10);
  const end = until === null ? "now" : sameDay ? until.slice(11, -1) : spaced(until);
  const length = span === null ? "" : ` (${span})`;
  return `${spaced(since)} to ${end}${length}: ${cause}, ${state}`;
}

/**
 * A gap as a line of text, with its line feed, whose times are rounded outwards to the second:
 *
 *     --- gap 22:35:57Z – 22:36:12Z (15 s): disconnect ---
 *     --- gap 22:35:57Z – now: disconnect ---
 *     --- gap 2026-11-22T22:35:57Z – 2026-11-23T08:00:00Z (9 h 24 m): stop ---
 *     --- gap – 20:12:04Z: before ---
 *
 * `day`, `YYYY-MM-DD`, is the one of the lines around it; where the gap is not all of that day, it has full dates.
 *
 * @example A gap within the day of the lines around it
 * ```ts
 * import assert from "node:assert/strict";
 * import { gapLine } from "./gap_words.ts";
 *
 * const gap = {
 *   id: 1,
 *   sinceMs: Date.parse("2026-11-22T22:35:57.1Z"),
 *   untilMs: Date.parse("2026-11-22T22:36:12Z"),
 *   cause: "disconnect",
 *   state: "lost",
 * } as const;
 * assert.equal(gapLine(gap, "2026-11-22"), "--- gap 22:35:57Z – 22:36:12Z (15 s): disconnect ---\n");
 * ```
 */
export function gapLine(gap: Gap, day: string): string {
  const { since, until, span } = timesOf(gap);
  const isBefore = gap.cause === "before";
  const isWithin = (isBefore || since.startsWith(day)) && (until === null || until.startsWith(day));
  const time = (text: string) => isWithin && day !== "" ? text.slice(11) : text;
  const begin = isBefore ? "" : `${time(since)} `;
  const length = span === null || isBefore ? "" : ` (${span})`;
  return `--- gap ${begin}– ${until === null ? "now" : time(until)}${length}: ${gap.cause} ---\n`;
}

/** The ends of a gap, to the second and outwards, and its length; null where it has not ended. */
function timesOf({ sinceMs, untilMs }: Gap): { since: string; until: string | null; span: string | null } {
  return {
    since: isoSeconds(Math.floor(sinceMs / 1000)),
    until: untilMs === null ? null : isoSeconds(Math.ceil(untilMs / 1000)),
    span: untilMs === null ? null : formatSpan(untilMs - sinceMs),
  };
}

function isoSeconds(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function spaced(time: string): string {
  return time.slice(0, 19).replace("T", " ");
}
