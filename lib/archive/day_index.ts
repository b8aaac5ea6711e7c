/**
 * Promises that an index read back is either the one that was written, block after block without a hole, or
 * an {@linkcode IndexDamage} that says up to where it is.
 *
 * @module
 */

import { dayName, type DayNumber } from "../day.ts";
import { type BlockPlace, parseCrc32, placeAfter } from "./block.ts";
import {
  type BlockEntry,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  INDEX_VERSION,
  indexFile,
  type IndexHeader,
  readBlockEntry,
  readIndexHeader,
  readIndexVersion,
  readSealEntry,
  type SealEntry,
} from "./format.ts";

/** An index in memory. `seal` is null while blocks are still added. */
export interface DayIndex {
  /** The first line: version, day, and where the blocks start. */
  header: IndexHeader;
  /** The blocks, each beginning where the one before ends. */
  blocks: BlockEntry[];
  /** The totals; null while blocks are still added. */
  seal: SealEntry | null;
}

/** Why an index, or its end, cannot be used. `intact` is what stands before the damage; null for nothing. */
export class IndexDamage extends Error {
  /** The name of the class. */
  override name = "IndexDamage";

  /** `message` says where the damage is and what it is. */
  constructor(
    message: string,
    readonly intact: DayIndex | null,
    /** Length in bytes of the part of the index file that `intact` was read from. */
    readonly intactBytes: number,
    /** Set where the index was written by a version of the program that this one does not know. */
    readonly unknownVersion: boolean = false,
  ) {
    super(message);
  }
}

/** The header of an index whose blocks start at `rawFrom` of the day's text and `gzFrom` of its gzip file. */
export function indexHeader(day: DayNumber, rawFrom: number, gzFrom: number): IndexHeader {
  return { flightlog: "index", version: INDEX_VERSION, day: dayName(day), rawFrom, gzFrom };
}

/** One line of an index file, with its newline. */
export function indexLine(entry: IndexHeader | BlockEntry | SealEntry): string {
  return JSON.stringify(entry) + "\n";
}

/** The whole text of an index file. */
export function indexText(index: DayIndex): string {
  const entries = [index.header, ...index.blocks, ...(index.seal === null ? [] : [index.seal])];
  return entries.map(indexLine).join("");
}

/** Where the block after the last one of `index` stands. `totalBefore` is the CRC-32 of the text before it. */
export function nextPlace(index: DayIndex, totalBefore = 0): BlockPlace {
  const last = index.blocks.at(-1);
  if (last !== undefined) return placeAfter(last);
  const { rawFrom, gzFrom } = index.header;
  return { rawOffset: rawFrom, gzOffset: Math.max(gzFrom, GZIP_HEADER.length), totalCrc32: totalBefore };
}

/** The totals with which `blocks`, all blocks of a day, are sealed. */
export function sealOf(blocks: readonly BlockEntry[]): SealEntry {
  const seal: SealEntry = {
    sealed: true,
    rawBytes: 0,
    gzBytes: GZIP_HEADER.length + GZIP_TRAILER_BYTES,
    lines: 0,
    first: null,
    last: null,
    untimed: 0,
    crc32: "00000000",
  };
  for (const block of blocks) {
    seal.rawBytes += block.rawLength;
    seal.gzBytes += block.gzLength;
    seal.lines += block.lines;
    seal.untimed += block.untimed;
    seal.crc32 = block.totalCrc32;
    seal.first = earlier(seal.first, block.first);
    seal.last = later(seal.last, block.last);
  }
  return seal;
}

/** The earlier of two timestamps in the fixed-width form of an index; null counts as none. */
export function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** The later of two timestamps in the fixed-width form of an index; null counts as none. */
export function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

/**
 * Reads an index file's text.
 *
 * @throws {IndexDamage} At the first line that is not what could stand there. An unfinished last line is
 * damage as well.
 */
export function parseIndex(text: string, day: DayNumber): DayIndex {
  const lines = text.split("\n");
  const unfinished = lines.pop() ?? "";
  const header = parseHeader(lines[0], day);
  const index: DayIndex = { header, blocks: [], seal: null };
  let bytes = byteLength(lines[0] ?? "") + 1;
  for (const [number, line] of lines.entries()) {
    if (number === 0) continue;
    const fault = addLine(index, line);
    if (fault !== null) throw new IndexDamage(`Cannot read line ${number + 1}: ${fault}`, index, bytes);
    bytes += byteLength(line) + 1;
  }
  if (unfinished !== "") {
    throw new IndexDamage(`Cannot read line ${lines.length + 1}: it has no end`, index, bytes);
  }
  return index;
}

/**
 * Reads the text of the index of a sealed day. Opening the archive looks only at its ends, so damage in between
 * is met by whoever reads, and the error says how to mend it.
 *
 * @throws {IndexDamage} As {@linkcode parseIndex}, and if there is no seal.
 */
export function parseSealedIndex(text: string, day: DayNumber): DayIndex & { seal: SealEntry } {
  try {
    const index = parseIndex(text, day);
    if (index.seal === null) throw new IndexDamage("Cannot use the index: it has no seal", index, 0);
    return { ...index, seal: index.seal };
  } catch (error) {
    if (!(error instanceof IndexDamage) || error.unknownVersion) throw error;
    const advice = "remove it and restart, and it is made again from the gzip file";
    throw new IndexDamage(
      `Cannot use "${indexFile(day)}": ${error.message}; ${advice}`,
      error.intact,
      error.intactBytes,
    );
  }
}

function parseHeader(line: string | undefined, day: DayNumber): IndexHeader {
  const value = parseJson(line ?? "");
  const header = readIndexHeader(value);
  if (header?.day === dayName(day)) return header;
  const version = readIndexVersion(value);
  if (version !== null && version !== INDEX_VERSION) {
    throw new IndexDamage(
      `Cannot read an index of version ${version}: this program knows version ${INDEX_VERSION}`,
      null,
      0,
      true,
    );
  }
  throw new IndexDamage(`Cannot read line 1: it is no index header of ${dayName(day)}`, null, 0);
}

/** Adds what `line` says to `index`, or tells why it cannot stand there. */
function addLine(index: DayIndex, line: string): string | null {
  if (index.seal !== null) return "there is more behind the seal";
  const value = parseJson(line);
  const block = readBlockEntry(value);
  if (block !== null) {
    const place = nextPlace(index);
    if (block.rawOffset !== place.rawOffset || block.gzOffset !== place.gzOffset) {
      return "it does not continue the block before it";
    }
    index.blocks.push(block);
    return null;
  }
  const seal = readSealEntry(value);
  if (seal === null) return "it is no index entry";
  if (JSON.stringify(seal) !== JSON.stringify(sealOf(index.blocks))) {
    return "its totals are not those of the blocks";
  }
  index.seal = seal;
  return null;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * Reads the seal from the last bytes of an index file, without the blocks. Gives null where they are not a
 * seal: then {@linkcode parseIndex} tells what is wrong.
 */
export function parseSeal(tail: string): SealEntry | null {
  if (!tail.endsWith("\n")) return null;
  const line = tail.slice(tail.lastIndexOf("\n", tail.length - 2) + 1, -1);
  return readSealEntry(parseJson(line));
}

/** The CRC-32 of the text that ends where `seal` was made. */
export function sealCrc32(seal: SealEntry | null): number {
  return seal === null ? 0 : parseCrc32(seal.crc32);
}
