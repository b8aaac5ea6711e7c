/**
 * Promises a reasoned answer to "did this source have all lines of the gap?".
 *
 * Nobody can look into the gap itself. But a source that was asked a little further, from {@linkcode OVERLAP_MS} before the gap to as
 * much after it, returned lines that are here too. If every line that is here in these two overlaps was found there, the source
 * was whole before and after, with the same clock, the same apps and a store that has caught up. If one was not found, it
 * proves nothing for this gap, and the reason says which overlap and how many. Nor does a source that has a line more often than
 * it is here: it may repeat itself, and every line is wanted once. Other lines that it has besides are no reason against it:
 * they may be left out here on purpose, by filters.
 *
 * Example: a gap from 10:00:00 to 10:00:20. Here are 40 lines from 09:59:55 to 10:00:00 and 52 from 10:00:20 to 10:00:25. The
 * source returned the 40, and 50 of the 52: its store has not caught up yet, and the lines it has of the gap may not be all.
 *
 * @module
 */

import { Multiset } from "../line/multiset.ts";

/** How far before and after a gap a source is asked, in milliseconds. */
export const OVERLAP_MS = 5000;

/** The identities of one overlap, repeats included, all of one form. */
export interface Overlap {
  /** Of the lines that are here. */
  ours: Iterable<string>;
  /** Of the lines that the source returned. */
  theirs: Iterable<string>;
}

/**
 * What is looked at. They are {@linkcode OVERLAP_MS} long, or `overlapMs` where so little is printed that no line is in these.
 * An overlap is null if there can be none, as before a gap of all that was before the first line. */
export interface Overlaps {
  /** What lies before the gap: [since − {@linkcode OVERLAP_MS}, since). */
  before: Overlap | null;
  /** What lies after it: [until, until + {@linkcode OVERLAP_MS}). */
  after: Overlap | null;
  /** Why the source itself knows that it may not have returned all; null if it does not. Default: null. */
  doubt?: string | null;
  /** How long the overlaps are, in milliseconds. Default: {@linkcode OVERLAP_MS}. */
  overlapMs?: number;
}

/**
 * What came of it. `silent`: there is no line here in any overlap, so nothing speaks for the source and nothing against it. One app
 * may well be silent for ten seconds; it is proven if others of the same source are.
 */
export type Proof =
  | { state: "proven"; matched: number }
  | { state: "silent"; reason: string }
  | { state: "unproven"; reason: string };

/**
 * Looks at the overlaps of one source for one gap.
 *
 * @throws {RangeError} If an overlap has more different lines than can be compared at once.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { proveByOverlaps } from "./proof.ts";
 *
 * const before = { ours: ["a", "a"], theirs: ["a", "x", "a"] };
 * assert.deepEqual(proveByOverlaps({ before, after: { ours: ["b"], theirs: ["b"] } }), { state: "proven", matched: 3 });
 * assert.deepEqual(proveByOverlaps({ before, after: { ours: ["b", "c"], theirs: ["b"] } }), {
 *   state: "unproven",
 *   reason: "1 of 2 lines in the 5 s after the gap are not there",
 * });
 * ```
 */
export function proveByOverlaps(overlaps: Overlaps): Proof {
  const { before, after, doubt = null, overlapMs = OVERLAP_MS } = overlaps;
  const sides = [compare("before", before), compare("after", after)].filter((side) => side !== null);
  const reasons = sides.flatMap((side) => reasonsOf(side, overlapMs));
  if (doubt !== null) reasons.push(doubt);
  if (reasons.length > 0) return { state: "unproven", reason: reasons.join(", ") };
  const matched = sides.reduce((sum, { held }) => sum + held, 0);
  if (matched > 0) return { state: "proven", matched };
  return silent(overlapMs);
}

/**
 * The proof of a source that was asked app by app: proven if an app is and none speaks against it. `apps` has what
 * {@linkcode proveByOverlaps} returned for each, by name, and `overlapMs` is as there.
 */
export function proveByApps(apps: ReadonlyMap<string, Proof>, overlapMs: number = OVERLAP_MS): Proof {
  const reasons: string[] = [];
  let matched = 0;
  for (const [app, proof] of apps) {
    if (proof.state === "unproven") reasons.push(`"${app}": ${proof.reason}`);
    if (proof.state === "proven") matched += proof.matched;
  }
  if (reasons.length > 0) {
    const others = reasons.length > 1 ? ` (and so for ${reasons.length - 1} more)` : "";
    return { state: "unproven", reason: reasons[0]! + others };
  }
  if (matched > 0) return { state: "proven", matched };
  return silent(overlapMs);
}

function silent(overlapMs: number): Proof {
  return {
    state: "silent",
    reason: `no line is here within ${overlapMs / 1000} s of the gap to compare with`,
  };
}

/** What comparing one overlap found. */
interface Comparison {
  /** `before` or `after`. */
  name: string;
  /** How many lines are here. */
  held: number;
  /** How many of these the source does not have. */
  absent: number;
  /** How many lines the source has once more than they are here. */
  repeated: number;
}

function compare(name: string, overlap: Overlap | null): Comparison | null {
  if (overlap === null) return null;
  const ours = new Multiset();
  const keys = new Set<string>();
  for (const key of overlap.ours) {
    ours.add(key);
    keys.add(key);
  }
  const held = ours.size;
  let repeated = 0;
  for (const key of overlap.theirs) if (!ours.take(key) && keys.has(key)) repeated++;
  return { name, held, absent: ours.size, repeated };
}

function reasonsOf({ name, held, absent, repeated }: Comparison, overlapMs: number): string[] {
  const where = `in the ${overlapMs / 1000} s ${name} the gap`;
  const reasons = [];
  if (absent > 0) reasons.push(`${absent} of ${held} lines ${where} are not there`);
  if (repeated > 0) reasons.push(`${repeated} lines ${where} are there more often than here`);
  return reasons;
}
