/**
 * Promises that whatever is missing is looked for wherever it may be, for as long as it may be there, and that the ledger says
 * what came of it. One thing is done at a time, the most pressing first, and never in the way of recording:
 *
 * 1. What somebody asks for now (`deno task heal`).
 * 2. Gaps that peers may have: when each is due stands in heal_plan.ts. The oldest goes first.
 * 3. Comparing with peers, by digests, so that losses which nobody noticed are found: each hour when it is over, all days at the
 *    start, and each day when it is sealed or has changed since.
 * 4. Gaps that Fly may have, the oldest first while Fly still has it.
 * 5. The days before the first start, an hour at a time, the oldest first, so that a gap of today does not wait for them.
 *
 * @module
 */

import type { Archive, DayInfo } from "../archive/archive.ts";
import type { Cancel, Clock } from "../clock.ts";
import { DAY_MS, dayName, type DayNumber, dayStartMs } from "../day.ts";
import type { Gap, Span } from "../gaps/gap.ts";
import type { GapLedger } from "../gaps/ledger.ts";
import type { Logger } from "../logger.ts";
import { FLY_SETTLED_MS, mayHave, nextAskingMs, PEERS_LIMIT_MS, type SourceKind } from "./heal_plan.ts";
import { joinOutcomes } from "./gap_outcome.ts";
import type { SourceOutcome } from "./outcome.ts";
import type { Compared, FlySource, PeerSource } from "./source.ts";

/** How often it is looked what is due, in milliseconds. */
export const LOOK_MS = 2000;

/** While the disk takes nothing, nothing is inserted; it is looked again after this long, in milliseconds. */
export const TROUBLE_WAIT_MS = 60_000;

/** An hour is compared so long after its end, in milliseconds: lines come late by seconds. */
export const HOUR_SETTLED_MS = 60_000;

/** The days before the first start are gone through in pieces of this length, in milliseconds. */
export const PIECE_MS = 3_600_000;

/** A piece that could not be had is tried again after this long, in milliseconds. */
export const PIECE_RETRY_MS = 300_000;

/** A day that could not be compared is tried again after this long, in milliseconds. */
const COMPARE_RETRY_MS = 600_000;

