/**
 * Promises that a block is whole lines, deflated so that it can be inflated alone and so that any number of
 * blocks, one after another between {@linkcode GZIP_HEADER} and {@linkcode gzipTrailer}, are one gzip member.
 *
 * @module
 */

import zlib from "node:zlib";
import { parseFlyRecord } from "../../line/fly_log.ts";
import { SPARE_BYTES } from "../../machine/spent_buffers.ts";
import { APP, LineScanner } from "../../line/scanner.ts";
import { formatTimestamp, isBefore, parseTimestamp, type Timestamp } from "../../timestamp.ts";
import {
  APP_NAME_LIMIT,
  BLOCK_APPS_LIMIT,
  BLOCK_BYTES,
  type BlockEntry,
  DEFLATE_END,
  DEFLATE_LEVEL,
  GZIP_TRAILER_BYTES,
  LINE_FEED,
} from "../format.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What the lines of a piece of text are: the part of a {@linkcode BlockEntry} that is about them. */
export type TextSummary = Pick<BlockEntry, "lines" | "first" | "last" | "untimed" | "apps">;

/** The eight hexadecimal digits in which a CRC-32 is written down. */
export function formatCrc32(crc32: number): string {
  return (crc32 >>> 0).toString(16).padStart(8, "0");
}

/** The number that {@linkcode formatCrc32} wrote down. */
export function parseCrc32(text: string): number {
  return parseInt(text, 16);
}

/**
 * How many of the first bytes of `text` make the next block: as many whole lines as fit in
 * {@linkcode BLOCK_BYTES}, or one line that is longer. Returns 0 where not even one line is whole.
 */
export function cutBlock(text: Uint8Array): number {
  const fitting = text.length <= BLOCK_BYTES ? text : text.subarray(0, BLOCK_BYTES);
  const end = fitting.lastIndexOf(LINE_FEED) + 1;
  return end > 0 ? end : text.indexOf(LINE_FEED) + 1;
}

/** The summary of no lines. */
export function emptySummary(): TextSummary {
  return { lines: 0, first: null, last: null, untimed: 0, apps: [] };
}

/** Looks at every line of `text`, which is whole lines; `damagedLines` counts those that are no records. */
export function inspectText(text: Uint8Array): { summary: TextSummary; damagedLines: number } {
  const scanner = new LineScanner();
  const summary = new SummaryBuilder();
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf(LINE_FEED, start);
    const end = newline === -1 ? text.length : newline;
    if (scanner.scan(text, start, end)) {
      summary.addTime(scanner.timed ? scanner : null);
      summary.addApp(
        scanner.appStart === -1 ? null : text.subarray(scanner.appStart, scanner.appEnd),
        (scanner.escaped & APP) !== 0,
      );
    } else {
      summary.addSlowly(text.subarray(start, end));
    }
    start = end + 1;
  }
  return { summary: summary.finish(), damagedLines: summary.damagedLines };
}

/** Gathers a {@linkcode TextSummary} line by line; an app seen in the line before costs no lookup. */
class SummaryBuilder {
  damagedLines = 0;
  #lines = 0;
  #untimed = 0;
  #first: Timestamp | null = null;
  #last: Timestamp | null = null;
  #apps: Set<string> | null = new Set();
  #appBefore: Uint8Array = new Uint8Array();

  addTime(time: Timestamp | null): void {
    this.#lines++;
    if (time === null) {
      this.#untimed++;
      return;
    }
    const { seconds, nanoseconds } = time;
    if (this.#first === null || isBefore(time, this.#first)) {
      this.#first = { seconds, nanoseconds };
    }
    if (this.#last === null || !isBefore(time, this.#last)) {
      this.#last = { seconds, nanoseconds };
    }
  }

