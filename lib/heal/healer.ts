/**
 * Promises that whatever is missing is looked for wherever it may be, for as long as it may be there, and that the ledger says
 * what came of it. One thing is done at a time, the most pressing first, and never in the way of recording:
 *
 * 1. What somebody asks for now (`deno task heal`).
 * 2. Gaps that peers may have: when each is due stands in heal_plan.ts. The oldest goes first.
 * 3. Comparing with peers, by digests, so that losses which nobody noticed are found: each hour when it is over, all days at the
 *    start, and each day when it is sealed or has changed since.
 * 4. Gaps that Fly may have, the oldest first while Fly still has it.
 * 5. What Fly has of the days before the first start, an hour at a time, the oldest first. After each hour it is looked whether
 *    something above is due, so that a gap of today does not wait for a week.
 *
 * @module
 */

import type { Archive, DayInfo } from "../archive/archive.ts";
import type { Cancel, Clock } from "../clock.ts";
import { type DayNumber, dayStartMs } from "../day.ts";
import type { Gap, Span } from "../gaps/gap.ts";
import type { GapLedger } from "../gaps/ledger.ts";
import type { Logger } from "../logger.ts";
import {
  FLY_KEEPS_MS,
  FLY_SETTLED_MS,
  mayHave,
  nextAskingMs,
  PEERS_LIMIT_MS,
  type SourceKind,
} from "./heal_plan.ts";
import { HEALED_BY_FLY } from "./fly_record.ts";
import { joinOutcomes, type OutcomeTerms } from "./gap_outcome.ts";
import type { SourceOutcome } from "./outcome.ts";
import type { Compared, FlySource, PeerSource } from "./source.ts";

/** How often it is looked what is due, in milliseconds. */
export const LOOK_MS = 2000;

/** While the disk takes nothing, nothing is inserted; it is looked again after this long, in milliseconds. */
export const TROUBLE_WAIT_MS = 60_000;

/** An hour is compared so long after its end, in milliseconds: lines come late by seconds. */
export const HOUR_SETTLED_MS = 60_000;

/** If Fly cannot be asked for the days before the first start, it is tried again after this long, in milliseconds. */
export const BEFORE_RETRY_MS = 300_000;

/** What could not be compared, since a peer was away, is tried again after this long, in milliseconds. */
export const COMPARE_RETRY_MS = 600_000;

/** Hours that could not be compared are gone back to for so many: older ones are compared with their day, when it is sealed. */
const HOURS_LIMIT = 24;

/** What Fly is called where it is a source. */
const FLY = HEALED_BY_FLY;

/** Fly is asked for the days before the first start so long after it, in milliseconds: its store is behind the stream. */
const FIRST_BEFORE_MS = 120_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Takes what is found out on the way, a sentence each. */
export type Tell = (what: string) => void;

/** See {@linkcode Healer}. */
export interface HealerOptions {
  /** Knows the gaps, and is told what came of them. */
  ledger: Pick<GapLedger, "touching" | "noteHealing" | "noteFound">;
  /** The days that are compared. */
  archive: Pick<Archive, "days" | "trouble">;
  /** The other recorders; null for none. */
  peers: PeerSource | null;
  /** Fly's store; null where it is not to be asked. */
  fly: FlySource | null;
  /** Tells when what is due. */
  clock: Clock;
  /** Takes what came of it. */
  logger: Logger;
  /** Hears how many lines were inserted, and whose they were. */
  onHealed?(source: SourceKind, lines: number): void;
}

/** What the healer is doing. */
export interface HealerStatus {
  /** How many gaps wait for lines that a source may have. */
  due: number;
  /** What is being done, in words; null for nothing. */
  working: string | null;
  /** Up to where the days before the first start are gone through, in milliseconds since 1970; null where they are not. */
  beforeDoneMs: number | null;
  /** How many lines were inserted since the process started, by source. */
  lines: Readonly<Record<SourceKind, number>>;
}

