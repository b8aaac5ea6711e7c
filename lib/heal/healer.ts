/**
 * Promises that whatever is missing is looked for wherever it may be, for as long as it may be there, and that the ledger says
 * what came of it. One thing is done at a time, the most pressing first, and never in the way of recording:
 *
 * 1. What somebody asks for now (`deno task heal`).
 * 2. Gaps that peers may have (gap_askings.ts).
 * 3. Comparing with peers, so that losses which nobody noticed are found (peer_comparisons.ts).
 * 4. Gaps that Fly may have, the oldest first while Fly still has it (gap_askings.ts).
 * 5. What Fly has of the days before the first start (days_before.ts).
 *
 * After each hour of lines from Fly it is looked whether something above is due, so that a gap of today does not wait for a week.
 *
 * @module
 */

import type { Archive } from "../archive/archive.ts";
import { type Cancel, type Clock, sleep } from "../clock.ts";
import { dayStartMs } from "../day.ts";
import type { Gap, GapSource, Span } from "../gaps/gap.ts";
import type { GapLedger } from "../gaps/ledger.ts";
import type { Logger } from "../logger.ts";
import { DaysBefore, doneOf } from "./fly/days_before.ts";
import { formatSpan, formatTime, GapAskings, spanOf } from "./gap_askings.ts";
import { PEERS_LIMIT_MS, type SourceKind } from "./heal_plan.ts";
import type { SourceOutcome } from "./outcome.ts";
import { lastSettledMinute, PeerComparisons } from "./peers/peer_comparisons.ts";
import type { FlySource, PeerSource } from "./source.ts";
import { Standstill } from "./standstill.ts";

/** How often it is looked what is due, in milliseconds. */
export const LOOK_MS = 2000;

/** While the disk takes nothing, nothing is inserted; it is looked again after this long, in milliseconds. */
export const TROUBLE_WAIT_MS = 60_000;

const MINUTE_MS = 60_000;

/** Takes what is found out on the way, a sentence each. */
export type Tell = (what: string) => void;

/** See {@linkcode Healer}. */
export interface HealerOptions {
  /** Knows the gaps, and is told what came of them. */
  ledger: Pick<GapLedger, "touching" | "noteHealing" | "noteFound" | "part">;
  /** Knows all gaps, the time before anything was recorded too. */
  gaps: Pick<GapSource, "touching">;
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
  /** How many gaps wait for a source that has not said yet what it has of them; the days before the first start for Fly. */
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

/** What somebody has asked for now. */
interface Request {
  span: Span;
  tell: Tell;
  signal: AbortSignal;
  resolve: (report: HealReport) => void;
  reject: (error: unknown) => void;
  /** Whether it is being done. */
  isBegun: boolean;
}

/** Something to do, and what it is in words. */
interface Job {
  what: string;
  run(): Promise<unknown>;
}

/** Heals an archive. */
export class Healer {
  readonly #options: HealerOptions;
  readonly #askings: GapAskings;
  readonly #comparisons: PeerComparisons | null;
  readonly #before: DaysBefore | null;
  readonly #stopped = new AbortController();
  readonly #lines: Record<SourceKind, number> = { peers: 0, fly: 0 };
  #request: Request | null = null;
  #working: string | null = null;
  #running: Promise<void> | null = null;
  #cancel: Cancel | null = null;
  readonly #standstill: Standstill;
  /** Until when nothing is inserted, by {@linkcode Clock.elapsed}. */
  #restUntilMs = -Infinity;

