/**
 * Promises that an index read back is either the one that was written, block after block without a hole, or
 * an {@linkcode IndexDamage} that says up to where it is.
 *
 * @module
 */

import { dayName, type DayNumber } from "../../day.ts";
import { parseJson } from "../../json.ts";
import { type BlockPlace, formatCrc32, parseCrc32, placeAfter } from "./block.ts";
import { checkedLine, readCheckedLine } from "../checked_line.ts";
import {
  type BlockEntry,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  HEALED_INDEX_VERSION,
  type HealedEntry,
  INDEX_VERSION,
  indexFile,
  type IndexHeader,
  readBlockEntry,
  readIndexHeader,
  readIndexVersion,
  readSealEntry,
  type SealEntry,
  UNCHECKED_INDEX_VERSION,
} from "../format.ts";

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
  return checkedLine(entry) + "\n";
}

/**
 * The whole text of an index file, in the form of {@linkcode INDEX_VERSION}, or of {@linkcode HEALED_INDEX_VERSION} where lines
 * were inserted, whatever it was read from.
 */
export function indexText(index: DayIndex): string {
  const version = index.seal?.healed === undefined ? INDEX_VERSION : HEALED_INDEX_VERSION;
  const header: IndexHeader = { ...index.header, version };
  const entries = [header, ...index.blocks, ...(index.seal === null ? [] : [index.seal])];
  return entries.map(indexLine).join("");
}

/** Where the block after the last one of `index` stands. `totalBefore` is the CRC-32 of the text before it. */
export function nextPlace(index: DayIndex, totalBefore = 0): BlockPlace {
  const last = index.blocks.at(-1);
  if (last !== undefined) return placeAfter(last);
  const { rawFrom, gzFrom } = index.header;
  return { rawOffset: rawFrom, gzOffset: Math.max(gzFrom, GZIP_HEADER.length), totalCrc32: totalBefore };
}

