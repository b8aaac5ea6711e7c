/**
 * Promises that each gap that has ended is asked about when it is due (heal_plan.ts), the oldest first, and that the ledger says
 * what came of it. Where peers have everything but what lies in gaps of their own, only that goes on to be missing.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Gap, Span } from "../gaps/gap.ts";
import type { GapLedger } from "../gaps/ledger.ts";
import { commonSpans } from "../gaps/spans.ts";
import type { Logger } from "../logger.ts";
import { HEALED_BY_FLY } from "./fly/fly_record.ts";
import { healedGap, joinOutcomes, type OutcomeTerms } from "./gap_outcome.ts";
import {
  FLY_SETTLED_MS,
  mayHave,
  nextAskingMs,
  PEERS_LIMIT_MS,
  PEERS_SETTLED_MS,
  type SourceKind,
} from "./heal_plan.ts";
import type { SourceOutcome } from "./outcome.ts";
import type { FlySource, PeerSource } from "./source.ts";

/** See {@linkcode GapAskings}. */
export interface GapAskingsOptions {
  /** Knows the gaps, and is told what came of them. */
  ledger: Pick<GapLedger, "touching" | "noteHealing" | "part">;
  /** The other recorders; null for none. */
  peers: PeerSource | null;
  /** Fly's store; null where it is not to be asked. */
  fly: FlySource | null;
  /** Tells what is due. */
  clock: Clock;
  /** Takes what came of it. */
  logger: Logger;
  /** Hears how many lines were inserted, and whose they were. */
  onHealed(source: SourceKind, lines: number): void;
}

/** When each source was asked last about a gap, in milliseconds since 1970; null for never, infinity for never again. */
interface Asked extends Record<SourceKind, number | null> {
  /** What the gap was then. Of one that is larger now, nobody was asked. */
  span: Span;
  /** The sources that have said what they have of it, late enough for that to be all. */
  answered: Set<SourceKind>;
  /** Up to where Fly was asked before it was somebody else's turn, and what is doubtful of that; null where it begins anew. */
  rest: { fromMs: number; doubt: string | null } | null;
}

/** What a source says so long after a gap's end, in milliseconds, is all that it will have. */
const SETTLED_AFTER_MS: Readonly<Record<SourceKind, number>> = {
  peers: PEERS_SETTLED_MS,
  fly: FLY_SETTLED_MS,
};

/** Why a gap is not healed of which Fly was asked for a part. */
const MORE_TO_COME = "It is being asked for the rest";

/** Asks about gaps. */
export class GapAskings {
  readonly #options: GapAskingsOptions;
  readonly #asked = new Map<number, Asked>();

  /** Asks nothing by itself. */
  constructor(options: GapAskingsOptions) {
    this.#options = options;
  }

  /** The gaps that have ended, are not healed, and of which a source may have lines; the oldest first. */
  waiting(): Gap[] {
    const nowMs = this.#options.clock.now();
    return this.#options.ledger.touching(nowMs - PEERS_LIMIT_MS, Infinity).filter((gap) =>
      gap.state !== "healed" && (this.#isFor("peers", gap, nowMs) || this.#isFor("fly", gap, nowMs))
    );
  }

  /**
   * How many of {@linkcode waiting} wait for a source that has not answered yet, or not late enough. What all sources have answered
   * for is asked for again later, but it is not known that anything will come of it.
   */
  unanswered(): number {
    const nowMs = this.#options.clock.now();
    return this.waiting().filter((gap) => {
      const { answered } = this.#askedOf(gap);
      return (["peers", "fly"] as const).some((source) =>
        this.#isFor(source, gap, nowMs) && !answered.has(source)
      );
    }).length;
  }

