/**
 * Promises one day as it was at one moment, for as long as somebody reads: what it is read from stays open, so that
 * sealing and retention may rename and remove files meanwhile.
 *
 * @module
 */

import zlib from "node:zlib";
import { gzipTrailer, isIntactGzip, isTextOf, parseCrc32 } from "../blocks/block.ts";
import { type DayIndex, insertedBytes } from "../blocks/day_index.ts";
import {
  type BlockEntry,
  editsFile,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  gzPartFile,
  type SealEntry,
} from "../format.ts";
import type { DayNumber } from "../../day.ts";
import { DayEdits } from "./edits.ts";
import type { MemoryBudget } from "../../machine/memory_budget.ts";
import { groupsOf, piecesOf } from "../blocks/block_groups.ts";
import { type Bytes, bytesInPieces } from "../read/bytes.ts";
import type { IndexCache } from "../read/index_cache.ts";
import type { ReadPool } from "../read/pool.ts";
import { sealedText } from "../read/sealed_text.ts";

/** How much plain text is read at a time, in bytes. */
const READ_BYTES = 256 * 1024;

/** How much text that has no block yet is deflated at a time, in bytes. */
const DEFLATE_BYTES = 1024 * 1024;

/** A range of bytes; `end` is exclusive. */
export interface ByteRange {
  /** The first byte. */
  start: number;
  /** The byte after the last one. */
  end: number;
}

/** What a reader does about damage that it meets. */
export interface DamageHandler {
  /**
   * Makes the index of the sealed text again and returns its text; `reason` says what is wrong with the one there is.
   *
   * @throws {Error} If it cannot be made, since the gzip file is damaged as well.
   */
  mendIndex(reason: string): Promise<string>;
  /** Hears of damage that the reader did not suffer from, since the same text lies elsewhere too. */
  onMasked(file: string, what: string): void;
}

/** What all who read days share. */
export interface DayReading {
  /** Inflates and deflates blocks. */
  pool: ReadPool;
  /** The indexes of sealed days that were read lately. */
  indexes: IndexCache;
}

/**
 * A plain file: byte `i` of it is byte `from + i` of the day's text, of which it holds what stands from `start` to `end`. What it
 * has before `start` is sealed; see {@linkcode HotFiles.plainFrom}.
 */
export interface OpenPlain {
  /** The file. */
  bytes: Bytes;
  /** Where it would begin in the day's text. */
  from: number;
  /** Where the text begins that is read from it: where the sealed text ends. */
  start: number;
  /** Where it ends. */
  end: number;
}

/** See {@linkcode OpenDay}. What the day does not have is null. */
export interface OpenDayParts {
  /** Which day it is. */
  day: DayNumber;
  /** The totals of the sealed text. */
  seal: SealEntry | null;
  /** The sealed gzip file. */
  gz: Bytes | null;
  /** The index of {@linkcode OpenDayParts.gz}. */
  index: Bytes | null;
  /** The file that says where lines were inserted into the sealed text; null where none were, or where it is gone. */
  edits: Bytes | null;
  /** The plain file, where there is text in it that is not sealed. */
  plain: OpenPlain | null;
  /** The gzip blocks of the plain file that are made already. */
  part: { bytes: Bytes | null; index: DayIndex };
  /** What it shares with other days. */
  reading: DayReading;
  /** Told of what is wrong. */
  damage: DamageHandler;
}

/** A day, and what it is read from. */
export class OpenDay implements Disposable {
  readonly #parts: OpenDayParts;
  readonly #blocks: readonly BlockEntry[];
  #closed = false;

  /** Takes over what it is read from, which is disposed of with it. */
  constructor(parts: OpenDayParts) {
    this.#parts = parts;
    this.#blocks = [...parts.part.index.blocks];
  }

  /** Disposes of what it is read from; harmless when repeated. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    const { gz, index, edits, plain, part } = this.#parts;
    for (const bytes of [gz, index, edits, plain?.bytes, part.bytes]) bytes?.[Symbol.dispose]();
  }

  /**
   * The bytes of the day's text in `range`, in pieces. Blocks are inflated ahead of what the
   * reader takes, as many as there are threads and as `memory` has room for.
   *
   * @throws {Error} If a block is damaged or a file ends early.
   */
  async *text(range: ByteRange, memory: MemoryBudget): AsyncGenerator<Uint8Array> {
    const { seal, gz, plain, reading } = this.#parts;
    const sealedEnd = seal?.rawBytes ?? 0;
    if (gz !== null && range.start < sealedEnd) {
      const sealed = { start: range.start, end: Math.min(range.end, sealedEnd) };
      yield* sealedText(gz, await this.sealedBlocks(), sealed, { pool: reading.pool, memory });
    }
    if (plain !== null && range.end > sealedEnd) {
      yield* this.#plainText({ start: Math.max(range.start, plain.start), end: range.end });
    }
  }

