/**
 * Promises when which source is asked about a gap: soon, since somebody may be looking for its lines; again, since a source may
 * be away or behind; and for as long as it may still have them, and no longer.
 *
 * Example: a gap ends at 12:00:00. Peers are asked at 12:00:02, for the lines, and, as long as none of them was complete, at 12:01:10,
 * when what they have of it is settled, at 12:05, 12:15, 13:00, then every hour for a day and every six hours for eight. Fly is asked at 12:02, since its store is behind the stream,
 * and at 12:15, and only then is its word taken that it has everything; where it was not complete, every six hours after that
 * for as long as it keeps lines. A recorder that was started again at 15:30 asks at once, and goes on with the times after that.
 *
 * @module
 */

import type { Gap } from "../gaps/gap.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Who can be asked. */
export type SourceKind = "peers" | "fly";

/** Fly's word that it has all lines of a gap counts from so long after the gap on, in milliseconds. */
export const FLY_SETTLED_MS: number = 15 * MINUTE_MS;

/** What peers have of a gap is all that they will have so long after its end, in milliseconds. */
export const PEERS_SETTLED_MS: number = 70 * SECOND_MS;

/** Fly keeps lines for about so long, in milliseconds: one script paged back six days. What is older is not asked for. */
export const FLY_KEEPS_MS: number = 7 * DAY_MS;

/** Peers are asked about a gap for so long after its end, in milliseconds. */
export const PEERS_LIMIT_MS: number = 8 * DAY_MS;

/** How long after a gap's end each source is asked the first times, in milliseconds. */
const FIRST_WAITS_MS: Readonly<Record<SourceKind, readonly number[]>> = {
  peers: [2 * SECOND_MS, PEERS_SETTLED_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS],
  fly: [2 * MINUTE_MS, FLY_SETTLED_MS, HOUR_MS],
};

/** After that it is asked at each multiple of these, up to the end of each, in milliseconds. */
const LATER_WAITS_MS: Readonly<Record<SourceKind, readonly { every: number; until: number }[]>> = {
  peers: [{ every: HOUR_MS, until: DAY_MS }, { every: 6 * HOUR_MS, until: PEERS_LIMIT_MS }],
  fly: [{ every: 6 * HOUR_MS, until: FLY_KEEPS_MS }],
};

/**
 * When `source` is to be asked about a gap that ended at `untilMs`; null for never again. `lastAskedMs` is when it was asked
 * last, null for never. Times are milliseconds since 1970.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const untilMs = Date.parse("2026-11-22T12:00:00Z");
 * assert.equal(nextAskingMs("fly", untilMs, null), untilMs + 120_000);
 * assert.equal(nextAskingMs("fly", untilMs, untilMs + 121_000), untilMs + 900_000);
 * assert.equal(nextAskingMs("fly", untilMs, untilMs + 8 * 86_400_000), null);
 * ```
 */
export function nextAskingMs(source: SourceKind, untilMs: number, lastAskedMs: number | null): number | null {
  const first = FIRST_WAITS_MS[source];
  if (lastAskedMs === null) return untilMs + first[0]!;
  const agoMs = Math.max(0, lastAskedMs - untilMs);
  const soon = first.find((waitMs) => waitMs > agoMs);
  if (soon !== undefined) return untilMs + soon;
  for (const { every, until } of LATER_WAITS_MS[source]) {
    const waitMs = (Math.floor(agoMs / every) + 1) * every;
    if (waitMs <= until) return untilMs + waitMs;
  }
  return null;
}

/** Whether `source` may still have lines of `gap`, at `nowMs`. */
export function mayHave(source: SourceKind, { untilMs }: Pick<Gap, "untilMs">, nowMs: number): boolean {
  if (untilMs === null) return false;
  return nowMs - untilMs < (source === "fly" ? FLY_KEEPS_MS : PEERS_LIMIT_MS);
}
