/**
 * Promises that a span in which lines may have been lost is written down when it begins and when it ends,
 * also on a full disk, and that what is once written down is never taken back or made narrower.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import { type Gap, GAP_CAUSES, type GapCause, type GapSource, type Span } from "./gap.ts";
import type { Logger } from "../logger.ts";
import { GapFile } from "./ledger_file.ts";
import type { KnownGap } from "./ledger_line.ts";
import { GAPS_LIMIT, joinNearest } from "./ledger_list.ts";
import { type DamagedLine, type FoundGaps, readGapFiles } from "./ledger_reader.ts";

/** A gap that would end later by no more than this, in milliseconds, was rounded and is left as it is. */
const ROUNDING_MS = 2;

/** An entry that could not be written is tried again after this long, in milliseconds. */
const RETRY_MS = 1000;

/** So many damaged lines are named in the log. */
const TOLD_DAMAGES = 5;

/** The gap ledger of an archive. */
export class GapLedger implements GapSource {
  readonly #file: GapFile;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #gaps: KnownGap[];
  #lastId: number;
  /** The gaps of which the file does not say yet what is known. */
  readonly #pending = new Set<KnownGap>();
  #mustCompact = false;
  #writing: Promise<void> | null = null;
  /** Takes back the next try; at most one waits, however many ask for one. */
  #cancelRetry: Cancel | null = null;
  #flushWaits: (() => void)[] = [];
  #closed = false;
  readonly #listeners = new Set<(gap: Gap) => void>();

  private constructor(directory: string, found: FoundGaps, options: { clock: Clock; logger: Logger }) {
    this.#file = new GapFile(directory, found, options.logger);
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
    ledger.#startWriting();
    return ledger;
  }