const HOUR_MS = 3_600_000;

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
  #pieceRetryMs = -Infinity;
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
    return {
      due: this.#waiting().length + (before === null ? 0 : 1),
      working: this.#working,
      beforeDoneMs: before === null ? null : before.healing?.doneUntilMs ?? before.sinceMs,
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

  /** What is most pressing; null for nothing. */
  #nextJob(): Job | null {
    const { peers, fly } = this.#options;
    const { signal } = this.#stopped;
    const byPeers = peers && this.#firstDue("peers");
    if (byPeers) return gapJob(byPeers, "peers", () => this.#askAboutGap(byPeers, "peers", signal));
    const comparison = peers && this.#comparisonJob(peers, signal);
    if (comparison) return comparison;
    const byFly = fly && this.#firstDue("fly");
    if (byFly) return gapJob(byFly, "Fly", () => this.#askAboutGap(byFly, "fly", signal));
    return this.#pieceJob(signal);
  }

  /** The gaps that have ended, are not healed, and of which a source may have lines; the oldest first. */
  #waiting(): Gap[] {
    const { clock, ledger, peers, fly } = this.#options;
    const nowMs = clock.now();
    return ledger.touching(nowMs - PEERS_LIMIT_MS, Infinity).filter((gap) =>
      gap.untilMs !== null && gap.state !== "healed" && gap.cause !== "before" &&
      ((peers !== null && mayHave("peers", gap, nowMs)) || (fly !== null && mayHave("fly", gap, nowMs)))
    );
  }

  /** The oldest gap about which `source` is to be asked by now. */
  #firstDue(source: SourceKind): Gap | undefined {
    const nowMs = this.#options.clock.now();
    const gaps = this.#waiting();
    const ids = new Set(gaps.map(({ id }) => id));
    for (const id of this.#asked.keys()) if (!ids.has(id)) this.#asked.delete(id);
    return gaps.find((gap) => {
      if (!mayHave(source, gap, nowMs)) return false;
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
    for (const { lines } of outcomes) this.#lines[source] += lines;
    return outcomes;
  }

  /** Writes down what came of asking about a gap, if that is news. */
  #noteOutcomes(
    gap: Gap,
    source: SourceKind,
    outcomes: readonly SourceOutcome[],
    doneUntilMs: number | null = null,
  ): void {
    const { clock, ledger, logger } = this.#options;
    const nowMs = clock.now();
    const isSettled = source === "peers" || nowMs - gap.untilMs! >= FLY_SETTLED_MS;
    const joined = joinOutcomes(gap, outcomes, { isSettled, doneUntilMs, nowMs });
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

  /** Compares the hour that is over, and the days that have changed since they were compared. */
  #comparisonJob(peers: PeerSource, signal: AbortSignal): Job | null {
    const { clock } = this.#options;
    if (clock.elapsed() < this.#compareRetryMs) return null;
    const hour = Math.floor((clock.now() - HOUR_SETTLED_MS) / HOUR_MS) - 1;
    if (hour > this.#comparedHour) {
      const span = { sinceMs: hour * HOUR_MS, untilMs: (hour + 1) * HOUR_MS };
      return {
        what: `the hour from ${formatTime(span.sinceMs)}, compared with peers`,
        run: async () => {
          if (await this.#compare(peers, span, signal)) this.#comparedHour = hour;
        },
      };
    }
    const day = this.#options.archive.days().findLast((info) => this.#isToCompare(info));
    if (day === undefined) return null;
    return {
      what: `${dayName(day.day)}, compared with peers`,
      run: async () => {
        const span = { sinceMs: dayStartMs(day.day), untilMs: dayStartMs(day.day + 1) };
        if (!await this.#compare(peers, span, signal)) return;
        this.#compared.set(day.day, this.#checksumOf(day.day));
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

  /** Returns whether some peer could be compared with; otherwise it is tried again later. */
  async #compare(peers: PeerSource, span: Span, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const compared = await peers.compare(span, signal);
    this.#noteFound(compared);
    const isDone = compared.outcomes.some(({ state, isFinal }) => state === "complete" || isFinal) ||
      compared.outcomes.length === 0;
    if (!isDone) this.#compareRetryMs = clock.elapsed() + COMPARE_RETRY_MS;
    return isDone;
  }

  /** Names the losses that nobody had noticed; what lies in a gap that is known is told there. */
  #noteFound({ outcomes, found }: Compared): void {
    const { clock, ledger, logger } = this.#options;
    for (const { lines } of outcomes) this.#lines.peers += lines;
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
      const joined = joinOutcomes(known, [outcome], { isSettled: false, doneUntilMs: null, nowMs: atMs });
      if (joined !== null) ledger.noteHealing(known.id, { ...joined, span: spanOf(known) });
    }
  }

  /** The days before the first start, as long as not all of them are gone through; null for none. */
  #before(): Gap | null {
    if (!this.hasSource) return null;
    const before = this.#options.ledger.touching(-Infinity, Infinity).find(({ cause }) => cause === "before");
    if (before === undefined || before.state === "healed" || before.untilMs === null) return null;
    return (before.healing?.doneUntilMs ?? before.sinceMs) >= before.untilMs ? null : before;
  }

  #pieceJob(signal: AbortSignal): Job | null {
    const { clock } = this.#options;
    const before = this.#before();
    if (before === null || clock.elapsed() < this.#pieceRetryMs) return null;
    const piece = nextPiece(before, clock.now());
    return {
      what: `the days before the first start, ${formatSpan(piece)}`,
      run: () => this.#healPiece(before, piece, signal),
    };
  }

  /** Asks peers, and Fly where none of them was complete; goes on with the next piece unless it is worth trying again. */
  async #healPiece(before: Gap, piece: Span, signal: AbortSignal): Promise<void> {
    const { clock, peers, fly } = this.#options;
    const outcomes: SourceOutcome[] = [];
    if (peers !== null) outcomes.push(...await this.#ask(piece, "peers", signal));
    const isComplete = () => outcomes.some(({ state }) => state === "complete");
    if (!isComplete() && fly !== null) outcomes.push(...await this.#ask(piece, "fly", signal));
    const isWorthMore = !isComplete() &&
      outcomes.some(({ state, isFinal }) => state === "nothing" && !isFinal);
    if (isWorthMore) this.#pieceRetryMs = clock.elapsed() + PIECE_RETRY_MS;
    this.#noteOutcomes(before, "peers", outcomes, isWorthMore ? piece.sinceMs : piece.untilMs);
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
    const name = source === "fly" ? "Fly" : "peers";
    if (gap.cause === "before") {
      if (source === "fly" && this.#options.peers !== null) return; // both are asked, piece by piece
      return await this.#healBeforeNow(gap.id, tell, signal);
    }
    tell(`Asking ${name} for the gap ${formatSpan(spanOf(gap))}`);
    const outcomes = await this.#ask(spanOf(gap), source, signal);
    this.#noteOutcomes(gap, source, outcomes);
    for (const outcome of outcomes) tell(describeOutcome(outcome));
  }

  /** Goes through the days before the first start from where that was left to their end, or to a piece that is not to be had. */
  async #healBeforeNow(id: number, tell: Tell, signal: AbortSignal): Promise<void> {
    for (let doneMs = -Infinity;;) {
      const before = this.#before();
      if (before?.id !== id) return;
      const piece = nextPiece(before, this.#options.clock.now());
      if (piece.sinceMs === doneMs) return tell("It cannot be had at the moment; it is tried again later");
      doneMs = piece.sinceMs;
      tell(`Asking for the days before the first start, ${formatSpan(piece)}`);
      await this.#healPiece(before, piece, signal);
    }
  }
}

function gapJob(gap: Gap, whom: string, run: () => Promise<void>): Job {
  return { what: `the gap ${formatSpan(spanOf(gap))}, asking ${whom}`, run };
}

/** What is to be asked for next of the days before the first start; what no source keeps any more is passed over. */
function nextPiece(before: Gap, nowMs: number): Span {
  const keptMs = Math.ceil((nowMs - PEERS_LIMIT_MS) / DAY_MS) * DAY_MS;
  const sinceMs = Math.min(Math.max(before.healing?.doneUntilMs ?? before.sinceMs, keptMs), before.untilMs!);
  const untilMs = Math.min((Math.floor(sinceMs / PIECE_MS) + 1) * PIECE_MS, before.untilMs!);
  return { sinceMs, untilMs };
}

function spanOf({ sinceMs, untilMs }: Gap): Span {
  return { sinceMs, untilMs: untilMs! };
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