  /** Does nothing before {@linkcode start}. */
  constructor(options: HealerOptions) {
    const { peers, fly, clock } = options;
    this.#options = options;
    this.#standstill = new Standstill(clock, LOOK_MS);
    const askings = this.#askings = new GapAskings({
      ...options,
      onHealed: (source, lines) => this.#count(source, lines),
    });
    this.#comparisons = peers &&
      new PeerComparisons({ ...options, peers, onHealed: (lines) => this.#count("peers", lines) });
    this.#before = fly &&
      new DaysBefore({ ...options, fly, askings, onHealed: (lines) => this.#count("fly", lines) });
  }

  /** Whether there is anybody to ask. */
  get hasSource(): boolean {
    return this.#options.peers !== null || this.#options.fly !== null;
  }

  /** Begins to look for what is due. */
  start(): void {
    const { clock } = this.#options;
    this.#standstill.begin();
    if (this.hasSource) this.#cancel = clock.every(LOOK_MS, () => this.#look());
  }

  /** Ends what is being done, and begins nothing any more. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#stopped.abort(new Error("Cannot go on healing: the recorder stops"));
    await this.#running;
  }

  /** What it is doing. */
  status(): HealerStatus {
    const before = this.#before?.unfinished() ?? null;
    return {
      due: this.#askings.unanswered() + (before === null ? 0 : 1),
      working: this.#working,
      beforeDoneMs: before && doneOf(before),
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
    const either = AbortSignal.any([signal, this.#stopped.signal]);
    return new Promise((resolve, reject) => {
      either.throwIfAborted();
      const request: Request = { span, tell, signal: either, resolve, reject, isBegun: false };
      this.#request = request;
      // Whoever has gone while something else was being done is waited for by nobody, and the next one may ask.
      either.addEventListener("abort", () => this.#giveUp(request), { once: true });
      this.#look();
    });
  }

  #giveUp(request: Request): void {
    if (request.isBegun) return;
    if (this.#request === request) this.#request = null;
    request.reject(request.signal.reason);
  }

  #look(): void {
    this.#standstill.look();
    if (this.#stopped.signal.aborted || this.#running !== null) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      this.#working = null;
    });
  }

  /** Does what is due until nothing is. Never rejects. */
  async #run(): Promise<void> {
    const { logger } = this.#options;
    while (!this.#stopped.signal.aborted) {
      const job = this.#requestJob() ?? this.#dueJob();
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
      what: `what is missing ${formatSpan(request.span)}, as somebody asked`,
      run: async () => {
        const { signal } = request;
        request.isBegun = true;
        try {
          const { waitMs } = this.#standstill;
          if (waitMs > 0) await sleep(this.#options.clock, waitMs, signal);
          signal.throwIfAborted();
          request.resolve(await this.#healAll(request.span, request.tell, signal));
        } catch (error) {
          request.reject(signal.aborted ? signal.reason : error);
        } finally {
          this.#request = null;
        }
      },
    };
  }

  /** What is most pressing of what is due; null for nothing, and for a while after the disk took nothing. */
  #dueJob(): Job | null {
    const { archive, clock } = this.#options;
    if (archive.trouble !== null) this.#restUntilMs = clock.elapsed() + TROUBLE_WAIT_MS;
    this.#standstill.look();
    if (this.#standstill.waitMs > 0 || clock.elapsed() < this.#restUntilMs) return null;
    return this.#pressingJob() ?? this.#beforeJob();
  }

  /** As {@linkcode #dueJob}, without the days before the first start. */
  #pressingJob(): Job | null {
    return this.#gapJob("peers") ?? this.#comparisonJob() ?? this.#gapJob("fly");
  }

  #gapJob(source: SourceKind): Job | null {
    const gap = this.#askings.firstDue(source);
    if (gap === null) return null;
    return {
      what: `the gap ${formatSpan(spanOf(gap))}, asking ${nameOf(source)}`,
      run: () => this.#askings.ask(gap, source, this.#stopped.signal, () => this.#isFlyOver()),
    };
  }

  /** Whether something is due that goes before what Fly is asked. */
  #isFlyOver(): boolean {
    return this.#request !== null || this.#gapJob("peers") !== null || this.#comparisonJob() !== null;
  }

  #comparisonJob(): Job | null {
    const comparisons = this.#comparisons;
    const due = comparisons?.due() ?? null;
    if (comparisons === null || due === null) return null;
    return {
      what: `the time ${formatSpan(due.span)}, comparing with peers`,
      run: () => comparisons.compareDue(due, this.#stopped.signal),
    };
  }

  #beforeJob(): Job | null {
    const before = this.#before;
    const gap = before?.due() ?? null;
    if (before === null || gap === null) return null;
    const isOver = () => this.#request !== null || this.#pressingJob() !== null;
    return {
      what: `the days before the first start, from ${formatTime(doneOf(gap))} on, asking Fly`,
      run: () => before.heal(gap, this.#stopped.signal, { isOver, tell: () => {} }),
    };
  }

  /** Compares and asks for everything in a span, whenever that was done last. */
  async #healAll(span: Span, tell: Tell, signal: AbortSignal): Promise<HealReport> {
    const { gaps, ledger } = this.#options;
    const linesBefore = this.#lines.peers + this.#lines.fly;
    const compared = this.#comparedOf(span);
    if (this.#comparisons !== null && compared.sinceMs < compared.untilMs) {
      tell(`Comparing with peers ${formatSpan(compared)}`);
      const { outcomes } = await this.#comparisons.compare(compared, signal);
      for (const outcome of outcomes) tell(describeOutcome(outcome));
    }
    // The days before the first start last: they may take hours, and whoever asks for them sees the others healed meanwhile.
    const noted = ledger.touching(span.sinceMs, span.untilMs);
    const isBefore = ({ cause }: Gap) => cause === "before";
    const lastId = ledger.touching(-Infinity, Infinity).reduce((last, { id }) => Math.max(last, id), 0);
    for (const one of [...noted.filter((gap) => !isBefore(gap)), ...noted.filter(isBefore)]) {
      // Peers before Fly: their bytes are the stream's own.
      for (const source of ["peers", "fly"] as const) {
        if (this.#options[source] === null) continue;
        for (const gap of this.#missingOf(one, span, lastId)) {
          await this.#healGap(gap, source, { span, tell, signal });
        }
      }
    }
    const lines = this.#lines.peers + this.#lines.fly - linesBefore;
    return { lines, gaps: gaps.touching(span.sinceMs, span.untilMs) };
  }

  /** What is still missing of a gap in `span`: itself, and the parts that it has got since, whose ids are larger than `lastId`. */
  #missingOf({ id, cause, sinceMs, untilMs }: Gap, span: Span, lastId: number): Gap[] {
    const fromMs = Math.max(sinceMs, span.sinceMs);
    const toMs = Math.min(untilMs ?? Infinity, span.untilMs);
    return this.#options.ledger.touching(fromMs, toMs).filter((gap) =>
      gap.cause === cause && (gap.id === id || gap.id > lastId) && gap.state !== "healed" &&
      gap.untilMs !== null
    );
  }

  /** What of a span is compared: days that are here or that peers are asked for anyway, and nothing that may be on its way. */
  #comparedOf({ sinceMs, untilMs }: Span): Span {
    const { archive, clock } = this.#options;
    const nowMs = clock.now();
    const oldest = archive.days().at(-1);
    const firstMs = Math.min(
      oldest === undefined ? Infinity : dayStartMs(oldest.day),
      nowMs - PEERS_LIMIT_MS,
    );
    // Whole minutes are compared: that in which the span ends, too.
    const endMs = Math.min(Math.ceil(untilMs / MINUTE_MS) * MINUTE_MS, lastSettledMinute(nowMs));
    return { sinceMs: Math.max(sinceMs, firstMs), untilMs: endMs };
  }

