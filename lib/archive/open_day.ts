/**
 * Promises one day as it was at one moment, for as long as somebody reads: its files are open, so that
 * sealing and retention may rename and remove them meanwhile.
 *
 * @module
 */

import zlib from "node:zlib";
import { gzipTrailer, parseCrc32 } from "./block.ts";
import type { DayIndex } from "./day_index.ts";
import { type BlockEntry, gzFile, GZIP_HEADER, GZIP_TRAILER_BYTES, type SealEntry } from "./format.ts";
import type { DayNumber } from "../day.ts";
import type { ReadPool } from "./read_pool.ts";

/** How much of a file is read at a time, in bytes. */
const READ_BYTES = 256 * 1024;

/** How much text that has no block yet is deflated at a time, in bytes. */
const DEFLATE_BYTES = 1024 * 1024;

/** A range of bytes; `end` is exclusive. */
export interface ByteRange {
  /** The first byte. */
  start: number;
  /** The byte behind the last one. */
  end: number;
}

/** See {@linkcode OpenDay}. Files that the day does not have are null. */
export interface OpenDayParts {
  /** Which day it is. */
  day: DayNumber;
  /** The totals of the sealed text. */
  seal: SealEntry | null;
  /** The sealed gzip file. */
  gz: Deno.FsFile | null;
  /** The index of {@linkcode OpenDayParts.gz}. */
  index: Deno.FsFile | null;
  /** The plain file, and which bytes of the day's text it holds: from `from` to `end`. */
  plain: { file: Deno.FsFile; from: number; end: number } | null;
  /** The gzip blocks of the plain file that are made already. */
  part: { file: Deno.FsFile | null; index: DayIndex };
  /** Inflates blocks. */
  pool: ReadPool;
}

/** The files of a day, opened together. */
export class OpenDay implements Disposable {
  readonly #parts: OpenDayParts;
  readonly #blocks: readonly BlockEntry[];
  #closed = false;

  /** Takes the files over: they are closed with it. */
  constructor(parts: OpenDayParts) {
    this.#parts = parts;
    this.#blocks = [...parts.part.index.blocks];
  }

  /** Closes the files; harmless when repeated. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const { gz, index, plain, part } = this.#parts;
    for (const file of [gz, index, plain?.file, part.file]) file?.close();
  }

  /**
   * The bytes of the day's text in `range`, in pieces. So many blocks as `blocksAhead` says are inflated while
   * the reader takes the one before.
   *
   * @throws {Error} If a block is damaged or a file ends early.
   */
  async *text(range: ByteRange, blocksAhead: number): AsyncGenerator<Uint8Array> {
    const { seal, plain } = this.#parts;
    const sealedEnd = seal?.rawBytes ?? 0;
    if (range.start < sealedEnd) {
      yield* this.#sealedText({ start: range.start, end: Math.min(range.end, sealedEnd) }, blocksAhead);
    }
    if (plain !== null && range.end > sealedEnd) {
      const start = Math.max(range.start, plain.from);
      yield* fileBytes(plain.file, start - plain.from, range.end - start);
    }
  }

  /** The day as one gzip member, in pieces: what has its blocks from the disk, the rest deflated now. */
  async *gzip(): AsyncGenerator<Uint8Array> {
    const { seal, gz, part, plain, pool } = this.#parts;
    yield GZIP_HEADER;
    let rawEnd = seal?.rawBytes ?? 0;
    let crc32 = seal === null ? 0 : parseCrc32(seal.crc32);
    if (gz !== null && seal !== null) {
      yield* fileBytes(gz, GZIP_HEADER.length, seal.gzBytes - GZIP_TRAILER_BYTES - GZIP_HEADER.length);
    }
    const first = this.#blocks[0];
    const last = this.#blocks.at(-1);
    if (first !== undefined && last !== undefined && part.file !== null) {
      const { gzFrom } = part.index.header;
      yield* fileBytes(part.file, first.gzOffset - gzFrom, last.gzOffset + last.gzLength - first.gzOffset);
      rawEnd = last.rawOffset + last.rawLength;
      crc32 = parseCrc32(last.totalCrc32);
    }
    if (plain !== null) {
      for await (
        const text of fileBytes(plain.file, rawEnd - plain.from, plain.end - rawEnd, DEFLATE_BYTES)
      ) {
        crc32 = zlib.crc32(text, crc32);
        rawEnd += text.length;
        yield await pool.run({ kind: "deflate", text });
      }
    }
    yield gzipTrailer(crc32, rawEnd);
  }

