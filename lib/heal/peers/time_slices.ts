/**
 * Promises to part the time in which two recorders differ into slices that have few enough lines to compare in memory.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";

/**
 * A slice has no more lines as far as the digests tell, but for one of about a second. With four times as many the recording
 * thread would stop for longer to collect what a slice leaves behind; with fewer the peer would read each block more often: a
 * block has some 3,000 lines.
 */
export const SLICE_LINES_LIMIT = 5_000;

/** A minute is parted into so many slices at the most, whatever its digest says; each may be halved later. */
export const MINUTE_SLICES_LIMIT = 60;

const MINUTE_MS = 60_000;

/** A part of time, in whole milliseconds, and about how many lines it has. */
export interface TimeSlice extends Span {
  /** How many there may be, of theirs and of ours. */
  readonly lines: number;
}

/** A UTC minute, counted since 1970, and how many lines it has. */
export interface MinuteLines {
  /** Which one. */
  minute: number;
  /** How many there are, of theirs and of ours. */
  lines: number;
}

/**
 * Parts `minutes`, which are in order, as far as they lie in `span`, in their order. Minutes without much stand together with those
 * that follow on them; a minute with too much is parted evenly.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { timeSlices } from "./time_slices.ts";
 *
 * const minutes = [{ minute: 1, lines: 1000 }, { minute: 2, lines: 3000 }, { minute: 3, lines: 8000 }, { minute: 7, lines: 1 }];
 * assert.deepEqual([...timeSlices(minutes, { sinceMs: 90_000, untilMs: 500_000 })], [
 *   { sinceMs: 90_000, untilMs: 180_000, lines: 4000 },
 *   { sinceMs: 180_000, untilMs: 210_000, lines: 4000 },
 *   { sinceMs: 210_000, untilMs: 240_000, lines: 4000 },
 *   { sinceMs: 420_000, untilMs: 480_000, lines: 1 },
 * ]);
 * ```
 */
export function* timeSlices(minutes: Iterable<MinuteLines>, span: Span): Generator<TimeSlice, void> {
  let held: TimeSlice | null = null;
  for (const { minute, lines } of minutes) {
    const sinceMs = Math.max(minute * MINUTE_MS, span.sinceMs);
    const untilMs = Math.min((minute + 1) * MINUTE_MS, span.untilMs);
    if (sinceMs >= untilMs) continue;
    if (held !== null && held.untilMs === sinceMs && held.lines + lines <= SLICE_LINES_LIMIT) {
      held = { sinceMs: held.sinceMs, untilMs, lines: held.lines + lines };
      continue;
    }
    if (held !== null) yield held;
    held = null;
    if (lines <= SLICE_LINES_LIMIT) held = { sinceMs, untilMs, lines };
    else {yield* evenSlices(
        { sinceMs, untilMs, lines },
        Math.min(Math.ceil(lines / SLICE_LINES_LIMIT), MINUTE_SLICES_LIMIT),
      );}
  }
  if (held !== null) yield held;
}

/** The two halves of a slice; null for a millisecond, which has none. */
export function halvesOf(slice: TimeSlice): TimeSlice[] | null {
  return slice.untilMs - slice.sinceMs < 2 ? null : [...evenSlices(slice, 2)];
}

function* evenSlices({ sinceMs, untilMs, lines }: TimeSlice, wanted: number): Generator<TimeSlice, void> {
  const parts = Math.min(wanted, untilMs - sinceMs);
  const at = (part: number) => sinceMs + Math.floor((untilMs - sinceMs) * part / parts);
  for (let part = 0; part < parts; part++) {
    yield { sinceMs: at(part), untilMs: at(part + 1), lines: Math.ceil(lines / parts) };
  }
}
