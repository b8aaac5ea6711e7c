/**
 * Promises to find whatever is wrong in an archive by reading all of it, and to change nothing: the archive
 * may be a copy, or one that is being recorded into.
 *
 * @module
 */

import zlib from "node:zlib";
import { basename, join } from "node:path";
import { walk } from "@std/fs";
import { dayName, type DayNumber } from "../day.ts";
import type { Gap } from "../gap.ts";
import { cutBlock, formatCrc32, inflateBlock, inspectText, parseCrc32 } from "./block.ts";
import { type DayIndex, IndexDamage, parseIndex } from "./day_index.ts";
import { readAt, readTextIfThere, sizeOf } from "./disk.ts";
import {
  BLOCK_BYTES,
  type BlockEntry,
  type FileKind,
  gzFile,
  gzPartFile,
  indexFile,
  indexPartFile,
  parseFileName,
  plainFile,
} from "./format.ts";
import { readGaps } from "./gap_ledger.ts";
import { verifyGzip } from "./sealing.ts";

/** A day that was read. */
export interface VerifiedDay {
  /** `YYYY-MM-DD`. */
  day: string;
  /** How many lines it has. */
  lines: number;
  /** Length of the text in bytes. */
  bytes: number;
  /** Whether all of it is in the gzip file. */
  sealed: boolean;
  /** How many faults were found in its files. */
  faults: number;
}

/** Who hears of what {@linkcode verifyArchive} finds, while it reads. */
export interface VerifyEvents {
  /** A day was read. */
  onDay(day: VerifiedDay): void;
  /** A sentence with the file's name. */
  onFault(fault: string): void;
  /** How many bytes of files were read so far, and how many there are. */
  onProgress(doneBytes: number, totalBytes: number): void;
}

/** What was found in all. */
export interface VerifySummary {
  /** How many days there are. */
  days: number;
  /** How many lines they have. */
  lines: number;
  /** How many faults were found. */
  faults: number;
  /** The gaps that the ledger tells of. */
  gaps: Gap[];
}

/**
 * Reads every file of the archive in `directory`. Blocks while it works on a day.
 *
 * @throws {Error} If `directory` cannot be listed.
 */
export async function verifyArchive(directory: string, events: VerifyEvents): Promise<VerifySummary> {
  const days = await listFiles(directory);
  const total = [...days.values()].flat().reduce((sum, { bytes }) => sum + bytes, 0);
  const summary: VerifySummary = { days: 0, lines: 0, faults: 0, gaps: [] };
  let done = 0;
  for (const [day, files] of days) {
    const verified = new DayVerifier(directory, day, {
      ...events,
      onProgress: (bytes) => events.onProgress(done + bytes, total),
    }).run(files);
    done += files.reduce((sum, { bytes }) => sum + bytes, 0);
    summary.faults += verified.faults;
    if (files.every(({ kind }) => kind.kind === "torn")) continue;
    summary.days++;
    summary.lines += verified.lines;
    events.onDay(verified);
  }
  const { gaps, damagedLines, faults } = readGaps(directory);
  summary.faults += damagedLines;
  for (const fault of faults) events.onFault(fault);
  if (damagedLines > faults.length) {
    events.onFault(`Cannot read ${damagedLines - faults.length} more lines of the gap ledger`);
  }
  summary.gaps = gaps;
  return summary;
}

interface FoundFile {
  kind: FileKind;
  bytes: number;
}

async function listFiles(directory: string): Promise<Map<DayNumber, FoundFile[]>> {
  const days = new Map<DayNumber, FoundFile[]>();
  for await (const { name, path } of walk(directory, { maxDepth: 1, includeDirs: false })) {
    const kind = parseFileName(name);
    if (kind === null) continue;
    const files = days.get(kind.day) ?? [];
    files.push({ kind, bytes: sizeOf(path) ?? 0 });
    days.set(kind.day, files);
  }
  return new Map([...days].sort(([a], [b]) => a - b));
}

/** Reads one day. */
class DayVerifier {
  readonly #directory: string;
  readonly #day: DayNumber;
  readonly #events: { onFault(fault: string): void; onProgress(bytes: number): void };
  #lines = 0;
  #bytes = 0;
  #faults = 0;
  #read = 0;

  constructor(
    directory: string,
    day: DayNumber,
    events: { onFault(fault: string): void; onProgress(bytes: number): void },
  ) {
    this.#directory = directory;
    this.#day = day;
    this.#events = events;
  }

