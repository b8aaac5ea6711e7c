/**
 * Promises that what is read of a sealed gzip file from its beginning to its end is what was written when the day was sealed: a file that was
 * damaged since is not copied as if it were whole.
 *
 * @module
 */

import zlib from "node:zlib";
import { setImmediate as nextTurn } from "node:timers/promises";
import { formatCrc32, gzipTrailer, parseCrc32, sameBytes } from "../archive/blocks/block.ts";
import type { SealedIndex } from "../archive/blocks/day_index.ts";
import { GZIP_HEADER, GZIP_TRAILER_BYTES } from "../archive/format.ts";
import type { Bytes } from "../archive/read/bytes.ts";

/**
 * A sealed gzip file that is held against its index while it is read. Each read begins where the one before ends.
 *
 * Example: of a file whose blocks begin at 10 and 310 KB, the first 500 KB are read. The first block is checked then, the second one when the
 * read that has its last byte comes.
 */
export class CheckedGz implements Pick<Bytes, "size" | "read"> {
  readonly #gz: Bytes;
  readonly #index: SealedIndex;
  /** The end of the bytes that were read. */
  #at = 0;
  /** Which part of the file they end in: 0 is the header, then come the blocks, and after them the trailer. */
  #number = 0;
  /** Where that part begins, and what of it was read: the checksum of a block, the bytes of another part. */
  #start = 0;
  #crc32 = 0;
  #bytes: number[] = [];

  /** Checks `gz` by `index`. */
  constructor(gz: Bytes, index: SealedIndex) {
    this.#gz = gz;
    this.#index = index;
  }

  /**
   * See {@linkcode Bytes.size}.
   *
   * @throws {Error} If it is not what the index says.
   */
  async size(): Promise<number> {
    const size = await this.#gz.size();
    const { gzBytes } = this.#index.seal;
    if (size === gzBytes) return size;
    throw new Error(`Cannot store "${this.#gz.name}": it has ${size} bytes, its index says ${gzBytes}`);
  }

  /**
   * See {@linkcode Bytes.read}.
   *
   * @throws {RangeError} If it does not begin where the read before ended.
   * @throws {Error} If a block that ends in it, or what is before or behind the blocks, is not what was written.
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset !== this.#at) {
      throw new RangeError(`Cannot check "${this.#gz.name}" from ${offset} on: ${this.#at} comes next`);
    }
    const bytes = await this.#gz.read(offset, length);
    for (let from = 0; from < bytes.length;) {
      const partEnd = this.#start + this.#partLength;
      const end = Math.min(bytes.length, partEnd - offset);
      this.#take(bytes.subarray(from, end));
      from = end;
      if (offset + end === partEnd) this.#finishPart();
      // A block is some hundred KiB: others get a turn after each.
      await nextTurn();
    }
    this.#at += bytes.length;
    return bytes;
  }

  get #partLength(): number {
    const { blocks } = this.#index;
    if (this.#number === 0) return GZIP_HEADER.length;
    return blocks[this.#number - 1]?.gzLength ?? GZIP_TRAILER_BYTES;
  }

  #take(bytes: Uint8Array): void {
    const isBlock = this.#number > 0 && this.#number <= this.#index.blocks.length;
    if (isBlock) this.#crc32 = zlib.crc32(bytes, this.#crc32);
    else this.#bytes.push(...bytes);
  }

  #finishPart(): void {
    const { blocks, seal } = this.#index;
    const block = blocks[this.#number - 1];
    const frame = this.#number === 0 ? GZIP_HEADER : gzipTrailer(parseCrc32(seal.crc32), seal.rawBytes);
    const isRight = block === undefined
      ? sameBytes(Uint8Array.from(this.#bytes), frame)
      // An index of version 1 does not know it.
      : block.gzCrc32 === null || block.gzCrc32 === formatCrc32(this.#crc32);
    if (!isRight) {
      throw new Error(
        `Cannot store "${this.#gz.name}": what is at ${this.#start} is not what was written; ` +
          'see what "deno task verify" says of it',
      );
    }
    this.#start += this.#partLength;
    this.#number++;
    this.#crc32 = 0;
    this.#bytes = [];
  }
}
