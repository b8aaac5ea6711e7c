/**
 * Promises that a span in which lines may have been lost is written down when it begins and when it ends,
 * also on a full disk, and that what is once written down is never taken back or made narrower.
 *
 * @module
 */

import { join } from "node:path";
import * as v from "valibot";
import type { Cancel, Clock } from "../clock.ts";
import {
  type Gap,
  GAP_CAUSES,
  GAP_STATES,
  type GapCause,
  type GapSource,
  type GapState,
  type Span,
} from "../gap.ts";
import type { Logger } from "../logger.ts";
import { writeFileWhole } from "./disk.ts";
import { GAPS_FILE } from "./format.ts";

/** At most this many gaps are remembered; more are joined, nearest first, so that nothing missing is forgotten. */
export const GAPS_LIMIT = 4096;

/**
 * The file ends with this many bytes of line feeds, into which the next entries are written: on a full disk
 * they need no new block. Some thirty entries fit.
 */
export const RESERVE_BYTES = 4096;

const LINE_FEED = 0x0a;

/** A gap that would end later by no more than this, in milliseconds, was rounded and is left as it is. */
const ROUNDING_MS = 2;

/** An entry that could not be written is tried again after this long, in milliseconds. */
const RETRY_MS = 1000;

const time = v.pipe(v.string(), v.isoTimestamp());
const entrySchema = v.strictObject({
  id: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  since: v.optional(time),
  until: v.optional(time),
  cause: v.optional(v.picklist(GAP_CAUSES)),
  state: v.optional(v.picklist(GAP_STATES)),
});

/** One line of the file: what is new about a gap. */
type Entry = v.InferOutput<typeof entrySchema>;

interface KnownGap extends Gap {
  id: number;
}

/** The gap ledger of an archive. */
export class GapLedger implements GapSource {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #gaps: KnownGap[];
  #lastId: number;
  #pending: Entry[] = [];
  /** Where the next entry is written, and how long the file is. */
  #end: number;
  #size: number;
  /** Whether what stands before the next entry is a line without an end. */
  #isTorn: boolean;
  #mustCompact = false;
  #writing: Promise<void> | null = null;
  /** Takes back the next try; at most one waits, however many ask for one. */
  #cancelRetry: Cancel | null = null;
  #flushWaits: (() => void)[] = [];
  #closed = false;
  readonly #listeners = new Set<(gap: Gap) => void>();

  private constructor(path: string, found: FoundLedger, options: { clock: Clock; logger: Logger }) {
    this.#path = path;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#gaps = found.gaps;
    this.#lastId = found.gaps.reduce((last, { id }) => Math.max(last, id), 0);
    this.#end = found.end;
    this.#size = found.size;
    this.#isTorn = found.isTorn;
  }

  /** Reads the ledger in `directory`; there need not be one. A torn or foreign line is passed over and logged. */
  static open(directory: string, options: { clock: Clock; logger: Logger }): GapLedger {
    const path = join(directory, GAPS_FILE);
    const found = readLedger(path);
    if (found.damagedLines > 0) {
      options.logger.log("error", "gap ledger damaged", { lines: found.damagedLines });
    }
    const ledger = new GapLedger(path, found, options);
    ledger.#startWriting();
    return ledger;
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
    this.#write({ id, since, cause, state: "open" });
    this.#logger.log("warn", "gap begins", { cause, since });
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
    if (this.#pending.length === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#flushWaits.push(resolve));
  }

  /** Writes what is left, once, and ends. Tells whether all that is known is on the disk. */
  async close(): Promise<boolean> {
    await this.#writing;
    if (this.#pending.length > 0) {
      this.#startWriting();
      await this.#writing;
    }
    this.#closed = true;
    this.#cancelRetry?.();
    this.#endFlushWaits();
    return this.#pending.length === 0;
  }

  #endAt(gap: KnownGap, untilMs: number): void {
    gap.untilMs = Math.max(Math.ceil(untilMs), gap.sinceMs);
    gap.state = "lost";
    const until = formatTime(gap.untilMs);
    this.#write({ id: gap.id, until, state: gap.state });
    const seconds = (gap.untilMs - gap.sinceMs) / 1000;
    this.#logger.log("warn", "gap ends", { cause: gap.cause, until, seconds });
    this.#tell(gap);
  }

  #addEnded(cause: GapCause, fromMs: number, toMs: number): void {
    const [sinceMs, untilMs] = [Math.floor(fromMs), Math.ceil(toMs)];
    const gap: KnownGap = { id: ++this.#lastId, sinceMs, untilMs, cause, state: "lost" };
    this.#gaps.push(gap);
    this.#write(wholeEntry(gap));
    const [since, until] = [formatTime(sinceMs), formatTime(untilMs)];
    const seconds = (untilMs - sinceMs) / 1000;
    this.#logger.log("warn", "gap by timestamp", { cause, since, until, seconds });
    this.#tell(gap);
  }

  #tell(gap: KnownGap): void {
    for (const listener of this.#listeners) listener(publicGap(gap));
  }

