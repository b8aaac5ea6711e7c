/**
 * Promises the days before the first start, as far as Fly has kept them: an hour at a time, the oldest first, so that it is known
 * at each moment how far that has come, and goes on there after a restart.
 *
 * Example: a recorder is started for the first time on 22 November at 12:20. The days are those from 15 November, 14:00, on: what Fly
 * keeps, less an hour or two, in which that can be asked for. Fly is asked at 12:22. When all is done at 12:25, the hour from
 * 12:00 on is asked for again at 12:35, since Fly's store is behind the stream, and then its word counts that this was all.
 *
 * @module
 */

import type { Clock } from "../../clock.ts";
import { dayOf, dayStartMs } from "../../day.ts";
import type { Gap, Span } from "../../gaps/gap.ts";
import type { GapLedger } from "../../gaps/ledger.ts";
import type { Logger } from "../../logger.ts";
import { HEALED_BY_FLY } from "./fly_record.ts";
import { formatTime, type GapAskings, isSettledAtFly, spanOf } from "../gap_askings.ts";
import { FLY_KEEPS_MS, FLY_SETTLED_MS, mayHave } from "../heal_plan.ts";
import type { SourceOutcome } from "../outcome.ts";
import type { FlySource } from "../source.ts";

/** If Fly cannot be asked, it is tried again after this long, in milliseconds. */
export const BEFORE_RETRY_MS = 300_000;

/** Fly is asked so long after the first start, in milliseconds: its store is behind the stream. */
export const FIRST_BEFORE_MS = 120_000;

const HOUR_MS = 3_600_000;

/** What is said of Fly's doubts in the ledger begins so. */
const DOUBT_PREFIX = `${HEALED_BY_FLY}: `;

/**
 * The days before the first start that another copy may have and that are kept here, where recording begins at `startMs`, in
 * milliseconds since 1970. `retentionDays` is as in the configuration: of older days lines would be removed as they come.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const startMs = Date.parse("2026-11-22T12:20:00Z");
 * const since = (retentionDays: number | null) => new Date(spanBefore(startMs, retentionDays).sinceMs).toISOString();
 * assert.equal(since(30), "2026-11-15T14:00:00.000Z");
 * assert.equal(since(2), "2026-11-20T00:00:00.000Z");
 * ```
 */
export function spanBefore(startMs: number, retentionDays: number | null): Span {
  const keptAtFlyMs = Math.ceil((startMs - FLY_KEEPS_MS) / HOUR_MS + 1) * HOUR_MS;
  const keptHereMs = retentionDays === null ? -Infinity : dayStartMs(dayOf(startMs) - retentionDays);
  return { sinceMs: Math.min(startMs, Math.max(keptAtFlyMs, keptHereMs)), untilMs: startMs };
}

/** See {@linkcode DaysBefore}. */
export interface DaysBeforeOptions {
  /** Knows how far it has come. */
  ledger: Pick<GapLedger, "touching">;
  /** Notes how far it has come. */
  askings: Pick<GapAskings, "note">;
  /** Fly's store. */
  fly: FlySource;
  /** Tells when it is due. */
  clock: Clock;
  /** Is told the progress. */
  logger: Logger;
  /** Hears how many lines were inserted. */
  onHealed(lines: number): void;
}

/** Brings back the days before the first start. */
export class DaysBefore {
  readonly #options: DaysBeforeOptions;
  #retryMs = -Infinity;

  /** Asks nothing by itself. */
  constructor(options: DaysBeforeOptions) {
    this.#options = options;
  }

  /**
   * The gap that they are, as long as Fly has to be asked for some of it; of several, into which peers have parted it, the oldest.
   * Null for none.
   */
  unfinished(): Gap | null {
    const { clock, ledger } = this.#options;
    const nowMs = clock.now();
    return ledger.touching(-Infinity, Infinity).find((gap) =>
      gap.cause === "before" && gap.state !== "healed" && mayHave("fly", gap, nowMs) &&
      doneOf(gap) < gap.untilMs!
    ) ?? null;
  }

