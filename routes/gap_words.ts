/**
 * Promises the same words for a gap wherever people meet one: on the pages, and as a line among lines of text.
 *
 * @module
 */

import type { Gap } from "../lib/gaps/gap.ts";
import { sourcesWords } from "../lib/gaps/healing.ts";
import { formatSpan } from "./home.ts";

/**
 * A gap on a page, in whole seconds that are rounded outwards:
 *
 *     2026-11-23 22:35:57 to 22:36:12 (15 s): disconnect, lost
 *     2026-11-23 22:35:57 to 22:36:12 (15 s): disconnect, partial, 40 lines from fly; 2 of 5 lines after it are not there
 *     Gap healed: 15 s from 2026-11-23 22:35:57 (disconnect), 412 lines from fly, at 2026-11-23 22:51:12
 *     2026-11-15 20:12:04 to 2026-11-22 20:12:04 (168 h 0 m): before, lost, looked through up to 2026-11-18 00:00:00
 *     Nothing was recorded before 2026-11-15 20:12:04
 */
export function gapWords(gap: Gap): string {
  const { cause, state, healing } = gap;
  const { since, until, span } = timesOf(gap);
  if (hasNoBeginning(gap)) return `Nothing was recorded before ${spaced(until!)}`;
  if (state === "healed") {
    const at = healing === null ? "" : `, at ${spaced(isoSeconds(Math.floor(healing.atMs / 1000)))}`;
    return `Gap healed: ${span} from ${spaced(since)} (${cause})${sources(gap)}${at}`;
  }
  const sameDay = until !== null && until.slice(0, 10) === since.slice(0, 10);
  const end = until === null ? "now" : sameDay ? until.slice(11, -1) : spaced(until);
  const length = span === null ? "" : ` (${span})`;
  const doneMs = healing?.doneUntilMs ?? null;
  const done = doneMs === null
    ? ""
    : `, looked through up to ${spaced(isoSeconds(Math.floor(doneMs / 1000)))}`;
  const reason = healing?.reason ? `; ${healing.reason}` : "";
  return `${spaced(since)} to ${end}${length}: ${cause}, ${state}${sources(gap)}${done}${reason}`;
}

/** Whether a gap is all that was before a moment, of which nobody has ever told anything: see RecordedSpan. */
export function hasNoBeginning({ cause, sinceMs }: Gap): boolean {
  return cause === "before" && sinceMs <= 0;
}

/** Who has brought lines of a gap, after a comma; empty where nobody has. */
function sources({ healing }: Gap): string {
  const words = healing === null ? "" : sourcesWords(healing);
  return words === "" ? "" : `, ${words}`;
}

/**
 * A gap as a line of text, with its line feed, whose times are rounded outwards to the second:
 *
 *     --- gap 22:35:57Z – 22:36:12Z (15 s): disconnect ---
 *     --- gap 22:35:57Z – now: disconnect ---
 *     --- gap 2026-11-22T22:35:57Z – 2026-11-23T08:00:00Z (9 h 24 m): stop ---
 *     --- gap – 20:12:04Z: before ---
 *     --- gap 22:35:57Z – 22:36:12Z (15 s): disconnect, partly healed, 40 lines from fly ---
 *     --- gap healed: 15 s from 22:35:57Z, 412 lines from fly ---
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
 *   healing: null,
 * } as const;
 * assert.equal(gapLine(gap, "2026-11-22"), "--- gap 22:35:57Z – 22:36:12Z (15 s): disconnect ---\n");
 * ```
 */
export function gapLine(gap: Gap, day: string): string {
  const { cause, state } = gap;
  const { since, until, span } = timesOf(gap);
  const isBefore = hasNoBeginning(gap);
  const isWithin = (isBefore || since.startsWith(day)) && (until === null || until.startsWith(day));
  const time = (text: string) => isWithin && day !== "" ? text.slice(11) : text;
  if (state === "healed") return `--- gap healed: ${span} from ${time(since)}${sources(gap)} ---\n`;
  const begin = isBefore ? "" : `${time(since)} `;
  const length = span === null || isBefore ? "" : ` (${span})`;
  const healed = state === "partial" ? `, partly healed${sources(gap)}` : "";
  return `--- gap ${begin}– ${until === null ? "now" : time(until)}${length}: ${cause}${healed} ---\n`;
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
