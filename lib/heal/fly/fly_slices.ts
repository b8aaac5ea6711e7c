/**
 * Promises to go through a span slice by slice, oldest first: what is missing of a slice is inserted at once, whichever app it
 * is of, and then it is told how far it has come. A slice that ends in the middle leaves nothing half: it is inserted up to a
 * moment before which all apps were read, or not at all.
 *
 * A slice ends at a full hour of UTC, so it is within one day, or sooner, where {@linkcode SLICE_LINES_LIMIT} lines are missing. Each
 * insertion copies the day's gzip file, so there are no more of them than so many.
 *
 * @module
 */

import type { Archive } from "../../archive/archive.ts";
import { FoundLines } from "../../archive/found_lines.ts";
import { dayName, type DayNumber, dayOf } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { NoRoom } from "../../machine/memory_budget.ts";
import { formatTimestamp, type Timestamp, timestampFromMs } from "../../timestamp.ts";
import { FlyApiError } from "./fly_api_error.ts";
import type { FlyComparison } from "./fly_comparison.ts";
import type { OverlapIdentities } from "./overlap_identities.ts";
import type { FlyReader } from "./fly_reader.ts";

/** The longest slice, in milliseconds: a full hour. */
export const SLICE_MS = 3_600_000;

/** After so many missing lines a slice ends. */
export const SLICE_LINES_LIMIT = 200_000;

const SECOND_NS = 1_000_000_000n;

/** What takes lines into a day. */
export interface LineInserter {
  /** Inserts lines into their day, at their times; returns how many lines and bytes these were. */
  insert(found: FoundLines): Promise<{ lines: number; bytes: number }>;
}

/** How far it has come. */
export interface HealProgress {
  /** Everything of the gap before this moment is done, in milliseconds since 1970. */
  doneUntilMs: number;
  /** How many lines were inserted so far. */
  lines: number;
  /** Why Fly may have more of what is done; null if there is no reason to think so. */
  doubt: string | null;
}

/** See {@linkcode FlySlices}. */
export interface FlySlicesOptions {
  /** Reads what Fly has. */
  reader: FlyReader;
  /** Finds what is missing of it. */
  comparison: FlyComparison;
  /** Takes it. */
  archive: Pick<Archive, "untouched" | "wasRemoved"> & LineInserter;
  /** Where the archive lies. */
  directory: string;
  /** What is known of the overlaps. */
  overlaps: OverlapIdentities;
  /** The gap. Its bounds are whole milliseconds. */
  gap: Span;
  /** Default: {@linkcode SLICE_LINES_LIMIT}. */
  linesLimit?: number;
  /** From which moment on Fly may still have lines, as of now, in milliseconds since 1970. */
  oldestMs(): number;
  /** What was told of slices that were done earlier. Default: null. */
  doubt?: string | null;
  /** Hears of each slice that is done. */
  onProgress?(progress: HealProgress): void;
  /** Ends it. */
  signal?: AbortSignal;
}

/** Goes through spans. */
export class FlySlices {
  readonly #options: FlySlicesOptions;
  readonly #skipped = new Set<DayNumber>();
  #pieceMs = SLICE_MS;
  #lines = 0;
  #isOurs = false;
  #tooOldMs: number | null = null;

  /** Has done nothing yet. */
  constructor(options: FlySlicesOptions) {
    this.#options = options;
  }

  /** How many lines were inserted. */
  get lines(): number {
    return this.#lines;
  }

