/**
 * Promises that blocks stand in their files before the index tells of them, and that a sealed gzip file was
 * read back and held against the plain text, byte by byte, before anything takes its name. Runs in the
 * block worker; touches no file that a reader may have open, except by appending.
 *
 * @module
 */

import zlib from "node:zlib";
import type { BlockEntry, SealEntry } from "../format.ts";
import { BLOCK_BYTES, GZIP_HEADER, GZIP_TRAILER_BYTES, LINE_FEED } from "../format.ts";
import {
  type BlockPlace,
  countLines,
  cutBlock,
  formatCrc32,
  gzipTrailer,
  inflateBlock,
  isIntactGzip,
  isTextOf,
  makeBlock,
  parseCrc32,
  placeAfter,
  sameBytes,
} from "../blocks/block.ts";
import { type DayIndex, indexLine, indexText, sealOf } from "../blocks/day_index.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { copyBytes, readAt, writeAll } from "../disk.ts";

/** The files of a hot day, and where its plain file starts in the day's text. */
export interface HotFiles {
  /** The plain file. */
  plainPath: string;
  /**
   * Where the plain file would start in the day's text, in bytes, if nothing had been inserted into what is sealed: byte `i` of the
   * file is byte `plainFrom + i` of the text, from the end of the sealed text on. What the file has before that is sealed too.
   * Example: of a plain file that was begun with the day 998,000 bytes are sealed, and 2,000 were inserted among them. It has a
   * `plainFrom` of 2,000, since its byte 998,000 is byte 1,000,000 of the text.
   */
  plainFrom: number;
  /** The blocks made so far. */
  gzPartPath: string;
  /** The index of the blocks made so far. */
  indexPartPath: string;
  /** Where the part's first byte stands in the gzip file that the day will be sealed into. */
  gzFrom: number;
}

/** What {@linkcode makeBlocks} does next. */
export interface BlocksTask extends HotFiles {
  /** Tells the tasks of the block worker apart. */
  kind: "makeBlocks";
  /** Where the next block goes. */
  place: BlockPlace;
  /** The header line that a new index part begins with. */
  header: string;
  /** The text up to here is on the disk, in bytes from the day's start. */
  upTo: number;
  /** Also make the last block, which is not full. */
  final: boolean;
}

/** At most this many blocks are made in one task, so that a task can be waited for. */
export const BLOCKS_PER_TASK = 16;

/** Makes the blocks that are due and returns their entries; an empty list where none is. */
export function makeBlocks(task: BlocksTask): BlockEntry[] {
  using plain = Deno.openSync(task.plainPath, { read: true });
  using part = Deno.openSync(task.gzPartPath, { write: true, create: true });
  let place = task.place;
  const end = place.gzOffset - task.gzFrom;
  if (end > GZIP_HEADER.length && part.statSync().size < end) {
    throw new Error(`Cannot add blocks to "${task.gzPartPath}": it is shorter than the blocks in it`);
  }
  part.truncateSync(end);
  if (task.gzFrom === 0) writeAll(part, GZIP_HEADER);
  part.seekSync(end, Deno.SeekMode.Start);

  const entries: BlockEntry[] = [];
  while (entries.length < BLOCKS_PER_TASK) {
    const text = readBlockText(plain, task, place.rawOffset);
    if (text === null) break;
    const { bytes, entry } = makeBlock(text, place);
    writeAll(part, bytes);
    for (const spent of [text, bytes]) freeBuffer(spent);
    entries.push(entry);
    place = placeAfter(entry);
  }
  if (entries.length === 0) return entries;
  part.syncDataSync();
  appendToIndex(task, entries);
  return entries;
}

