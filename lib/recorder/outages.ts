/**
 * Promises that a gap begins with the last good moment and ends with the latest timestamp that a lost line may bear, also
 * where the first lines of a session show that this machine's clock is wrong.
 *
 * Example: the program starts when its clock shows 9:00, an hour behind, and the ledger has a gap open since 10:00. A
 * session begins. By the clock the gap would end before it began, so it stays open, until a few lines come that are stamped
 * 10:01, or until the clock is set right. Then it ends at 10:01.
 *
 * Second example: the clock is 10 s behind and shows 10:00:50 when the session begins. The gap ends at 10:00:50 at once. The
 * first line, stamped 10:01:00, shows that lines up to then may be missing, and the gap is made 10 s longer.
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
  /** For each gap that began in this process and lasts, by its cause: up to when everything was here. */
  readonly #goodBefore = new Map<GapCause, number>();
  /** When the session began and which gaps it has ended, while its lines may still correct their ends; else null. */
  #watched: { backMs: number; ended: { gap: Gap; goodMs: number | undefined }[] } | null = null;

  /** Begins and ends nothing by itself. */
  constructor(options: { gaps: GapLedger; clock: Clock; knownGood: KnownGood }) {
    this.#gaps = options.gaps;
    this.#clock = options.clock;
    this.#knownGood = options.knownGood;
  }

  /** Begins a gap: everything up to `goodMs` is here. Where a gap of this cause lasts already, that goes on. */
  begin(cause: GapCause, goodMs: number): void {
    if (this.#gaps.open.some((gap) => gap.cause === cause)) return;
    this.#goodBefore.set(cause, goodMs);
    this.#gaps.begin(cause, this.#knownGood.sinceMs(goodMs));
  }

  /** A session has begun, so every line from now on arrives. While lines are dropped, the gaps of that go on. */
  beginSession(isDropping: boolean): void {
    this.#watched = { backMs: this.#clock.elapsed(), ended: [] };
    this.look(isDropping);
  }

  /** The session has ended. Gaps that it has not ended go on. */
  endSession(): void {
    this.#watched = null;
  }

  /** Lines are taken again after some were dropped. */
  endDropping(): void {
    const backMs = this.#clock.elapsed();
    this.#gaps.end((gap) => this.#spansOf(gap, this.#goodBefore.get(gap.cause), backMs), DROPPING);
    for (const cause of DROPPING) this.#goodBefore.delete(cause);
  }

  /** Corrects the ends of the gaps that the session has ended, and ends those it could not yet, by what lines show since. */
  look(isDropping: boolean): void {
    if (this.#watched === null) return;
    const { backMs, ended } = this.#watched;
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
    if (this.#clock.elapsed() - backMs > watchMs) this.#watched = null;
  }

  /** The timestamps of a gap, if everything from `backMs` on is here; none while that is not known. */
  #spansOf({ sinceMs }: Gap, goodMs: number | undefined, backMs: number): readonly Span[] {
    if (goodMs !== undefined) return this.#knownGood.spans(goodMs, backMs);
    // It began before this process. If it would end before its beginning, the clock is wrong: it stays open for now.
    const untilMs = this.#knownGood.untilMs(backMs);
    return untilMs > sinceMs ? [{ sinceMs, untilMs }] : [];
  }
}
