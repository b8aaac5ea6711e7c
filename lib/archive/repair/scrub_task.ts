/**
 * Promises to read back a part of a day and to put right what has changed in it since it was written, as far as the same
 * text lies elsewhere: header, trailer and index of a gzip file follow from its blocks, and a hot day has its text twice.
 * Runs in the block worker.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import {
  deflateBlock,
  gzipTrailer,
  inflateBlock,
  isIntactGzip,
  isTextOf,
  parseCrc32,
  sameBytes,
} from "../blocks/block.ts";
import { type DayIndex, IndexDamage, indexText, parseSealedIndex } from "../blocks/day_index.ts";
import { readAt, readTextIfThere, writeAll, writeFileWhole } from "../disk.ts";
import {
  type BlockEntry,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  type SealEntry,
  UNCHECKED_INDEX_VERSION,
} from "../format.ts";
import { editsFault } from "../day/edits_check.ts";
import { rebuildIndex } from "./index_repair.ts";
import type { HotFiles } from "../day/sealing.ts";

/** So much is read in one task at least, in bytes of files, unless the day ends before; then others have their turn. */
const SLICE_BYTES = 16 * 1024 * 1024;

/** At most so many entries of a hot day are handed over with one task; it has more bytes than one reads. */
export const SCRUB_BLOCKS = 64;

/** Reads back blocks of a sealed text, from the one with the number `from` on. */
export interface ScrubSealedTask {
  /** Tells the tasks of the block worker apart. */
  kind: "scrubSealed";
  /** Which day it is. */
  day: DayNumber;
  /** The gzip file. */
  gzPath: string;
  /** Its index. */
  indexPath: string;
  /** Where lines were inserted; looked at only where the seal says that some were. */
  editsPath: string;
  /** The totals that were sealed. */
  seal: SealEntry;
  /** Counted from 0. */
  from: number;
}

/** Holds blocks of a hot text against the plain file that they were made of. */
export interface ScrubHotTask extends HotFiles {
  /** Tells the tasks of the block worker apart. */
  kind: "scrubHot";
  /** The blocks from the first one that is wanted on. */
  blocks: readonly BlockEntry[];
  /** The number of the first of them. */
  from: number;
}

/** What reading back has found. */
export interface ScrubResult {
  /** The block to go on with; null at the end. */
  next: number | null;
  /** What was put right, in words that follow a file's name. */
  mended: string[];
  /** What could not be. */
  damaged: string[];
}

/**
 * Does a task for a sealed text.
 *
 * @throws {Error} If the files cannot be read at all.
 */
export function scrubSealed(task: ScrubSealedTask): ScrubResult {
  const { day, gzPath, indexPath, editsPath, seal, from } = task;
  const result: ScrubResult = { next: null, mended: [], damaged: [] };
  if (from === 0 && seal.healed !== undefined) {
    const fault = editsFault(editsPath, seal.healed);
    if (fault !== null) result.damaged.push(`where lines were inserted is not known: ${fault}`);
  }
  const index = from === 0 ? checkedIndex(day, gzPath, indexPath, seal, result) : readIndex(day, indexPath);
  if (index === null) return result;
  using gz = Deno.openSync(gzPath, { read: true });
  if (from === 0) mendFrame(gz, gzPath, seal, result);
  let bytesRead = 0;
  for (let number = from; number < index.blocks.length; number++) {
    if (bytesRead >= SLICE_BYTES) return { ...result, next: number };
    const block = index.blocks[number]!;
    const bytes = readAt(gz, block.gzOffset, block.gzLength);
    bytesRead += bytes.length;
    if (!holds(block, bytes)) {
      result.damaged.push(`block ${number} at ${block.gzOffset} is not what was written`);
    }
  }
  return result;
}