/** What came of healing a span now. */
export interface HealReport {
  /** How many lines were inserted. */
  lines: number;
  /** The gaps in the span as they are now, oldest first. */
  gaps: readonly Gap[];
}

/** Somebody is healing already; {@linkcode Healer.healNow} takes one at a time. */
export class HealerBusy extends Error {
  /** The name of the class. */
  override name = "HealerBusy";
}

interface Request {
  span: Span;
  tell: Tell;
  signal: AbortSignal;
  resolve: (report: HealReport) => void;
  reject: (error: unknown) => void;
}

interface Job {
  what: string;
  run(): Promise<void>;
}

/** Heals an archive. */
export class Healer {
  readonly #options: HealerOptions;
  readonly #stopped = new AbortController();
  readonly #asked = new Map<number, Record<SourceKind, number | null>>();
  /** The checksums of the days as they were when they were compared last; of one that is not sealed, null. */
  readonly #compared = new Map<DayNumber, string | null>();
  readonly #lines: Record<SourceKind, number> = { peers: 0, fly: 0 };
  #comparedHour: number;
  #compareRetryMs = -Infinity;
  #beforeRetryMs = -Infinity;
  #request: Request | null = null;
  #working: string | null = null;
  #running: Promise<void> | null = null;
  #cancel: Cancel | null = null;
  #restUntilMs = -Infinity;

  /** Does nothing before {@linkcode start}. */
  constructor(options: HealerOptions) {
    this.#options = options;
    this.#comparedHour = Math.floor(options.clock.now() / HOUR_MS) - 1;
  }

  /** Begins to look for what is due. */
  start(): void {
    if (this.hasSource) this.#cancel = this.#options.clock.every(LOOK_MS, () => this.#look());
  }

  /** Ends what is being done, and begins nothing any more. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#stopped.abort(new Error("Cannot go on healing: the recorder stops"));
    await this.#running;
    this.#request?.reject(this.#stopped.signal.reason);
  }

  /** Whether there is anybody to ask. */
  get hasSource(): boolean {
    return this.#options.peers !== null || this.#options.fly !== null;
  }

