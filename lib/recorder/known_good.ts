/**
 * Promises the last moment up to which every line is known to be here, and the timestamps that lines which were lost
 * after it may bear: by these a gap is found.
 *
 * **Up to when lines are here.** A server sends what it has in order. So when it answers a question, every line that it
 * had when it was asked has arrived; and when a line arrives, so has every line that the server sent before. The last
 * such moment is *good*. When the next session is confirmed, lines arrive again: that moment is *back*. What was lost
 * reached the server between the two. Both are kept in {@linkcode Clock.elapsed}, which no one can set.
 *
 * **Which timestamps those lines bear.** Readers ask by the lines' own timestamps. These were made by the clock of another
 * machine, and a line takes some time to get here. The *offset* of a line has both in one number: its timestamp less the
 * time passed when it arrived. A lost line would have had an offset as those that arrived lately, which
 * {@linkcode StampOffsets} keeps in clusters. So each cluster, from `low` to `high`, makes a span of timestamps: from
 * good + low to back + high. Example: lines arrive at 8 s and at 9 s that are stamped 12:00:08.0 and 12:00:08.8; their
 * offsets are 12:00:00.0 and 11:59:59.8. With good at 10 s and back at 13.4 s, lost lines bear 12:00:09.8 to 12:00:13.4.
 *
 * This machine's own clock counts as one more cluster ({@linkcode WallClock}), since there may have been no line, and since
 * people who look for a gap look at their watch. A reading of it counts only if it was in force between good and back.
 *
 * One line can overtake another, so that a lost line may have taken longer than any that arrived. Therefore each span
 * begins {@linkcode GAP_MARGIN_MS} earlier: at 12:00:08.8 in the example.
 *
 * **In numbers**, with a clock that shows 12:00:00 when 0 s have passed, good at 10 s and back at 13.4 s:
 *
 * - Lines take 0 to 0.2 s: 12:00:08.8 to 12:00:13.4.
 * - All lines take 50 s: 11:59:19 to 11:59:23.4, which is what was printed 50 s before the cut; and 12:00:09 to
 *   12:00:13.4 by the watch. Not one span of 54 s: lines stamped 11:59:40 would arrive after the cut.
 * - Half of the lines take 90 s, half nothing: 11:58:39 to 11:58:43.4, and 12:00:09 to 12:00:13.4.
 * - Lines take anything from 0 to 50 s: 11:59:19 to 12:00:13.4, since each of these timestamps may have been lost.
 * - The clock was an hour ahead and was set right at 7 s: as in the first case. The offsets of lines do not depend on it,
 *   and the wrong reading was not in force any more.
 * - The clock is an hour ahead all the time: as in the first case, where the lines are, and 13:00:09 to 13:00:13.4 by
 *   the watch.
 * - The clock was an hour ahead and was set right at 11 s, and no line had come: 12:00:09 to 12:00:13.4, and the same an
 *   hour later.
 *
 * An offset that no line had in the last one or two minutes is not known here: see the README.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Span } from "../gaps/gap.ts";
import { CLUSTER_DISTANCE_MS, type Offsets, StampOffsets } from "./stamp_offsets.ts";
import { WallClock } from "./wall_clock.ts";

/**
 * Lines arrive in the order in which servers pass them on, not in that of their timestamps. So one that was lost may have
 * taken longer than any that arrived, by up to this much in milliseconds. Gaps begin earlier by it.
 */
export const GAP_MARGIN_MS = 1000;

/** Offsets of lines are remembered for one to two times this long, in milliseconds. */
export const OFFSETS_MEMORY_MS = 60_000;

/**
 * A lost line may have been a little faster than the fastest of its cluster that arrived. Where the machine's clock is just
 * above the cluster, that bounds it, since no line arrives before it is printed. The span of any other cluster ends later by
 * this much, in milliseconds.
 */
const FASTER_MARGIN_MS = 100;

/**
 * Collects what proves that lines are here. Moments that go in and come out are {@linkcode Clock.elapsed}, unless said
 * otherwise.
 *
 * @example A line that took 0.2 s arrives at 10 s, and lines are lost until 13.4 s.
 * ```ts
 * import assert from "node:assert/strict";
 * import { systemClock } from "../clock.ts";
 * import { KnownGood } from "./known_good.ts";
 *
 * const noon = Date.parse("2026-11-22T12:00:00Z");
 * let elapsedMs = 0;
 * const knownGood = new KnownGood({ ...systemClock, elapsed: () => elapsedMs, now: () => noon + elapsedMs });
 *
 * elapsedMs = 10_000;
 * knownGood.noteLine(elapsedMs, noon + 9_800);
 * assert.equal(knownGood.goodMs, 10_000);
 *
 * elapsedMs = 13_400;
 * const [gap] = knownGood.spans(knownGood.goodMs, elapsedMs);
 * assert.equal(new Date(gap!.sinceMs).toISOString(), "2026-11-22T12:00:08.800Z");
 * assert.equal(new Date(gap!.untilMs).toISOString(), "2026-11-22T12:00:13.401Z"); // rounded outwards
 * ```
 */
