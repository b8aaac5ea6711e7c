/**
 * Promises the blocks of a day's text from all the files in which they lie, one after another, none of them unchecked. Blocks: it
 * is for the block worker.
 *
 * @module
 */

import zlib from "node:zlib";
import type { DayNumber } from "../../day.ts";
import { parseTimestamp } from "../../timestamp.ts";
import { formatCrc32, inflateBlock, isIntactGzip } from "../blocks/block.ts";
import type { DayIndex } from "../blocks/day_index.ts";
import { readAt } from "../disk.ts";
import type { BlockEntry } from "../format.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { momentOf, PLACING_WINDOW_LINES, type TimedLines, timedLines } from "./line_placing.ts";

/** Blocks, and the file that they lie in. */
export interface InsertionSource {
  /** The gzip file, or the part. */
  gzPath: string;
  /** Its index; offsets are those of the whole gzip file, and `header.gzFrom` is where the file begins in that. */
  index: DayIndex;
}

/** A block, where it lies, and where its text begins in the text of all sources together, in bytes. */
interface SourceBlock {
  entry: BlockEntry;
  file: Deno.FsFile;
  path: string;
  gzAt: number;
  rawAt: number;
}

/** The blocks of a text. */
export class SourceBlocks implements Disposable {
  readonly #day: DayNumber;
  readonly #files: DisposableStack;
  readonly #blocks: SourceBlock[] = [];
  /** The lines of blocks that were looked at before it was their turn. */
  readonly #ahead = new Map<number, TimedLines>();

  /**
   * Opens the files of `sources`, whose texts follow one another in the text of `day`.
   *
   * @throws {Error} If one cannot be opened.
   */
  constructor(day: DayNumber, sources: readonly InsertionSource[]) {
    this.#day = day;
    using files = new DisposableStack();
    let rawAt = 0;
    for (const { gzPath, index } of sources) {
      const file = files.use(Deno.openSync(gzPath, { read: true }));
      for (const entry of index.blocks) {
        const gzAt = entry.gzOffset - index.header.gzFrom;
        this.#blocks.push({ entry, file, path: gzPath, gzAt, rawAt });
        rawAt += entry.rawLength;
      }
    }
    this.#files = files.move();
    this.rawBytes = rawAt;
  }

  /** The length of the text of all blocks, in bytes. */
  readonly rawBytes: number;

  /** How many blocks there are. */
  get length(): number {
    return this.#blocks.length;
  }

  /** Where the text of the block with a number begins, in bytes; counted from 0. */
  rawAt(number: number): number {
    return this.#blocks[number]!.rawAt;
  }

  /** The moment of the latest line of a block, see {@linkcode momentOf}; minus infinity where none has a time. */
  latest(number: number): number {
    const { last } = this.#blocks[number]!.entry;
    const time = last === null ? null : parseTimestamp(last);
    return time === null ? -Infinity : momentOf(time, this.#day);
  }

  /**
   * A block as it lies in its file, and its entry, which is what says so: it has all checksums.
   *
   * @throws {Error} If it is not what its entry says.
   */
  read(number: number): { bytes: Uint8Array; entry: BlockEntry } {
    const { entry, file, gzAt } = this.#blocks[number]!;
    const bytes = readAt(file, gzAt, entry.gzLength);
    const isIntact = isIntactGzip(bytes, entry);
    if (isIntact === false) throw this.#damage(number, "its bytes are not those that were written");
    if (isIntact === true) return { bytes, entry };
    freeBuffer(this.text(number, bytes));
    return { bytes, entry: { ...entry, gzCrc32: formatCrc32(zlib.crc32(bytes)) } };
  }

  /**
   * The text of a block whose `bytes` were read.
   *
   * @throws {Error} If it is not what its entry says.
   */
  text(number: number, bytes: Uint8Array): Uint8Array {
    try {
      return inflateBlock(bytes, this.#blocks[number]!.entry);
    } catch (error) {
      throw this.#damage(number, (error as Error).message);
    }
  }

  /**
   * The lines of a block that have a time; `text` is its text. Behind their moments come those of the lines of the blocks after
   * it that are needed to place something before its last line.
   */
  timedLines(number: number, text: Uint8Array): TimedLines {
    const lines = this.#ahead.get(number) ?? timedLines(text, this.#day);
    for (const known of this.#ahead.keys()) {
      if (known <= number) this.#ahead.delete(known);
    }
    const moments = [...lines.moments];
    const wanted = moments.length + PLACING_WINDOW_LINES - 1;
    for (let next = number + 1; next < this.length && moments.length < wanted; next++) {
      const { moments: following } = this.#lookAhead(next);
      for (let at = 0; at < following.length && moments.length < wanted; at++) moments.push(following[at]!);
    }
    return { starts: lines.starts, moments };
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#files.dispose();
  }

  /** The lines of a block whose turn it is not yet. Of one that has none with a time its entry says so. */
  #lookAhead(number: number): TimedLines {
    if (this.#blocks[number]!.entry.last === null) return { starts: [], moments: [] };
    const known = this.#ahead.get(number);
    if (known !== undefined) return known;
    const { bytes } = this.read(number);
    const text = this.text(number, bytes);
    const lines = timedLines(text, this.#day);
    for (const spent of [bytes, text]) freeBuffer(spent);
    this.#ahead.set(number, lines);
    return lines;
  }

  #damage(number: number, what: string): Error {
    const { path, gzAt } = this.#blocks[number]!;
    return new Error(`Cannot read the block at ${gzAt} of "${path}": ${what}`);
  }
}
