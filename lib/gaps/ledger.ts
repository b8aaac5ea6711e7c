/**
 * Promises that a span in which lines may have been lost is written down when it begins and when it ends,
 * also on a full disk, and that what is once written down is never taken back; and that a gap is told as healed only for the span
 * that was healed.
 *
 * Nor is a gap ever made narrower, with one exception: where all but some spans of it is back, it is parted into gaps that together
 * are exactly what it was ({@linkcode GapLedger.part}). All of them come to the disk in one step, in a file that is written anew, so
 * that a kill at any moment leaves the whole gap or all of its parts. If a line of the whole gap comes to light again, which the
 * reserve of a ledger may have, the gap is whole once more and lies over its healed parts: time may be covered twice, and never not at all.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import { type Gap, GAP_CAUSES, type GapCause, type GapHealing, type GapSource, type Span } from "./gap.ts";
import { fitHealing, joinHealings, sourcesWords } from "./healing.ts";
import { afterOutcome, type HealingNoted, type HealingOutcome } from "./healing_outcome.ts";
import type { Logger } from "../logger.ts";
import { GAPS_LIMIT, joinNearest, latestOf } from "./ledger_list.ts";
import { describeDamage, type FoundGaps, readGapFiles } from "./ledger_reader.ts";
import { LedgerWriter } from "./ledger_writer.ts";
import { joinSpans, outsideSpans } from "./spans.ts";
import { type PartedGap, partGap, type PartialOutcome } from "./parted_gap.ts";

/**
 * A gap that would begin earlier or end later by no more than this, in milliseconds, was rounded and is left as it is: it
 * begins a second early anyway.
 */
const ROUNDING_MS = 2;

/** So many damaged lines are named in the log. */
const TOLD_DAMAGES = 5;

/**
 * Hears of a gap that begins, ends, grows, or of whose healing more is known; `was` is what was known of it before, null
 * for a new one. Must not throw.
 */
export type GapListener = (gap: Gap, was: Gap | null) => void;

/** The gap ledger of an archive. */
export class GapLedger implements GapSource {
  readonly #writer: LedgerWriter;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #gaps: Gap[];
  #lastId: number;
  readonly #listeners = new Set<GapListener>();

  private constructor(directory: string, found: FoundGaps, options: { clock: Clock; logger: Logger }) {
    this.#writer = new LedgerWriter({ ...options, directory, found, gaps: () => this.#gaps });
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#gaps = found.gaps;
    this.#lastId = found.lastId;
  }

  /**
   * Reads the ledger in `directory`; there need not be one. A damaged line is logged and kept aside, and what it may
   * have told of becomes a gap of cause `disk`: all between the gaps that stand around it. Blocks.
   */
  static open(directory: string, options: { clock: Clock; logger: Logger }): GapLedger {
    const found = readGapFiles(directory);
    const ledger = new GapLedger(directory, found, options);
    ledger.#putRight(found);
    ledger.#writer.start();
    return ledger;
  }

  /** The number of the gap that was noted last; 0 before the first. */
  get lastId(): number {
    return this.#lastId;
  }

  /** No gap gets a number up to `id` from now on: there were gaps of these numbers once. */
  skipTo(id: number): void {
    this.#lastId = Math.max(this.#lastId, id);
  }

  /** The gaps that last, oldest first. */
  get open(): readonly Readonly<Gap>[] {
    return this.#gaps.filter(({ untilMs }) => untilMs === null);
  }

  /** See {@linkcode GapSource.touching}. */
  touching(sinceMs: number, untilMs: number): readonly Gap[] {
    return this.#gaps
      .filter((gap) => gap.sinceMs < untilMs && (gap.untilMs === null || gap.untilMs > sinceMs))
      .map((gap) => ({ ...gap }))
      .sort(bySince);
  }

