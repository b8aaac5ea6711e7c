/**
 * Promises one day as it was at one moment, for as long as somebody reads: its files are open, so that
 * sealing and retention may rename and remove them meanwhile.
 *
 * @module
 */

import zlib from "node:zlib";
import { gzipTrailer, isIntactGzip, isTextOf, parseCrc32 } from "../blocks/block.ts";
import type { DayIndex } from "../blocks/day_index.ts";
import {
  type BlockEntry,
  gzFile,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  gzPartFile,
  plainFile,
  type SealEntry,
} from "../format.ts";
import type { DayNumber } from "../../day.ts";
import { type MemoryBudget, type MemoryHold, READER_BYTES } from "../../machine/memory_budget.ts";
import type { ReadPool } from "../read/pool.ts";

/** How much of a file is read at a time, in bytes. */
const READ_BYTES = 256 * 1024;

/** How much of a gzip file is read at a time, in bytes: whole blocks, at least one. */
const GZIP_READ_BYTES = 512 * 1024;

/** How much text that has no block yet is deflated at a time, in bytes. */
const DEFLATE_BYTES = 1024 * 1024;

/** A range of bytes; `end` is exclusive. */
export interface ByteRange {
  /** The first byte. */
  start: number;
  /** The byte behind the last one. */
  end: number;
}

/** What a reader does about damage that it meets. */
export interface DamageHandler {
  /**
   * Makes the index of the sealed text again and gives its text; `reason` says what is wrong with the one there is.
   *
   * @throws {Error} If it cannot be made, since the gzip file is damaged as well.
   */
  mendIndex(reason: string): Promise<string>;
  /** Hears of damage that the reader did not suffer from, since the same text lies elsewhere too. */
  onMasked(file: string, what: string): void;
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
  /** Told of what is wrong. */
  damage: DamageHandler;
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
   * The bytes of the day's text in `range`, in pieces. Blocks are inflated ahead of what the
   * reader takes, as many as there are threads and as `memory` has room for.
   *
   * @throws {Error} If a block is damaged or a file ends early.
   */
  async *text(range: ByteRange, memory: MemoryBudget): AsyncGenerator<Uint8Array> {
    const { seal, plain } = this.#parts;
    const sealedEnd = seal?.rawBytes ?? 0;
    if (range.start < sealedEnd) {
      yield* this.#sealedText({ start: range.start, end: Math.min(range.end, sealedEnd) }, memory);
    }
    if (plain !== null && range.end > sealedEnd) {
      yield* this.#plainText({ start: Math.max(range.start, plain.from), end: range.end });
    }
  }

