/**
 * Promises the files of a sealed day without a recorder: the same bytes as if it had sealed them, as fast as its blocks can be made.
 *
 * @module
 */

import { join } from "node:path";
import { type BlockPlace, gzipTrailer, makeBlock, placeAfter } from "../../lib/archive/blocks/block.ts";
import { indexHeader, indexText, sealOf } from "../../lib/archive/blocks/day_index.ts";
import { writeAll } from "../../lib/archive/disk.ts";
import {
  BLOCK_BYTES,
  type BlockEntry,
  gzFile,
  GZIP_HEADER,
  indexFile,
  LINE_FEED,
  type SealEntry,
} from "../../lib/archive/format.ts";
import type { DayNumber } from "../../lib/day.ts";

/** Writes the files of a sealed day, line by line. */
export class SealedDayWriter implements Disposable {
  readonly #directory: string;
  readonly #day: DayNumber;
  readonly #file: Deno.FsFile;
  readonly #text = new Uint8Array(BLOCK_BYTES);
  #textBytes = 0;
  readonly #blocks: BlockEntry[] = [];
  #place: BlockPlace = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };

  /** Begins the files of `day` in `directory`. */
  constructor(directory: string, day: DayNumber) {
    this.#directory = directory;
    this.#day = day;
    this.#file = Deno.openSync(join(directory, gzFile(day)), { write: true, create: true });
    writeAll(this.#file, GZIP_HEADER);
  }

  /** Adds a line without its line feed, of less than a block. */
  add(line: Uint8Array): void {
    if (this.#textBytes + line.length + 1 > BLOCK_BYTES) this.#makeBlock();
    this.#text.set(line, this.#textBytes);
    this.#textBytes += line.length + 1;
    this.#text[this.#textBytes - 1] = LINE_FEED;
  }

  /** Ends the gzip file and writes the index. Returns what it says of the whole day. */
  finish(): SealEntry {
    this.#makeBlock();
    writeAll(this.#file, gzipTrailer(this.#place.totalCrc32, this.#place.rawOffset));
    const seal = sealOf(this.#blocks);
    const index = indexText({ header: indexHeader(this.#day, 0, 0), blocks: this.#blocks, seal });
    Deno.writeTextFileSync(join(this.#directory, indexFile(this.#day)), index);
    return seal;
  }

  /** Closes the gzip file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #makeBlock(): void {
    const { bytes, entry } = makeBlock(this.#text.subarray(0, this.#textBytes), this.#place);
    writeAll(this.#file, bytes);
    this.#blocks.push(entry);
    this.#place = placeAfter(entry);
    this.#textBytes = 0;
  }
}

/** The payloads in the frames of a batch: every second of their lines, without its carriage return. */
export function* payloadsOf(frames: Uint8Array): Generator<Uint8Array, void> {
  for (let start = 0; start < frames.length;) {
    const payloadStart = frames.indexOf(LINE_FEED, start) + 1;
    const end = frames.indexOf(LINE_FEED, payloadStart);
    yield frames.subarray(payloadStart, end - 1);
    start = end + 1;
  }
}
