/**
 * Promises all gaps that were written down, in memory that does not grow with their number: too many are joined,
 * nearest first. Only gaps of the same cause and state are joined, so that nothing missing is forgotten and a lost gap is
 * never told as a healed one.
 *
 * @module
 */

import type { Gap, GapCause, GapHealing, GapState } from "./gap.ts";
import { joinHealings } from "./healing.ts";
import type { GapEntry } from "./ledger_line.ts";

/** At most this many gaps are remembered; more are joined, so that nothing missing is forgotten. */
export const GAPS_LIMIT = 4096;

/** How much is known to be back of a gap in each state. A gap that stays as long as it is only goes up. */
const PROGRESS: Readonly<Record<GapState, number>> = { open: 0, lost: 1, partial: 2, healed: 3 };

/** Whether gaps of a cause are noted long after their time, when somebody is found who has their lines. */
export function isNotedLate(cause: GapCause | undefined): boolean {
  return cause === "before" || cause === "undelivered";
}

/**
 * The gap that was noted last, of `gaps` in the order in which they were noted: the one that began last. Those that are noted
 * long after their time, of cause `before` and `undelivered`, do not count: with a gap `stop` of 12:00 and then, noted at 13:00, one
 * `undelivered` of 11:20, it is that of 12:00. Nor do the parts of a gap that got numbers of their own when it was parted: the one
 * that has kept its number stands for all of them.
 */
export function latestOf(gaps: readonly Gap[]): Gap | undefined {
  return gaps.findLast((gap, index) => !isNotedLate(gap.cause) && !isPart(gap, gaps, index));
}

/**
 * Whether a gap is part of one that was noted earlier; `index` is that of the gap in `gaps`. A part ends where another one of the same
 * cause begins, or the other way round, to the millisecond, and of both it is known what was done to heal them. Parts that were
 * joined, since there were too many gaps, lie over others. A connection that breaks again at once makes a gap that does neither: it
 * begins before the end of the one before.
 */
function isPart(gap: Gap, gaps: readonly Gap[], index: number): boolean {
  if (gap.healing === null) return false;
  return gaps.slice(0, index).some((other) => {
    if (other.healing === null || other.cause !== gap.cause) return false;
    if (other.untilMs === gap.sinceMs || other.sinceMs === gap.untilMs) return true;
    return gap.sinceMs <= other.sinceMs && (gap.untilMs ?? Infinity) >= (other.untilMs ?? Infinity);
  });
}

/** The state that is further on the way to healed. */
export function furtherState(a: GapState, b: GapState): GapState {
  return PROGRESS[b] > PROGRESS[a] ? b : a;
}

/**
 * Joins gaps until no more than `limit` are left, where that is possible; returns them in the same order, and leaves
 * `gaps` as they are. Two are joined only if they have the same cause and state and all else that is known of them but
 * their ids, their times and their healing: a lost gap that became one with a healed one would be told as healed, and a
 * healed one as lost. There are less than {@linkcode GAPS_LIMIT} / 2 such kinds, so that many are never left for this.
 *
 * A joined gap covers all of its parts, and the time between them, and has the smallest of their ids. Its sources are
 * those of its parts, with their lines together (see {@linkcode joinHealings}). But where nothing was done about a part that
 * is lost, nothing counts as done about the whole, so that it is looked for once more.
 *
 * The gap that {@linkcode latestOf} finds stays as it is, and so does the last of `gaps`, so that the largest id that was given is
 * still known when they are read again; gaps that last are joined only where there are more than `limit`
 * of them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Gap, GapCause, GapHealing, GapState } from "./gap.ts";
import { joinHealings } from "./healing.ts";
 *
 * const gap = (id: number, sinceMs: number, state: GapState): Gap => (
 *   { id, sinceMs, untilMs: sinceMs + 10, cause: "stop", state, healing: null }
 * );
 * const gaps = [gap(1, 0, "lost"), gap(2, 12, "healed"), gap(3, 20, "lost"), gap(4, 900, "lost"), gap(5, 950, "lost")];
 * assert.deepEqual(joinNearest(gaps, 4), [
 *   { id: 1, sinceMs: 0, untilMs: 30, cause: "stop", state: "lost", healing: null },
 *   gap(2, 12, "healed"),
 *   gap(4, 900, "lost"),
 *   gap(5, 950, "lost"),
 * ]);
 * ```
 */
export function joinNearest(gaps: readonly Gap[], limit: number): Gap[] {
  const latest = latestOf(gaps);
  const joinsLasting = gaps.filter(({ untilMs }) => untilMs === null).length > limit;
  const joinable = gaps.filter((gap) =>
    gap !== latest && gap !== gaps.at(-1) && (gap.untilMs !== null || joinsLasting)
  );
  const pairs = [...Map.groupBy(joinable, kindOf).values()].flatMap(neighbours);
  pairs.sort((a, b) => a.distanceMs - b.distanceMs);

  const joinedInto = new Map<Gap, Gap>();
  /** What has become of those into which others were joined. */
  const wholes = new Map<Gap, Gap>();
  const firstPartOf = (gap: Gap): Gap => {
    let found = gap;
    for (let next = joinedInto.get(found); next !== undefined; next = joinedInto.get(found)) found = next;
    return found;
  };
  for (const { before, after } of pairs.slice(0, Math.max(0, gaps.length - limit))) {
    const first = firstPartOf(before);
    joinedInto.set(after, first);
    const [a, b] = [wholes.get(first) ?? first, wholes.get(after) ?? after];
    const untilMs = a.untilMs === null || b.untilMs === null ? null : Math.max(a.untilMs, b.untilMs);
    wholes.set(first, { ...a, id: Math.min(a.id, b.id), untilMs, healing: healingOfBoth(a, b) });
  }
  return gaps.filter((gap) => !joinedInto.has(gap)).map((gap) => wholes.get(gap) ?? gap);
}