  /** As {@linkcode unfinished}, if Fly is to be asked by now. */
  due(): Gap | null {
    const { clock } = this.#options;
    const gap = this.unfinished();
    if (gap === null || clock.elapsed() < this.#retryMs) return null;
    const isLastHour = doneOf(gap) >= lastHourOf(gap);
    return clock.now() < gap.untilMs! + (isLastHour ? FLY_SETTLED_MS : FIRST_BEFORE_MS) ? null : gap;
  }

  /**
   * Goes on with `gap` from where that was left, until it is done, or until `isOver` says after an hour of it that it is somebody
   * else's turn. `tell` hears how far it has come, in words. Returns what came of it; null where it is not done.
   *
   * @throws As {@linkcode FlySource.healSpan}; what is done is noted.
   */
  async heal(
    gap: Gap,
    signal: AbortSignal,
    { isOver, tell }: { isOver: () => boolean; tell: (what: string) => void },
  ): Promise<SourceOutcome | null> {
    const { clock, fly } = this.#options;
    this.#retryMs = clock.elapsed() + BEFORE_RETRY_MS; // also if it fails
    const turn = new AbortController();
    const progress = new Progress(gap, this.#options);
    try {
      const outcome = await fly.healSpan(spanOf(gap), {
        signal: AbortSignal.any([signal, turn.signal]),
        fromMs: doneOf(gap),
        doubt: progress.doubt,
        onProgress: ({ doneUntilMs, lines, doubt }) => {
          progress.note(doneUntilMs, lines, doubt);
          tell(`Done up to ${formatTime(doneUntilMs)}, ${lines} lines brought`);
          if (isOver()) turn.abort();
        },
      });
      progress.end(outcome);
      if (outcome.state !== "nothing") this.#retryMs = -Infinity;
      return outcome;
    } catch (error) {
      if (!turn.signal.aborted || signal.aborted) throw error;
      this.#retryMs = -Infinity;
      return null;
    }
  }
}

/** How far one asking has come. */
class Progress {
  /** Why Fly may have had more of what is done; null for no reason. */
  doubt: string | null;
  readonly #gap: Gap;
  readonly #options: DaysBeforeOptions;
  /** Up to where it is done, as the ledger has it. */
  #doneMs: number;
  /** Up to where Fly was gone through, the last hour too. */
  #reachedMs: number;
  #lines = 0;

  constructor(gap: Gap, options: DaysBeforeOptions) {
    this.#gap = gap;
    this.#options = options;
    this.#doneMs = this.#reachedMs = doneOf(gap);
    this.doubt = doubtOf(gap);
  }

  /** Notes that everything before a moment is done, but for the last hour, which is asked for once more. */
  note(doneUntilMs: number, lines: number, doubt: string | null): void {
    const { askings, logger } = this.#options;
    this.#count(lines);
    this.doubt = doubt;
    this.#reachedMs = doneUntilMs;
    this.#doneMs = Math.min(doneUntilMs, lastHourOf(this.#gap));
    const sofar: SourceOutcome = { source: HEALED_BY_FLY, lines, state: "incomplete", reason: doubt };
    askings.note(this.#gap, [sofar], { isSettled: false, doneUntilMs: this.#doneMs }, true);
    logger.log("info", "days before the first start", { doneUntil: formatTime(doneUntilMs), lines });
  }

  /** Notes how it has ended: if Fly broke off before the end, the rest stays to be done, however much came. */
  end(outcome: SourceOutcome): void {
    const { askings, clock } = this.#options;
    this.#count(outcome.lines);
    const isSettled = isSettledAtFly(this.#gap, clock.now());
    const isThrough = outcome.state !== "nothing" && this.#reachedMs >= this.#gap.untilMs!;
    const isDone = isSettled && (isThrough || outcome.isFinal === true);
    const doneUntilMs = isDone ? this.#gap.untilMs! : this.#doneMs;
    const reason = this.#reason(outcome, isDone);
    askings.note(this.#gap, [outcome], { isSettled, doneUntilMs, reason });
  }

  /** Only a doubt is told as Fly's, since it goes on to hold when the rest is asked for; see {@linkcode doubtOf}. */
  #reason({ reason }: SourceOutcome, isDone: boolean): string | null {
    if (isDone) return null;
    return this.doubt === null ? reason : DOUBT_PREFIX + this.doubt;
  }

  #count(lines: number): void {
    this.#options.onHealed(lines - this.#lines);
    this.#lines = lines;
  }
}

/** Up to where it was gone through, in milliseconds since 1970. */
export function doneOf({ sinceMs, healing }: Gap): number {
  return healing?.doneUntilMs ?? sinceMs;
}

/** Where the last hour of a gap begins, in milliseconds since 1970: Fly may have got lines of it since it was asked. */
function lastHourOf({ sinceMs, untilMs }: Gap): number {
  return Math.max(sinceMs, (Math.ceil(untilMs! / HOUR_MS) - 1) * HOUR_MS);
}

/** What the ledger has of Fly's doubts. */
function doubtOf({ healing }: Gap): string | null {
  const reason = healing?.reason ?? null;
  return reason?.startsWith(DOUBT_PREFIX) ? reason.slice(DOUBT_PREFIX.length) : null;
}
