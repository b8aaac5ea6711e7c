/**
 * Promises that an answer with lines says whether lines may be missing from it: absence of lines must never
 * look like absence of events.
 *
 * @module
 */

import type { HeldLines } from "../lib/archive/archive.ts";
import { timeInGaps } from "../lib/gaps/time_in_gaps.ts";
import type { Parts } from "./parts.ts";

/** The header that every answer with lines carries. */
export const COVERAGE_HEADER = "Log-Coverage";

/** How much of a span was recorded. */
export interface Coverage {
  /** How many gaps touch the span that are not healed. */
  gaps: number;
  /** How many gaps touch it that are. */
  healed: number;
  /** How much of the span lies in them, in milliseconds; where they overlap it counts once. */
  missingMs: number;
  /** How many lines of the span were received and cannot be read yet, since the disk does not take them. */
  held: number;
  /** Whether all of the span is still to come, so that nothing can be said of it. */
  isFuture: boolean;
}

/**
 * Measures `[sinceMs, untilMs)` up to now: what is still to come cannot be missing. Asked at 12:00 about 11:00 to 13:00,
 * with a gap since 11:50, it finds ten minutes missing.
 *
 * Held lines are counted differently: a span that reaches to now counts all that are held since its start, also those
 * that a machine whose clock is ahead of ours has dated later than now, because the answer for such a span has them, too.
 */
export function measureCoverage(
  parts: Pick<Parts, "archive" | "gaps" | "clock">,
  sinceMs: number,
  untilMs: number,
): Coverage {
  const nowMs = parts.clock.now();
  const touching = parts.gaps.touching(sinceMs, untilMs);
  const open = touching.filter((gap) => gap.state !== "healed");
  const held = parts.archive.held(sinceMs, untilMs < nowMs ? untilMs : Infinity);
  return {
    gaps: open.length,
    healed: touching.length - open.length,
    missingMs: timeInGaps(open, sinceMs, Math.min(untilMs, nowMs)),
    held: held?.lines ?? 0,
    isFuture: sinceMs > nowMs,
  };
}

/**
 * The value of {@linkcode COVERAGE_HEADER}: `none` of a span that is still to come. A part of a second counts as one. How many
 * gaps are healed stands last: they take nothing from an answer.
 *
 * @example Fourteen seconds in two gaps, beside one that is healed
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatCoverage } from "./coverage.ts";
 *
 * const coverage = { gaps: 2, healed: 1, missingMs: 13_400, held: 0, isFuture: false };
 * assert.equal(formatCoverage(coverage), "partial; gaps=2; seconds=14; healed=1");
 * assert.equal(formatCoverage({ ...coverage, gaps: 0, missingMs: 0 }), "complete; healed=1");
 * ```
 */
export function formatCoverage({ gaps, healed, missingMs, held, isFuture }: Coverage): string {
  if (isFuture) return "none";
  const isPartial = gaps > 0 || held > 0;
  return [
    isPartial ? "partial" : "complete",
    ...(gaps === 0 ? [] : [`gaps=${gaps}`, `seconds=${Math.ceil(missingMs / 1000)}`]),
    ...(held === 0 ? [] : [`held=${held}`]),
    ...(healed === 0 ? [] : [`healed=${healed}`]),
  ].join("; ");
}

/** How many lines are held, for people: "5,700 lines wait for the disk". */
export function heldWords(lines: number): string {
  return lines === 1
    ? "1 line waits for the disk"
    : `${lines.toLocaleString("en-US")} lines wait for the disk`;
}

/** Lines that are held as a line among lines of text, with its line feed. The time is rounded down to the second. */
export function heldLine({ sinceMs, lines, reason }: HeldLines): string {
  const time = new Date(sinceMs).toISOString().slice(11, 19);
  return `--- held since ${time}Z: ${heldWords(lines)}: ${reason ?? "it is slow"} ---\n`;
}