  run(files: FoundFile[]): VerifiedDay {
    const plains = files.flatMap(({ kind }) => kind.kind === "plain" ? [kind.from] : []).sort((a, b) =>
      a - b
    );
    const hasGz = files.some(({ kind }) => kind.kind === "gz");
    const hasIndex = files.some(({ kind }) => kind.kind === "index");
    let isSealed = hasGz && hasIndex;
    if (isSealed) this.#catching(gzFile(this.#day), () => this.#sealed());
    else if (hasGz && plains[0] !== 0) this.#fault(gzFile(this.#day), "its index is missing");
    else if (hasIndex && plains[0] !== 0) this.#fault(indexFile(this.#day), "its gzip file is missing");
    for (const from of plains) {
      if (from < this.#bytes) continue; // sealed already; the next start removes it
      isSealed = false;
      this.#catching(plainFile(this.#day, from), () => this.#plain(from));
    }
    return {
      day: dayName(this.#day),
      lines: this.#lines,
      bytes: this.#bytes,
      sealed: isSealed,
      faults: this.#faults,
    };
  }

  #path(file: string): string {
    return join(this.#directory, file);
  }

  #fault(file: string, what: string): void {
    this.#report(`Cannot verify "${file}": ${what}`);
  }

  #report(fault: string): void {
    this.#faults++;
    this.#events.onFault(fault);
  }

  #progress(bytes: number): void {
    this.#read += bytes;
    this.#events.onProgress(this.#read);
  }

  /** Does a step; that a file cannot be read at all is a fault like others. */
  #catching(file: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fault(file, (error as Error).message);
    }
  }

  #sealed(): void {
    const index = parseIndex(readTextIfThere(this.#path(indexFile(this.#day))) ?? "", this.#day);
    const check = (block: BlockEntry, text: Uint8Array, number: number): void => {
      this.#progress(block.gzLength);
      const before = index.blocks[number - 1];
      this.#checkEntry(
        block,
        text,
        zlib.crc32(text, before === undefined ? 0 : parseCrc32(before.totalCrc32)),
      );
    };
    const path = this.#path(gzFile(this.#day));
    verifyGzip(path, index, check, ({ message }) => this.#report(message.replace(path, basename(path))));
    this.#lines += index.seal?.lines ?? 0;
    this.#bytes += index.seal?.rawBytes ?? 0;
  }

  /** Holds an entry against its text. */
  #checkEntry(block: BlockEntry, text: Uint8Array, totalCrc32: number): void {
    const { summary, damagedLines } = inspectText(text);
    if (damagedLines > 0) throw new Error(`${damagedLines} of its lines are no records`);
    for (const [name, value] of Object.entries(summary)) {
      const said = JSON.stringify(block[name as keyof BlockEntry]);
      if (JSON.stringify(value) !== said) {
        throw new Error(`${name} is ${JSON.stringify(value)}, index says ${said}`);
      }
    }
    const total = formatCrc32(totalCrc32);
    if (total !== block.totalCrc32) {
      throw new Error(`total checksum is ${total}, index says ${block.totalCrc32}`);
    }
  }

  #plain(from: number): void {
    const name = plainFile(this.#day, from);
    if (from !== this.#bytes) this.#fault(name, `the text before it ends at ${this.#bytes}`);
    using file = Deno.openSync(this.#path(name), { read: true });
    const size = file.statSync().size;
    let at = 0;
    for (let length = BLOCK_BYTES; at < size;) {
      const text = readAt(file, at, Math.min(length, size - at));
      const end = cutBlock(text);
      if (end === 0 && at + text.length === size) break;
      length = end === 0 ? length * 2 : BLOCK_BYTES;
      const { summary, damagedLines } = inspectText(text.subarray(0, end));
      if (damagedLines > 0) this.#fault(name, `${damagedLines} lines from byte ${at} on are no records`);
      this.#lines += summary.lines;
      this.#progress(end);
      at += end;
    }
    // What is being written at this moment may end anywhere.
    const isGrowing = file.statSync().size > size;
    if (at < size && !isGrowing) this.#fault(name, `it ends with ${size - at} bytes that are no whole line`);
    this.#part(file, from);
    this.#bytes = from + at;
  }

  /** Holds the blocks that were made of a plain file so far against that file. */
  #part(plain: Deno.FsFile, from: number): void {
    const text = readTextIfThere(this.#path(indexPartFile(this.#day)));
    if (text === null || sizeOf(this.#path(gzPartFile(this.#day))) === null) return;
    const index = this.#usablePart(text);
    if (index === null || index.header.rawFrom !== from) return; // made again at the next start
    using part = Deno.openSync(this.#path(gzPartFile(this.#day)), { read: true });
    for (const [number, block] of index.blocks.entries()) {
      try {
        const bytes = readAt(part, block.gzOffset - index.header.gzFrom, block.gzLength);
        inflateBlock(bytes, block);
        this.#progress(bytes.length);
        const crc32 = formatCrc32(zlib.crc32(readAt(plain, block.rawOffset - from, block.rawLength)));
        if (crc32 !== block.crc32) {
          throw new Error(`checksum of the plain text is ${crc32}, index says ${block.crc32}`);
        }
      } catch (error) {
        this.#report(
          `Cannot read block ${number} of "${gzPartFile(this.#day)}": ${(error as Error).message}`,
        );
      }
    }
  }

  /** The index of a part as far as it is whole: its last line may be being written. */
  #usablePart(text: string): DayIndex | null {
    try {
      return parseIndex(text, this.#day);
    } catch (error) {
      if (error instanceof IndexDamage && !error.unknownVersion) return error.intact;
      throw error;
    }
  }
}
