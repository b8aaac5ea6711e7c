/**
 * Promises to go through a day piece by piece, either way, and to read of it only what may hold a line that is
 * wanted.
 *
 * @module
 */

import type { Filter } from "../../filter/filter.ts";
import { BLOCK_BYTES, type BlockEntry, LINE_FEED } from "../format.ts";
import type { ByteRange, OpenDay } from "../day/open_day.ts";

/** A piece of a day's text, read and not looked at yet. */
export interface DayPiece {
  /** Where the text begins in the day, in bytes. */
  offset: number;
  /** The part of the text that counts, in bytes from its start. */
  range: ByteRange;
  /** The text, or the block that holds it. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The block's entry; null where `bytes` are the text. */
  block: BlockEntry | null;
}

/** Reads `range` of the day from its start on. A block that `filter` rules out is not read. */
export async function* forwardPieces(
  day: OpenDay,
  range: ByteRange,
  filter: Filter,
): AsyncGenerator<DayPiece, void> {
  const sealed = await day.sealedBlocks();
  for (let at = firstTouching(sealed, range.start); at < sealed.length; at++) {
    const block = sealed[at]!;
    if (block.rawOffset >= range.end) return;
    if (filter.mayMatchBlock(block)) yield await blockPiece(day, block, range);
  }
  if (day.plainRange === null) return;
  const blocks = day.plainBlocks;
  for (let at = firstTouching(blocks, range.start); at < blocks.length; at++) {
    const block = blocks[at]!;
    if (block.rawOffset >= range.end) return;
    if (filter.mayMatchBlock(block)) yield await plainPiece(day, block, range);
  }
  const rest = restOf(day, day.plainRange, range);
  let length = BLOCK_BYTES;
  for (let at = rest.start; at < rest.end;) {
    const bytes = await day.readPlain({ start: at, end: Math.min(at + length, rest.end) });
    const cut = at + bytes.length === rest.end ? bytes.length : bytes.lastIndexOf(LINE_FEED) + 1;
    if (cut === 0) {
      length *= 2;
      continue;
    }
    yield { offset: at, range: { start: Math.max(0, range.start - at), end: cut }, bytes, block: null };
    at += cut;
    length = BLOCK_BYTES;
  }
}

/** As {@linkcode forwardPieces}, from the end of `range` back. Within a piece lines stand in their order. */
export async function* backwardPieces(
  day: OpenDay,
  range: ByteRange,
  filter: Filter,
): AsyncGenerator<DayPiece, void> {
  if (day.plainRange !== null) {
    const rest = restOf(day, day.plainRange, range);
    let length = BLOCK_BYTES;
    for (let end = rest.end; end > rest.start;) {
      const at = Math.max(rest.start, end - length);
      const bytes = await day.readPlain({ start: at, end });
      const cut = at === rest.start ? 0 : bytes.indexOf(LINE_FEED) + 1;
      if (cut === bytes.length || (cut === 0 && at !== rest.start)) {
        length *= 2;
        continue;
      }
      const start = Math.max(cut, range.start - at);
      yield { offset: at, range: { start, end: bytes.length }, bytes, block: null };
      end = at + cut;
      length = BLOCK_BYTES;
    }
    for (const block of [...day.plainBlocks].reverse()) {
      if (block.rawOffset + block.rawLength <= range.start) return;
      if (block.rawOffset < range.end && filter.mayMatchBlock(block)) {
        yield await plainPiece(day, block, range);
      }
    }
  }
  const sealed = await day.sealedBlocks();
  for (let at = sealed.length - 1; at >= 0; at--) {
    const block = sealed[at]!;
    if (block.rawOffset + block.rawLength <= range.start) return;
    if (block.rawOffset < range.end && filter.mayMatchBlock(block)) yield await blockPiece(day, block, range);
  }
}

/** The place in `blocks` of the first one that does not end before `offset`. */
function firstTouching(blocks: readonly BlockEntry[], offset: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { rawOffset, rawLength } = blocks[middle]!;
    if (rawOffset + rawLength <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The text after the blocks, as far as it is asked for. It begins with the byte before `range`, which tells
 * whether a line starts there.
 */
function restOf(day: OpenDay, plain: ByteRange, range: ByteRange): ByteRange {
  const last = day.plainBlocks.at(-1);
  const start = last === undefined ? plain.start : last.rawOffset + last.rawLength;
  return { start: Math.max(start, range.start - 1), end: Math.min(plain.end, range.end) };
}

function rangeWithin(block: BlockEntry, range: ByteRange): ByteRange {
  return {
    start: Math.max(0, range.start - block.rawOffset),
    end: Math.min(block.rawLength, range.end - block.rawOffset),
  };
}

async function blockPiece(day: OpenDay, block: BlockEntry, range: ByteRange): Promise<DayPiece> {
  const bytes = await day.readBlock(block);
  return { offset: block.rawOffset, range: rangeWithin(block, range), bytes, block };
}

async function plainPiece(day: OpenDay, block: BlockEntry, range: ByteRange): Promise<DayPiece> {
  const bytes = await day.readPlainBlock(block);
  return { offset: block.rawOffset, range: rangeWithin(block, range), bytes, block: null };
}
