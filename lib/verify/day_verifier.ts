/**
 * Promises to find whatever is wrong in the files of one day by reading all of them, and to change nothing.
 *
 * @module
 */

import zlib from "node:zlib";
import { basename, join } from "node:path";
import { dayName, type DayNumber } from "../day.ts";
import {
  cutBlock,
  formatCrc32,
  inflateBlock,
  inspectText,
  isIntactGzip,
  parseCrc32,
  sameBytes,
} from "../archive/blocks/block.ts";
import { readCheckedLine } from "../archive/checked_line.ts";
import {
  type DayIndex,
  IndexDamage,
  parseIndex,
  parseSealedIndex,
  type SealedIndex,
} from "../archive/blocks/day_index.ts";
import { readAt, readTextIfThere, sizeOf } from "../archive/disk.ts";
import {
  BLOCK_BYTES,
  type BlockEntry,
  editsFile,
  type FileKind,
  gzFile,
  GZIP_HEADER,
  gzPartFile,
  indexFile,
  indexPartFile,
  plainFile,
} from "../archive/format.ts";
import { areContained, blockPieces, plainPieces } from "../archive/repair/contained_lines.ts";
import { healedOf, rebuildIndex } from "../archive/repair/index_repair.ts";
import { editsFault } from "../archive/day/edits_check.ts";
import { verifyGzip } from "../archive/day/sealing.ts";

/** A day that was read. */
export interface VerifiedDay {
  /** `YYYY-MM-DD`. */
  day: string;
  /** How many lines it has. */
  lines: number;
  /** Length of the text in bytes. */
  bytes: number;
  /** How many of these bytes were inserted after the rest was recorded. */
  insertedBytes: number;
  /** Whether all of it is in the gzip file. */
  sealed: boolean;
  /** How many faults were found in its files. */
  faults: number;
}

/** A file of a day. */
export interface FoundFile {
  /** What its name means. */
  kind: FileKind;
  /** Its size. */
  bytes: number;
}

/** Reads one day. */
export class DayVerifier {
  readonly #directory: string;
  readonly #day: DayNumber;
  readonly #events: { onFault(fault: string): void; onProgress(bytes: number): void };
  #lines = 0;
  #bytes = 0;
  #insertedBytes = 0;
  #sealedBlocks: readonly BlockEntry[] = [];
  #faults = 0;
  #read = 0;

  /** Tells `events` of each fault, and after each piece how many bytes were read so far. */
  constructor(
    directory: string,
    day: DayNumber,
    events: { onFault(fault: string): void; onProgress(bytes: number): void },
  ) {
    this.#directory = directory;
    this.#day = day;
    this.#events = events;
  }