  /** Up to which moment nothing was to be had, since it was too old when it was asked for; null if nothing was. */
  get tooOld(): string | null {
    if (this.#tooOldMs === null) return null;
    const time = formatTimestamp(timestampFromMs(this.#tooOldMs));
    return `Fly no longer has all of what was before ${time}: it keeps about seven days`;
  }

  /** What is before `beforeMs` may be gone. */
  noteTooOld(beforeMs: number): void {
    this.#tooOldMs = Math.max(this.#tooOldMs ?? -Infinity, beforeMs);
  }

  /** Which day was left out, since nothing can be inserted into it, and why; null if none was. */
  get skipped(): string | null {
    const [day] = this.#skipped;
    if (day === undefined) return null;
    const why = this.#options.archive.wasRemoved(day) ? "was removed to make room" : "cannot be read here";
    return `${dayName(day)} ${why}, so nothing of it was brought back`;
  }

  /**
   * Goes through `span`, the gap or a part of it, and overlaps at its ends. Returns why it has ended before the end; null if it
   * has not.
   *
   * @throws {Error} If what is here cannot be read, or lines cannot be inserted; all slices before are done.
   * @throws The reason of the signal, if it aborts; likewise.
   */
  async heal(span: Span): Promise<FlyApiError | NoRoom | null> {
    for (let at = span.sinceMs; at < span.untilMs;) {
      const slice = { sinceMs: at, untilMs: this.#sliceEnd(at, span.untilMs) };
      const { untilMs, failure } = await this.#healSlice(slice);
      at = untilMs;
      const { gap, onProgress } = this.#options;
      const doneUntilMs = Math.min(at, gap.untilMs);
      if (doneUntilMs > Math.max(slice.sinceMs, gap.sinceMs)) {
        onProgress?.({ doneUntilMs, lines: this.#lines, doubt: this.#doubt() });
      }
      if (failure !== null) return failure;
    }
    return null;
  }

  #doubt(): string | null {
    const { doubt = null, reader } = this.#options;
    return doubt ?? this.tooOld ?? this.skipped ?? firstOf(reader.faults) ?? firstOf(reader.doubts);
  }

  /** Where a slice ends that begins at `sinceMs`. An overlap belongs to the slice beside it. */
  #sliceEnd(sinceMs: number, untilMs: number): number {
    const { gap } = this.#options;
    const hourEndMs = (Math.floor(Math.max(sinceMs, gap.sinceMs) / SLICE_MS) + 1) * SLICE_MS;
    return hourEndMs >= gap.untilMs ? untilMs : Math.min(hourEndMs, untilMs);
  }

  /** Returns where it has ended, and why if that is before the end. */
  async #healSlice(slice: Span): Promise<{ untilMs: number; failure: FlyApiError | NoRoom | null }> {
    const { gap, archive, directory, signal, linesLimit = SLICE_LINES_LIMIT } = this.#options;
    const day = dayOf(Math.max(slice.sinceMs, gap.sinceMs));
    if (archive.untouched.has(day) || archive.wasRemoved(day)) {
      this.#skipped.add(day);
      return { untilMs: slice.untilMs, failure: null };
    }
    using found = new FoundLines(directory, day);
    let untilMs = slice.sinceMs;
    let failure: FlyApiError | NoRoom | null = null;
    try {
      while (untilMs < slice.untilMs && found.lines < linesLimit) {
        const pieceEndMs = await this.#healPiece({ sinceMs: untilMs, untilMs: slice.untilMs }, found);
        const refusal = found.lines > 0 ? this.#refusal() : null;
        if (refusal !== null) return { untilMs: slice.sinceMs, failure: refusal };
        untilMs = pieceEndMs;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof FlyApiError) && !(error instanceof NoRoom)) throw error;
      failure = error;
    }
    if (found.lines > 0) {
      await found.close();
      this.#lines += (await archive.insert(found)).lines;
    }
    return { untilMs, failure };
  }

  /** Why nothing may be inserted: of the lines before the gap, none is there; null if one is, or too few are here to tell. */
  #refusal(): FlyApiError | null {
    if (this.#isOurs) return null;
    const foreign = this.#options.overlaps.foreign();
    this.#isOurs = foreign === 0;
    if (this.#isOurs) return null;
    return new FlyApiError(
      "answer",
      `None of the ${foreign} lines that are here from before the gap is among those that Fly has of that time: ` +
        "check that the token is of this organisation",
    );
  }

  /** Adds what is missing of the first part of `span` that fits into memory, and returns where that ends. */
  async #healPiece({ sinceMs, untilMs }: Span, found: FoundLines): Promise<number> {
    const { reader, comparison, gap, oldestMs } = this.#options;
    // While older slices were read, this one may have become too old.
    const oldest = oldestMs();
    if (Math.max(sinceMs, gap.sinceMs) < Math.min(oldest, untilMs)) {
      this.noteTooOld(Math.min(oldest, untilMs));
    }
    const piece = await reader.read({ sinceMs, untilMs: Math.min(untilMs, sinceMs + this.#pieceMs) });
    for (const { line, atNs } of await comparison.missing(piece)) await found.add(line, momentOf(atNs));
    if (piece.wasCut) this.#pieceMs = piece.untilMs - sinceMs;
    else if (piece.isSparse) this.#pieceMs = Math.min(SLICE_MS, 2 * this.#pieceMs);
    return piece.untilMs;
  }
}

function firstOf(doubts: ReadonlyMap<string, string>): string | null {
  for (const [app, doubt] of doubts) return `"${app}": ${doubt}`;
  return null;
}

function momentOf(atNs: bigint): Timestamp {
  return { seconds: Number(atNs / SECOND_NS), nanoseconds: Number(atNs % SECOND_NS) };
}