  /** The oldest gap about which `source` is to be asked by now; null for none. */
  firstDue(source: SourceKind): Gap | null {
    const nowMs = this.#options.clock.now();
    const gaps = this.waiting();
    this.#forgetOthers(gaps);
    return gaps.find((gap) => {
      if (!this.#isFor(source, gap, nowMs)) return false;
      const asked = this.#askedOf(gap);
      // If the clock was set back since, it was asked just now at the latest.
      if (asked[source] !== Infinity && (asked[source] ?? -Infinity) > nowMs) asked[source] = nowMs;
      const dueMs = nextAskingMs(source, gap.untilMs!, asked[source]);
      return dueMs !== null && dueMs <= nowMs;
    }) ?? null;
  }

  /**
   * Asks a source about a gap and notes what comes of it, which is returned. Fly is asked an hour of lines after the other; if `isOver`
   * says after one of them that it is somebody else's turn, nothing is returned, and the gap is due again with the rest.
   *
   * @throws As {@linkcode PeerSource.healSpan} and {@linkcode FlySource.healSpan}. It counts as asked then, too.
   */
  async ask(
    gap: Gap,
    source: SourceKind,
    signal: AbortSignal,
    isOver: () => boolean = () => false,
  ): Promise<readonly SourceOutcome[]> {
    const { clock, onHealed } = this.#options;
    const asked = this.#askedOf(gap);
    const { [source]: askedMs } = asked;
    asked[source] = clock.now();
    this.#asked.set(gap.id, asked);
    const isLate = clock.now() - gap.untilMs! >= SETTLED_AFTER_MS[source];
    const outcomes = source === "peers"
      ? await this.#options.peers!.healSpan(spanOf(gap), signal)
      : await this.#askFly(gap, asked, signal, isOver);
    onHealed(source, outcomes.reduce((sum, { lines }) => sum + lines, 0));
    const isSettled = source === "peers" || isSettledAtFly(gap, clock.now());
    const parts = source === "peers" ? await this.#part(gap, outcomes) : null;
    if (parts === null) this.note(gap, joinExcepts(outcomes), { isSettled });
    if (source === "fly" && asked.rest !== null) {
      asked.fly = askedMs;
      return [];
    }
    if (isLate && outcomes.every(({ state, isFinal }) => state !== "nothing" || isFinal)) {
      asked.answered.add(source);
    }
    if (outcomes.length > 0 && outcomes.every(({ isFinal }) => isFinal)) asked[source] = Infinity;
    // Who was asked about all of it was asked about each part.
    for (const part of parts ?? []) {
      const answered = new Set(asked.answered);
      this.#asked.set(part.id, { ...asked, span: spanOf(part), answered, rest: null });
    }
    return outcomes;
  }

  /** Parts a gap of which sources have all but some spans; returns what is still missing, and null if it was not parted. */
  async #part(gap: Gap, outcomes: readonly SourceOutcome[]): Promise<Gap[] | null> {
    const rest = exceptOf(outcomes);
    if (rest === null || rest.length === 0) return null;
    const terms = { isSettled: false, nowMs: this.#options.clock.now() };
    const { state, healing } = healedGap(gap, outcomes, terms);
    if (state === "healed") return null;
    const agreed = outcomes.filter(({ except }) => except !== undefined).map(({ source }) => source);
    return await this.#options.ledger.part(gap.id, { span: spanOf(gap), rest, state, healing, agreed });
  }

  /** Asks Fly for the rest of a gap. If that is not the end of it, `asked` says so. */
  async #askFly(
    gap: Gap,
    asked: Asked,
    signal: AbortSignal,
    isOver: () => boolean,
  ): Promise<SourceOutcome[]> {
    const turn = new AbortController();
    const { rest } = asked;
    asked.rest = null; // also if it fails
    let lines = 0;
    try {
      const outcome = await this.#options.fly!.healSpan(spanOf(gap), {
        signal: AbortSignal.any([signal, turn.signal]),
        fromMs: rest?.fromMs,
        doubt: rest?.doubt,
        onProgress: (progress) => {
          lines = progress.lines;
          if (progress.doneUntilMs >= gap.untilMs! || !isOver()) return;
          asked.rest = { fromMs: progress.doneUntilMs, doubt: progress.doubt };
          turn.abort();
        },
      });
      asked.rest = null; // it has ended in spite of that
      return [outcome];
    } catch (error) {
      if (!turn.signal.aborted || signal.aborted) throw error;
      return [{ source: HEALED_BY_FLY, lines, state: "incomplete", reason: MORE_TO_COME }];
    }
  }

  /**
   * Writes down what came of asking about a gap, if that is news. `gap` is as it was when that began. With `isQuiet` somebody else
   * tells the log.
   */
  note(
    gap: Gap,
    outcomes: readonly SourceOutcome[],
    terms: Omit<OutcomeTerms, "nowMs">,
    isQuiet = false,
  ): void {
    const { clock, ledger, logger } = this.#options;
    const joined = joinOutcomes(gap, outcomes, { ...terms, nowMs: clock.now() });
    if (joined === null) return;
    ledger.noteHealing(gap.id, { ...joined, span: spanOf(gap) });
    const { state, healing: { reason } } = joined;
    if (state !== gap.state || isQuiet) return; // the ledger says so, or whoever asks
    const lines = outcomes.reduce((sum, outcome) => sum + outcome.lines, 0);
    const since = formatTime(gap.sinceMs);
    logger.log("info", "gap looked into", { cause: gap.cause, since, state, lines, reason });
  }

  /** Whether a source is there that may have lines of a gap. For the days before the first start Fly has its own turn. */
  #isFor(source: SourceKind, gap: Gap, nowMs: number): boolean {
    const { peers, fly } = this.#options;
    const isThere = source === "peers" ? peers !== null : fly !== null && gap.cause !== "before";
    return isThere && mayHave(source, gap, nowMs);
  }

  /** What is known of a gap as it is now. */
  #askedOf(gap: Gap): Asked {
    const [asked, span] = [this.#asked.get(gap.id), spanOf(gap)];
    const isSame = asked?.span.sinceMs === span.sinceMs && asked.span.untilMs === span.untilMs;
    return isSame ? asked! : { span, peers: null, fly: null, answered: new Set(), rest: null };
  }

  /** Forgets about gaps that do not wait any more, so that no more is known than there are gaps. */
  #forgetOthers(gaps: readonly Gap[]): void {
    const ids = new Set(gaps.map(({ id }) => id));
    for (const id of this.#asked.keys()) if (!ids.has(id)) this.#asked.delete(id);
  }
}