  /** What it is doing. */
  status(): HealerStatus {
    const before = this.#before();
    const waiting = this.#waiting();
    return {
      due: waiting.length + (before === null || waiting.some(({ id }) => id === before.id) ? 0 : 1),
      working: this.#working,
      beforeDoneMs: before === null ? null : doneOf(before),
      lines: { ...this.#lines },
    };
  }

  /**
   * Looks now for everything that is missing in `span`, whenever it was asked for last. `tell` hears what is found out on the
   * way; `signal` ends it.
   *
   * @throws {HealerBusy} If somebody has asked for that and is not served yet.
   * @throws The reason of `signal`, or that the recorder stops.
   */
  healNow(span: Span, tell: Tell, signal: AbortSignal): Promise<HealReport> {
    if (this.#request !== null) {
      throw new HealerBusy("Cannot heal now: somebody has asked for it already; ask again when that is done");
    }
    return new Promise((resolve, reject) => {
      this.#request = { span, tell, signal, resolve, reject };
      this.#look();
    });
  }

  #look(): void {
    if (this.#stopped.signal.aborted || this.#running !== null) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      this.#working = null;
    });
  }

  /** Does what is due until nothing is. Never rejects. */
  async #run(): Promise<void> {
    const { clock, archive, logger } = this.#options;
    while (!this.#stopped.signal.aborted) {
      if (archive.trouble !== null) this.#restUntilMs = clock.elapsed() + TROUBLE_WAIT_MS;
      const isResting = clock.elapsed() < this.#restUntilMs;
      const job = this.#requestJob() ?? (isResting ? null : this.#nextJob());
      if (job === null) return;
      this.#working = job.what;
      try {
        await job.run();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        logger.log("warn", "healing failed", { what: job.what, reason: (error as Error).message });
      }
    }
  }

  #requestJob(): Job | null {
    const request = this.#request;
    if (request === null) return null;
    return {
      what: `${formatSpan(request.span)}, as somebody asked`,
      run: async () => {
        const signal = AbortSignal.any([request.signal, this.#stopped.signal]);
        try {
          request.resolve(await this.#healAll(request.span, request.tell, signal));
        } catch (error) {
          request.reject(signal.aborted ? signal.reason : error);
        } finally {
          this.#request = null;
        }
      },
    };
  }

  /** What is most pressing; null for nothing. With `isBeforeLeftOut`, what goes before the days before the first start. */
  #nextJob(isBeforeLeftOut = false): Job | null {
    const { peers, fly } = this.#options;
    const { signal } = this.#stopped;
    const byPeers = peers && this.#firstDue("peers");
    if (byPeers) return gapJob(byPeers, "peers", () => this.#askAboutGap(byPeers, "peers", signal));
    const comparison = peers && this.#comparisonJob(peers, signal);
    if (comparison) return comparison;
    const byFly = fly && this.#firstDue("fly");
    if (byFly) return gapJob(byFly, "Fly", () => this.#askAboutGap(byFly, "fly", signal));
    return isBeforeLeftOut ? null : fly && this.#beforeJob(fly, signal);
  }

  /** The gaps that have ended, are not healed, and of which a source may have lines; the oldest first. */
  #waiting(): Gap[] {
    const nowMs = this.#options.clock.now();
    return this.#options.ledger.touching(nowMs - PEERS_LIMIT_MS, Infinity).filter((gap) =>
      gap.state !== "healed" && (this.#isFor("peers", gap, nowMs) || this.#isFor("fly", gap, nowMs))
    );
  }

  /** Whether a source is there that may have lines of a gap. For the days before the first start Fly has its own turn. */
  #isFor(source: SourceKind, gap: Gap, nowMs: number): boolean {
    const { peers, fly } = this.#options;
    const isThere = source === "peers" ? peers !== null : fly !== null && gap.cause !== "before";
    return isThere && mayHave(source, gap, nowMs);
  }

  /** The oldest gap about which `source` is to be asked by now. */
  #firstDue(source: SourceKind): Gap | undefined {
    const nowMs = this.#options.clock.now();
    const gaps = this.#waiting();
    const ids = new Set(gaps.map(({ id }) => id));
    for (const id of this.#asked.keys()) if (!ids.has(id)) this.#asked.delete(id);
    return gaps.find((gap) => {
      if (!this.#isFor(source, gap, nowMs)) return false;
      const dueMs = nextAskingMs(source, gap.untilMs!, this.#asked.get(gap.id)?.[source] ?? null);
      return dueMs !== null && dueMs <= nowMs;
    });
  }

  async #askAboutGap(gap: Gap, source: SourceKind, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const asked = this.#asked.get(gap.id) ?? { peers: null, fly: null };
    this.#asked.set(gap.id, { ...asked, [source]: clock.now() });
    const outcomes = await this.#ask(spanOf(gap), source, signal);
    this.#noteOutcomes(gap, source, outcomes);
    if (outcomes.length > 0 && outcomes.every(({ isFinal }) => isFinal)) {
      this.#asked.set(gap.id, { ...asked, [source]: Infinity });
    }
  }

  async #ask(span: Span, source: SourceKind, signal: AbortSignal): Promise<SourceOutcome[]> {
    const { peers, fly } = this.#options;
    const outcomes = source === "peers"
      ? await peers!.healSpan(span, signal)
      : [await fly!.healSpan(span, { signal })];
    this.#count(source, outcomes);
    return outcomes;
  }

  #count(source: SourceKind, outcomes: readonly Pick<SourceOutcome, "lines">[]): void {
    const lines = outcomes.reduce((sum, outcome) => sum + outcome.lines, 0);
    this.#lines[source] += lines;
    if (lines > 0) this.#options.onHealed?.(source, lines);
  }

  /** Writes down what came of asking about a gap, if that is news. */
  #noteOutcomes(
    gap: Gap,
    source: SourceKind,
    outcomes: readonly SourceOutcome[],
    terms: Pick<OutcomeTerms, "doneUntilMs" | "reason"> = {},
  ): void {
    const { clock, ledger, logger } = this.#options;
    const nowMs = clock.now();
    const joined = joinOutcomes(gap, outcomes, {
      ...{ isSettled: source === "peers" || isSettledAtFly(gap, nowMs), nowMs, ...terms },
    });
    if (joined === null) return;
    ledger.noteHealing(gap.id, { ...joined, span: spanOf(gap) });
    const { state, healing: { reason } } = joined;
    if (state !== gap.state) return; // the ledger says so
    const lines = outcomes.reduce((sum, outcome) => sum + outcome.lines, 0);
    logger.log("info", "gap looked into", {
      cause: gap.cause,
      since: formatTime(gap.sinceMs),
      state,
      lines,
      reason,
    });
  }

  /** Compares the hours that are over, and the days that have changed since they were compared. */
  #comparisonJob(peers: PeerSource, signal: AbortSignal): Job | null {
    const { clock, archive } = this.#options;
    if (clock.elapsed() < this.#compareRetryMs) return null;
    const settledMs = Math.floor((clock.now() - HOUR_SETTLED_MS) / MINUTE_MS) * MINUTE_MS;
    const lastHour = Math.floor(settledMs / HOUR_MS) - 1;
    if (lastHour > this.#comparedHour) {
      const hour = Math.max(this.#comparedHour + 1, lastHour - HOURS_LIMIT + 1);
      const span = { sinceMs: hour * HOUR_MS, untilMs: (hour + 1) * HOUR_MS };
      return this.#comparison(peers, span, signal, () => this.#comparedHour = hour);
    }
    const info = archive.days().findLast((info) => this.#isToCompare(info));
    if (info === undefined) return null;
    const { day } = info;
    const span = { sinceMs: dayStartMs(day), untilMs: Math.min(dayStartMs(day + 1), settledMs) };
    if (span.sinceMs >= span.untilMs) return null;
    return this.#comparison(peers, span, signal, () => this.#compared.set(day, this.#checksumOf(day)));
  }

  /** Compares a span; `onDone` is called unless some peer could not be asked: then it is tried again later. */
  #comparison(peers: PeerSource, span: Span, signal: AbortSignal, onDone: () => void): Job {
    return {
      what: `${formatSpan(span)}, comparing with peers`,
      run: async () => {
        const { clock } = this.#options;
        this.#compareRetryMs = clock.elapsed() + COMPARE_RETRY_MS; // also if it fails
        const compared = await peers.compare(span, signal);
        this.#noteFound(compared);
        if (compared.outcomes.some(({ state, isFinal }) => state === "nothing" && !isFinal)) return;
        this.#compareRetryMs = -Infinity;
        onDone();
      },
    };
  }

  /** A day is compared once, whatever it is; and once more when it is sealed, or sealed anew. */
  #isToCompare({ day, sealed, crc32 }: DayInfo): boolean {
    const compared = this.#compared.get(day);
    return compared === undefined || (sealed && compared !== crc32);
  }

  #checksumOf(day: DayNumber): string | null {
    return this.#options.archive.days().find((info) => info.day === day)?.crc32 ?? null;
  }

  /** Names the losses that nobody had noticed; what lies in a gap that is known is told there. */
  #noteFound({ outcomes, found }: Compared): void {
    const { clock, ledger, logger } = this.#options;
    this.#count("peers", outcomes);
    const atMs = clock.now();
    for (const { span, lines, source } of found) {
      const sources = [{ name: source, lines }];
      const known = ledger.touching(span.sinceMs, span.untilMs)
        .find((gap) => gap.untilMs !== null && gap.sinceMs <= span.sinceMs && gap.untilMs >= span.untilMs);
      const [since, until] = [formatTime(span.sinceMs), formatTime(span.untilMs)];
      logger.log("info", "missing lines found", { since, until, lines, source, cause: known?.cause ?? null });
      if (known === undefined) {
        ledger.noteFound(span, { sources, atMs, doneUntilMs: null, reason: null });
        continue;
      }
      const outcome: SourceOutcome = { source, lines, state: "incomplete", reason: null };
      const joined = joinOutcomes(known, [outcome], { isSettled: false, nowMs: atMs });
      if (joined !== null) ledger.noteHealing(known.id, { ...joined, span: spanOf(known) });
    }
  }

  /** The days before the first start, as long as Fly has to be asked for some of them; null for none. */
  #before(): Gap | null {
    const { clock, ledger, fly } = this.#options;
    if (fly === null) return null;
    const before = ledger.touching(-Infinity, Infinity).find(({ cause }) => cause === "before");
    if (before === undefined || before.state === "healed" || !mayHave("fly", before, clock.now())) {
      return null;
    }
    return doneOf(before) >= before.untilMs! ? null : before;
  }

  #beforeJob(fly: FlySource, signal: AbortSignal): Job | null {
    const { clock } = this.#options;
    const before = this.#before();
    if (before === null || clock.elapsed() < this.#beforeRetryMs) return null;
    // What is left of them is the last hour, which Fly may not have had yet.
    const isLeft = doneOf(before) >= lastHourOf(before);
    const waitMs = isLeft ? FLY_SETTLED_MS : FIRST_BEFORE_MS;
    if (clock.now() < before.untilMs! + waitMs) return null;
    return {
      what: `the days before the first start, from ${formatTime(doneOf(before))} on, asking Fly`,
      run: () =>
        this.#healBefore(fly, before, signal, () => this.#request !== null || this.#nextJob(true) !== null),
    };
  }

  /**
   * Goes on with the days before the first start, from where that was left, until they are done or `isOver` says after a slice
   * that it is somebody else's turn.
   */
  async #healBefore(
    fly: FlySource,
    before: Gap,
    signal: AbortSignal,
    isOver: () => boolean,
    tell: Tell = () => {},
  ): Promise<void> {
    const { clock, logger } = this.#options;
    this.#beforeRetryMs = clock.elapsed() + BEFORE_RETRY_MS; // also if it fails
    const turn = new AbortController();
    let doneMs = doneOf(before);
    let doubt = doubtOf(before);
    let counted = 0;
    const countLines = (lines: number): void => {
      this.#count("fly", [{ lines: lines - counted }]);
      counted = lines;
    };
    try {
      const outcome = await fly.healSpan(spanOf(before), {
        signal: AbortSignal.any([signal, turn.signal]),
        fromMs: doneOf(before),
        doubt,
        onProgress: ({ doneUntilMs, lines, doubt: doubtNow }) => {
          countLines(lines);
          doubt = doubtNow;
          const sofar: SourceOutcome = { source: FLY, lines, state: "incomplete", reason: doubt };
          doneMs = Math.min(doneUntilMs, lastHourOf(before));
          this.#noteOutcomes(before, "fly", [sofar], { doneUntilMs: doneMs });
          const done = `Done up to ${formatTime(doneUntilMs)}, ${lines} lines brought`;
          tell(done);
          logger.log("info", "days before the first start", { doneUntil: formatTime(doneUntilMs), lines });
          if (isOver()) turn.abort(new Error("It is somebody else's turn"));
        },
      });
      countLines(outcome.lines);
      tell(describeOutcome(outcome));
      const isDone = isSettledAtFly(before, clock.now()) && (outcome.state !== "nothing" || outcome.isFinal);
      // Only a doubt is told as Fly's, since it goes on to hold when the rest is asked for; see doubtOf().
      const reason = isDone || outcome.state !== "nothing"
        ? null
        : doubt === null
        ? outcome.reason
        : `${FLY}: ${doubt}`;
      this.#noteOutcomes(before, "fly", [outcome], { doneUntilMs: isDone ? before.untilMs : doneMs, reason });
      if (outcome.state !== "nothing") this.#beforeRetryMs = -Infinity;
    } catch (error) {
      if (!turn.signal.aborted || signal.aborted) throw error;
      this.#beforeRetryMs = -Infinity;
    }
  }

  /** Compares and asks for everything in a span, whenever that was done last. */
  async #healAll(span: Span, tell: Tell, signal: AbortSignal): Promise<HealReport> {
    const { ledger, peers, fly } = this.#options;
    const before = this.#lines.peers + this.#lines.fly;
    if (peers !== null) {
      tell(`Comparing ${formatSpan(span)} with peers`);
      const compared = await peers.compare(span, signal);
      this.#noteFound(compared);
      for (const outcome of compared.outcomes) tell(describeOutcome(outcome));
    }
    for (const { id } of ledger.touching(span.sinceMs, span.untilMs)) {
      // Peers before Fly: their bytes are the stream's own.
      for (const source of ["peers", "fly"] as const) {
        if ((source === "peers" ? peers : fly) === null) continue;
        const gap = ledger.touching(span.sinceMs, span.untilMs).find((one) => one.id === id);
        if (gap === undefined || gap.state === "healed" || gap.untilMs === null) continue;
        await this.#healGapNow(gap, source, tell, signal);
      }
    }
    const gaps = ledger.touching(span.sinceMs, span.untilMs);
    return { lines: this.#lines.peers + this.#lines.fly - before, gaps };
  }

  async #healGapNow(gap: Gap, source: SourceKind, tell: Tell, signal: AbortSignal): Promise<void> {
    const { fly } = this.#options;
    const span = formatSpan(spanOf(gap));
    if (gap.cause === "before" && source === "fly") {
      tell(`Asking Fly for the days before the first start, ${span}`);
      return await this.#healBefore(fly!, gap, signal, () => false, tell);
    }
    tell(`Asking ${source === "fly" ? "Fly" : "peers"} for the gap ${span}`);
    const outcomes = await this.#ask(spanOf(gap), source, signal);
    this.#noteOutcomes(gap, source, outcomes);
    for (const outcome of outcomes) tell(describeOutcome(outcome));
  }
}