  /**
   * The bytes that stand in `range` of what was recorded, in pieces: without those that were inserted since. What the plain file
   * still has comes from there, the rest from the sealed text, whatever was inserted between.
   *
   * @throws {Error} As {@linkcode text}, and if it has to be looked up where lines were inserted, and the file is damaged.
   */
  async *recordedText(range: ByteRange, memory: MemoryBudget): AsyncGenerator<Uint8Array> {
    const { seal, plain } = this.#parts;
    const shift = insertedBytes(seal);
    const recordedEnd = (seal?.rawBytes ?? 0) - shift;
    const plainFrom = plain === null ? recordedEnd : Math.min(plain.from - shift, recordedEnd);
    const sealed = { start: range.start, end: Math.min(range.end, plainFrom) };
    if (sealed.start < sealed.end) {
      for await (const piece of this.#recordedPieces(sealed)) yield* this.text(piece, memory);
    }
    const both = { start: Math.max(range.start, plainFrom), end: Math.min(range.end, recordedEnd) };
    if (plain !== null && both.start < both.end) {
      const at = both.start - (plain.from - shift);
      yield* bytesInPieces(plain.bytes, at, both.end - both.start, READ_BYTES);
    }
    const rest = { start: Math.max(range.start, recordedEnd) + shift, end: range.end + shift };
    if (rest.start < rest.end) yield* this.text(rest, memory);
  }

  /**
   * Where what was recorded in `range` stands in the sealed text, in pieces between which lines were inserted: found by halves, since
   * what stands as it was recorded is as long as it was.
   */
  async *#recordedPieces(range: ByteRange): AsyncGenerator<ByteRange> {
    const { day, edits: file, seal } = this.#parts;
    if (seal?.healed === undefined) return yield range;
    if (file === null) throw new Error(`Cannot read "${editsFile(day)}": it is gone`);
    const edits = new DayEdits(file, seal.healed.editsBytes);
    const { start, end } = range;
    const piece = {
      start: await edits.translate(start, 0, "start"),
      end: await edits.translate(end, 0, "end"),
    };
    if (piece.end - piece.start === end - start) return yield piece;
    const middle = Math.floor((start + end) / 2);
    yield* this.#recordedPieces({ start, end: middle });
    yield* this.#recordedPieces({ start: middle, end });
  }

