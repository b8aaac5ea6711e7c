/**
 * Promises what the ledger says of a gap after sources were asked about it: never less than was known before.
 *
 * @module
 */

import type { Gap, GapHealing } from "../gaps/gap.ts";
import { HEALED_BY_FLY } from "./fly/fly_record.ts";
import type { SourceOutcome } from "./outcome.ts";

/** A source whose store is behind says this of a gap that has just ended. */
const NOT_SETTLED = "What came may not be all yet: it is asked again 15 minutes after the gap";

/** What a gap is known to be now. */
export interface HealedGap {
  /** `healed` where a source was complete, `partial` where lines came, now or before, else `lost`. */
  state: "healed" | "partial" | "lost";
  /** Who brought how many lines, and why that is not all. */
  healing: GapHealing;
}

/** How the outcomes are to be taken. */
export interface OutcomeTerms {
  /** Whether a source that says it is complete is believed by now. */
  isSettled: boolean;
  /** When the sources answered, in milliseconds since 1970. */
  nowMs: number;
  /** Up to where the gap was looked through, where that is done in pieces; default: as known before. */
  doneUntilMs?: number | null;
  /** Why it is not healed; default: what the sources say. */
  reason?: string | null;
}

/**
 * What is known of `gap` after `outcomes`; null where that is no more than before.
 *
 * @example A peer was complete and had 7 lines
 * ```ts
 * import assert from "node:assert/strict";
 * import { joinOutcomes } from "./gap_outcome.ts";
 *
 * const gap = { id: 1, sinceMs: 0, untilMs: 1000, cause: "crash", state: "lost", healing: null } as const;
 * const outcome = { source: "http://a:8080", lines: 7, state: "complete", reason: null } as const;
 * const { state, healing } = joinOutcomes(gap, [outcome], { isSettled: true, nowMs: 5000 })!;
 * assert.equal(state, "healed");
 * assert.deepEqual(healing.sources, [{ name: "http://a:8080", lines: 7 }]);
 * ```
 */
export function joinOutcomes(
  gap: Gap,
  outcomes: readonly SourceOutcome[],
  terms: OutcomeTerms,
): HealedGap | null {
  const healed = healedGap(gap, outcomes, terms);
  return isNews(gap, healed) ? healed : null;
}

/** As {@linkcode joinOutcomes}, also where that is no more than before. */
export function healedGap(
  gap: Gap,
  outcomes: readonly SourceOutcome[],
  { isSettled, nowMs, doneUntilMs, reason: given }: OutcomeTerms,
): HealedGap {
  const known = gap.healing;
  const sources = new Map((known?.sources ?? []).map(({ name, lines }) => [name, lines]));
  for (const { source, lines, state } of outcomes) {
    if (lines > 0 || state === "complete") sources.set(source, (sources.get(source) ?? 0) + lines);
  }
  const isComplete = outcomes.some(({ state }) => state === "complete");
  const isHealed = gap.state === "healed" || (isComplete && isSettled);
  const lines = [...sources.values()].reduce((sum, count) => sum + count, 0);
  const reason = given ?? (isComplete ? NOT_SETTLED : reasonOf(outcomes) ?? known?.reason ?? null);
  // Of a gap that was parted some lines may be here, though they are told with another part.
  const isPartial = lines > 0 || gap.state === "partial";
  return {
    state: isHealed ? "healed" : isPartial ? "partial" : "lost",
    healing: {
      sources: [...sources].map(([name, count]) => ({ name, lines: count })),
      atMs: nowMs,
      doneUntilMs: doneUntilMs ?? known?.doneUntilMs ?? null,
      reason: isHealed ? null : reason,
    },
  };
}

/** Why the gap is not healed; null where nobody says so. What is too long is cut by the ledger. */
function reasonOf(outcomes: readonly SourceOutcome[]): string | null {
  const reasons = outcomes.flatMap(({ source, reason }) =>
    reason === null ? [] : [reasonWords(source, reason)]
  );
  return reasons.length === 0 ? null : reasons.join("; ");
}

/**
 * A reason with the name of whose it is, unless it has the address of a peer in it: `Cannot ask "http://a:8080": …`. Fly is always
 * named, since its doubts are found again by that (days_before.ts).
 */
function reasonWords(source: string, reason: string): string {
  const isNamed = source !== HEALED_BY_FLY && reason.includes(`"${source}"`);
  return isNamed ? reason : `${source}: ${reason}`;
}

/** Whether the ledger is to be told: that it was asked again and nothing is new is not worth a line. */
function isNews(gap: Gap, { state, healing }: HealedGap): boolean {
  const known = gap.healing;
  if (known === null || gap.state !== state) return true;
  const facts = ({ sources, doneUntilMs, reason }: GapHealing) =>
    JSON.stringify([sources, doneUntilMs, reason]);
  return facts(known) !== facts(healing);
}