/** The text of the next block, or null where too little of it is there. */
function readBlockText(plain: Deno.FsFile, task: BlocksTask, rawOffset: number): Uint8Array | null {
  const left = task.upTo - rawOffset;
  if (left === 0 || (left < BLOCK_BYTES && !task.final)) return null;
  for (let length = Math.min(left, BLOCK_BYTES);; length = Math.min(left, length * 2)) {
    const text = readAt(plain, rawOffset - task.plainFrom, length);
    if (text.length < length) {
      throw new Error(`Cannot read block at ${rawOffset} of "${task.plainPath}": the file ends early`);
    }
    const end = cutBlock(text);
    if (end > 0) return text.subarray(0, end);
    freeBuffer(text);
    if (length === left) return null;
  }
}

/** Adds entries after the last whole line: an append that a full disk cut off left the start of one. */
function appendToIndex(task: BlocksTask, entries: BlockEntry[]): void {
  using file = Deno.openSync(task.indexPartPath, { read: true, write: true, create: true });
  const text = readAt(file, 0, file.statSync().size);
  const end = text.lastIndexOf(LINE_FEED) + 1;
  file.truncateSync(end);
  file.seekSync(end, Deno.SeekMode.Start);
  const header = end === 0 ? task.header : "";
  writeAll(file, new TextEncoder().encode(header + entries.map(indexLine).join("")));
}

/** What {@linkcode prepareSeal} does. `before` is what is sealed already, for a day that was reopened. */
export interface SealTask extends HotFiles {
  /** Tells the tasks of the block worker apart. */
  kind: "prepareSeal";
  /** The index of the part, all of the plain file in it. */
  index: DayIndex;
  /** What is sealed already; null for a day that is sealed the first time. */
  before: { gzPath: string; index: DayIndex } | null;
  /** Where the whole gzip file is put together; the part itself for a day that is sealed the first time. */
  gzTargetPath: string;
  /** Where the whole index is written. */
  indexTargetPath: string;
}

/**
 * Puts the sealed gzip file and its index together under their temporary names, syncs and verifies them.
 * All that is left is to rename them: index first, then gzip file.
 *
 * `onPlainFault` hears of a plain file that is not the text of its blocks any more. The blocks were held against
 * their checksums by then, so it is the plain file that has changed since they were made of it.
 *
 * @throws {Error} If what was written does not read back as what the blocks were made of; and whatever
 * `onPlainFault` throws, without it the fault.
 */
export function prepareSeal(
  task: SealTask,
  onPlainFault: (fault: Error) => void = throwFault,
): SealEntry {
  const blocks = [...(task.before?.index.blocks ?? []), ...task.index.blocks];
  const seal = sealOf(blocks, task.before?.index.seal?.healed);
  const dataEnd = seal.gzBytes - GZIP_TRAILER_BYTES;
  {
    using target = Deno.openSync(task.gzTargetPath, { write: true, create: true });
    if (task.before !== null) {
      using sealed = Deno.openSync(task.before.gzPath, { read: true });
      copyBytes(sealed, target, task.gzFrom);
      if (dataEnd > task.gzFrom) {
        using part = Deno.openSync(task.gzPartPath, { read: true });
        copyBytes(part, target, dataEnd - task.gzFrom);
      }
    } else if (blocks.length === 0) {
      writeAll(target, GZIP_HEADER);
    }
    target.truncateSync(dataEnd);
    target.seekSync(dataEnd, Deno.SeekMode.Start);
    writeAll(target, gzipTrailer(parseCrc32(seal.crc32), seal.rawBytes));
    target.syncSync();
  }
  const index: DayIndex = { header: { ...task.index.header, rawFrom: 0, gzFrom: 0 }, blocks, seal };
  // What was taken over from an index of version 1 gets the checksum that it lacks.
  verifyGzip(task.gzTargetPath, index, (block, _text, number, bytes) => {
    if (block.gzCrc32 === null) blocks[number] = { ...block, gzCrc32: formatCrc32(zlib.crc32(bytes)) };
  });
  try {
    verifyPlain(task, task.index.blocks);
  } catch (error) {
    onPlainFault(error as Error);
  }
  using file = Deno.openSync(task.indexTargetPath, { write: true, create: true, truncate: true });
  writeAll(file, new TextEncoder().encode(indexText(index)));
  file.syncSync();
  return seal;
}