function gapJob(gap: Gap, whom: string, run: () => Promise<void>): Job {
  return { what: `the gap ${formatSpan(spanOf(gap))}, asking ${whom}`, run };
}

/** Up to where a gap was looked through that is looked through in pieces, in milliseconds since 1970. */
function doneOf({ sinceMs, healing }: Gap): number {
  return healing?.doneUntilMs ?? sinceMs;
}

/** Where the last hour of a gap begins, in milliseconds since 1970: Fly may have got lines of it since it was asked. */
function lastHourOf({ sinceMs, untilMs }: Gap): number {
  return Math.max(sinceMs, Math.ceil(untilMs! / HOUR_MS) * HOUR_MS - HOUR_MS);
}

/** What made doubtful whether Fly had all of the pieces before, as the ledger has it. */
function doubtOf({ healing }: Gap): string | null {
  const prefix = `${FLY}: `;
  return healing?.reason?.startsWith(prefix) ? healing.reason.slice(prefix.length) : null;
}

/** Whether Fly's word counts that it has everything. */
function isSettledAtFly({ untilMs }: Gap, nowMs: number): boolean {
  return nowMs - untilMs! >= FLY_SETTLED_MS;
}

function spanOf({ sinceMs, untilMs }: Gap): Span {
  return { sinceMs, untilMs: untilMs! };
}

/**
 * The days before the first start of which another copy may exist, where recording begins at `startMs`: as much as Fly keeps,
 * less an hour, in which that is asked for. In milliseconds since 1970.
 */
export function daysBefore(startMs: number): Span {
  return { sinceMs: Math.ceil((startMs - FLY_KEEPS_MS) / HOUR_MS + 1) * HOUR_MS, untilMs: startMs };
}

/** What came of asking a source, in words. */
export function describeOutcome({ source, lines, state, reason }: SourceOutcome): string {
  const brought = lines === 1 ? "1 line" : `${lines} lines`;
  return state === "complete"
    ? `${source}: complete, ${brought} brought`
    : `${source}: ${brought} brought; ${reason}`;
}

function formatSpan({ sinceMs, untilMs }: Span): string {
  return `from ${formatTime(sinceMs)} to ${formatTime(untilMs)}`;
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