/**
 * What none of the sources has that are complete but for some spans: with one that may lack 10:00 to 10:05 and one that may lack
 * 10:03 to 10:08, that is 10:03 to 10:05. Null where there is none, or one that is complete.
 */
function exceptOf(outcomes: readonly SourceOutcome[]): Span[] | null {
  if (outcomes.some(({ state }) => state === "complete")) return null;
  const excepts = outcomes.flatMap(({ except }) => except === undefined ? [] : [except]);
  return excepts.length === 0 ? null : excepts.reduce<Span[]>(commonSpans, [EVER]);
}

/** Where each moment of a gap is in some source that is complete but for other moments, these are complete together. */
function joinExcepts(outcomes: readonly SourceOutcome[]): readonly SourceOutcome[] {
  if (exceptOf(outcomes)?.length !== 0) return outcomes;
  return outcomes.map((outcome) =>
    outcome.except === undefined ? outcome : { ...outcome, state: "complete", reason: null }
  );
}

const EVER: Span = { sinceMs: -Infinity, untilMs: Infinity };

/** The span of a gap that has ended. */
export function spanOf({ sinceMs, untilMs }: Gap): Span {
  return { sinceMs, untilMs: untilMs! };
}

/** Whether Fly's word counts that it has everything of a gap that has ended. */
export function isSettledAtFly({ untilMs }: Gap, nowMs: number): boolean {
  return nowMs - untilMs! >= FLY_SETTLED_MS;
}

/** `from … to …`, for people. */
export function formatSpan({ sinceMs, untilMs }: Span): string {
  return `from ${formatTime(sinceMs)} to ${formatTime(untilMs)}`;
}

/** A moment as logs and answers have it. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