/**
 * What two gaps must have in common to be joined: whatever is known of them but which they are, when they were and who has
 * healed them. A member that gaps get one day keeps them apart of itself.
 */
function kindOf({ id: _id, sinceMs: _sinceMs, untilMs, healing: _healing, ...rest }: Gap): string {
  return JSON.stringify([untilMs === null, rest]);
}

/** What is known of the healing of two gaps of one state that become one. */
function healingOfBoth(a: Gap, b: Gap): GapHealing | null {
  if (a.healing !== null && b.healing !== null) return joinHealings(a.healing, b.healing);
  return a.state === "lost" ? null : a.healing ?? b.healing;
}

/** Each gap with the one after it, by their beginnings, and how much good time lies between. */
function neighbours(gaps: Gap[]): { before: Gap; after: Gap; distanceMs: number }[] {
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
  #gaps = new Map<number, Gap>();
  /** The ids of those that are several gaps: what is said of such an id later is said of one of them only. */
  #joinedIds: ReadonlySet<number> = new Set();
  #isJoined = false;
  /** The largest id that was seen. */
  lastId = 0;

  /** Whether some gaps were joined, since there were too many. */
  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** How many gaps there are. */
  get size(): number {
    return this.#gaps.size;
  }

  /** The gaps, in the order in which they were first noted. */
  gaps(): Gap[] {
    return [...this.#gaps.values()].sort((a, b) => a.id - b.id);
  }

  /**
   * Takes what a line says; false where it cannot be said of any gap. What is known of a gap is never made narrower
   * by it: the same line may come again, after later ones. For its state see {@linkcode knownAfter}.
   */
  add({ id, sinceMs, untilMs, cause, state, healing }: Omit<GapEntry, "isChecked">): boolean {
    const gap = this.#gaps.get(id);
    if (gap !== undefined) {
      widen(gap, { sinceMs, untilMs, state, healing }, this.#joinedIds.has(id));
      return true;
    }
    if (sinceMs === undefined || cause === undefined || state === undefined) {
      return this.#isJoined && id <= this.lastId; // of a gap that has become part of another
    }
    this.lastId = Math.max(this.lastId, id);
    this.#gaps.set(id, { id, sinceMs, untilMs: untilMs ?? null, cause, state, healing: healing ?? null });
    if (this.#gaps.size > 2 * GAPS_LIMIT) this.#join();
    return true;
  }

  #join(): void {
    const gaps = this.gaps();
    const single = new Set(gaps.filter(({ id }) => !this.#joinedIds.has(id)));
    const joined = joinNearest(gaps, GAPS_LIMIT);
    this.#gaps = new Map(joined.map((gap) => [gap.id, gap]));
    this.#joinedIds = new Set(joined.filter((gap) => !single.has(gap)).map(({ id }) => id));
    this.#isJoined = true;
  }
}

/** Takes into `gap` what a further line says of it. `isJoined`: of one part of it. */
function widen(gap: Gap, line: Partial<Gap>, isJoined: boolean): void {
  const { sinceMs = gap.sinceMs, untilMs = null, state = gap.state, healing = null } = line;
  const known = { ...gap };
  gap.sinceMs = Math.min(known.sinceMs, sinceMs);
  if (untilMs === null) return; // it says that the gap lasts, which was known, or is not so any more
  if (known.untilMs === null) {
    if (isJoined) return; // its other parts may last on
    [gap.untilMs, gap.state, gap.healing] = [untilMs, state, healing];
    return;
  }
  gap.untilMs = Math.max(known.untilMs, untilMs);
  const said = { sinceMs, untilMs, state, healing };
  const after = knownAfter({ ...known, untilMs: known.untilMs }, said, isJoined);
  [gap.state, gap.healing] = [after.state, after.healing];
}

/** What {@linkcode knownAfter} compares. */
type EndedGap = Pick<Gap, "sinceMs" | "state" | "healing"> & { untilMs: number };

/**
 * The state and the healing of a gap that is known as `known`, and of which a line says `said`.
 *
 * Gaps never become narrower, so the wider of the two was written later, and what it says holds: with "healed, 10:00 to
 * 10:05" known and "lost, 10:00 to 10:07" said, the gap is lost. Of two that are equally wide the further one was, since
 * a state goes from lost to partial to healed and not back: "lost, 10:00 to 10:05" is an old line that came again. Of two
 * of one width and state the one whose healing is of a later moment was.
 *
 * Where it cannot be told, as of a gap that was joined from several, lines count as missing, and the healing stays what it was.
 */
function knownAfter(known: EndedGap, said: EndedGap, isJoined: boolean): Pick<Gap, "state" | "healing"> {
  const isWider = said.sinceMs < known.sinceMs || said.untilMs > known.untilMs;
  const isNarrower = said.sinceMs > known.sinceMs || said.untilMs < known.untilMs;
  const isFurther = PROGRESS[said.state] > PROGRESS[known.state];
  if (isWider && !isNarrower && !isJoined) return said;
  if (isWider) return { state: isFurther ? known.state : said.state, healing: known.healing };
  if (isNarrower || isJoined) return known;
  if (said.state !== known.state) return isFurther ? said : known;
  return (said.healing?.atMs ?? -Infinity) >= (known.healing?.atMs ?? -Infinity) ? said : known;
}