  /**
   * The day as one gzip member, in pieces: what has its blocks from the disk, the rest deflated now. Header and trailer
   * are made, not read: they follow from the rest.
   *
   * @throws {Error} As {@linkcode gzipRange}.
   */
  async *gzip(): AsyncGenerator<Uint8Array> {
    const { seal, gz, part, plain, pool } = this.#parts;
    yield GZIP_HEADER;
    let rawEnd = seal?.rawBytes ?? 0;
    let crc32 = seal === null ? 0 : parseCrc32(seal.crc32);
    if (gz !== null && seal !== null) {
      yield* this.#sealedGzip({ start: 0, end: seal.gzBytes });
    }
    const { gzFrom } = part.index.header;
    for (const blocks of groupsOf(this.#blocks)) {
      const bytes = await readExactly(part.file!, blocks[0]!.gzOffset - gzFrom, gzLengthOf(blocks));
      for (const [block, piece] of piecesOf(blocks, bytes)) {
        yield await this.#isIntact(block, piece) ? piece : await this.#deflateAgain(block);
      }
      const last = blocks.at(-1)!;
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

  /**
   * The bytes of the sealed gzip file in `range`, in pieces. A block is checked before any of it is given.
   *
   * @throws {Error} If a block is damaged.
   */
  async *gzipRange(range: ByteRange): AsyncGenerator<Uint8Array> {
    const seal = this.#parts.seal!;
    if (range.start < GZIP_HEADER.length) yield GZIP_HEADER.slice(range.start, range.end);
    yield* this.#sealedGzip(range);
    const trailerAt = seal.gzBytes - GZIP_TRAILER_BYTES;
    if (range.end <= trailerAt) return;
    yield gzipTrailer(parseCrc32(seal.crc32), seal.rawBytes)
      .slice(Math.max(0, range.start - trailerAt), range.end - trailerAt);
  }

  /**
   * The blocks of the sealed text, none if there is none.
   *
   * @throws {IndexDamage} If the index is damaged.
   */
  async sealedBlocks(): Promise<readonly BlockEntry[]> {
    const { index, day, seal, pool, damage } = this.#parts;
    if (seal === null || index === null) return [];
    const readText = async (): Promise<string> => {
      const { size } = await index.stat();
      return new TextDecoder().decode(await readExactly(index, 0, size));
    };
    return await pool.indexes.get(day, seal, readText, ({ message }) => damage.mendIndex(message));
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

  /**
   * The plain text of a block that was made of it. Where the plain file has changed since, the block still has it:
   * its checksum was taken when it was made. One read at a time.
   *
   * @throws {Error} If both are damaged.
   */
  async readPlainBlock(block: BlockEntry): Promise<Uint8Array<ArrayBuffer>> {
    const { rawOffset, rawLength } = block;
    const text = await this.readPlain({ start: rawOffset, end: rawOffset + rawLength });
    if (isTextOf(text, block)) return text;
    const { day, plain, part, pool, damage } = this.#parts;
    const name = plainFile(day, plain!.from);
    const what = `the text at ${rawOffset} is not that of the block made of it`;
    try {
      const bytes = await readExactly(part.file!, block.gzOffset - part.index.header.gzFrom, block.gzLength);
      const text = await pool.run({ kind: "inflate", bytes, block });
      damage.onMasked(name, `${what}; read from the block`);
      return text as Uint8Array<ArrayBuffer>;
    } catch (error) {
      throw new Error(`Cannot read "${name}": ${what}, and the block ${(error as Error).message}`);
    }
  }

  /** The plain text in `range` of the day. One read at a time. */
  async readPlain(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { file, from } = this.#parts.plain!;
    return await readExactly(file, range.start - from, range.end - range.start);
  }

  /** The plain text in `range`: what has its blocks is held against them. */
  async *#plainText(range: ByteRange): AsyncGenerator<Uint8Array> {
    const { file, from } = this.#parts.plain!;
    let at = range.start;
    for (const block of this.#blocks) {
      const end = block.rawOffset + block.rawLength;
      if (end <= at || block.rawOffset >= range.end) continue;
      const text = await this.readPlainBlock(block);
      yield text.subarray(at - block.rawOffset, range.end - block.rawOffset);
      at = Math.min(end, range.end);
    }
    yield* fileBytes(file, at - from, range.end - at);
  }

  /** The bytes of the blocks of the sealed gzip file that stand in `range`. */
  async *#sealedGzip(range: ByteRange): AsyncGenerator<Uint8Array> {
    const { gz, day } = this.#parts;
    const blocks = (await this.sealedBlocks()).filter(({ gzOffset, gzLength }) =>
      gzOffset < range.end && gzOffset + gzLength > range.start
    );
    for (const group of groupsOf(blocks)) {
      const offset = group[0]!.gzOffset;
      const bytes = await readExactly(gz!, offset, gzLengthOf(group));
      for (const [block, piece] of piecesOf(group, bytes)) {
        if (await this.#isIntact(block, piece)) continue;
        throw new Error(
          `Cannot read block at ${block.gzOffset} of "${
            gzFile(day)
          }": its bytes are not those that were written`,
        );
      }
      yield bytes.subarray(Math.max(0, range.start - offset), range.end - offset);
    }
  }

  /** Checks a block by the checksum of its bytes, or where its entry has none, by inflating it. */
  async #isIntact(block: BlockEntry, bytes: Uint8Array): Promise<boolean> {
    const isIntact = isIntactGzip(bytes, block);
    if (isIntact !== null) return isIntact;
    try {
      await this.#parts.pool.run({ kind: "inflate", bytes: bytes.slice(), block });
      return true;
    } catch {
      return false;
    }
  }

  /** Deflates the text of a block anew whose own bytes are damaged. */
  async #deflateAgain(block: BlockEntry): Promise<Uint8Array> {
    const { day, pool, damage } = this.#parts;
    const text = await this.readPlainBlock(block);
    damage.onMasked(
      gzPartFile(day),
      `the block at ${block.gzOffset} is damaged; made again from the plain file`,
    );
    return await pool.run({ kind: "deflate", text });
  }

  /** Inflates the blocks that `range` touches, the next ones while the reader takes the one before. */
  async *#sealedText(range: ByteRange, memory: MemoryBudget): AsyncGenerator<Uint8Array> {
    const { day, gz, pool } = this.#parts;
    const blocks = (await this.sealedBlocks()).filter(({ rawOffset, rawLength }) =>
      rawOffset < range.end && rawOffset + rawLength > range.start
    );
    const texts: { text: Promise<Uint8Array>; room: MemoryHold | null }[] = [];
    try {
      for (const [number, block] of blocks.entries()) {
        const aheadEnd = Math.min(number + 1 + pool.size, blocks.length);
        for (let ahead = number + texts.length; ahead < aheadEnd; ahead++) {
          const room = ahead === number ? null : memory.trySpare(READER_BYTES);
          if (ahead > number && room === null) break;
          const next = blocks[ahead]!;
          // The place is in the list before anything can fail, so that it is given back.
          const { promise: text, resolve } = Promise.withResolvers<Uint8Array>();
          text.catch(() => {}); // it is awaited in its turn, or not at all
          texts.push({ text, room });
          const bytes = await readExactly(gz!, next.gzOffset, next.gzLength);
          resolve(pool.run({ kind: "inflate", bytes, block: next }));
        }
        const { text, room } = texts.shift()!;
        const inflated = await text.catch((error) => {
          throw new Error(`Cannot read block at ${block.gzOffset} of "${gzFile(day)}": ${error.message}`);
        });
        room?.[Symbol.dispose]();
        yield inflated.subarray(Math.max(0, range.start - block.rawOffset), range.end - block.rawOffset);
      }
    } finally {
      for (const { room } of texts) room?.[Symbol.dispose]();
    }
  }
}

/** Blocks that stand one after another, in groups that are read together. */
function* groupsOf(blocks: readonly BlockEntry[]): Generator<BlockEntry[]> {
  let group: BlockEntry[] = [];
  for (const block of blocks) {
    if (group.length > 0 && gzLengthOf(group) + block.gzLength > GZIP_READ_BYTES) {
      yield group;
      group = [];
    }
    group.push(block);
  }
  if (group.length > 0) yield group;
}

/** How long blocks are that stand one after another, in bytes of the gzip file. */
function gzLengthOf(blocks: readonly BlockEntry[]): number {
  const last = blocks.at(-1)!;
  return last.gzOffset + last.gzLength - blocks[0]!.gzOffset;
}

/** Each of `blocks` with its part of `bytes`, which begin where the first one does. */
function* piecesOf(blocks: readonly BlockEntry[], bytes: Uint8Array): Generator<[BlockEntry, Uint8Array]> {
  const from = blocks[0]!.gzOffset;
  for (const block of blocks) {
    yield [block, bytes.subarray(block.gzOffset - from, block.gzOffset - from + block.gzLength)];
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
