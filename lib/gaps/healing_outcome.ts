/**
 * Promises that a gap is told as healed only for the span that was healed, and that what came back is never told as lost.
 *
 * @module
 */

import type { Gap, GapHealing, Span } from "./gap.ts";
import { fitHealing, healedLines } from "./healing.ts";
import { furtherState } from "./ledger_list.ts";

/** What came of looking for the lines of a gap. */
export interface HealingOutcome {
  /**
   * `healed` where all lines are known to be here, `partial` where some came and it is not known that these are all, `lost`
   * where nobody has them.
   */
  state: "healed" | "partial" | "lost";
  /** Who was asked, and what came of it: all that is to be remembered, also of looks before. Is made to fit its limits. */
  healing: GapHealing;
  /** What was looked through: the span of the gap when that began, in milliseconds since 1970. */
  span: Span;
}

/**
 * What was done with an outcome. `noted`: it is known of the gap now. `kept`: the gap was healed before, and stays so. `grown`: the
 * gap is larger than what was looked through, or lasts, so that it is not healed. `gone`: there is no such gap.
 */
export type HealingNoted = "noted" | "kept" | "grown" | "gone";

/** Why a gap is not healed of which a part was, where nobody has said why. */
const GROWN_REASON = "It was found to be longer while its lines were fetched";

/**
 * What is known of a gap after an outcome; the gap stays as it is. One that is larger than what was looked through, since it
 * has gone on or others were joined to it, is not healed: with 10:00 to 10:05 healed of a gap that is from 10:00 to 10:07 by
 * now, it is `partial` if lines came, else lost, and has to be looked through again.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Gap } from "./gap.ts";
 *
 * const gap: Gap = { id: 1, sinceMs: 0, untilMs: 70, cause: "stop", state: "lost", healing: null };
 * const healing = { sources: [{ name: "fly", lines: 3 }], atMs: 99, doneUntilMs: null, reason: null };
 * const state = "healed";
 * assert.equal(afterOutcome(gap, { state, healing, span: { sinceMs: 0, untilMs: 70 } }).state, "healed");
 * assert.equal(afterOutcome(gap, { state, healing, span: { sinceMs: 0, untilMs: 50 } }).state, "partial");
 * ```
 */
export function afterOutcome(
  gap: Gap,
  outcome: HealingOutcome,
): Pick<Gap, "state" | "healing"> & { noted: HealingNoted } {
  const { untilMs } = gap;
  if (untilMs === null) return { ...gap, noted: "grown" };
  if (gap.state === "healed" && outcome.state !== "healed") return { ...gap, noted: "kept" };
  const fitting = fitHealing(outcome.healing);
  // Of two lines of one state the one of the later moment holds when they are read again, however the clock was set.
  const healing = { ...fitting, atMs: Math.max(fitting.atMs, gap.healing?.atMs ?? -Infinity) };
  const { span } = outcome;
  const isGrown = gap.state !== "healed" && (gap.sinceMs < span.sinceMs || untilMs > span.untilMs);
  if (!isGrown) return { state: furtherState(gap.state, outcome.state), healing, noted: "noted" };
  const isRefused = outcome.state === "healed";
  const state = !isRefused ? outcome.state : healedLines(healing) > 0 ? "partial" : "lost";
  if (isRefused) healing.reason ??= GROWN_REASON;
  return { state: furtherState(gap.state, state), healing, noted: "grown" };
}