/** The index; a damaged one is made again, and one of before lines had checksums gets them. Null where neither can be. */
function checkedIndex(
  day: DayNumber,
  gzPath: string,
  indexPath: string,
  seal: SealEntry,
  result: ScrubResult,
): DayIndex | null {
  const text = readTextIfThere(indexPath) ?? "";
  let old: DayIndex | null = null;
  let reason = "";
  try {
    old = parseSealedIndex(text, day);
    if (old.header.version !== UNCHECKED_INDEX_VERSION) return old;
  } catch (error) {
    if (!(error instanceof IndexDamage)) throw error;
    reason = error.message;
  }
  try {
    const index = rebuildIndex(gzPath, day, text, () => seal.healed);
    if (JSON.stringify(index.seal) !== JSON.stringify(seal)) {
      throw new Error("its totals are not those that were sealed");
    }
    writeFileWhole(indexPath, indexText(index));
    if (old === null) result.mended.push(`index made again from the gzip file: ${reason}`);
    else if (!sameEntries(old, index)) {
      result.mended.push("index made again: it was not that of the gzip file");
    }
    return index;
  } catch (error) {
    if (old !== null) return old; // its blocks are looked at one by one
    result.damaged.push(`${reason}; it cannot be made again either: ${(error as Error).message}`);
    return null;
  }
}

function readIndex(day: DayNumber, indexPath: string): DayIndex {
  return parseSealedIndex(Deno.readTextFileSync(indexPath), day);
}

function sameEntries(old: DayIndex, index: DayIndex): boolean {
  const entries = index.blocks.map((block) => ({ ...block, gzCrc32: null }));
  return JSON.stringify(old.blocks) === JSON.stringify(entries);
}

/** Writes header and trailer anew where they have changed: no reader takes them from the file meanwhile. */
function mendFrame(gz: Deno.FsFile, gzPath: string, seal: SealEntry, result: ScrubResult): void {
  const trailerAt = seal.gzBytes - GZIP_TRAILER_BYTES;
  for (
    const [what, at, wanted] of [
      ["header", 0, GZIP_HEADER],
      ["trailer", trailerAt, gzipTrailer(parseCrc32(seal.crc32), seal.rawBytes)],
    ] as const
  ) {
    if (sameBytes(readAt(gz, at, wanted.length), wanted)) continue;
    writeInPlace(gzPath, at, wanted);
    result.mended.push(`${what} of the gzip file written anew`);
  }
}

/** Does a task for a hot text. */
export function scrubHot(task: ScrubHotTask): ScrubResult {
  const result: ScrubResult = { next: null, mended: [], damaged: [] };
  using plain = Deno.openSync(task.plainPath, { read: true });
  using part = Deno.openSync(task.gzPartPath, { read: true });
  let bytesRead = 0;
  for (const [number, block] of task.blocks.entries()) {
    if (bytesRead >= SLICE_BYTES) return { ...result, next: task.from + number };
    const textAt = block.rawOffset - task.plainFrom;
    const bytesAt = block.gzOffset - task.gzFrom;
    const text = readAt(plain, textAt, block.rawLength);
    const bytes = readAt(part, bytesAt, block.gzLength);
    bytesRead += text.length + bytes.length;
    const isTextRight = isTextOf(text, block);
    const isBlockRight = holds(block, bytes);
    const place = `the text at ${block.rawOffset}`;
    if (isTextRight && isBlockRight) continue;
    if (isBlockRight) {
      writeInPlace(task.plainPath, textAt, inflateBlock(bytes, block));
      result.mended.push(`${place} put back from its block`);
    } else if (isTextRight && sameLength(deflateBlock(text), block)) {
      writeInPlace(task.gzPartPath, bytesAt, deflateBlock(text));
      result.mended.push(`the block of ${place} made again`);
    } else if (isTextRight) {
      result.damaged.push(`the block of ${place} is not what was written; the plain file has it`);
    } else {
      result.damaged.push(`${place} is not what was written, nor is its block`);
    }
  }
  const isMore = task.blocks.length === SCRUB_BLOCKS;
  return isMore ? { ...result, next: task.from + SCRUB_BLOCKS } : result;
}

function sameLength(bytes: Uint8Array, block: BlockEntry): boolean {
  return isIntactGzip(bytes, block) ?? bytes.length === block.gzLength;
}

/** Whether a block is what its entry says, by the checksum of its bytes or, where there is none, of its text. */
function holds(block: BlockEntry, bytes: Uint8Array): boolean {
  const isIntact = isIntactGzip(bytes, block);
  if (isIntact !== null) return isIntact;
  try {
    inflateBlock(bytes, block);
    return true;
  } catch {
    return false;
  }
}

function writeInPlace(path: string, at: number, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(at, Deno.SeekMode.Start);
  writeAll(file, bytes);
  file.syncDataSync();
}