  /** The number of the gap that was noted last; 0 before the first. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Gives no gap a number up to `id`: there were some of these once. */
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
      .map(publicGap)
      .sort((a, b) => a.sinceMs - b.sinceMs);
  }

  /** See {@linkcode GapSource.latest}. */
  latest(): Gap | null {
    const gap = this.#gaps.at(-1);
    return gap === undefined ? null : publicGap(gap);
  }

  /**
   * A gap begins, or one of the same cause goes on that has not ended. `sinceMs` is the last moment that is
   * known good, in milliseconds since 1970.
   */
  begin(cause: GapCause, sinceMs: number): void {
    if (this.#gaps.some((gap) => gap.untilMs === null && gap.cause === cause)) return;
    const id = ++this.#lastId;
    const gap: KnownGap = { id, sinceMs: Math.floor(sinceMs), untilMs: null, cause, state: "open" };
    this.#gaps.push(gap);
    const since = formatTime(gap.sinceMs);
    this.#write(gap);
    this.#logger.log(levelOf(cause), "gap begins", { cause, since });
    this.#tell(gap);
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
        : until(publicGap(gap));
      if (first === undefined) continue;
      this.#endAt(gap, first.untilMs);
      if (first.sinceMs < gap.sinceMs) this.#addEnded(gap.cause, first.sinceMs, gap.sinceMs);
      this.cover(gap.cause, others);
    }
    this.#compact();
  }

  /**
   * Lines of `spans` turned out to be missing, too: a gap of the same cause that has ended, and that one of them
   * touches, goes on to its end; one that touches none is a gap of its own. Times are rounded outwards.
   */
  cover(cause: GapCause, spans: readonly Span[]): void {
    for (const { sinceMs, untilMs } of spans) {
      const touched = this.#gaps
        .filter((gap) => gap.cause === cause && gap.untilMs !== null)
        .filter((gap) => gap.sinceMs <= untilMs && gap.untilMs! >= sinceMs)
        .sort((a, b) => a.sinceMs - b.sinceMs);
      let coveredMs = touched[0]?.untilMs ?? -Infinity;
      for (const gap of touched) if (gap.sinceMs <= coveredMs) coveredMs = Math.max(coveredMs, gap.untilMs!);
      if (touched[0] === undefined) this.#addEnded(cause, sinceMs, untilMs);
      else if (coveredMs + ROUNDING_MS < untilMs) this.#endAt(touched[0], untilMs);
    }
    this.#compact();
  }

  /** Has `listener` hear of each gap that begins or ends; gives what ends that. It must not throw. */
  onChange(listener: (gap: Gap) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits until what is known is on the disk, or the ledger is closed. */
  flush(): Promise<void> {
    if (this.#pending.size === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#flushWaits.push(resolve));
  }

  /** Waits until what is known is on the disk, or a disk that does not take it has said so. Tells whether it is. */
  async tryWrite(): Promise<boolean> {
    await this.#writing;
    return this.#pending.size === 0;
  }

  /** Writes what is left, once, and ends. Tells whether all that is known is on the disk. */
  async close(): Promise<boolean> {
    await this.#writing;
    if (this.#pending.size > 0) {
      this.#startWriting();
      await this.#writing;
    }
    this.#closed = true;
    this.#cancelRetry?.();
    this.#endFlushWaits();
    return this.#pending.size === 0;
  }

  #endAt(gap: KnownGap, untilMs: number): void {
    gap.untilMs = Math.max(Math.ceil(untilMs), gap.sinceMs);
    gap.state = "lost";
    const until = formatTime(gap.untilMs);
    this.#write(gap);
    const seconds = (gap.untilMs - gap.sinceMs) / 1000;
    this.#logger.log(levelOf(gap.cause), "gap ends", { cause: gap.cause, until, seconds });
    this.#tell(gap);
  }

  #addEnded(cause: GapCause, fromMs: number, toMs: number): void {
    const [sinceMs, untilMs] = [Math.floor(fromMs), Math.ceil(toMs)];
    const gap: KnownGap = { id: ++this.#lastId, sinceMs, untilMs, cause, state: "lost" };
    this.#gaps.push(gap);
    this.#write(gap);
    const [since, until] = [formatTime(sinceMs), formatTime(untilMs)];
    const seconds = (untilMs - sinceMs) / 1000;
    this.#logger.log("warn", "gap by timestamp", { cause, since, until, seconds });
    this.#tell(gap);
  }

  #tell(gap: KnownGap): void {
    for (const listener of this.#listeners) listener(publicGap(gap));
  }

  #write(gap: KnownGap): void {
    this.#pending.add(gap);
    this.#startWriting();
  }

  #startWriting(): void {
    if (this.#closed) return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#writing ??= this.#writeAll();
  }

  /** Writes what is pending. Never fails: it tries again. */
  async #writeAll(): Promise<void> {
    await Promise.resolve();
    try {
      if (this.#mustCompact) this.#writeAnew();
      do {
        const gaps = [...this.#pending];
        const lines = gaps.map((gap) => ({ ...gap }));
        await this.#file.write(lines);
        for (const [number, gap] of gaps.entries()) {
          if (isSame(gap, lines[number]!)) this.#pending.delete(gap);
        }
      } while (this.#pending.size > 0);
    } catch (error) {
      const reason = (error as Error).message;
      // What waits in the reserve only is on the disk: that it has no room elsewhere yet is no trouble.
      if (this.#pending.size > 0) this.#logger.log("error", "gap ledger not written", { reason });
    }
    if ((this.#pending.size > 0 || this.#file.isFull) && !this.#closed) {
      this.#cancelRetry ??= this.#clock.after(RETRY_MS, () => this.#startWriting());
    }
    if (this.#pending.size === 0) this.#endFlushWaits();
    this.#writing = null; // at once, so that no entry comes between the last look and this
  }

  #endFlushWaits(): void {
    for (const resolve of this.#flushWaits.splice(0)) resolve();
  }

  /** Joins the nearest of too many gaps. */
  #compact(): void {
    if (this.#gaps.length <= GAPS_LIMIT) return;
    this.#gaps = joinNearest(this.#gaps, GAPS_LIMIT / 2);
    this.#mustCompact = true;
    this.#startWriting();
  }

  /** Writes the file anew, with one line for each gap, whatever was pending among them. A full disk has to wait. */
  #writeAnew(): void {
    this.#mustCompact = false;
    try {
      this.#file.writeAnew(this.#gaps);
      this.#pending.clear();
    } catch (error) {
      this.#logger.log("warn", "gap ledger not compacted", { reason: (error as Error).message });
    }
  }

  /** Says what is damaged, keeps it aside, covers what it may have told of, and writes the rest anew. */
  #putRight({ damages, damagedLines, doubtful, isUntidy }: FoundGaps): void {
    for (const { sinceMs, untilMs } of doubtful) {
      const endMs = Math.max(sinceMs, untilMs ?? this.#clock.now());
      const gap: KnownGap = { id: ++this.#lastId, sinceMs, untilMs: endMs, cause: "disk", state: "lost" };
      this.#gaps.push(gap);
      this.#pending.add(gap);
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
    if (damagedLines === 0 && !isUntidy) return;
    try {
      if (damagedLines > 0) this.#file.keepDamaged(damages.map(({ text }) => text));
    } catch (error) {
      this.#logger.log("warn", "gap ledger not compacted", { reason: (error as Error).message });
      return;
    }
    this.#writeAnew();
  }
}

/** What is wrong with a line, and where. */
export function describeDamage({ file, line, fault }: DamagedLine): string {
  return `Cannot read line ${line} of "${file}": ${fault}`;
}

/** What {@linkcode readGaps} found. */
export interface ReadGaps {
  /** The gaps, in the order in which they were first noted. */
  gaps: Gap[];
  /** The largest number of a gap; 0 for none. */
  lastId: number;
  /** How many lines cannot be read. */
  damagedLines: number;
  /** What is wrong with the first of them. */
  faults: string[];
}

/** Reads the gaps in `directory` without changing anything. */
export function readGaps(directory: string): ReadGaps {
  const { gaps, lastId, damagedLines, damages } = readGapFiles(directory);
  return { gaps: gaps.map(publicGap), lastId, damagedLines, faults: damages.map(describeDamage) };
}

/** That nothing was recorded before the first start is news, and no trouble. */
function levelOf(cause: GapCause): "info" | "warn" {
  return cause === "start" ? "info" : "warn";
}

function isSame(a: KnownGap, b: KnownGap): boolean {
  return a.sinceMs === b.sinceMs && a.untilMs === b.untilMs && a.state === b.state;
}

function publicGap({ sinceMs, untilMs, cause, state }: KnownGap): Gap {
  return { sinceMs, untilMs, cause, state };
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
