/**
 * Promises that the time of which an archive never recorded anything counts as a gap, of cause `before`, like any
 * other: that there are no lines of it says nothing.
 *
 * That gap ends where the first recorder started, which the ledger knows as the gap of cause `start`: one that was
 * first started at 20:12:04 has nothing of 20:12:03, whatever late lines tell of that second. Of an archive whose
 * ledger does not know, it ends with the first line. Days before the start that somebody else may have are a gap of
 * the ledger, of cause `before` too: then this one ends where that one begins. With a start on 22 November at 20:12:04 and the
 * seven days before it in the ledger, this one ends on 15 November at 20:12:04, and that one is healed or not. Where retention has removed days, it ends after the newest of
 * them: with 2026-10-01 and all before it removed, at 2026-10-02T00:00:00Z.
 *
 * A day whose files cannot be read, and were left alone, counts as a gap of cause `disk` for as long: what was recorded of it
 * is in no answer.
 *
 * @module
 */

import type { Archive } from "../archive/archive.ts";
import type { GapLedger, GapListener } from "./ledger.ts";
import type { Cancel, Clock } from "../clock.ts";
import { dayStartMs } from "../day.ts";
import { type Gap, type GapSource, unreadableGapId, UNRECORDED_GAP_ID } from "./gap.ts";
import { parseTimestamp, timestampMs } from "../timestamp.ts";

/** See {@linkcode RecordedSpan}. */
export interface RecordedSpanOptions {
  /** Knows the gaps since the first start. */
  ledger: Pick<GapLedger, "touching" | "latest" | "onChange">;
  /** Knows its days. */
  archive: Pick<Archive, "oldestDay" | "newestRemovedDay" | "untouched">;
  /** Now is when an archive begins that has nothing yet. */
  clock: Pick<Clock, "now">;
}

/** The gaps of a ledger, the time before it, and the days that cannot be read. */
export class RecordedSpan implements GapSource {
  readonly #options: RecordedSpanOptions;
  /** Where what the ledger tells of begins; null where it does not say, undefined until it is asked. */
  #startMs: number | null | undefined;

  /** Asks nothing until it is asked. */
  constructor(options: RecordedSpanOptions) {
    this.#options = options;
    options.ledger.onChange(({ cause }, was) => {
      if (this.#startMs === null || (cause === "before" && was === null)) this.#startMs = undefined;
    });
  }

  /** See {@linkcode GapSource.touching}. */
  touching(sinceMs: number, untilMs: number): readonly Gap[] {
    const unreadable = this.#unreadable(sinceMs, untilMs);
    const noted = this.#options.ledger.touching(sinceMs, untilMs);
    const gaps = unreadable.length === 0
      ? noted
      : [...noted, ...unreadable].sort((a, b) => a.sinceMs - b.sinceMs);
    const beginMs = this.#beginMs();
    if (sinceMs >= beginMs) return gaps;
    // Where the question has no beginning, the gap begins in 1970.
    const fromMs = Number.isFinite(sinceMs) ? Math.min(0, sinceMs) : 0;
    const before: Gap = {
      id: UNRECORDED_GAP_ID,
      sinceMs: fromMs,
      untilMs: beginMs,
      cause: "before",
      state: "lost",
      healing: null,
    };
    return [before, ...gaps];
  }

  /** See {@linkcode GapSource.latest}. */
  latest(): Gap | null {
    return this.#options.ledger.latest();
  }

  /** See {@linkcode GapLedger.onChange}: what is in no ledger does not change while anybody listens. */
  onChange(listener: GapListener): Cancel {
    return this.#options.ledger.onChange(listener);
  }

  /** The days that cannot be read and touch a span. One that is still to come is none yet. */
  #unreadable(sinceMs: number, untilMs: number): Gap[] {
    const { archive, clock } = this.#options;
    const endMs = Math.min(untilMs, clock.now());
    return [...archive.untouched.keys()].filter((day) =>
      dayStartMs(day) < endMs && dayStartMs(day + 1) > sinceMs
    ).map((day) => ({
      id: unreadableGapId(day),
      sinceMs: dayStartMs(day),
      untilMs: dayStartMs(day + 1),
      cause: "disk",
      state: "lost",
      healing: null,
    }));
  }

  /** The first moment of which something was recorded and is not removed, in milliseconds since 1970. */
  #beginMs(): number {
    const { archive, clock, ledger } = this.#options;
    const removed = archive.newestRemovedDay();
    if (removed !== null) return dayStartMs(removed + 1);
    if (this.#startMs === undefined) {
      const noted = ledger.touching(-Infinity, Infinity);
      const first = noted.find(({ cause }) => cause === "before") ??
        noted.find(({ cause }) => cause === "start");
      this.#startMs = first?.sinceMs ?? null;
    }
    if (this.#startMs !== null) return this.#startMs;
    const oldest = archive.oldestDay();
    if (oldest === null) return clock.now();
    const first = oldest.first === null ? null : parseTimestamp(oldest.first);
    return Math.max(first === null ? -Infinity : Math.floor(timestampMs(first)), dayStartMs(oldest.day));
  }
}