  /** The bytes of the sealed gzip file in `range`, in pieces. */
  gzipRange(range: ByteRange): AsyncGenerator<Uint8Array> {
    return fileBytes(this.#parts.gz!, range.start, range.end - range.start);
  }

  /**
   * The blocks of the sealed text, none if there is none.
   *
   * @throws {IndexDamage} If the index is damaged.
   */
  async sealedBlocks(): Promise<readonly BlockEntry[]> {
    const { index, day, seal, pool } = this.#parts;
    if (seal === null || index === null) return [];
    return await pool.indexes.get(day, seal, async () => {
      const { size } = await index.stat();
      return new TextDecoder().decode(await readExactly(index, 0, size));
    });
  }

  /** The blocks of the plain text that are made already; what stands behind them has none. */
  get plainBlocks(): readonly BlockEntry[] {
    return this.#blocks;
  }

  /** Which bytes of the day's text are plain; null for none. */
  get plainRange(): ByteRange | null {
    const { plain } = this.#parts;
    return plain && { start: plain.from, end: plain.end };
  }

  /** The deflated bytes of a sealed block. One read at a time. */
  async readBlock(block: BlockEntry): Promise<Uint8Array<ArrayBuffer>> {
    return await readExactly(this.#parts.gz!, block.gzOffset, block.gzLength);
  }

  /** The plain text in `range` of the day. One read at a time. */
  async readPlain(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { file, from } = this.#parts.plain!;
    return await readExactly(file, range.start - from, range.end - range.start);
  }

  /** Inflates the blocks that `range` touches, the next ones while the reader takes the one before. */
  async *#sealedText(range: ByteRange, blocksAhead: number): AsyncGenerator<Uint8Array> {
    const { day, gz, pool } = this.#parts;
    const blocks = (await this.sealedBlocks()).filter(({ rawOffset, rawLength }) =>
      rawOffset < range.end && rawOffset + rawLength > range.start
    );
    const texts: Promise<Uint8Array>[] = [];
    for (const [number, block] of blocks.entries()) {
      const aheadEnd = Math.min(number + 1 + blocksAhead, blocks.length);
      for (let ahead = number + texts.length; ahead < aheadEnd; ahead++) {
        const next = blocks[ahead]!;
        const bytes = await readExactly(gz!, next.gzOffset, next.gzLength);
        const text = pool.run({ kind: "inflate", bytes, block: next });
        text.catch(() => {}); // it is awaited in its turn, or not at all
        texts.push(text);
      }
      const text = await texts.shift()!.catch((error) => {
        throw new Error(`Cannot read block at ${block.gzOffset} of "${gzFile(day)}": ${error.message}`);
      });
      yield text.subarray(Math.max(0, range.start - block.rawOffset), range.end - block.rawOffset);
    }
  }
}

/** The bytes of a file from `offset`, in pieces of at most `pieceBytes`, each in a buffer of its own. */
async function* fileBytes(
  file: Deno.FsFile,
  offset: number,
  length: number,
  pieceBytes: number = READ_BYTES,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let done = 0; done < length;) {
    const piece = await readExactly(file, offset + done, Math.min(pieceBytes, length - done));
    done += piece.length;
    yield piece;
  }
}

/**
 * Reads `length` bytes from `offset`.
 *
 * @throws {Error} If the file ends before.
 */
async function readExactly(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < length;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) {
      throw new Error(`Cannot read ${length} bytes at ${offset}: the file ends after ${filled}`);
    }
    filled += count;
  }
  return bytes;
}