  /**
   * The day as one gzip member, in pieces: what has its blocks from the disk, the rest deflated now. Header and trailer
   * are made, not read: they follow from the rest.
   *
   * @throws {Error} As {@linkcode gzipRange}.
   */
  async *gzip(): AsyncGenerator<Uint8Array> {
    const { seal, gz, part, plain, reading } = this.#parts;
    yield GZIP_HEADER;
    let rawEnd = seal?.rawBytes ?? 0;
    let crc32 = seal === null ? 0 : parseCrc32(seal.crc32);
    if (gz !== null && seal !== null) {
      yield* this.#sealedGzip({ start: 0, end: seal.gzBytes });
    }
    const { gzFrom } = part.index.header;
    for (const group of groupsOf(this.#blocks)) {
      const bytes = await part.bytes!.read(group.gzOffset - gzFrom, group.gzLength);
      for (const [block, piece] of piecesOf(group, bytes)) {
        yield await this.#isIntact(block, piece) ? piece : await this.#deflateAgain(block);
      }
      const last = group.blocks.at(-1)!;
      rawEnd = last.rawOffset + last.rawLength;
      crc32 = parseCrc32(last.totalCrc32);
    }
    if (plain !== null) {
      const rest = bytesInPieces(plain.bytes, rawEnd - plain.from, plain.end - rawEnd, DEFLATE_BYTES);
      for await (const text of rest) {
        crc32 = zlib.crc32(text, crc32);
        rawEnd += text.length;
        yield await reading.pool.run({ kind: "deflate", text });
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

  /** Which day it is. */
  get day(): DayNumber {
    return this.#parts.day;
  }

  /** The totals of the sealed text; null where none is sealed. */
  get seal(): SealEntry | null {
    return this.#parts.seal;
  }

  /**
   * The blocks of the sealed text, none if there is none.
   *
   * @throws {IndexDamage} If the index is damaged.
   */
  async sealedBlocks(): Promise<readonly BlockEntry[]> {
    const { index, day, seal, reading, damage } = this.#parts;
    if (seal === null || index === null) return [];
    const readText = async (): Promise<string> =>
      new TextDecoder().decode(await index.read(0, await index.size()));
    return await reading.indexes.get(day, seal, readText, ({ message }) => damage.mendIndex(message));
  }

  /** The blocks of the plain text that are made already; the text after them has none. */
  get plainBlocks(): readonly BlockEntry[] {
    return this.#blocks;
  }

  /** Which bytes of the day's text are plain; null for none. */
  get plainRange(): ByteRange | null {
    const { plain } = this.#parts;
    return plain && { start: plain.start, end: plain.end };
  }

  /** The deflated bytes of a sealed block. */
  async readBlock(block: BlockEntry): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#parts.gz!.read(block.gzOffset, block.gzLength);
  }

  /**
   * The plain text of a block that was made of it. Where the plain file has changed since, the block still has it:
   * its checksum was taken when it was made.
   *
   * @throws {Error} If both are damaged.
   */
  async readPlainBlock(block: BlockEntry): Promise<Uint8Array<ArrayBuffer>> {
    const { rawOffset, rawLength } = block;
    const range = { start: rawOffset, end: rawOffset + rawLength };
    const text = await this.readPlain(range).catch(() => null); // the block may have it all the same
    if (text !== null && isTextOf(text, block)) return text;
    const { plain, part, reading, damage } = this.#parts;
    const { name } = plain!.bytes;
    const what = `the text at ${rawOffset} is not that of the block made of it`;
    try {
      const bytes = await part.bytes!.read(block.gzOffset - part.index.header.gzFrom, block.gzLength);
      const text = await reading.pool.run({ kind: "inflate", bytes, block });
      damage.onMasked(name, `${what}; read from the block`);
      return text as Uint8Array<ArrayBuffer>;
    } catch (error) {
      throw new Error(`Cannot read "${name}": ${what}, and the block ${(error as Error).message}`);
    }
  }

  /** The plain text in `range` of the day. */
  async readPlain(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes, from } = this.#parts.plain!;
    return await bytes.read(range.start - from, range.end - range.start);
  }

  /** The plain text in `range`: what has its blocks is held against them. */
  async *#plainText(range: ByteRange): AsyncGenerator<Uint8Array> {
    const { bytes, from } = this.#parts.plain!;
    let at = range.start;
    for (const block of this.#blocks) {
      const end = block.rawOffset + block.rawLength;
      if (end <= at || block.rawOffset >= range.end) continue;
      const text = await this.readPlainBlock(block);
      yield text.subarray(at - block.rawOffset, range.end - block.rawOffset);
      at = Math.min(end, range.end);
    }
    yield* bytesInPieces(bytes, at - from, range.end - at, READ_BYTES);
  }

  /** The bytes of the blocks of the sealed gzip file that stand in `range`. */
  async *#sealedGzip(range: ByteRange): AsyncGenerator<Uint8Array> {
    const { gz } = this.#parts;
    const blocks = (await this.sealedBlocks()).filter(({ gzOffset, gzLength }) =>
      gzOffset < range.end && gzOffset + gzLength > range.start
    );
    for (const group of groupsOf(blocks)) {
      const offset = group.gzOffset;
      const bytes = await gz!.read(offset, group.gzLength);
      for (const [block, piece] of piecesOf(group, bytes)) {
        if (await this.#isIntact(block, piece)) continue;
        throw new Error(
          `Cannot read block at ${block.gzOffset} of "${
            gz!.name
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
      await this.#parts.reading.pool.run({ kind: "inflate", bytes: bytes.slice(), block });
      return true;
    } catch {
      return false;
    }
  }

  /** Deflates the text of a block anew whose own bytes are damaged. */
  async #deflateAgain(block: BlockEntry): Promise<Uint8Array> {
    const { day, reading, damage } = this.#parts;
    const text = await this.readPlainBlock(block);
    damage.onMasked(
      gzPartFile(day),
      `the block at ${block.gzOffset} is damaged; made again from the plain file`,
    );
    return await reading.pool.run({ kind: "deflate", text });
  }
}