  addApp(name: Uint8Array | null, escaped: boolean): void {
    if (name === null || this.#apps === null || sameBytes(name, this.#appBefore)) return;
    this.#appBefore = name;
    const text = decoder.decode(name);
    this.#addName(escaped ? JSON.parse(`"${text}"`) : text);
  }

  addSlowly(line: Uint8Array): void {
    const parsed = parseFlyRecord(line);
    if ("reason" in parsed) {
      this.damagedLines++;
      this.addTime(null);
      return;
    }
    const { record } = parsed;
    this.addTime(record.timestamp === undefined ? null : parseTimestamp(record.timestamp));
    if (record.fly?.app?.name !== undefined) this.#addName(record.fly.app.name);
  }

  finish(): TextSummary {
    return {
      lines: this.#lines,
      first: this.#first && formatTimestamp(this.#first),
      last: this.#last && formatTimestamp(this.#last),
      untimed: this.#untimed,
      apps: this.#apps && [...this.#apps].sort(),
    };
  }

  #addName(name: string): void {
    if (this.#apps === null) return;
    if (name.length <= APP_NAME_LIMIT) this.#apps.add(name);
    if (name.length > APP_NAME_LIMIT || this.#apps.size > BLOCK_APPS_LIMIT) this.#apps = null;
  }
}

/** How many newlines there are in `text`. */
export function countLines(text: Uint8Array): number {
  let lines = 0;
  for (let at = text.indexOf(LINE_FEED); at !== -1; at = text.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

/** Whether two pieces of bytes are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** The smallest buffer that zlib inflates into, in bytes: smaller ones are parts of Node's pool, which cannot be sent. */
const SMALLEST_CHUNK = 64 * 1024;

/** Where a block will stand and what is before it. Offsets as in {@linkcode BlockEntry}. */
export interface BlockPlace {
  /** Where its text starts in the day's text, in bytes. */
  rawOffset: number;
  /** Where it starts in the day's gzip file, in bytes. */
  gzOffset: number;
  /** CRC-32 of the day's text before it, as a number. */
  totalCrc32: number;
}

/** Where the block after `entry` stands. */
export function placeAfter(entry: BlockEntry): BlockPlace {
  return {
    rawOffset: entry.rawOffset + entry.rawLength,
    gzOffset: entry.gzOffset + entry.gzLength,
    totalCrc32: parseCrc32(entry.totalCrc32),
  };
}

/** Deflates `text`, which is whole lines, ending on a byte boundary and without a final block. */
export function deflateBlock(text: Uint8Array, level: number = DEFLATE_LEVEL): Uint8Array {
  return zlib.deflateRawSync(text, { level, finishFlush: zlib.constants.Z_SYNC_FLUSH });
}

/** Makes the block of `text` that stands at `place`. */
export function makeBlock(text: Uint8Array, place: BlockPlace): { bytes: Uint8Array; entry: BlockEntry } {
  const bytes = deflateBlock(text);
  return { bytes, entry: entryOf(text, bytes, place) };
}

/** The entry of the block that stands at `place` and has `text`, deflated to `bytes`. */
export function entryOf(text: Uint8Array, bytes: Uint8Array, place: BlockPlace): BlockEntry {
  const { apps, ...summary } = inspectText(text).summary;
  return {
    rawOffset: place.rawOffset,
    rawLength: text.length,
    gzOffset: place.gzOffset,
    gzLength: bytes.length,
    ...summary,
    crc32: formatCrc32(zlib.crc32(text)),
    totalCrc32: formatCrc32(zlib.crc32(text, place.totalCrc32)),
    apps,
    gzCrc32: formatCrc32(zlib.crc32(bytes)),
  };
}

/** Whether a block, as it lies in the gzip file, is what its entry says; null where its entry does not say. */
export function isIntactGzip(bytes: Uint8Array, { gzLength, gzCrc32 }: BlockEntry): boolean | null {
  if (bytes.length !== gzLength) return false;
  return gzCrc32 === null ? null : formatCrc32(zlib.crc32(bytes)) === gzCrc32;
}

/** Whether `text` is that of a block, by length and checksum. */
export function isTextOf(text: Uint8Array, { rawLength, crc32 }: BlockEntry): boolean {
  return text.length === rawLength && formatCrc32(zlib.crc32(text)) === crc32;
}

/**
 * Inflates a block and holds it against its entry.
 *
 * @throws {Error} If the bytes are no deflate data, or make other text than was written. The caller knows
 * the file and adds its name.
 */
export function inflateBlock(
  bytes: Uint8Array,
  entry: Pick<BlockEntry, "rawLength" | "crc32">,
): Uint8Array {
  const text = tryInflate(bytes, entry.rawLength);
  if (text.length !== entry.rawLength) {
    throw new Error(`length is ${text.length}, index says ${entry.rawLength}`);
  }
  const crc32 = formatCrc32(zlib.crc32(text));
  if (crc32 !== entry.crc32) throw new Error(`checksum is ${crc32}, index says ${entry.crc32}`);
  return text;
}

function tryInflate(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  try {
    // One buffer takes all of the text, so that there is only one to free. It has a few bytes to spare, since zlib makes
    // another one when the first is full to its last byte.
    const chunkSize = Math.max(limitBytes + SPARE_BYTES, SMALLEST_CHUNK);
    return zlib.inflateRawSync(bytes, { finishFlush, chunkSize, maxOutputLength: Math.max(limitBytes, 1) });
  } catch (error) {
    throw new Error(`it does not inflate: ${(error as Error).message}`);
  }
}

/**
 * What closes the gzip member after the last block: {@linkcode DEFLATE_END}, then CRC-32 and length of the
 * text, little-endian (RFC 1952 section 2.3.1).
 */
export function gzipTrailer(crc32: number, rawBytes: number): Uint8Array<ArrayBuffer> {
  const trailer = new Uint8Array(GZIP_TRAILER_BYTES);
  trailer.set(DEFLATE_END);
  const view = new DataView(trailer.buffer);
  view.setUint32(DEFLATE_END.length, crc32, true);
  view.setUint32(DEFLATE_END.length + 4, rawBytes % 2 ** 32, true);
  return trailer;
}

/** What a trailer that {@linkcode gzipTrailer} made says: the text's CRC-32, and its length modulo 2^32. */
export function readGzipTrailer(trailer: Uint8Array<ArrayBuffer>): { crc32: number; rawBytes: number } {
  const view = new DataView(trailer.buffer, trailer.byteOffset + DEFLATE_END.length);
  return { crc32: view.getUint32(0, true), rawBytes: view.getUint32(4, true) };
}
