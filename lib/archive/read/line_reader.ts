/**
 * Promises the lines that are wanted of any part of the archive, in their order, while the work is spread over
 * as many cores as there are and the memory it takes does not grow with the archive or with the readers.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { dayName, type DayNumber } from "../../day.ts";
import { compileFilter, type FilterSpec } from "../../filter/filter.ts";
import { appLists } from "../blocks/app_lists.ts";
import { backwardPieces, type DayPiece, forwardPieces } from "./day_pieces.ts";
import { chunkOf, EVERY_LINE, type LineChunk, type LineRequest } from "./line_chunk.ts";
import { lastLineTime } from "./line_times.ts";
import {
  filterKeyOf,
  type LineSelection,
  type SelectedLines,
  selectLines,
  selectsAll,
} from "./line_selection.ts";
import type { OpenDay } from "../day/open_day.ts";
import { type MemoryBudget, type MemoryHold, READER_BYTES } from "../../machine/memory_budget.ts";
import type { ReadPool } from "./pool.ts";
import type { DayRange } from "./plan.ts";
import type { Place } from "../place.ts";
import { KeptChunks } from "./kept_chunks.ts";
import { runSelectTask, type SelectTask } from "./worker.ts";

/** A piece of plain text up to this size is not worth the way to another thread, in bytes. */
const SMALL_BYTES = 64 * 1024;

/** So many pieces of a reader are done on this thread while the workers are being started. */
const PIECES_BEFORE_WORKERS = 16;

/** The last lines that are asked for are kept while looking for more of them, up to this size in bytes. */
const TAIL_BYTES_LIMIT = 8 * 1024 * 1024;

/** A line with a time is looked for within so many bytes before a place. */
const TIME_LOOK_BYTES = 1024 * 1024;

/** The right to read, and room in memory for it. It ends when it is disposed of. */
export type ReaderSlot = MemoryHold;

/** The last lines of a part of the archive. */
export interface TailLines extends Disposable {
  /** Where the first of them begins; null for no lines. */
  start: Place | null;
  /** The lines in their order; null where they are too large to hold, and to be read from `start` on. */
  chunks: LineChunk[] | null;
}

/** What the reader needs of the archive. */
export interface ReaderHost {
  /** Opens a day as it is now; throws where it is gone. */
  open(day: DayNumber): OpenDay;
  /** Does the work. */
  pool: ReadPool;
  /** What there is room for. */
  memory: MemoryBudget;
}

interface PendingPiece {
  day: DayNumber;
  piece: DayPiece;
  selected: Promise<SelectedLines>;
  /** Room for it, where it is read ahead. */
  ahead: MemoryHold | null;
}

/** Reads lines out of an archive. */
export class LineReader {
  readonly #host: ReaderHost;
  #readers = 0;

  /** Reads from the days of `host`. */
  constructor(host: ReaderHost) {
    this.#host = host;
  }

  /** How many slots are taken. */
  get readers(): number {
    return this.#readers;
  }

  /**
   * Takes a slot of `bytes`, which whoever reads for a client holds until the answer is over. Waits for it as
   * {@linkcode MemoryBudget.take} does, until `signal` says that the client has gone.
   *
   * @throws {NoRoom} If there is no room in time.
   */
  async reserve(signal?: AbortSignal, bytes: number = READER_BYTES): Promise<ReaderSlot> {
    const hold = await this.#host.memory.take(bytes, signal);
    this.#readers++;
    let held = true;
    return {
      await: (onLost) => hold.await(onLost),
      resume: () => hold.resume(),
      [Symbol.dispose]: () => {
        if (held) this.#readers--;
        held = false;
        hold[Symbol.dispose]();
      },
    };
  }

  /** Room for `bytes` that are kept beside a slot; null where there is none. */
  tryKeep(bytes: number): MemoryHold | null {
    return this.#host.memory.trySpare(bytes);
  }

