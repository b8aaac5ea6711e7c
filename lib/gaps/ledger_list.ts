/**
 * Promises all gaps that were written down, in memory that does not grow with their number: too many are joined,
 * nearest first, and only those of one cause and one state, so that nothing missing is forgotten and no healed
 * gap ever becomes a lost one.
 *
 * @module
 */

import type { GapEntry, KnownGap } from "./ledger_line.ts";

/** At most this many gaps are remembered; more are joined, so that nothing missing is forgotten. */
export const GAPS_LIMIT = 4096;

/**
 * Joins gaps until no more than `limit` are left, where that is possible. A joined gap covers all of its parts and keeps
 * the id of the first; the one that was noted last stays as it is. Gaps that last are joined only where
 * there are more than `limit` of them.
 */
export function joinNearest(gaps: readonly KnownGap[], limit: number): KnownGap[] {
  const latest = gaps.at(-1);
  const lasting = gaps.filter(({ untilMs }) => untilMs === null);
  const pairs = [...Map.groupBy(gaps.filter((gap) => gap !== latest), ({ untilMs, cause, state }) => {
    if (untilMs === null) return lasting.length > limit ? `${cause} lasts` : null;
    return `${cause} ${state}`;
  })].flatMap(([kind, group]) => kind === null ? [] : neighbours(group));
  pairs.sort((a, b) => a.distanceMs - b.distanceMs);

  const joinedInto = new Map<KnownGap, KnownGap>();
  const whole = (gap: KnownGap): KnownGap => {
    let found = gap;
    for (let next = joinedInto.get(found); next !== undefined; next = joinedInto.get(found)) found = next;
    return found;
  };
  for (const { before, after } of pairs.slice(0, Math.max(0, gaps.length - limit))) {
    const target = whole(before);
    joinedInto.set(after, target);
    target.id = Math.min(target.id, after.id);
    target.untilMs = target.untilMs === null || after.untilMs === null
      ? null
      : Math.max(target.untilMs, after.untilMs);
  }
  return gaps.filter((gap) => !joinedInto.has(gap));
}

/** Each gap with the one after it, by their beginnings, and how much good time lies between. */
function neighbours(gaps: KnownGap[]): { before: KnownGap; after: KnownGap; distanceMs: number }[] {
  const sorted = gaps.toSorted((a, b) => a.sinceMs - b.sinceMs);
  let endMs = -Infinity;
  return sorted.slice(1).map((after, number) => {
    const before = sorted[number]!;
    endMs = Math.max(endMs, before.untilMs ?? Infinity);
    return { before, after, distanceMs: Math.max(0, after.sinceMs - endMs) };
  });
}

/** Gathers gaps from the lines of a ledger, in their order. */
export class GapList {
  #gaps = new Map<number, KnownGap>();
  /** Gaps that last and were joined with others: they must not end with the first of these. */
  readonly #joinedLasting = new Set<number>();
  #isJoined = false;
  /** The largest id that was seen. */
  lastId = 0;

  /** Whether some gaps were joined, since there were too many. */
  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** The gaps, in the order in which they were first noted. */
  gaps(): KnownGap[] {
    return [...this.#gaps.values()];
  }

  /**
   * Takes what a line says; false where it cannot be said of any gap. What is known of a gap is never made narrower
   * by it: the same line may come again, after later ones.
   */
  add({ id, sinceMs, untilMs, cause, state }: Omit<GapEntry, "isChecked">): boolean {
    const gap = this.#gaps.get(id);
    if (gap !== undefined) {
      if (sinceMs !== undefined) gap.sinceMs = Math.min(gap.sinceMs, sinceMs);
      if (untilMs === null || untilMs === undefined || this.#joinedLasting.has(id)) return true;
      gap.untilMs = Math.max(gap.untilMs ?? -Infinity, untilMs);
      if (state !== undefined) gap.state = state;
      return true;
    }
    if (sinceMs === undefined || cause === undefined || state === undefined) {
      return this.#isJoined && id <= this.lastId; // of a gap that has become part of another
    }
    this.lastId = Math.max(this.lastId, id);
    this.#gaps.set(id, { id, sinceMs, untilMs: untilMs ?? null, cause, state });
    if (this.#gaps.size > 2 * GAPS_LIMIT) this.#join();
    return true;
  }

  #join(): void {
    const lasting = this.gaps().filter(({ untilMs }) => untilMs === null).length;
    const joined = joinNearest(this.gaps(), GAPS_LIMIT);
    this.#gaps = new Map(joined.map((gap) => [gap.id, gap]));
    this.#isJoined = true;
    if (lasting <= GAPS_LIMIT) return;
    for (const { id, untilMs } of joined) {
      if (untilMs === null) this.#joinedLasting.add(id);
    }
  }
}