export class KnownGood {
  readonly #clock: Clock;
  readonly #wall: WallClock;
  readonly #stamps = new StampOffsets();
  #lineMs = -Infinity;
  #answerMs = -Infinity;
  #agedMs: number;

  /** Knows of no line and no answer yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wall = new WallClock(clock);
    this.#agedMs = clock.elapsed();
  }

  /** A line arrived at `elapsedMs`; `stampMs` is its own timestamp in milliseconds since 1970, null where it has none. */
  noteLine(elapsedMs: number, stampMs: number | null): void {
    this.#lineMs = elapsedMs;
    if (stampMs !== null) this.#stamps.note(stampMs - elapsedMs);
  }

  /** A server has answered what it was asked at `askedMs`: all that it had then has arrived. */
  noteAnswer(askedMs: number): void {
    if (askedMs > this.#answerMs) this.#answerMs = askedMs;
  }

  /** When the last line arrived; -Infinity before the first. */
  get lineMs(): number {
    return this.#lineMs;
  }

  /** The last moment up to which everything is known to be here; -Infinity where nothing is. */
  get goodMs(): number {
    return Math.max(this.#lineMs, this.#answerMs);
  }

  /** Looks whether the machine's clock was set, and forgets old offsets; to be called a few times a second. */
  look(): void {
    this.#wall.look();
    const nowMs = this.#clock.elapsed();
    if (nowMs - this.#agedMs < OFFSETS_MEMORY_MS) return;
    this.#agedMs = nowMs;
    this.#stamps.forgetOld();
  }

  /** The earliest timestamp that a line lost after `goodMs` may bear, in whole milliseconds since 1970. */
  sinceMs(goodMs: number): number {
    const lowMs = Math.min(...this.#offsets(goodMs, this.#clock.elapsed()).map((offsets) => offsets.lowMs));
    return Math.floor(goodMs + lowMs - GAP_MARGIN_MS);
  }

  /** The first timestamp that no line lost before `backMs` bears, in whole milliseconds since 1970. */
  untilMs(backMs: number): number {
    const highMs = Math.max(...this.#offsets(backMs, this.#clock.elapsed()).map((offsets) => offsets.highMs));
    return Math.ceil(backMs + highMs);
  }

  /** The timestamps that lines lost between the two moments may bear: spans that do not touch, oldest first. */
  spans(goodMs: number, backMs: number): Span[] {
    const spans: { sinceMs: number; untilMs: number }[] = [];
    for (const { lowMs, highMs } of this.#offsets(goodMs, backMs)) {
      const sinceMs = Math.floor(goodMs + lowMs - GAP_MARGIN_MS);
      const untilMs = Math.ceil(backMs + highMs);
      const last = spans.at(-1);
      if (last === undefined || last.untilMs < sinceMs) spans.push({ sinceMs, untilMs });
      else last.untilMs = Math.max(last.untilMs, untilMs);
    }
    return spans;
  }

  /** The offsets of lines that arrived, or would have arrived, from `fromMs` to `untilMs`; lowest first. */
  #offsets(fromMs: number, untilMs: number): Offsets[] {
    const clocks = this.#wall.between(fromMs, untilMs);
    const ofClocks = clocks.map((clock) => ({ ...clock, isClock: true }));
    const ofLines = this.#stamps.near(this.#wall.offsetMs).map((line) => ({ ...line, isClock: false }));
    const joined: Offsets[] = [];
    let last: { lowMs: number; highMs: number } | undefined;
    for (const { lowMs, highMs, isClock } of [...ofClocks, ...ofLines].sort((a, b) => a.lowMs - b.lowMs)) {
      const isBounded = isClock ||
        clocks.some((clock) => clock.highMs >= highMs && clock.lowMs <= highMs + CLUSTER_DISTANCE_MS);
      const endMs = isBounded ? highMs : highMs + FASTER_MARGIN_MS;
      if (last === undefined || lowMs > last.highMs + CLUSTER_DISTANCE_MS) {
        joined.push(last = { lowMs, highMs: endMs });
      } else last.highMs = Math.max(last.highMs, endMs);
    }
    return joined;
  }
}