  /**
   * Reads forward. Yields a chunk for each piece that was looked at. Returning from the generator ends the work:
   * no other block is read.
   *
   * @throws {RangeError} If a day is not there any more.
   * @throws {Error} If a block is damaged.
   */
  read(request: LineRequest): AsyncGenerator<LineChunk, void> {
    return this.#read(request, false);
  }

  /**
   * The last `request.limit` lines, which are kept while there is room. Throws as {@linkcode read} does; `signal`
   * ends the search for them. To be disposed of when the lines are sent.
   */
  async readTail(request: LineRequest, signal?: AbortSignal): Promise<TailLines> {
    const kept = new KeptChunks<LineChunk>((bytes) => this.tryKeep(bytes), TAIL_BYTES_LIMIT);
    let start: Place | null = null;
    try {
      for await (const chunk of this.#read(request, true)) {
        if (signal?.aborted) break;
        if (chunk.lines === 0) continue;
        start = chunk.start;
        kept.add(chunk);
      }
    } catch (error) {
      kept[Symbol.dispose]();
      throw error;
    }
    return {
      start,
      chunks: kept.chunks && kept.chunks.toReversed(),
      [Symbol.dispose]: () => kept[Symbol.dispose](),
    };
  }

  /**
   * The time of the last line before `place` that has one, within a MiB of it, in milliseconds since 1970; null where
   * there is none. Throws as {@linkcode read} does.
   */
  async timeBefore({ day, offset }: Place): Promise<number | null> {
    const ranges = [{ day, start: Math.max(0, offset - TIME_LOOK_BYTES), end: offset, timedOnly: false }];
    const text: LineRequest = { ranges, filter: EVERY_LINE, style: "jsonl", events: null, limit: null };
    for await (const { bytes } of this.#read(text, true)) {
      const timeMs = lastLineTime(bytes);
      if (timeMs !== null) return timeMs;
    }
    return null;
  }

  /** Where the line begins that the byte at `place` belongs to. Throws as {@linkcode read} does. */
  async lineStart({ day, offset }: Place): Promise<Place> {
    const ranges = [{ day, start: 0, end: offset, timedOnly: false }];
    const before: LineRequest = { ranges, filter: EVERY_LINE, style: "jsonl", events: null, limit: 1 };
    for await (const { lines, end } of this.#read(before, true)) {
      if (lines === 1) return end;
    }
    return { day, offset: 0 };
  }

  /** Takes lines out of a text of whole lines that stands at `place`. The text stays as it is. */
  async selectText(
    text: Uint8Array<ArrayBuffer>,
    place: Place,
    request: Pick<LineRequest, "filter" | "style" | "events">,
  ): Promise<Uint8Array> {
    const { filter, style, events } = request;
    const selection: LineSelection = {
      filter,
      filterKey: filterKeyOf(filter),
      style,
      events: events === null ? null : events(place.day),
      baseOffset: place.offset,
      from: 0,
      to: text.length,
      limit: null,
      fromEnd: false,
      withMarks: false,
    };
    if (text.length <= SMALL_BYTES || selectsAll(selection)) return selectLines(text, selection).bytes;
    return (await this.#host.pool.select({ kind: "select", bytes: text.slice(), block: null, selection }))
      .bytes;
  }

  async *#read(request: LineRequest, isBackward: boolean): AsyncGenerator<LineChunk, void> {
    const pieces = this.#pieces(request, isBackward);
    const pending: PendingPiece[] = [];
    const start = { pieces: PIECES_BEFORE_WORKERS };
    const { withPlaces = false } = request;
    let remaining = request.limit;
    let isOver = false;
    try {
      for (let window = 1;; window = Math.min(window * 2, this.#host.pool.size * 2)) {
        while (!isOver && pending.length < window) {
          const ahead = pending.length === 0 ? null : this.#host.memory.trySpare(READER_BYTES);
          if (pending.length > 0 && ahead === null) break;
          const { done, value } = await pieces.next();
          if (done) {
            ahead?.[Symbol.dispose]();
            isOver = true;
            break;
          }
          const selected = this.#select(request, value, { limit: remaining, fromEnd: isBackward }, start);
          selected.catch(() => {}); // whoever comes to it hears of it
          pending.push({ ...value, selected, ahead });
        }
        // It stays in the list until it has been waited for: where it is damaged, that throws, and its room is given back
        // with that of all others in the list.
        const next = pending[0];
        if (next === undefined) return;
        const selected = await next.selected;
        pending.shift();
        next.ahead?.[Symbol.dispose]();
        const cut = { limit: remaining, fromEnd: isBackward, withPlaces };
        const chunk = chunkOf(next.day, next.piece, selected, cut);
        if (remaining !== null) remaining -= chunk.lines!;
        yield chunk;
        if (remaining === 0) return;
      }
    } finally {
      for (const { ahead } of pending) ahead?.[Symbol.dispose]();
      await pieces.return();
    }
  }

  async *#pieces(
    request: LineRequest,
    isBackward: boolean,
  ): AsyncGenerator<{ day: DayNumber; timedOnly: boolean; piece: DayPiece }, void> {
    const ranges = isBackward ? request.ranges.toReversed() : request.ranges;
    for (const range of ranges) {
      const { day, timedOnly } = range;
      const filter = compileFilter(filterFor(request, timedOnly));
      using open = this.#host.open(day);
      const pieces = isBackward ? backwardPieces(open, range, filter) : forwardPieces(open, range, filter);
      for await (const piece of pieces) yield { day, timedOnly, piece };
    }
  }

