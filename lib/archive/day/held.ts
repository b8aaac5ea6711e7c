/**
 * Promises to tell lines that are on their way to the file, as all are for some milliseconds, from lines that
 * are held: received, but in memory only, and in no answer, because the disk does not take them.
 *
 * @module
 */

import type { LineChunks } from "./line_chunks.ts";

/**
 * A line that waits longer than this for its write, in milliseconds, is held. A write takes a few milliseconds;
 * under a flood a line waits for those before it: at most 32 MiB of them, a quarter of a second at 128 MB/s.
 * From then on what waits is deflated, see {@linkcode LineChunks}.
 */
export const HELD_AFTER_MS = 250;

/** Lines that are held. */
export interface HeldLines {
  /** How many. */
  lines: number;
  /** When the first of them came, in milliseconds since 1970. */
  sinceMs: number;
  /** Why the disk does not take them, in the system's words; null where it is only slow. */
  reason: string | null;
}

/** Which lines are asked about. */
export interface HeldSpan {
  /** Those with a timestamp from here on, in milliseconds since 1970 ... */
  sinceMs: number;
  /** ... and before this. */
  untilMs: number;
  /** Those without a timestamp too. */
  withUntimed: boolean;
}

/**
 * The lines of `chunks` that are held and may be of `span`; null for none. A chunk, which is up to a megabyte of
 * lines, counts whole where only a part of it is of the span: rather too many lines than too few. Its times are
 * known to the second: one with lines of 10:00:05.9 and 10:00:07.2 touches the span from 10:00:07.5 on.
 */
export function heldLines(
  chunks: LineChunks,
  trouble: string | null,
  span: HeldSpan,
  nowElapsedMs: number,
): HeldLines | null {
  const { oldest } = chunks;
  if (oldest === null) return null;
  if (trouble === null && nowElapsedMs - oldest.cameElapsedMs <= HELD_AFTER_MS) return null;
  let held: HeldLines | null = null;
  for (const { lines, cameMs, firstSeconds, lastSeconds, hasUntimed } of chunks.all) {
    const isOfSpan = firstSeconds * 1000 < span.untilMs && (lastSeconds + 1) * 1000 > span.sinceMs;
    if (!isOfSpan && !(span.withUntimed && hasUntimed)) continue;
    held = joinHeld(held, { lines, sinceMs: cameMs, reason: trouble });
  }
  return held;
}

/** The lines of both. */
export function joinHeld(a: HeldLines | null, b: HeldLines | null): HeldLines | null {
  if (a === null || b === null) return a ?? b;
  return {
    lines: a.lines + b.lines,
    sinceMs: Math.min(a.sinceMs, b.sinceMs),
    reason: a.reason ?? b.reason,
  };
}
