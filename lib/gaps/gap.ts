/**
 * Promises one shape for a gap: a span of time in which lines may have been published while nobody recorded
 * them. Core NATS has no history, so what a gap holds is gone from the stream.
 *
 * @module
 */

import type { DayNumber } from "../day.ts";

/**
 * Why lines may be missing. `before`: earlier than all that was ever recorded here. `undelivered`: they never came,
 * though all was well; another recorder has them.
 */
export const GAP_CAUSES = [
  "before",
  "start",
  "stop",
  "crash",
  "disconnect",
  "stall",
  "refused",
  "overflow",
  "disk",
  "undelivered",
] as const;

/** What has become of a gap: still growing, filled from another copy, filled in part, or lost for good. */
export const GAP_STATES = ["open", "healed", "partial", "lost"] as const;

/** One of {@linkcode GAP_CAUSES}. */
export type GapCause = (typeof GAP_CAUSES)[number];

/** One of {@linkcode GAP_STATES}. */
export type GapState = (typeof GAP_STATES)[number];

/** A span of time, in milliseconds since 1970. */
export interface Span {
  /** Where it begins. */
  readonly sinceMs: number;
  /** The first moment after it. */
  readonly untilMs: number;
}

/**
 * The id of a gap that is in no ledger: the time before the first recording, of cause `before`. It is computed
 * whenever it is asked for, there is at most one, and ids in a ledger begin at 1; so it can have the same id for ever.
 */
export const UNRECORDED_GAP_ID = 0;

/**
 * The id of the gap, in no ledger either, that is a day whose files cannot be read. It is computed for as long as they
 * cannot: each day has an id of its own, below {@linkcode UNRECORDED_GAP_ID}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(unreadableGapId(20_779), -20_780);
 * ```
 */
export function unreadableGapId(day: DayNumber): number {
  return -1 - day;
}

/** A span without recording. Times are milliseconds since 1970-01-01T00:00:00Z. */
export interface Gap {
  /**
   * The number that it has in the ledger, from 1 on, which it keeps for ever; a gap that is noted later has a larger one.
   * {@linkcode UNRECORDED_GAP_ID} or {@linkcode unreadableGapId} for those that are in no ledger. No answer of the API shows it.
   */
  id: number;
  /** The last moment that is known good. */
  sinceMs: number;
  /** The first moment that is known good again; null while the gap lasts. */
  untilMs: number | null;
  /** Why nobody recorded. */
  cause: GapCause;
  /** What has become of it. */
  state: GapState;
  healing?: GapHealing | null;
}
export interface GapHealing {
  sources: { name: string; lines: number }[];
  atMs: number;
  doneUntilMs: number | null;
  reason: string | null;
}

/** Whoever knows the gaps. */
export interface GapSource {
  /** The gaps that touch `[sinceMs, untilMs)`, oldest first, healed ones too. */
  touching(sinceMs: number, untilMs: number): readonly Gap[];
  /** The gap that began last; null if there never was one. */
  latest(): Gap | null;
}