/**
 * Reads a sealed gzip file from its first byte to its last and holds it against its index: header, every
 * block's length and checksum, lines, trailer. `onBlock` hears of each block that was right, `onFault` of each
 * thing that is wrong, with the file's name and the block's number.
 *
 * @throws {Error} Whatever `onFault` throws; without it, the first fault.
 */
export function verifyGzip(
  path: string,
  index: DayIndex,
  onBlock: (block: BlockEntry, text: Uint8Array, number: number, bytes: Uint8Array) => void = () => {},
  onFault: (fault: Error) => void = throwFault,
): void {
  readBack(path, index, onFault, (block, bytes, number) => {
    const text = inflateBlock(bytes, block);
    if (isIntactGzip(bytes, block) === false) throw new Error("its bytes are not those that were written");
    const lines = countLines(text);
    if (lines !== block.lines) throw new Error(`it has ${lines} lines, index says ${block.lines}`);
    onBlock(block, text, number, bytes);
  });
}

/**
 * As {@linkcode verifyGzip}, for a file of which most blocks were copied and checked meanwhile: only the blocks with the numbers
 * in `made` are inflated, of the others it is enough that their bytes are still the same. Its index has all checksums.
 *
 * @throws {Error} The first fault.
 */
export function verifyCopy(path: string, index: DayIndex, made: ReadonlySet<number>): void {
  readBack(path, index, throwFault, (block, bytes, number) => {
    if (isIntactGzip(bytes, block) !== true) throw new Error("its bytes are not those that were written");
    if (made.has(number)) {
      const text = inflateBlock(bytes, block);
      const lines = countLines(text);
      if (lines !== block.lines) throw new Error(`it has ${lines} lines, index says ${block.lines}`);
      freeBuffer(text);
    }
    freeBuffer(bytes);
  });
}

/** Reads a gzip file and holds it against its index; `check` throws where a block is not what the index says. */
function readBack(
  path: string,
  index: DayIndex,
  onFault: (fault: Error) => void,
  check: (block: BlockEntry, bytes: Uint8Array<ArrayBuffer>, number: number) => void,
): void {
  const seal = index.seal;
  if (seal === null) return onFault(new Error(`Cannot verify "${path}": its index has no seal`));
  using file = Deno.openSync(path, { read: true });
  const size = file.statSync().size;
  if (size !== seal.gzBytes) {
    onFault(new Error(`Cannot verify "${path}": size is ${size}, index says ${seal.gzBytes}`));
  }
  if (!sameBytes(readAt(file, 0, GZIP_HEADER.length), GZIP_HEADER)) {
    onFault(new Error(`Cannot verify "${path}": it does not begin as a gzip member of this archive`));
  }
  for (const [number, block] of index.blocks.entries()) {
    try {
      check(block, readAt(file, block.gzOffset, block.gzLength), number);
    } catch (error) {
      onFault(new Error(`Cannot read block ${number} of "${path}": ${(error as Error).message}`));
    }
  }
  const trailer = readAt(file, size - GZIP_TRAILER_BYTES, GZIP_TRAILER_BYTES);
  if (!sameBytes(trailer, gzipTrailer(parseCrc32(seal.crc32), seal.rawBytes))) {
    onFault(new Error(`Cannot verify "${path}": its trailer is not the one that the index asks for`));
  }
}

function throwFault(fault: Error): never {
  throw fault;
}

/**
 * Holds the blocks that were made of a plain file against that file, by length and checksum. The file may
 * be longer than the blocks: lines that came after them have none yet.
 */
export function verifyPlain(
  plain: Pick<HotFiles, "plainPath" | "plainFrom">,
  blocks: readonly BlockEntry[],
): void {
  using file = Deno.openSync(plain.plainPath, { read: true });
  for (const block of blocks) {
    const text = readAt(file, block.rawOffset - plain.plainFrom, block.rawLength);
    if (!isTextOf(text, block)) {
      throw new Error(
        `Cannot verify "${plain.plainPath}": the text at ${block.rawOffset} is not that of the block made of it`,
      );
    }
  }
}
