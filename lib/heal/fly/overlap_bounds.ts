/**
 * Promises overlaps of a gap with which a source can be proven: long enough to have lines that are here, and no longer.
 *
 * They are {@linkcode OVERLAP_MS} long. Where so little is printed that no line is here within that time, they are made longer. But
 * what is younger than {@linkcode STORE_LAG_MS} is left out of that: the source may not have it yet.
 *
 * Example: a gap from 10:00:00 to 10:00:20, looked at at 10:02:20. No line is here from 09:59:55 to 10:00:00 nor from 10:00:20 to
 * 10:00:25, but one is at 09:59:12. So the overlaps are from 09:59:00 to 10:00:00, and from 10:00:20 to 10:00:25.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";
import { OVERLAP_MS } from "../proof.ts";

/** Fly's store is behind the stream by seconds to minutes: what is younger than this may not be there yet, in milliseconds. */
export const STORE_LAG_MS: number = 5 * 60_000;

/** How long overlaps are made, one length after another, until a line is in them, in milliseconds. */
export const OVERLAP_LENGTHS_MS: readonly number[] = [OVERLAP_MS, 60_000, 600_000];

/** Where the overlaps of a gap are, in milliseconds since 1970. */
export interface OverlapBounds {
  /** How long they are at the most. */
  overlapMs: number;
  /** Where the first begins: where the gap does if there is none. It ends where the gap begins. */
  sinceMs: number;
  /** Where the second ends. It begins where the gap ends. */
  untilMs: number;
}

/** See {@linkcode chooseOverlaps}. */
export interface OverlapQuestion {
  /** The gap. */
  gap: Span;
  /** Whether there is an overlap before it. */
  hasBefore: boolean;
  /** Now, in milliseconds since 1970. */
  nowMs: number;
  /** Whether a line is here that is in a span. */
  hasLines(span: Span): Promise<boolean>;
}

/** Chooses the overlaps of a gap: the shortest in which a line is here, or the first ones if there is none in the longest either. */
export async function chooseOverlaps(question: OverlapQuestion): Promise<OverlapBounds> {
  const { gap, hasLines } = question;
  for (const lengthMs of OVERLAP_LENGTHS_MS) {
    const bounds = boundsOf(question, lengthMs);
    if (await hasLines({ sinceMs: gap.untilMs, untilMs: bounds.untilMs })) return bounds;
    if (await hasLines({ sinceMs: bounds.sinceMs, untilMs: gap.sinceMs })) return bounds;
  }
  return boundsOf(question, OVERLAP_MS);
}

function boundsOf({ gap, hasBefore, nowMs }: OverlapQuestion, overlapMs: number): OverlapBounds {
  const latestMs = Math.max(gap.untilMs + OVERLAP_MS, Math.floor(nowMs) - STORE_LAG_MS);
  return {
    overlapMs,
    sinceMs: hasBefore ? gap.sinceMs - overlapMs : gap.sinceMs,
    untilMs: Math.min(gap.untilMs + overlapMs, latestMs),
  };
}
