/**
 * Promises the last moment up to which every line is known to be here, and the times that lines lost after it
 * may bear.
 *
 * **What proves that lines are here.** A server sends what it has in order. So when a PING is answered, every
 * line that the server had when the PING was sent has been taken; and when a line comes, so has every line that
 * the server sent before it. The last such moment is kept in {@linkcode Clock.elapsed}, which nobody sets:
 * *good*. The moment from which the next session has every line is *back*: when its server confirmed the
 * subscription. What was lost came to the server between the two.
 *
 * **Which timestamps lost lines bear.** Readers ask by the lines' own timestamps. Somebody else's clock made
 * these, and a line is some time on its way. Both are in one number, the offset between a line's timestamp and
 * the time passed when it came, and {@linkcode StampOffsets} knows the offsets of lines that came lately. A lost
 * line has an offset as one of those; so each cluster of offsets, from `low` to `high`, makes a span from
 * good + low to back + high. The machine's own clock is one more cluster ({@linkcode WallClock}): lines need not
 * have come, and people look at their watch. What was in force long before good does not count.
 *
 * Lines also overtake each other: one that is lost may have been on its way longer than any that came, so each
 * span begins {@linkcode GAP_MARGIN_MS} earlier.
 *
 * **In numbers**, with a clock that shows 12:00:00 after 0 s, good at 10 s and back at 13.4 s:
 *
 * - Lines take 0 to 0.2 s: 12:00:08.8 to 12:00:13.4.
 * - All lines take 50 s: 11:59:19 to 11:59:23.4 (what was printed 50 s before the cut), and 12:00:09 to
 *   12:00:13.4 by the watch. Not one span of 54 s: lines stamped 11:59:40 came before the cut.
 * - Half of them take 90 s, half nothing: 11:58:39 to 11:58:43.4, and 12:00:09 to 12:00:13.4.
 * - Lines take 0 to 50 s, whatever is between: 11:59:19 to 12:00:13.4. Nobody can say more.
 * - The clock was an hour ahead and was set right at 7 s: as in the first case. The lines' offsets never moved,
 *   and the wrong reading was not in force any more.
 * - The clock is an hour ahead all the time: where the lines are, as in the first case, and 13:00:09 to
 *   13:00:13.4 by the watch.
 * - The clock was set right at 11 s and no line had come: 12:00:09 to 12:00:13.4 and the same an hour later.
 *
 * What this cannot know is an offset that no line had in the last one or two minutes: see the README.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Span } from "../gaps/gap.ts";
import { CLUSTER_DISTANCE_MS, type Offsets, StampOffsets } from "./stamp_offsets.ts";
import { WallClock } from "./wall_clock.ts";

/**
 * Lines come in the order in which servers carry them, not in that of their timestamps: one that is lost may
 * have been on its way longer than any that came, by this much in milliseconds. Gaps start earlier by it.
 */
export const GAP_MARGIN_MS = 1000;

/** Offsets of lines are remembered for one to two times this long, in milliseconds. */
export const OFFSETS_MEMORY_MS = 60_000;

/**
 * Of lines that are ahead of the machine's clock, or nowhere near it, the fastest that came need not be the fastest
 * that there is: their spans end later by this much, in milliseconds.
 */
const FASTER_MARGIN_MS = 100;

/** Collects the proofs. Moments that go in and come out are {@linkcode Clock.elapsed}, unless said otherwise. */
export class KnownGood {
  readonly #clock: Clock;
  readonly #wall: WallClock;
  readonly #stamps = new StampOffsets();
  #lineMs = -Infinity;
  #answerMs = -Infinity;
  #agedMs: number;

  /** Knows nothing to be good. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wall = new WallClock(clock);
    this.#agedMs = clock.elapsed();
  }

  /** A line came at `elapsedMs`; `stampMs` is its own timestamp, null where it has none. */
  noteLine(elapsedMs: number, stampMs: number | null): void {
    this.#lineMs = elapsedMs;
    if (stampMs !== null) this.#stamps.note(stampMs - elapsedMs);
  }

  /** All that the server had at `askedMs` has been taken. */
  noteAnswer(askedMs: number): void {
    if (askedMs > this.#answerMs) this.#answerMs = askedMs;
  }

  /** When the last line came; -Infinity before the first. */
  get lineMs(): number {
    return this.#lineMs;
  }

  /** The last moment up to which everything is known to be here; -Infinity where nothing is. */
  get goodMs(): number {
    return Math.max(this.#lineMs, this.#answerMs);
  }

  /** Looks at the machine's clock and forgets old offsets; to be called a few times a second while lines are recorded. */
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

  /** The offsets that lines may have that came, or would have come, from `fromMs` to `untilMs`; lowest first. */
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