  async #healGap(
    gap: Gap,
    source: SourceKind,
    { span: asked, tell, signal }: Pick<Request, "span" | "tell" | "signal">,
  ): Promise<void> {
    if (gap.cause === "before" && source === "fly" && asked.sinceMs > doneOf(gap)) {
      return tell(
        `The days before the first start come by themselves: they are done up to ${formatTime(doneOf(gap))}`,
      );
    }
    tell(`Asking ${nameOf(source)} for the gap ${formatSpan(spanOf(gap))}`);
    if (gap.cause === "before" && source === "fly") {
      const outcome = await this.#before!.heal(gap, signal, { isOver: () => false, tell });
      if (outcome !== null) tell(describeOutcome(outcome));
      return;
    }
    for (const outcome of await this.#askings.ask(gap, source, signal)) tell(describeOutcome(outcome));
  }

  #count(source: SourceKind, lines: number): void {
    this.#lines[source] += lines;
    if (lines > 0) this.#options.onHealed?.(source, lines);
  }
}

function nameOf(source: SourceKind): string {
  return source === "fly" ? "Fly" : "peers";
}

/** What came of asking a source, in words. */
export function describeOutcome({ source, lines, state, reason }: SourceOutcome): string {
  const brought = lines === 1 ? "1 line" : `${lines} lines`;
  return state === "complete"
    ? `${source}: complete, ${brought} brought`
    : `${source}: ${brought} brought; ${reason}`;
}
