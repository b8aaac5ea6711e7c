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
import {
  type EventIds,
  filterKeyOf,
  type LineSelection,
  type LineStyle,
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

/** The right to read, and room in memory for it. It ends when it is disposed of. */
export type ReaderSlot = MemoryHold;

/** Which lines are read, and what becomes of them. */
export interface LineRequest {
  /** Where, oldest first. */
  ranges: readonly DayRange[];
  /** Which. */
  filter: FilterSpec;
  /** How they are written. */
  style: LineStyle;
  /** Makes them events; gives the ids for the lines of a day. Null for plain lines. */
  events: ((day: DayNumber) => EventIds) | null;
  /** At most so many; null for all. */
  limit: number | null;
}

/** What one piece of the archive gave, which may be nothing. */
export interface LineChunk {
  /** The lines, or what was made of them. */
  bytes: Uint8Array;
  /** How many lines these are; null where the request has no limit. */
  lines: number | null;
  /** Where the first one begins, or the piece where the request has no limit. */
  start: Place;
  /** Everything wanted before this place was given: behind the last line of a limit, else the piece's end. */
  end: Place;
}

/** The last lines of a part of the archive. */
export interface TailLines extends Disposable {
  /** Where the first of them begins; null for no lines. */
  start: Place | null;
  /** The lines in their order; null where they are too large to hold, and to be read from `start` on. */
  chunks: Uint8Array[] | null;
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
   * Reads forward. Gives a chunk for each piece that was looked at. Returning from the generator ends the work:
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
    const kept = new KeptChunks((bytes) => this.tryKeep(bytes), TAIL_BYTES_LIMIT);
    let start: Place | null = null;
    try {
      for await (const chunk of this.#read(request, true)) {
        if (signal?.aborted) break;
        if (chunk.lines === 0) continue;
        start = chunk.start;
        kept.add(chunk.bytes);
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
      offset: place.offset,
      from: 0,
      to: text.length,
      limit: null,
      fromEnd: false,
    };
    if (text.length <= SMALL_BYTES || selectsAll(selection)) return selectLines(text, selection).bytes;
    return (await this.#host.pool.select({ kind: "select", bytes: text.slice(), block: null, selection }))
      .bytes;
  }

  async *#read(request: LineRequest, isBackward: boolean): AsyncGenerator<LineChunk, void> {
    const pieces = this.#pieces(request, isBackward);
    const pending: PendingPiece[] = [];
    const start = { pieces: PIECES_BEFORE_WORKERS };
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
        // It stays in the list until its room is given back: here, or where it turns out to be damaged, at the end.
        const next = pending[0];
        if (next === undefined) return;
        const selected = await next.selected;
        pending.shift();
        next.ahead?.[Symbol.dispose]();
        const chunk = chunkOf(next, selected, remaining, isBackward);
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
   * {@linkcode appLists} gives them; of what is not indexed null, and so of all where the
   * filter has a scope. Reads no block.
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
      offset,
      from: range.start,
      to: range.end,
      limit,
      fromEnd,
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

/** What a piece gave, cut to the lines that are still wanted. */
function chunkOf(
  { day, piece }: PendingPiece,
  { bytes, marks }: SelectedLines,
  remaining: number | null,
  isBackward: boolean,
): LineChunk {
  const start = { day, offset: piece.offset + piece.range.start };
  const end = { day, offset: piece.offset + piece.range.end };
  if (marks === null || remaining === null) return { bytes, lines: null, start, end };
  const found = marks.starts.length;
  const lines = Math.min(found, remaining);
  if (lines === 0) return { bytes, lines, start, end };
  const first = isBackward ? found - lines : 0;
  const last = first + lines - 1;
  return {
    bytes: bytes.subarray(first === 0 ? 0 : marks.outputEnds[first - 1]!, marks.outputEnds[last]!),
    lines,
    start: { day, offset: piece.offset + marks.starts[first]! },
    end: lines === remaining ? { day, offset: piece.offset + marks.ends[last]! } : end,
  };
}
