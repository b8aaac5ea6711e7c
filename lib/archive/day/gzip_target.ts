/**
 * Promises a gzip file with its blocks, put together of blocks that are copied as they lie and of text that is made into new
 * ones, and the entries of them all. It holds two blocks of text at most, but for a line that is longer.
 *
 * New text between copied blocks is cut so that no crumbs are left, which would stay for ever: up to two blocks of it become two
 * of about the same size, and a copied block that fits into one with the text before it is made anew together with that.
 * Example: ten lines are inserted into a block of 1 MiB, and two blocks of half a mebibyte come of it.
 *
 * @module
 */

import {
  type BlockPlace,
  cutBlock,
  formatCrc32,
  gzipTrailer,
  inflateBlock,
  makeBlock,
  parseCrc32,
  placeAfter,
} from "../blocks/block.ts";
import { combineCrc32 } from "../blocks/crc32_combine.ts";
import { writeAll } from "../disk.ts";
import { BLOCK_BYTES, type BlockEntry, GZIP_HEADER, LINE_FEED } from "../format.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";

/** A gzip file that is being put together. Blocks while it writes. */
export class GzipTarget implements Disposable {
  /** The entries of the blocks that are in it. */
  readonly blocks: BlockEntry[] = [];
  /** The numbers of those that were made of text, in {@linkcode blocks}. */
  readonly made: Set<number> = new Set();
  readonly #file: Deno.FsFile;
  readonly #text = new Uint8Array(2 * BLOCK_BYTES);
  #textBytes = 0;
  #place: BlockPlace = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };

  /**
   * Begins the file at `path`; one that was left there is overwritten.
   *
   * @throws {Error} If the disk does not take it.
   */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
    writeAll(this.#file, GZIP_HEADER);
  }

  /** Adds text, which is whole lines; more than a block of it is one line. It is copied. */
  add(text: Uint8Array): void {
    if (text.length > BLOCK_BYTES) {
      this.#makeRest();
      this.#make(text);
      return;
    }
    while (this.#textBytes + text.length > this.#text.length) this.#makeFirst(cutBlock(this.#held));
    this.#text.set(text, this.#textBytes);
    this.#textBytes += text.length;
  }

  /** Adds a block: `bytes` are as it lies in its file, and were held against `entry`, whose offsets do not count. */
  copy(bytes: Uint8Array, entry: BlockEntry): void {
    if (this.#textBytes > 0 && this.#textBytes + entry.rawLength <= BLOCK_BYTES) {
      const text = inflateBlock(bytes, entry);
      this.add(text);
      freeBuffer(text);
      return;
    }
    this.#makeRest();
    const { rawOffset, gzOffset, totalCrc32 } = this.#place;
    const total = combineCrc32(totalCrc32, parseCrc32(entry.crc32), entry.rawLength);
    this.#write(bytes, { ...entry, rawOffset, gzOffset, totalCrc32: formatCrc32(total) });
  }

  /** Makes blocks of what is left of the text, ends the file and syncs it. */
  finish(): void {
    this.#makeRest();
    writeAll(this.#file, gzipTrailer(this.#place.totalCrc32, this.#place.rawOffset));
    this.#file.syncSync();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  get #held(): Uint8Array {
    return this.#text.subarray(0, this.#textBytes);
  }

  #makeRest(): void {
    while (this.#textBytes > BLOCK_BYTES) this.#makeFirst(this.#half());
    if (this.#textBytes > 0) this.#makeFirst(this.#textBytes);
  }

  /** Where the first half of the text ends, with a line; where that is one line, where that ends. */
  #half(): number {
    const half = this.#text.lastIndexOf(LINE_FEED, Math.floor(this.#textBytes / 2)) + 1;
    return half > 0 ? half : cutBlock(this.#held);
  }

  /** Makes a block of the first `length` bytes of the text. */
  #makeFirst(length: number): void {
    this.#make(this.#text.subarray(0, length));
    this.#text.copyWithin(0, length, this.#textBytes);
    this.#textBytes -= length;
  }

  #make(text: Uint8Array): void {
    const { bytes, entry } = makeBlock(text, this.#place);
    this.made.add(this.blocks.length);
    this.#write(bytes, entry);
    freeBuffer(bytes);
  }

  #write(bytes: Uint8Array, entry: BlockEntry): void {
    writeAll(this.#file, bytes);
    this.blocks.push(entry);
    this.#place = placeAfter(entry);
  }
}