  /** Reads `files`, all that the day has. */
  run(files: readonly FoundFile[]): VerifiedDay {
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
      if (this.#isSealed(from)) continue;
      isSealed = false;
      this.#catching(plainFile(this.#day, from), () => this.#plain(from));
    }
    return {
      day: dayName(this.#day),
      lines: this.#lines,
      bytes: this.#bytes,
      insertedBytes: this.#insertedBytes,
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
    const path = this.#path(gzFile(this.#day));
    const index = this.#sealedIndex(path);
    if (index === null) return;
    const check = (block: BlockEntry, text: Uint8Array, number: number): void => {
      this.#progress(block.gzLength);
      const before = index.blocks[number - 1];
      this.#checkEntry(
        block,
        text,
        zlib.crc32(text, before === undefined ? 0 : parseCrc32(before.totalCrc32)),
      );
    };
    verifyGzip(path, index, check, ({ message }) => this.#report(message.replace(path, basename(path))));
    const { lines, rawBytes, healed } = index.seal;
    this.#lines += lines;
    this.#bytes += rawBytes;
    this.#sealedBlocks = index.blocks;
    if (healed === undefined) return;
    this.#insertedBytes = healed.bytes;
    const name = editsFile(this.#day);
    const fault = editsFault(this.#path(name), healed);
    if (fault !== null) this.#fault(name, fault);
  }

  /** The index of the sealed text; where it is damaged, one that is made of the gzip file. Null where that fails, too. */
  #sealedIndex(gzPath: string): SealedIndex | null {
    const name = indexFile(this.#day);
    const text = readTextIfThere(this.#path(name)) ?? "";
    try {
      return parseSealedIndex(text, this.#day);
    } catch (error) {
      if (!(error instanceof IndexDamage)) throw error;
      this.#fault(name, error.message.replace(`Cannot use "${name}": `, ""));
      if (error.unknownVersion) return null;
    }
    try {
      const editsPath = this.#path(editsFile(this.#day));
      return rebuildIndex(gzPath, this.#day, text, (blocks) => healedOf(blocks, text, editsPath));
    } catch (error) {
      this.#fault(gzFile(this.#day), (error as Error).message.replace(gzPath, basename(gzPath)));
      return null;
    }
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

  /**
   * Whether all of the plain file that begins at `from` is in the gzip file: of a day that still grows what was there when lines
   * were inserted, or what the next start removes.
   */
  #isSealed(from: number): boolean {
    const start = from + this.#insertedBytes;
    const size = sizeOf(this.#path(plainFile(this.#day, from))) ?? 0;
    return start < this.#bytes && start + size <= this.#bytes;
  }

  /**
   * Reads a plain file that begins at `from` of what was recorded. What is sealed of it was read already. Example: 1,000,000 bytes
   * are sealed, 2,000 of which were inserted, and the file begins at 0. Its first 998,000 bytes are sealed.
   */
  #plain(from: number): void {
    const name = plainFile(this.#day, from);
    const textFrom = from + this.#insertedBytes;
    if (textFrom > this.#bytes) {
      this.#fault(name, `the text before it ends at ${this.#bytes - this.#insertedBytes}`);
    }
    using file = Deno.openSync(this.#path(name), { read: true });
    const size = file.statSync().size;
    const restFrom = Math.max(0, this.#bytes - textFrom);
    let at = restFrom;
    if (restFrom > 0) this.#sealedStart(name, restFrom);
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
    this.#part(file, textFrom, textFrom + restFrom);
    this.#bytes = textFrom + at;
  }

  /** Makes sure that the first `length` bytes of a plain file are sealed as well, whatever was inserted between their lines. */
  #sealedStart(name: string, length: number): void {
    const gz = this.#path(gzFile(this.#day));
    if (areContained(plainPieces(this.#path(name), 0, length), blockPieces(gz, this.#sealedBlocks))) return;
    this.#fault(name, `its lines before byte ${length} are not those that are sealed`);
  }

  /**
   * Holds the blocks that were made of a plain file so far against that file. Its byte 0 is byte `textFrom` of the day's text, or
   * would be; the blocks begin at `restFrom` of the text.
   */
  #part(plain: Deno.FsFile, textFrom: number, restFrom: number): void {
    const text = readTextIfThere(this.#path(indexPartFile(this.#day)));
    if (text === null || sizeOf(this.#path(gzPartFile(this.#day))) === null) return;
    const index = this.#usablePart(text);
    if (index === null || index.header.rawFrom !== restFrom) return; // made again at the next start
    using part = Deno.openSync(this.#path(gzPartFile(this.#day)), { read: true });
    if (index.header.gzFrom === 0 && !sameBytes(readAt(part, 0, GZIP_HEADER.length), GZIP_HEADER)) {
      this.#fault(gzPartFile(this.#day), "it does not begin as a gzip member of this archive");
    }
    for (const [number, block] of index.blocks.entries()) {
      try {
        const bytes = readAt(part, block.gzOffset - index.header.gzFrom, block.gzLength);
        const isIntact = isIntactGzip(bytes, block) ?? true;
        if (!isIntact) throw new Error("its bytes are not those that were written");
        const text = inflateBlock(bytes, block);
        this.#progress(bytes.length);
        const crc32 = formatCrc32(zlib.crc32(readAt(plain, block.rawOffset - textFrom, block.rawLength)));
        if (crc32 !== block.crc32) {
          throw new Error(`checksum of the plain text is ${crc32}, index says ${block.crc32}`);
        }
        const before = index.blocks[number - 1];
        // The text before the first block of a reopened day is sealed, and its checksum is not known here.
        if (before !== undefined || restFrom === 0) {
          this.#checkEntry(
            block,
            text,
            zlib.crc32(text, before === undefined ? 0 : parseCrc32(before.totalCrc32)),
          );
        }
      } catch (error) {
        this.#report(
          `Cannot read block ${number} of "${gzPartFile(this.#day)}": ${(error as Error).message}`,
        );
      }
    }
  }

  /** The index of a part as far as it can be read. That its last line has no end is no fault: it may be being written. */
  #usablePart(text: string): DayIndex | null {
    try {
      return parseIndex(text, this.#day);
    } catch (error) {
      if (!(error instanceof IndexDamage)) throw error;
      const end = text.lastIndexOf("\n") + 1;
      const isWhole = readCheckedLine(text.slice(end, -1)).check === "right"; // but for its line feed
      const isBeingWritten = error.intact !== null && error.intactBytes === end && !isWhole;
      if (!isBeingWritten) this.#fault(indexPartFile(this.#day), error.message);
      return error.intact;
    }
  }
}