/** The totals with which `blocks`, all blocks of a day, are sealed; `healed` tells what of their text was inserted. */
export function sealOf(blocks: readonly BlockEntry[], healed?: HealedEntry): SealEntry {
  const seal: SealEntry = {
    sealed: true,
    rawBytes: 0,
    gzBytes: GZIP_HEADER.length + GZIP_TRAILER_BYTES,
    lines: 0,
    first: null,
    last: null,
    untimed: 0,
    crc32: formatCrc32(0),
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
  if (healed !== undefined) seal.healed = healed;
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
  return finish(readIndex(text, day, false));
}

/**
 * Reads the text of the index of a sealed day. Opening the archive looks only at its ends, so damage in between
 * is found only when it is read.
 *
 * @throws {IndexDamage} As {@linkcode parseIndex}, and if there is no seal.
 */
export function parseSealedIndex(text: string, day: DayNumber): SealedIndex {
  return finish(readSealed(text, day, false));
}

/** The index of a day that is sealed. */
export type SealedIndex = DayIndex & { seal: SealEntry };

/**
 * As {@linkcode parseSealedIndex}, one line at each step, for a thread on which others want a turn. A line whose checksum
 * is right is what was written: its schema, which takes several times as long, is not asked.
 */
export function readSealedIndex(text: string, day: DayNumber): Generator<void, SealedIndex> {
  return readSealed(text, day, true);
}

function* readSealed(text: string, day: DayNumber, trustsChecks: boolean): Generator<void, SealedIndex> {
  try {
    const index = yield* readIndex(text, day, trustsChecks);
    if (index.seal === null) throw new IndexDamage("Cannot use the index: it has no seal", index, 0);
    return { ...index, seal: index.seal };
  } catch (error) {
    if (!(error instanceof IndexDamage) || error.unknownVersion) throw error;
    throw new IndexDamage(
      `Cannot use "${indexFile(day)}": ${error.message}`,
      error.intact,
      error.intactBytes,
    );
  }
}

function* readIndex(text: string, day: DayNumber, trustsChecks: boolean): Generator<void, DayIndex> {
  const lines = text.split("\n");
  const unfinished = lines.pop() ?? "";
  const header = parseHeader(lines[0], day);
  const index: DayIndex = { header, blocks: [], seal: null };
  const bytesBefore = (line: number): number => byteLength(lines.slice(0, line).join("\n")) + 1;
  for (let number = 1; number < lines.length; number++) {
    yield;
    const fault = addLine(index, lines[number]!, trustsChecks);
    if (fault === null) continue;
    throw new IndexDamage(`Cannot read line ${number + 1}: ${fault}`, index, bytesBefore(number));
  }
  if (unfinished !== "") {
    const fault = `Cannot read line ${lines.length + 1}: it has no end`;
    throw new IndexDamage(fault, index, bytesBefore(lines.length));
  }
  return index;
}

function finish<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Reads a header. From version 2 on its checksum must be right, also to believe that it is of a later one. */
function parseHeader(line: string | undefined, day: DayNumber): IndexHeader {
  const { json, check } = readCheckedLine(line ?? "");
  const value = parseJson(json);
  const header = readIndexHeader(value);
  if (header?.day === dayName(day) && isAsWritten(check, header.version)) return header;
  const version = readIndexVersion(value);
  if (version !== null && version > HEALED_INDEX_VERSION && check === "right") {
    throw new IndexDamage(
      `Cannot read an index of version ${version}: this program knows versions up to ${HEALED_INDEX_VERSION}`,
      null,
      0,
      true,
    );
  }
  const fault = check === "wrong" ? "its checksum is wrong" : `it is no index header of ${dayName(day)}`;
  throw new IndexDamage(`Cannot read line 1: ${fault}`, null, 0);
}

/** Whether a line has the checksum that its version asks for. */
function isAsWritten(check: "right" | "wrong" | "none", version: IndexHeader["version"]): boolean {
  return check === (version === UNCHECKED_INDEX_VERSION ? "none" : "right");
}

/** Adds what `line` says to `index`, or tells why it cannot stand there. */
function addLine(index: DayIndex, line: string, trustsChecks: boolean): string | null {
  if (index.seal !== null) return "there is more behind the seal";
  const { version } = index.header;
  const { json, check } = readCheckedLine(line);
  if (check === "wrong") return "its checksum is wrong";
  if (!isAsWritten(check, version)) return "it is no index entry";
  const value = parseJson(json);
  const place = nextPlace(index);
  const written = trustsChecks && check === "right" ? value as BlockEntry : null;
  if (written?.rawOffset === place.rawOffset && written.gzOffset === place.gzOffset) {
    index.blocks.push(written);
    return null;
  }
  const block = readBlockEntry(value, version);
  if (block !== null) {
    if (block.rawOffset !== place.rawOffset || block.gzOffset !== place.gzOffset) {
      return "it does not continue the block before it";
    }
    index.blocks.push(block);
    return null;
  }
  const seal = readSealEntry(value);
  if (seal === null) return "it is no index entry";
  if ((seal.healed !== undefined) !== (version === HEALED_INDEX_VERSION)) return "it is of another version";
  if (JSON.stringify(seal) !== JSON.stringify(sealOf(index.blocks, seal.healed))) {
    return "its totals are not those of the blocks";
  }
  index.seal = seal;
  return null;
}

/**
 * The entries of an index whose checksums are right, by where their blocks begin in the gzip file; none of an index
 * of version 1. Whatever else is in the text is passed over.
 */
export function intactEntries(text: string): Map<number, BlockEntry> {
  const entries = new Map<number, BlockEntry>();
  for (const line of text.split("\n")) {
    const { json, check } = readCheckedLine(line);
    const entry = check === "right" ? readBlockEntry(parseJson(json), INDEX_VERSION) : null;
    if (entry !== null) entries.set(entry.gzOffset, entry);
  }
  return entries;
}

/** The seal at the end of the text of an index, if its checksum is right; null for none, as in an index of version 1. */
export function intactSeal(text: string): SealEntry | null {
  const { json, check } = readCheckedLine(text.slice(text.lastIndexOf("\n", text.length - 2) + 1).trimEnd());
  return check === "right" ? readSealEntry(parseJson(json)) : null;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * Reads the seal from the two ends of an index file, without the blocks between. Returns null where they are not those
 * of a sealed index of `day`: then {@linkcode parseIndex} tells what is wrong.
 */
export function parseSeal(start: string, end: string, day: DayNumber): SealEntry | null {
  const version = ([INDEX_VERSION, HEALED_INDEX_VERSION, UNCHECKED_INDEX_VERSION] as const)
    .find((known) => start.startsWith(headerLine(day, known)));
  if (version === undefined || !end.endsWith("\n")) return null;
  const { json, check } = readCheckedLine(end.slice(end.lastIndexOf("\n", end.length - 2) + 1, -1));
  return isAsWritten(check, version) ? readSealEntry(parseJson(json)) : null;
}

/** The first line of the index of a sealed day in a version of the format, with its line feed. */
function headerLine(day: DayNumber, version: IndexHeader["version"]): string {
  const header: IndexHeader = { ...indexHeader(day, 0, 0), version };
  return (version === UNCHECKED_INDEX_VERSION ? JSON.stringify(header) : checkedLine(header)) + "\n";
}

/**
 * How many bytes of a sealed text were inserted after it was recorded: what was recorded ends so much earlier, and goes on there
 * in the plain file. With 1,000,000 bytes sealed of which 2,000 were inserted, the plain file that follows is `from-998000`.
 */
export function insertedBytes(seal: SealEntry | null): number {
  return seal?.healed?.bytes ?? 0;
}

/** The CRC-32 of the text that ends where `seal` was made. */
export function sealCrc32(seal: SealEntry | null): number {
  return seal === null ? 0 : parseCrc32(seal.crc32);
}