  /** See {@linkcode GapSource.latest}. */
  latest(): Gap | null {
    const gap = latestOf(this.#gaps);
    return gap === undefined ? null : { ...gap };
  }

  /**
   * A gap begins, or one of the same cause goes on that has not ended. `sinceMs` is the last moment that is
   * known good, in milliseconds since 1970.
   */
  begin(cause: GapCause, sinceMs: number): void {
    if (this.#gaps.some((gap) => gap.untilMs === null && gap.cause === cause)) return;
    const id = ++this.#lastId;
    const gap: Gap = { id, sinceMs: Math.floor(sinceMs), untilMs: null, cause, state: "open", healing: null };
    this.#gaps.push(gap);
    const since = formatTime(gap.sinceMs);
    this.#writer.write(gap);
    this.#logger.log(levelOf(cause), "gap begins", { cause, since });
    this.#tell(gap, null);
  }

  /**
   * Ends every gap that lasts, or those of `causes`: from then on lines are recorded. `until` is when, in
   * milliseconds since 1970, or tells for a gap the spans that it turned out to be, oldest first; one for which
   * it tells none lasts on. Times are rounded outwards, to whole milliseconds.
   */
  end(
    until: number | ((gap: Readonly<Gap>) => readonly Span[]),
    causes: readonly GapCause[] = GAP_CAUSES,
  ): void {
    for (const gap of this.#gaps.filter((gap) => gap.untilMs === null && causes.includes(gap.cause))) {
      const [first, ...others] = typeof until === "number"
        ? [{ sinceMs: gap.sinceMs, untilMs: until }]
        : until({ ...gap });
      if (first === undefined) continue;
      this.#endAt(gap, first.untilMs);
      if (gap.sinceMs - first.sinceMs > ROUNDING_MS) this.#addEnded(gap.cause, first.sinceMs, gap.sinceMs);
      this.cover(gap.cause, others);
    }
    this.#compact();
  }

  /**
   * Lines of `spans` turned out to be missing, too: a lost gap of the same cause that one of them touches goes on to
   * its end, and what of the span is before it becomes a gap of its own, as does one that touches none. What a gap of that cause
   * covers which is healed, wholly or in part, stays as it is, since these are the same lines: with one from 10:00 to 10:05 that is
   * healed, the span from 10:03 to 10:07 makes a lost gap from 10:05 to 10:07. Not so of cause `disk`: what the disk has lost it
   * has lost now, also what was healed before, so that the span from 10:03 to 10:07 is a lost gap then. Of a lost gap that goes on,
   * what was found out about its healing is forgotten: it was of less than the gap is now. Times are rounded outwards.
   */
  cover(cause: GapCause, spans: readonly Span[]): void {
    for (const span of spans) {
      const ended = this.#gaps.filter((gap) => gap.cause === cause && gap.untilMs !== null);
      const lost = ended.filter(({ state }) => state === "lost");
      const known = cause === "disk" ? [] : ended.filter(({ state }) => state !== "lost");
      for (const rest of outside(known, span)) this.#coverLost(cause, rest, lost);
    }
    this.#compact();
  }

  /**
   * Notes what came of looking for the lines of the gap `id`, in place of what was noted of that before; see
   * {@linkcode afterOutcome} for what holds. A healed gap stays healed, and one of which some lines came is not told as lost.
   */
  noteHealing(id: number, outcome: HealingOutcome): HealingNoted {
    const gap = this.#gaps.find((gap) => gap.id === id);
    if (gap === undefined) return "gone"; // it was joined to another one, which will be looked through as a whole
    const was = { ...gap };
    const { state, healing, noted } = afterOutcome(gap, outcome);
    if (healing === was.healing) return noted;
    [gap.state, gap.healing] = [state, healing];
    this.#writer.write(gap);
    if (state !== was.state) this.#logHealing(gap);
    this.#tell(gap, was);
    return noted;
  }

  /**
   * Of the gap `id` all but some spans is back: it becomes several, as {@linkcode partGap} says. The first that is not healed keeps
   * its id. Returns those that are not healed; null if nothing was parted, and all is as it was: where there is no such gap or
   * nothing to part, where there would be more than {@linkcode GAPS_LIMIT} gaps, and where the disk does not take it.
   */
  async part(id: number, outcome: PartialOutcome): Promise<Gap[] | null> {
    while (!this.#writer.isIdle) await this.#writer.tryWrite();
    const gap = this.#gaps.find((gap) => gap.id === id);
    const parts = gap === undefined ? null : partGap(gap, outcome);
    if (gap === undefined || parts === null) return null;
    const { rest, healed } = parts;
    const added = [...rest.slice(1), ...healed].sort(bySince);
    if (this.#gaps.length + added.length > GAPS_LIMIT) return null;
    const was = this.#gaps;
    const wasLastId = this.#lastId;
    for (const part of added) part.id = ++this.#lastId;
    this.#gaps = [...was.map((one) => one === gap ? rest[0]! : one), ...added];
    if (!this.#writer.writeAnew()) {
      [this.#gaps, this.#lastId] = [was, wasLastId];
      this.#writer.writeAnewSoon(); // a file that got its name, though its directory could not be synced, must not stay
      return null;
    }
    this.#logParts(gap, parts);
    for (const part of [...rest, ...healed].sort(bySince)) this.#tell(part, { ...gap });
    return rest.map((part) => ({ ...part }));
  }

  /**
   * A loss that nobody had noticed was found and healed: a gap of cause `undelivered` that is healed at once. One that is
   * there and that `span` touches goes on over it instead, with the sources and lines of both: after 10:00 to 10:01 with 3
   * lines, 10:01 to 10:02 with 4 makes one from 10:00 to 10:02 with 7. Times are rounded outwards.
   */
  noteFound(span: Span, healing: GapHealing): void {
    const [sinceMs, untilMs] = [Math.floor(span.sinceMs), Math.ceil(span.untilMs)];
    const fitting = fitHealing(healing);
    const touched = this.#gaps.find((gap) =>
      gap.cause === "undelivered" && gap.state === "healed" && gap.sinceMs <= untilMs &&
      gap.untilMs! >= sinceMs
    );
    const was = touched === undefined ? null : { ...touched };
    const gap: Gap = touched ??
      { id: ++this.#lastId, sinceMs, untilMs, cause: "undelivered", state: "healed", healing: null };
    if (touched === undefined) this.#gaps.push(gap);
    gap.sinceMs = Math.min(gap.sinceMs, sinceMs);
    gap.untilMs = Math.max(gap.untilMs!, untilMs);
    gap.healing = gap.healing === null ? fitting : joinHealings(gap.healing, fitting);
    this.#writer.write(gap);
    this.#logHealing({ ...gap, sinceMs, untilMs, healing: fitting });
    this.#tell(gap, was);
    this.#compact();
  }

  /**
   * On the first start of an archive: others may have what was printed during `span`, which ends where recording began. It
   * is a gap of cause `before` that is lost until it is healed, and it is noted once, whatever parts it has by now. Returns its id,
   * or that of a part of it, also where it was there. Times are rounded outwards.
   */
  noteBefore(span: Span): number {
    const known = this.#gaps.find(({ cause }) => cause === "before");
    if (known !== undefined) return known.id;
    return this.#addEnded("before", span.sinceMs, span.untilMs).id;
  }

  /** Has `listener` hear of each change of a gap; returns what ends that. */
  onChange(listener: GapListener): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has the file written anew where somebody has removed or cut it: what it had is known here. */
  look(): void {
    this.#writer.look();
  }

  /** Waits until what is known is on the disk, or the ledger is closed. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Waits until what is known is on the disk, or a disk that does not take it has said so. Tells whether it is. */
  tryWrite(): Promise<boolean> {
    return this.#writer.tryWrite();
  }

  /** Writes what is left, once, and ends. Tells whether all that is known is on the disk. */
  close(): Promise<boolean> {
    return this.#writer.close();
  }

  /** Lets the first of the `lost` gaps that `span` touches go on to its end, and makes a gap of what is before it, or of all. */
  #coverLost(cause: GapCause, { sinceMs, untilMs }: Span, lost: Gap[]): void {
    const touched = lost
      .filter((gap) => gap.sinceMs <= untilMs && gap.untilMs! >= sinceMs)
      .sort(bySince);
    let coveredMs = touched[0]?.untilMs ?? -Infinity;
    for (const gap of touched) if (gap.sinceMs <= coveredMs) coveredMs = Math.max(coveredMs, gap.untilMs!);
    if (touched[0] === undefined) {
      this.#addEnded(cause, sinceMs, untilMs);
      return;
    }
    if (touched[0].sinceMs - sinceMs > ROUNDING_MS) this.#addEnded(cause, sinceMs, touched[0].sinceMs);
    if (coveredMs + ROUNDING_MS < untilMs) this.#endAt(touched[0], untilMs);
  }

  #endAt(gap: Gap, untilMs: number): void {
    const was = { ...gap };
    gap.untilMs = Math.max(Math.ceil(untilMs), gap.sinceMs);
    gap.state = "lost";
    gap.healing = null; // what was known of it was of a shorter gap
    const until = formatTime(gap.untilMs);
    this.#writer.write(gap);
    const seconds = (gap.untilMs - gap.sinceMs) / 1000;
    this.#logger.log(levelOf(gap.cause), "gap ends", { cause: gap.cause, until, seconds });
    this.#tell(gap, was);
  }

  #addEnded(cause: GapCause, fromMs: number, toMs: number): Gap {
    const [sinceMs, untilMs] = [Math.floor(fromMs), Math.ceil(toMs)];
    const gap: Gap = { id: ++this.#lastId, sinceMs, untilMs, cause, state: "lost", healing: null };
    this.#gaps.push(gap);
    this.#writer.write(gap);
    const [since, until] = [formatTime(sinceMs), formatTime(untilMs)];
    const seconds = (untilMs - sinceMs) / 1000;
    this.#logger.log(levelOf(cause), "gap by timestamp", { cause, since, until, seconds });
    this.#tell(gap, null);
    return gap;
  }

  #logHealing({ cause, sinceMs, untilMs, state, healing }: Gap): void {
    const [since, until] = [formatTime(sinceMs), formatTime(untilMs!)];
    const details = { cause, since, until, state, from: sourcesWords(healing!), reason: healing!.reason };
    this.#logger.log("info", "gap healing", details);
  }

  #logParts({ cause, sinceMs, untilMs }: Gap, { rest, healed }: PartedGap): void {
    const [since, until] = [formatTime(sinceMs), formatTime(untilMs!)];
    const missingMs = rest.reduce((sum, part) => sum + part.untilMs! - part.sinceMs, 0);
    const parts = { healed: healed.length, [rest[0]!.state]: rest.length, seconds: missingMs / 1000 };
    const [from, reason] = [sourcesWords(healed[0]!.healing!), rest[0]!.healing!.reason];
    this.#logger.log("info", "gap parted", { cause, since, until, ...parts, from, reason });
  }

  #tell(gap: Gap, was: Gap | null): void {
    for (const listener of this.#listeners) listener({ ...gap }, was);
  }

  /** Joins the nearest of too many gaps. */
  #compact(): void {
    if (this.#gaps.length <= GAPS_LIMIT) return;
    this.#gaps = joinNearest(this.#gaps, GAPS_LIMIT / 2);
    this.#writer.writeAnewSoon();
  }

  /** Says what is damaged, keeps it aside, covers what it may have told of, and writes the rest anew. */
  #putRight({ damages, damagedLines, doubtful, isUntidy }: FoundGaps): void {
    for (const { sinceMs, untilMs } of doubtful) {
      const endMs = Math.max(sinceMs, untilMs ?? this.#clock.now());
      const gap: Gap = {
        id: ++this.#lastId,
        sinceMs,
        untilMs: endMs,
        cause: "disk",
        state: "lost",
        healing: null,
      };
      this.#gaps.push(gap);
      this.#writer.write(gap);
    }
    if (this.#gaps.length > GAPS_LIMIT) this.#gaps = joinNearest(this.#gaps, GAPS_LIMIT / 2);
    if (damagedLines > 0) {
      const places = damages.slice(0, TOLD_DAMAGES).map(describeDamage).join("; ");
      const spans = doubtful.map(({ sinceMs, untilMs }) =>
        `${formatTime(sinceMs)} to ${untilMs === null ? "now" : formatTime(untilMs)}`
      );
      const details = { lines: damagedLines, places, inDoubt: spans.join("; ") };
      this.#logger.log("error", "gap ledger damaged", details);
    }
    if (damagedLines > 0 || isUntidy) this.#writer.writeAnew(damages.map(({ text }) => text));
  }
}

/** That nothing was recorded before the first start is news, and no trouble. */
function levelOf(cause: GapCause): "info" | "warn" {
  return cause === "start" || cause === "before" ? "info" : "warn";
}

/** What of `span` lies in none of `gaps`, which have ended; without pieces that are there by rounding only. */
function outside(gaps: readonly Gap[], span: Span): Span[] {
  const spans = gaps.map(({ sinceMs, untilMs }) => ({ sinceMs, untilMs: untilMs! }));
  if (joinSpans(spans, span).length === 0) return [span];
  return outsideSpans(spans, span).filter(({ sinceMs, untilMs }) => untilMs - sinceMs > ROUNDING_MS);
}

function bySince(a: Gap, b: Gap): number {
  return a.sinceMs - b.sinceMs;
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
