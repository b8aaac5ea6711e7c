/**
 * Promises that losses which nobody noticed are found where peers have the lines, and named in the ledger: as gaps of cause
 * `undelivered`, which are healed.
 *
 * Each hour is compared when it is over, and each day at the start, when it is sealed, and whenever it was sealed anew since. What
 * is equal costs a digest of each side, or not even that: see peer_digest.ts. What could not be compared with some peer, which was
 * away or broke off, is compared again later, when nothing new is due: one peer that is gone for good does not keep the lines of the
 * others away.
 *
 * @module
 */

import type { Archive, DayInfo } from "../../archive/archive.ts";
import type { Clock } from "../../clock.ts";
import { type DayNumber, dayStartMs } from "../../day.ts";
import { type Gap, type GapSource, type Span, UNRECORDED_GAP_ID } from "../../gaps/gap.ts";
import type { GapLedger } from "../../gaps/ledger.ts";
import { outsideSpans } from "../../gaps/spans.ts";
import type { Logger } from "../../logger.ts";
import { formatTime, spanOf } from "../gap_askings.ts";
import { joinOutcomes } from "../gap_outcome.ts";
import type { SourceOutcome } from "../outcome.ts";
import type { Compared, PeerSource } from "../source.ts";

/** An hour is compared so long after its end, in milliseconds: lines come late by seconds. */
export const HOUR_SETTLED_MS = 60_000;

/** What could not be compared, since a peer was away, is tried again after this long, in milliseconds. */
export const COMPARE_RETRY_MS = 600_000;

/** Of hours that went by unseen, as while the machine was suspended, so many are gone back to. */
const HOURS_LIMIT = 24;

/** So many spans wait to be compared again at the most; those that have waited longest are given up. */
const AGAIN_LIMIT = 1000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** See {@linkcode PeerComparisons}. */
export interface PeerComparisonsOptions {
  /** Is told what was missing. */
  ledger: Pick<GapLedger, "noteHealing" | "noteFound">;
  /** Knows all gaps, the time before anything was recorded too. */
  gaps: Pick<GapSource, "touching">;
  /** The days that are compared. */
  archive: Pick<Archive, "days">;
  /** The other recorders. */
  peers: PeerSource;
  /** Tells what is due. */
  clock: Clock;
  /** Takes what was missing. */
  logger: Logger;
  /** Hears how many lines were inserted. */
  onHealed(lines: number): void;
}

/** A span that is to be compared, and what is known when that is done. */
export interface DueComparison {
  /** What is to be compared. */
  span: Span;
  /** Called when it is. */
  onDone(): void;
}

/** The end of the last minute of which no line is on its way any more, in milliseconds since 1970: at 12:01:59 it is 12:00. */
export function lastSettledMinute(nowMs: number): number {
  return Math.floor((nowMs - HOUR_SETTLED_MS) / MINUTE_MS) * MINUTE_MS;
}

/** Compares days with peers. */
export class PeerComparisons {
  readonly #options: PeerComparisonsOptions;
  /** The last hour that was compared, counted since 1970. */
  #hour: number;
  /** The checksums of the days as they were when they were compared last; of one that was not sealed, null. */
  readonly #days = new Map<DayNumber, string | null>();
  /** What has to be compared again, the one first that was tried least lately. */
  #again: DueComparison[] = [];
  /** Until when no peer is asked, since none could be; by {@linkcode Clock.elapsed}. */
  #retryMs = -Infinity;
  /** The same for what has to be compared again. */
  #againMs = -Infinity;

  /** Compares nothing by itself. The hour that is not over now is the first one. */
  constructor(options: PeerComparisonsOptions) {
    this.#options = options;
    this.#hour = Math.floor(options.clock.now() / HOUR_MS) - 1;
  }

