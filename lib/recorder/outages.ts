/**
 * Promises that a gap is begun where the last good moment lies and ended as the spans that lost lines may bear,
 * and that what the first lines of a session say about a wrong clock is not too late for it.
 *
 * Example: the clock shows 9:00 when the program starts, an hour behind, and the ledger has a gap open since 10:00.
 * A session begins: by the clock the gap would end before it began. So it lasts on, until the first line comes
 * and says that it is 10:01, or until the clock is set right. Were the clock 10 s behind, the gap would end at once and
 * turn out later to have lasted 10 s longer.
 *
 * @module
 */

import type { GapLedger } from "../gaps/ledger.ts";
import type { Clock } from "../clock.ts";
import { type Gap, GAP_CAUSES, type GapCause, type Span } from "../gaps/gap.ts";
import type { KnownGood } from "./known_good.ts";

/** So long after a session has begun its lines may still show that the clock was wrong, in milliseconds. */
const WATCH_MS = 10_000;

/** Where no line comes, a session is watched for so long, in milliseconds. */
const SILENT_WATCH_MS = 600_000;

/** The causes that end when a session begins. */
const NOT_RECORDING: readonly GapCause[] = ["start", "stop", "crash", "disconnect", "stall", "refused"];

/** The causes that end when lines are taken again. */
const DROPPING: readonly GapCause[] = ["overflow", "disk"];

/** Begins and ends gaps. Moments are {@linkcode Clock.elapsed}. */
export class Outages {
  readonly #gaps: GapLedger;
  readonly #clock: Clock;
  readonly #knownGood: KnownGood;
  /** Up to when everything was here when the gap of a cause began, if it began in this process and lasts. */
  readonly #goodBefore = new Map<GapCause, number>();
  /** When the session began, as long as that is watched, and the gaps that it has ended. */
  #return: { backMs: number; ended: { gap: Gap; goodMs: number | undefined }[] } | null = null;

  /** Begins and ends nothing by itself. */
  constructor(options: { gaps: GapLedger; clock: Clock; knownGood: KnownGood }) {
    this.#gaps = options.gaps;
    this.#clock = options.clock;
    this.#knownGood = options.knownGood;
  }

  /** A gap begins, or one of its cause goes on; everything up to `goodMs` is here. */
  begin(cause: GapCause, goodMs: number): void {
    if (this.#gaps.open.some((gap) => gap.cause === cause)) return;
    this.#goodBefore.set(cause, goodMs);
    this.#gaps.begin(cause, this.#knownGood.sinceMs(goodMs));
  }

  /** A session has begun: everything from now on comes. While lines are dropped, gaps of that go on. */
  beginSession(isDropping: boolean): void {
    this.#return = { backMs: this.#clock.elapsed(), ended: [] };
    this.look(isDropping);
  }

  /** The session has ended: what has not ended with it goes on. */
  endSession(): void {
    this.#return = null;
  }

  /** Lines are taken again. */
  endDropping(): void {
    const backMs = this.#clock.elapsed();
    this.#gaps.end((gap) => this.#spansOf(gap, this.#goodBefore.get(gap.cause), backMs), DROPPING);
    for (const cause of DROPPING) this.#goodBefore.delete(cause);
  }

  /** Looks what lines that have come since say about the gaps that the session has ended, or has to end. */
  look(isDropping: boolean): void {
    if (this.#return === null) return;
    const { backMs, ended } = this.#return;
    for (const { gap, goodMs } of ended) this.#gaps.cover(gap.cause, this.#spansOf(gap, goodMs, backMs));
    const causes = isDropping ? NOT_RECORDING : GAP_CAUSES;
    this.#gaps.end((gap) => {
      const goodMs = this.#goodBefore.get(gap.cause);
      const spans = this.#spansOf(gap, goodMs, backMs);
      if (spans.length > 0) {
        this.#goodBefore.delete(gap.cause);
        ended.push({ gap, goodMs });
      }
      return spans;
    }, causes);
    if (this.#gaps.open.some(({ cause }) => causes.includes(cause))) return;
    const watchMs = this.#knownGood.lineMs > backMs ? WATCH_MS : SILENT_WATCH_MS;
    if (this.#clock.elapsed() - backMs > watchMs) this.#return = null;
  }

  /** What a gap has been, if everything from `backMs` on is here; none while that cannot be told. */
  #spansOf({ sinceMs }: Gap, goodMs: number | undefined, backMs: number): readonly Span[] {
    if (goodMs !== undefined) return this.#knownGood.spans(goodMs, backMs);
    // It began before this process. An end before its beginning is told by a clock that is wrong.
    const untilMs = this.#knownGood.untilMs(backMs);
    return untilMs > sinceMs ? [{ sinceMs, untilMs }] : [];
  }
}