  /**
   * The apps that the index knows in each block of `ranges` in which `filter` may find lines, the newest first, as
   * {@linkcode appLists} yields them; of what is not indexed null, and so of all where the filter has a scope. Reads no
   * block.
   *
   * @throws {RangeError} If a day is not there any more.
   */
  async *appLists(
    ranges: readonly DayRange[],
    filter: FilterSpec,
  ): AsyncGenerator<readonly string[] | null, void> {
    // The index has the apps of whole blocks, also of lines that are outside of a scope: with one it tells nothing.
    if (filter.scope) return yield null;
    for (const { day, timedOnly, ...range } of ranges.toReversed()) {
      using open = this.#host.open(day);
      yield* appLists(open, range, compileFilter(timedOnly ? { ...filter, timedOnly } : filter));
    }
  }

  /** Selects the lines of a piece, here or in a worker. */
  async #select(
    request: LineRequest,
    { day, timedOnly, piece }: { day: DayNumber; timedOnly: boolean; piece: DayPiece },
    { limit, fromEnd }: Pick<LineSelection, "limit" | "fromEnd">,
    start: { pieces: number },
  ): Promise<SelectedLines> {
    const filter = filterFor(request, timedOnly);
    const { bytes, block, offset, range } = piece;
    const selection: LineSelection = {
      filter,
      filterKey: filterKeyOf(filter),
      style: request.style,
      events: request.events === null ? null : request.events(day),
      baseOffset: offset,
      from: range.start,
      to: range.end,
      limit,
      fromEnd,
      withMarks: request.withPlaces ?? false,
    };
    const task: SelectTask = {
      kind: "select",
      bytes,
      block: block && { rawLength: block.rawLength, crc32: block.crc32 },
      selection,
    };
    const { pool } = this.#host;
    if (block === null && (bytes.length <= SMALL_BYTES || selectsAll(selection))) return runSelectTask(task);
    try {
      if (pool.isAwake || start.pieces === 0) return await pool.select(task);
      // Starting the workers takes longer than the first blocks do.
      if (start.pieces-- < PIECES_BEFORE_WORKERS) pool.wake();
      await nextTurn();
      return runSelectTask(task);
    } catch (error) {
      throw new Error(`Cannot read block at ${offset} of ${dayName(day)}: ${(error as Error).message}`);
    }
  }
}

function filterFor({ filter }: LineRequest, timedOnly: boolean): FilterSpec {
  return timedOnly ? { ...filter, timedOnly } : filter;
}
