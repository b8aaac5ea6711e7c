/**
 * Promises what the ledger says of a gap after sources were asked about it: never less than was known before.
 *
 * @module
 */

import type { Gap, GapHealing } from "../gaps/gap.ts";
import type { SourceOutcome } from "./outcome.ts";

/** A reason in the ledger has at most so many characters; what is longer is cut. */
const REASON_LIMIT = 300;

/** What a gap is known to be now. */
export interface HealedGap {
  /** `healed` where a source was complete, `partial` where lines came, else `lost`. */
  state: "healed" | "partial" | "lost";
  /** Who brought how many lines, and why that is not all. */
  healing: GapHealing;
}

/** How the outcomes are to be taken. */
export interface OutcomeTerms {
  /** Whether a source that says it is complete is believed by now. */
  isSettled: boolean;
  /** Up to where the gap was looked through, where that is done in pieces; else null. In milliseconds since 1970. */
  doneUntilMs: number | null;
  /** When the sources answered, in milliseconds since 1970. */
  nowMs: number;
}

/**
 * What is known of `gap` after `outcomes`; null where that is no more than before. Of a gap that is looked through in pieces it
 * is healed when the last piece is done and no piece before it had a reason.
 *
 * @example A peer was complete and had 7 lines
 * ```ts
 * import assert from "node:assert/strict";
 * import { joinOutcomes } from "./gap_outcome.ts";
 *
 * const gap = { id: 1, sinceMs: 0, untilMs: 1000, cause: "crash", state: "lost", healing: null } as const;
 * const outcome = { source: "http://a:8080", lines: 7, state: "complete", reason: null } as const;
 * const { state, healing } = joinOutcomes(gap, [outcome], { isSettled: true, doneUntilMs: null, nowMs: 5000 })!;
 * assert.equal(state, "healed");
 * assert.deepEqual(healing.sources, [{ name: "http://a:8080", lines: 7 }]);
 * ```
 */
export function joinOutcomes(
  gap: Gap,
  outcomes: readonly SourceOutcome[],
  { isSettled, doneUntilMs, nowMs }: OutcomeTerms,
): HealedGap | null {
  const known = gap.healing ?? null;
  const sources = new Map((known?.sources ?? []).map(({ name, lines }) => [name, lines]));
  for (const { source, lines, state } of outcomes) {
    if (lines > 0 || state === "complete") sources.set(source, (sources.get(source) ?? 0) + lines);
  }
  const isComplete = outcomes.some(({ state }) => state === "complete");
  const isInPieces = doneUntilMs !== null;
  const isWhole = !isInPieces || doneUntilMs >= gap.untilMs!;
  const before = isInPieces ? known?.reason ?? null : null;
  const isHealed = gap.state === "healed" || (isComplete && isSettled && isWhole && before === null);
  const lines = [...sources.values()].reduce((sum, count) => sum + count, 0);
  const healed: HealedGap = {
    state: isHealed ? "healed" : lines > 0 ? "partial" : "lost",
    healing: {
      sources: [...sources].map(([name, count]) => ({ name, lines: count })),
      atMs: nowMs,
      doneUntilMs: doneUntilMs ?? known?.doneUntilMs ?? null,
      reason: isHealed ? null : before ?? reasonOf(outcomes, isComplete, isInPieces) ?? known?.reason ?? null,
    },
  };
  return isNews(gap, healed) ? healed : null;
}

/** Why the gap is not healed; null where nothing speaks against it but that there is more to come. */
function reasonOf(
  outcomes: readonly SourceOutcome[],
  isComplete: boolean,
  isInPieces: boolean,
): string | null {
  if (isComplete) {
    return isInPieces ? null : "what came may not be all yet: asked again 15 minutes after the gap";
  }
  const reasons = outcomes.flatMap(({ source, reason }) => reason === null ? [] : [`${source}: ${reason}`]);
  if (reasons.length === 0) return null;
  const text = reasons.join("; ");
  return text.length > REASON_LIMIT ? `${text.slice(0, REASON_LIMIT - 1)}…` : text;
}

/** Whether the ledger is to be told: that it was asked again and nothing is new is not worth a line. */
function isNews(gap: Gap, { state, healing }: HealedGap): boolean {
  const known = gap.healing ?? null;
  if (known === null || gap.state !== state) return true;
  const facts = ({ sources, doneUntilMs, reason }: GapHealing) =>
    JSON.stringify([sources, doneUntilMs, reason]);
  return facts(known) !== facts(healing);
}
