/**
 * Promises that a gap of which all but some spans is known to be back is told as just that, with no moment of it left out and none
 * told as healed that nobody was complete for.
 *
 * Example: a gap from 10:00 to 11:00, with 40 lines from a peer that had a gap of its own from 10:20:00 to 10:20:05. It becomes
 * three: 10:00:00 to 10:20:00, healed, with the 40 lines; 10:20:00 to 10:20:05, which keeps the number of the gap; and 10:20:05 to
 * 11:00:00, healed, without any line.
 *
 * @module
 */

import type { Gap, GapHealing, Span } from "./gap.ts";
import { fitHealing } from "./healing.ts";
import { furtherState } from "./ledger_list.ts";
import { joinSpans, outsideSpans } from "./spans.ts";

/** What came of looking for the lines of a gap, where all but some spans of it is back. */
export interface PartialOutcome {
  /** What was looked through: the span of the gap when that began. */
  span: Span;
  /** What within that may still be missing; all the rest is known to be here. */
  rest: readonly Span[];
  /** `partial` where lines of the gap came, now or before, else `lost`. It is told of the rest: which of them the lines are of is not known. */
  state: "partial" | "lost";
  /**
   * Who has brought lines of the gap, now or before, and why the rest is not healed. The lines are told once, with the first part
   * that is healed, wherever in the gap they are of.
   */
  healing: GapHealing;
  /** The names of those who agree that nothing else is missing. */
  agreed: readonly string[];
}

/** The parts of a gap, which together are exactly its span. */
export interface PartedGap {
  /** What may still be missing, oldest first: at least one. The first has the gap's id, the others have 0, for ids to come. */
  rest: Gap[];
  /** What is healed, oldest first: at least one. Each has the id 0. */
  healed: Gap[];
}

/**
 * The parts of `gap`, which stays as it is; null where there is nothing to part: it lasts, is healed, or no moment of it is healed
 * now, or none is left. What of the gap was not looked through, since it has grown meanwhile, is part of the rest.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Gap } from "./gap.ts";
 *
 * const gap: Gap = { id: 7, sinceMs: 0, untilMs: 100, cause: "before", state: "lost", healing: null };
 * const healing = { sources: [{ name: "http://b:8080", lines: 3 }], atMs: 999, doneUntilMs: null, reason: "it has gaps" };
 * const parts = partGap(gap, {
 *   span: { sinceMs: 0, untilMs: 90 },
 *   rest: [{ sinceMs: 40, untilMs: 45 }],
 *   state: "partial",
 *   healing,
 *   agreed: ["http://b:8080"],
 * })!;
 * const told = (gaps: Gap[]) => gaps.map(({ id, sinceMs, untilMs, state }) => [id, sinceMs, untilMs, state]);
 * assert.deepEqual(told(parts.rest), [[7, 40, 45, "partial"], [0, 90, 100, "partial"]]);
 * assert.deepEqual(told(parts.healed), [[0, 0, 40, "healed"], [0, 45, 90, "healed"]]);
 * assert.deepEqual(parts.healed[1]!.healing?.sources, [{ name: "http://b:8080", lines: 0 }]);
 * ```
 */
export function partGap(gap: Gap, outcome: PartialOutcome): PartedGap | null {
  const { untilMs } = gap;
  if (untilMs === null || gap.state === "healed") return null;
  const whole = { sinceMs: gap.sinceMs, untilMs };
  const missing = outcome.rest.map((span) => ({
    sinceMs: Math.floor(span.sinceMs),
    untilMs: Math.ceil(span.untilMs),
  }));
  const [looked] = joinSpans([outcome.span], whole);
  const healedSpans = looked === undefined ? [] : outsideSpans(missing, looked);
  const restSpans = outsideSpans(healedSpans, whole);
  if (healedSpans.length === 0 || restSpans.length === 0) return null;
  const { sources, reason } = outcome.healing;
  const atMs = Math.max(outcome.healing.atMs, gap.healing?.atMs ?? -Infinity);
  const agreed = outcome.agreed.map((name) => ({ name, lines: 0 }));
  const healingOf = (known: GapHealing["sources"]) =>
    fitHealing({ sources: [...known], atMs, doneUntilMs: null, reason: null });
  const healed = healedSpans.map((span, number): Gap => ({
    ...{ ...gap, ...span, id: 0, state: "healed" },
    healing: healingOf(number === 0 ? [...sources, ...agreed] : agreed),
  }));
  const rest = restSpans.map((span, number): Gap => ({
    ...{ ...gap, ...span, id: number === 0 ? gap.id : 0, state: furtherState(gap.state, outcome.state) },
    healing: fitHealing({ sources: [], atMs, doneUntilMs: doneWithin(gap, span), reason }),
  }));
  return { rest, healed };
}

/**
 * Up to where a part was looked through, where the gap was looked through in pieces: with a gap that is done up to 10:30, the part
 * from 10:20 to 10:25 is done up to its end, that from 10:28 to 10:40 up to 10:30, and of that from 10:50 on nothing is.
 */
function doneWithin({ healing }: Gap, { sinceMs, untilMs }: Span): number | null {
  const doneMs = healing?.doneUntilMs ?? null;
  return doneMs === null || doneMs <= sinceMs ? null : Math.min(doneMs, untilMs);
}
