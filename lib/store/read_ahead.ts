/**
 * Promises whoever reads one part after another, in either direction, that the next parts are on their way before they are asked for; and
 * whoever reads here and there, that nothing is read that he does not ask for.
 *
 * @module
 */

import type { ByteRange } from "../archive/day/open_day.ts";
import type { MemoryBudget, MemoryHold } from "../machine/memory_budget.ts";

/** So much is read ahead in one request, in bytes: two or three blocks of a gzip file. */
export const AHEAD_CHUNK_BYTES = 512 * 1024;

/** So many requests are under way or done ahead of a reader at most: 2 MiB. */
export const AHEAD_CHUNKS_LIMIT = 4;

/**
 * A reader reads ahead from the so manyth part on that follows the one before: who looks for the lines of a minute reads two blocks or three,
 * and nothing in vain.
 */
export const FOLLOWING_READS = 2;

/** Bytes that are on their way, or there. */
interface Chunk extends ByteRange {
  bytes: Promise<Uint8Array<ArrayBuffer>>;
  hold: MemoryHold;
  controller: AbortController;
}

/** What is read ahead of one reader. */
export interface ReadAheadOptions {
  /** How many bytes there are in all. */
  size: number;
  /** Reads, if it can be done at once; else returns null. */
  tryRead(range: ByteRange, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> | null;
  /** Where what is read ahead is counted; there is none of it where others need the room. */
  memory: MemoryBudget;
}

/**
 * The parts that a reader will probably want. They stand one after another, the next one first: of a reader who goes forward each begins
 * where the one before ends, of one who goes backward each ends where the one before begins.
 *
 * Example: 0–100, 100–250 and 250–400 KiB are read. With the second read that follows the one before, 400–912 KiB are asked for; with the next
 * two another chunk each time.
 */
export class ReadAhead implements Disposable {
  readonly #options: ReadAheadOptions;
  #chunks: Chunk[] = [];
  #last: ByteRange | null = null;
  #isForward = true;
  /** How many reads in a row have followed the one before. */
  #following = 0;

  /** Nothing is read yet. */
  constructor(options: ReadAheadOptions) {
    this.#options = options;
  }

  /** How many parts are on their way or there. */
  get chunks(): number {
    return this.#chunks.length;
  }

  /**
   * Hears of a read, and reads ahead of it. Returns what is on its way or there of it, in order; what it does not have is the caller's to read.
   */
  follow(range: ByteRange): { range: ByteRange; bytes: Promise<Uint8Array<ArrayBuffer>> }[] {
    this.#turn(range);
    const parts = this.#partsOf(range);
    this.#release(({ start, end }) => this.#isForward ? end <= range.end : start >= range.start);
    while (this.#chunks.length < this.#wanted && this.#extend());
    return parts;
  }

  /** Gives everything up; harmless when repeated. */
  [Symbol.dispose](): void {
    this.#drop(this.#chunks.splice(0));
    this.#following = 0;
    this.#last = null;
  }

  /** Notes where the reader is, and whether that follows from where he was. */
  #turn(range: ByteRange): void {
    const last = this.#last;
    this.#last = range;
    const isAfter = last !== null && range.start === last.end;
    const isBefore = last !== null && range.end === last.start;
    const isSkipping = this.#chunks.some(({ start, end }) => range.start < end && range.end > start);
    if (isAfter || isBefore) {
      const turns = this.#isForward !== isAfter;
      this.#isForward = isAfter;
      if (turns) this.#drop(this.#chunks.splice(0));
      this.#following = turns ? 1 : this.#following + 1;
    } else if (!isSkipping) {
      this.#drop(this.#chunks.splice(0));
      this.#following = 0;
    }
  }

  /** How much the reader is trusted to go on: a chunk with the second read that follows, then another one with each. */
  get #wanted(): number {
    return Math.min(Math.max(0, this.#following - FOLLOWING_READS + 1), AHEAD_CHUNKS_LIMIT);
  }

  #partsOf(range: ByteRange): { range: ByteRange; bytes: Promise<Uint8Array<ArrayBuffer>> }[] {
    const parts = this.#chunks.flatMap((chunk) => {
      const start = Math.max(range.start, chunk.start);
      const end = Math.min(range.end, chunk.end);
      if (start >= end) return [];
      const bytes = chunk.bytes.then((bytes) => bytes.subarray(start - chunk.start, end - chunk.start));
      bytes.catch(() => {}); // whoever waits for it hears of it
      return [{ range: { start, end }, bytes }];
    });
    return this.#isForward ? parts : parts.reverse();
  }

  /** Asks for the next part; false where there is none, or no room or turn for it. */
  #extend(): boolean {
    const { size, tryRead, memory } = this.#options;
    const next = this.#chunks.at(-1) ?? this.#last!;
    const range = this.#isForward
      ? { start: next.end, end: Math.min(next.end + AHEAD_CHUNK_BYTES, size) }
      : { start: Math.max(0, next.start - AHEAD_CHUNK_BYTES), end: next.start };
    if (range.start >= range.end) return false;
    const hold = memory.trySpare(AHEAD_CHUNK_BYTES);
    if (hold === null) return false;
    const controller = new AbortController();
    const bytes = tryRead(range, controller.signal);
    if (bytes === null) {
      hold[Symbol.dispose]();
      return false;
    }
    const chunk: Chunk = { ...range, bytes, hold, controller };
    this.#chunks.push(chunk);
    bytes.catch(() => this.#forgetFrom(chunk));
    return true;
  }

  /** Forgets a part that could not be read, and what stands behind it: when the reader comes there, it is read anew. */
  #forgetFrom(chunk: Chunk): void {
    const place = this.#chunks.indexOf(chunk);
    if (place !== -1) this.#drop(this.#chunks.splice(place));
  }

  /** Lets go of the parts that the reader has passed. He waits for them still, and has room for them himself. */
  #release(isPassed: (chunk: Chunk) => boolean): void {
    for (const { hold } of this.#chunks.filter(isPassed)) hold[Symbol.dispose]();
    this.#chunks = this.#chunks.filter((chunk) => !isPassed(chunk));
  }

  /** Gives parts up that are not wanted any more. */
  #drop(chunks: readonly Chunk[]): void {
    for (const { hold, controller } of chunks) {
      hold[Symbol.dispose]();
      controller.abort(new Error("Cannot read ahead: the reader has gone elsewhere"));
    }
  }
}