  #write(entry: Entry): void {
    this.#pending.push(entry);
    this.#startWriting();
  }

  #startWriting(): void {
    if (this.#closed) return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#writing ??= this.#writeAll();
  }

  /** Writes the pending entries into the reserve and makes the reserve whole again. Never fails: it tries again. */
  async #writeAll(): Promise<void> {
    await Promise.resolve();
    try {
      if (this.#mustCompact) this.#writeAnew();
      using file = await Deno.open(this.#path, { write: true, create: true });
      do {
        await this.#writePending(file);
        await this.#makeReserve(file);
      } while (this.#pending.length > 0);
    } catch (error) {
      this.#logger.log("error", "gap ledger not written", { reason: (error as Error).message });
      if (this.#pending.length > 0) {
        this.#cancelRetry ??= this.#clock.after(RETRY_MS, () => this.#startWriting());
      }
    }
    if (this.#pending.length === 0) this.#endFlushWaits();
    this.#writing = null; // at once, so that no entry comes between the last look and this
  }

  #endFlushWaits(): void {
    for (const resolve of this.#flushWaits.splice(0)) resolve();
  }

  async #writePending(file: Deno.FsFile): Promise<void> {
    while (this.#pending.length > 0) {
      const count = this.#pending.length;
      const text = this.#pending.map((entry) => JSON.stringify(entry) + "\n").join("");
      const bytes = new TextEncoder().encode(this.#isTorn ? `\n${text}` : text);
      await writeAt(file, this.#end, bytes);
      await file.syncData();
      this.#isTorn = false;
      this.#end += bytes.length;
      this.#size = Math.max(this.#size, this.#end);
      this.#pending.splice(0, count);
    }
  }

  async #makeReserve(file: Deno.FsFile): Promise<void> {
    if (this.#size - this.#end >= RESERVE_BYTES / 2) return;
    const size = this.#end + RESERVE_BYTES;
    await writeAt(file, this.#size, new Uint8Array(size - this.#size).fill(LINE_FEED));
    await file.syncData();
    this.#size = size;
  }

  /** Joins the nearest of too many gaps. */
  #compact(): void {
    if (this.#gaps.length <= GAPS_LIMIT) return;
    while (this.#gaps.length > GAPS_LIMIT / 2) joinNearest(this.#gaps);
    this.#mustCompact = true;
    this.#startWriting();
  }

  /** Writes the file anew, with one line for each gap, whatever was pending among them. A full disk has to wait. */
  #writeAnew(): void {
    this.#mustCompact = false;
    const lines = this.#gaps.map((gap) => JSON.stringify(wholeEntry(gap)) + "\n").join("");
    try {
      writeFileWhole(this.#path, lines + "\n".repeat(RESERVE_BYTES));
    } catch (error) {
      this.#logger.log("warn", "gap ledger not compacted", { reason: (error as Error).message });
      return;
    }
    this.#pending = [];
    this.#isTorn = false;
    this.#end = lines.length;
    this.#size = this.#end + RESERVE_BYTES;
  }
}

/** Reads the gaps in `directory` without changing anything; lines that cannot be read are counted. */
export function readGaps(directory: string): { gaps: Gap[]; damagedLines: number } {
  const { gaps, damagedLines } = readLedger(join(directory, GAPS_FILE));
  return { gaps: gaps.map(publicGap), damagedLines };
}

interface FoundLedger {
  gaps: KnownGap[];
  end: number;
  size: number;
  isTorn: boolean;
  damagedLines: number;
}

function readLedger(path: string): FoundLedger {
  const bytes = readFileIfThere(path) ?? new Uint8Array();
  const gaps = new Map<number, KnownGap>();
  let damagedLines = 0;
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    if (line === "") continue;
    if (!addEntry(gaps, line)) damagedLines++;
  }
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === LINE_FEED) end--;
  const isTorn = end > 0 && end === bytes.length;
  if (end > 0 && !isTorn) end++;
  return { gaps: [...gaps.values()], end, size: bytes.length, isTorn, damagedLines };
}

function readFileIfThere(path: string): Uint8Array | null {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function addEntry(gaps: Map<number, KnownGap>, line: string): boolean {
  const parsed = v.safeParse(entrySchema, parseJson(line));
  if (!parsed.success) return false;
  const { id, since, until, cause, state } = parsed.output;
  const gap = gaps.get(id);
  if (gap !== undefined) {
    if (until !== undefined) gap.untilMs = Date.parse(until);
    if (state !== undefined) gap.state = state;
    return true;
  }
  if (since === undefined || cause === undefined || state === undefined) return false;
  const untilMs = until === undefined ? null : Date.parse(until);
  gaps.set(id, { id, sinceMs: Date.parse(since), untilMs, cause, state });
  return true;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function joinNearest(gaps: KnownGap[]): void {
  let nearest = 1;
  let distanceMs = Infinity;
  for (let i = 1; i < gaps.length; i++) {
    const { untilMs } = gaps[i - 1]!;
    if (untilMs === null || gaps[i]!.untilMs === null) continue;
    if (gaps[i]!.sinceMs - untilMs < distanceMs) {
      distanceMs = gaps[i]!.sinceMs - untilMs;
      nearest = i;
    }
  }
  const [gap] = gaps.splice(nearest, 1);
  const before = gaps[nearest - 1]!;
  before.sinceMs = Math.min(before.sinceMs, gap!.sinceMs);
  before.untilMs = before.untilMs === null || gap!.untilMs === null
    ? null
    : Math.max(before.untilMs, gap!.untilMs);
}

function wholeEntry(gap: KnownGap): Entry {
  const entry: Entry = { id: gap.id, since: formatTime(gap.sinceMs), cause: gap.cause, state: gap.state };
  return gap.untilMs === null ? entry : { ...entry, until: formatTime(gap.untilMs) };
}

function publicGap({ sinceMs, untilMs, cause, state }: KnownGap): Gap {
  return { sinceMs, untilMs, cause, state: state satisfies GapState };
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

async function writeAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