  /** What is to be compared by now; null for nothing. */
  due(): DueComparison | null {
    const { clock } = this.#options;
    if (clock.elapsed() < this.#retryMs) return null;
    const settledMs = lastSettledMinute(clock.now());
    return this.#dueHour(settledMs) ?? this.#dueDay(settledMs) ?? this.#dueAgain();
  }

  /**
   * Compares what is due. What could not be compared with every peer is due again later.
   *
   * @throws As {@linkcode PeerSource.compare}. It is due again later, too.
   */
  async compareDue(due: DueComparison, signal: AbortSignal): Promise<void> {
    this.#again = this.#again.filter((one) => one !== due);
    const laterMs = this.#options.clock.elapsed() + COMPARE_RETRY_MS;
    const later = { span: due.span, onDone() {} };
    this.#again.push(later);
    if (this.#again.length > AGAIN_LIMIT) this.#again.shift();
    [this.#retryMs, this.#againMs] = [laterMs, laterMs];
    const { outcomes } = await this.compare(due.span, signal);
    const missed = outcomes.filter(({ state, isFinal }) => state !== "complete" && !isFinal);
    due.onDone();
    if (missed.length === 0) {
      this.#again = this.#again.filter((one) => one !== later);
      this.#againMs = -Infinity;
    }
    if (missed.length === 0 || missed.length < outcomes.length) this.#retryMs = -Infinity;
  }

  /**
   * Compares a span, and names the losses that nobody had noticed; those that lie in a gap that is known are told there.
   *
   * @throws As {@linkcode PeerSource.compare}.
   */
  async compare(span: Span, signal: AbortSignal): Promise<Compared> {
    const { peers, onHealed } = this.#options;
    const compared = await peers.compare(span, signal);
    onHealed(compared.outcomes.reduce((sum, { lines }) => sum + lines, 0));
    for (const { span, lines, source } of compared.found) this.#noteFound(span, lines, source);
    return compared;
  }

  #dueHour(settledMs: number): DueComparison | null {
    const last = Math.floor(settledMs / HOUR_MS) - 1;
    // At half a minute past the hour it is the one before that; earlier than that, the clock was set back.
    if (last < this.#hour - 1) this.#hour = last;
    if (last <= this.#hour) return null;
    const hour = Math.max(this.#hour + 1, last - HOURS_LIMIT + 1);
    const span = { sinceMs: hour * HOUR_MS, untilMs: (hour + 1) * HOUR_MS };
    return { span, onDone: () => this.#hour = hour };
  }

  #dueDay(settledMs: number): DueComparison | null {
    const days = this.#options.archive.days();
    const there = new Set(days.map(({ day }) => day));
    for (const day of this.#days.keys()) if (!there.has(day)) this.#days.delete(day);
    const info = days.findLast((info) => this.#isDue(info));
    if (info === undefined) return null;
    const { day } = info;
    const span = { sinceMs: dayStartMs(day), untilMs: Math.min(dayStartMs(day + 1), settledMs) };
    if (span.sinceMs >= span.untilMs) return null;
    return { span, onDone: () => this.#days.set(day, this.#checksumOf(day)) };
  }

  #dueAgain(): DueComparison | null {
    return this.#options.clock.elapsed() < this.#againMs ? null : this.#again[0] ?? null;
  }

  /** A day is due once, whatever it is; and once more when it is sealed, or sealed anew. */
  #isDue({ day, sealed, crc32 }: DayInfo): boolean {
    const compared = this.#days.get(day);
    return compared === undefined || (sealed && compared !== crc32);
  }

  #checksumOf(day: DayNumber): string | null {
    return this.#options.archive.days().find((info) => info.day === day)?.crc32 ?? null;
  }

  #noteFound(span: Span, lines: number, source: string): void {
    const { clock, gaps, ledger, logger } = this.#options;
    const nowMs = clock.now();
    const known = gaps.touching(span.sinceMs, span.untilMs);
    const unknown = outside(known, span);
    const [since, until] = [formatTime(span.sinceMs), formatTime(span.untilMs)];
    const cause = unknown === null ? known[0]!.cause : "undelivered";
    logger.log("info", "missing lines found", { since, until, lines, source, cause });
    if (unknown !== null) {
      const sources = [{ name: source, lines }];
      return ledger.noteFound(unknown, { sources, atMs: nowMs, doneUntilMs: null, reason: null });
    }
    // Before the first start nobody has missed lines: they are here now, and that time stays unrecorded.
    const gap = known.find(({ id }) => id > UNRECORDED_GAP_ID);
    if (gap === undefined) return;
    const outcome: SourceOutcome = { source, lines, state: "incomplete", reason: null };
    const joined = joinOutcomes(gap, [outcome], { isSettled: false, nowMs });
    // Of a gap that lasts nothing is noted yet: it is asked about when it has ended.
    if (joined !== null && gap.untilMs !== null) ledger.noteHealing(gap.id, { ...joined, span: spanOf(gap) });
  }
}

/**
 * What of `span` lies in none of `gaps`, from its first moment to its last; null for nothing. With a gap from 10:00:00 to
 * 10:00:10, the span from 10:00:05 to 10:00:20 begins at 10:00:10.
 */
function outside(gaps: readonly Gap[], span: Span): Span | null {
  const known = gaps.map(({ sinceMs, untilMs }) => ({ sinceMs, untilMs: untilMs ?? Infinity }));
  const unknown = outsideSpans(known, span);
  const [first, last] = [unknown[0], unknown.at(-1)];
  return first === undefined || last === undefined ? null : { sinceMs: first.sinceMs, untilMs: last.untilMs };
}
