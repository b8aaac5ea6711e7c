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
import type { EventIds } from "./line_format.ts";
import { chunkOf, EVERY_LINE, type LineChunk, type LineRequest } from "./line_chunk.ts";
import { lastLineTime } from "./line_times.ts";
import {
  filterKeyOf,
  type LineSelection,
  type SelectedLines,
  selectLines,
  selectsAll,
} from "./line_selection.ts";
import type { PlaceSide } from "../day/edits.ts";
import type { OpenDay } from "../day/open_day.ts";
import { LINE_FEED } from "../format.ts";
import { type MemoryBudget, type MemoryHold, READER_BYTES } from "../../machine/memory_budget.ts";
import type { ReadPool } from "./pool.ts";
import type { DayRange } from "./plan.ts";
import { type Place, placeSuffix } from "../place.ts";
import { KeptChunks } from "./kept_chunks.ts";
import { bytesIn, placeIn } from "./translated_range.ts";
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

/** A piece of a day, and of which edition the offsets in it are. */
interface PlacedPiece {
  day: DayNumber;
  edition: number;
  timedOnly: boolean;
  piece: DayPiece;
}

interface PendingPiece extends PlacedPiece {
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
   * Where `place` stands in the text of its day as it is now. `side` says what it is of where lines were inserted exactly
   * there. Reads nothing where none were inserted since.
   *
   * @throws {LostPlace} If the place cannot be followed.
   * @throws {RangeError} If the day is not there any more.
   */
  async translate(place: Place, side: PlaceSide): Promise<Place> {
    using open = this.#host.open(place.day);
    return await placeIn(open, place, side);
  }

  /**
   * Whether a place that is not behind the end of its day stands between two lines, also at the start or the end of the day.
   * Throws as {@linkcode translate} does, and if a block is damaged.
   */
  async isBetweenLines(place: Place): Promise<boolean> {
    if (place.offset === 0) return true;
    using open = this.#host.open(place.day);
    const { offset } = await placeIn(open, place, "end");
    let before: number | undefined;
    for await (const [byte] of open.text({ start: offset - 1, end: offset }, this.#host.memory)) {
      before = byte;
    }
    return before === LINE_FEED;
  }

  /**
   * The time of the last line before `place` that has one, within a MiB of it, in milliseconds since 1970; null where
   * there is none. Throws as {@linkcode read} does.
   */
  async timeBefore({ day, offset, edition }: Place): Promise<number | null> {
    const start = Math.max(0, offset - TIME_LOOK_BYTES);
    const ranges = [{ day, start, end: offset, edition, timedOnly: false }];
    const text: LineRequest = { ranges, filter: EVERY_LINE, style: "jsonl", events: null, limit: null };
    for await (const { bytes } of this.#read(text, true)) {
      const timeMs = lastLineTime(bytes);
      if (timeMs !== null) return timeMs;
    }
    return null;
  }

  /**
   * Where the line begins that the byte at `place` belongs to, in the text as it is now. Throws as {@linkcode translate} and
   * {@linkcode read} do.
   */
  async lineStart(place: Place): Promise<Place> {
    const { day, offset, edition } = await this.translate(place, "start");
    const ranges = [{ day, start: 0, end: offset, edition, timedOnly: false }];
    const before: LineRequest = { ranges, filter: EVERY_LINE, style: "jsonl", events: null, limit: 1 };
    for await (const { lines, end } of this.#read(before, true)) {
      // Lines that were inserted there just now end before the line that is meant, so it is looked for anew.
      if (lines === 1) return end.edition === edition ? end : await this.lineStart(place);
    }
    return { day, offset: 0, edition };
  }

  /** Takes lines out of a text of whole lines that stands at `place`. The text stays as it is. */
  async selectText(
    text: Uint8Array<ArrayBuffer>,
    place: Place,
    request: Pick<LineRequest, "filter" | "style" | "events">,
  ): Promise<Uint8Array> {
    const { filter, style } = request;
    const selection: LineSelection = {
      filter,
      filterKey: filterKeyOf(filter),
      style,
      events: eventsIn(place, request),
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
        const chunk = chunkOf(next, next.piece, selected, cut);
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
  ): AsyncGenerator<PlacedPiece, void> {
    const ranges = isBackward ? request.ranges.toReversed() : request.ranges;
    for (const range of ranges) {
      const { day, timedOnly } = range;
      const filter = compileFilter(filterFor(request, timedOnly));
      using open = this.#host.open(day);
      const { edition } = open;
      const bytes = await bytesIn(open, range);
      const pieces = isBackward ? backwardPieces(open, bytes, filter) : forwardPieces(open, bytes, filter);
      for await (const piece of pieces) yield { day, edition, timedOnly, piece };
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
    for (const range of ranges.toReversed()) {
      const { day, timedOnly } = range;
      using open = this.#host.open(day);
      const bytes = await bytesIn(open, range);
      yield* appLists(open, bytes, compileFilter(timedOnly ? { ...filter, timedOnly } : filter));
    }
  }

  /** Selects the lines of a piece, here or in a worker. */
  async #select(
    request: LineRequest,
    { day, edition, timedOnly, piece }: PlacedPiece,
    { limit, fromEnd }: Pick<LineSelection, "limit" | "fromEnd">,
    start: { pieces: number },
  ): Promise<SelectedLines> {
    const filter = filterFor(request, timedOnly);
    const { bytes, block, offset, range } = piece;
    const selection: LineSelection = {
      filter,
      filterKey: filterKeyOf(filter),
      style: request.style,
      events: eventsIn({ day, edition }, request),
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

/** The ids of the lines of a day that is of this edition; null where they are no events. */
function eventsIn(
  { day, edition }: Pick<Place, "day" | "edition">,
  { events }: Pick<LineRequest, "events">,
): EventIds | null {
  if (events === null) return null;
  const ids = events(day);
  return { ...ids, rest: placeSuffix(edition) + ids.rest };
}
