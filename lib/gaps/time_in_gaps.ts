/**
 * Promises how much time gaps take of a span, in which a moment counts once, in however many gaps it lies.
 *
 * @module
 */

import type { Gap } from "./gap.ts";

/**
 * How many milliseconds of `[sinceMs, untilMs)` lie in `gaps`, in any order; one that lasts goes on to `untilMs`.
 *
 * @example Two gaps that overlap, of which the second lasts
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const gaps = [{ sinceMs: 0, untilMs: 30 }, { sinceMs: 20, untilMs: null }];
 * assert.equal(timeInGaps(gaps, 10, 50), 40);
 * ```
 */
export function timeInGaps(
  gaps: readonly Pick<Gap, "sinceMs" | "untilMs">[],
  sinceMs: number,
  untilMs: number,
): number {
  let totalMs = 0;
  let countedMs = sinceMs;
  for (const gap of gaps.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const fromMs = Math.max(gap.sinceMs, countedMs);
    const toMs = Math.min(gap.untilMs ?? untilMs, untilMs);
    if (toMs <= fromMs) continue;
    totalMs += toMs - fromMs;
    countedMs = toMs;
  }
  return totalMs;
}
