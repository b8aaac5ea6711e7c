/**
 * Promises all of the text that a gzip file still has, also where it is damaged in the middle or cut.
 *
 * @module
 */

import zlib from "node:zlib";
import { formatCrc32, inflateBlock, inspectText, readGzipTrailer } from "./block.ts";
import { COPY_BYTES, readAt, writeAll } from "../disk.ts";
import {
  type BlockEntry,
  DEFLATE_END,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  LINE_FEED,
  SYNC_MARK,
} from "../format.ts";

/** What {@linkcode unpackGzip} could not unpack. */
export interface Unpacked {
  /** What is wrong with the file, the first of it; null for nothing. */
  failure: string | null;
  /** The blocks that are not what their entries say, in their order. What is elsewhere of their lines is unpacked. */
  lost: BlockEntry[];
  /**
   * Where there was text of which no entry tells and which is lost: after all that was unpacked, or anywhere in the day;
   * null for nowhere.
   */
  doubt: "after" | "anywhere" | null;
  /** The largest timestamp in the last block that was unpacked; null where it has none. */
  last: string | null;
}

/** What is known of a gzip file that is damaged. */
export interface KnownBlocks {
  /** Entries of its index. */
  blocks: readonly BlockEntry[];
  /** Whether they tell of all blocks. */
  isComplete: boolean;
  /** The text of a block from another file, or those of its lines that are there; null where it is in none. */
  readElsewhere(block: BlockEntry): Uint8Array | null;
}

/** What is known without an index. */
const NOTHING_KNOWN: KnownBlocks = { blocks: [], isComplete: false, readElsewhere: () => null };

/**
 * Writes the text of the gzip file `path` to `target` and syncs it. A block of which an entry tells is taken if it is what
 * that says, and passed over if not. Other blocks are looked for where they would begin. Where entries tell of all
 * blocks they prove the text, and the trailer need not.
 */
export function unpackGzip(path: string, target: string, known: KnownBlocks = NOTHING_KNOWN): Unpacked {
  using gz = Deno.openSync(path, { read: true });
  using plain = Deno.openSync(target, { write: true, create: true, truncate: true });
  const unpacked: Unpacked = { failure: null, lost: [], doubt: null, last: null };
  const { blocks, isComplete } = known;
  const size = gz.statSync().size;
  let crc32 = 0;
  let rawBytes = 0;
  let lastText: Uint8Array = new Uint8Array();
  const take = (text: Uint8Array): void => {
    writeAll(plain, text);
    crc32 = zlib.crc32(text, crc32);
    rawBytes += text.length;
    lastText = text;
  };
  const fail = (what: string): void => {
    unpacked.failure ??= what;
  };
  let at = GZIP_HEADER.length;
  for (let number = 0;;) {
    while (number < blocks.length && blocks[number]!.gzOffset < at) number++;
    const entry = blocks[number];
    const next = entry?.gzOffset;
    if (entry !== undefined && next === at) {
      const text = readKnown(gz, entry);
      if (text === null) fail(`the block at byte ${at} is not what was written`);
      const rescued = text ?? known.readElsewhere(entry);
      if (rescued?.length !== entry.rawLength) unpacked.lost.push(entry);
      if (rescued !== null) take(rescued);
      at += entry.gzLength;
      continue;
    }
    if (next === undefined && size - at <= GZIP_TRAILER_BYTES) break;
    const block = nextBlock(gz, at, next ?? size);
    if (block !== null) {
      take(block.text);
      at += block.length;
      continue;
    }
    if (next === undefined && isComplete) break;
    fail(`no block can be inflated at byte ${at}`);
    unpacked.doubt = next === undefined ? unpacked.doubt ?? "after" : "anywhere";
    if (next === undefined) break;
    at = next;
  }
  plain.syncSync();
  if (unpacked.failure === null && !isComplete) {
    const fault = trailerFault(readAt(gz, Math.min(at, size), GZIP_TRAILER_BYTES), crc32, rawBytes);
    if (fault !== null) {
      fail(fault.what);
      unpacked.doubt = fault.doubt;
    }
  } else if (!isComplete && !startsTrailer(gz, at)) {
    // The entries do not say what came after the last of them, and the trailer does not come.
    unpacked.doubt ??= "after";
  }
  return { ...unpacked, last: inspectText(lastText).summary.last };
}

/** Whether the end of the deflate stream stands at `at`: a block never begins so, since none but the end is final. */
function startsTrailer(gz: Deno.FsFile, at: number): boolean {
  return readAt(gz, at, 1)[0] === DEFLATE_END[0];
}

/** What is wrong with the trailer after a text, and which text may be lost then; null where it is right. */
function trailerFault(
  trailer: Uint8Array<ArrayBuffer>,
  crc32: number,
  rawBytes: number,
): { what: string; doubt: "after" | "anywhere" } | null {
  if (trailer.length < GZIP_TRAILER_BYTES) return { what: "it ends within its trailer", doubt: "after" };
  const says = readGzipTrailer(trailer);
  if (says.crc32 !== crc32) {
    const what = `checksum is ${formatCrc32(crc32)}, its trailer says ${formatCrc32(says.crc32)}`;
    return { what, doubt: "anywhere" };
  }
  return says.rawBytes === rawBytes % 2 ** 32 ? null : { what: "its length is another", doubt: "anywhere" };
}

/** The text of a block of which an entry tells; null where it is not that. */
export function readKnown(gz: Deno.FsFile, entry: BlockEntry, gzFrom = 0): Uint8Array | null {
  try {
    return inflateBlock(readAt(gz, entry.gzOffset - gzFrom, entry.gzLength), entry);
  } catch (error) {
    if (isOfDisk(error)) throw error;
    return null;
  }
}

/** Whether the system could not read, rather than what was read being wrong: a later try may succeed. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && /os error \d+/.test(error.message);
}

/**
 * The block that starts at `at`. Where it ends is not known: each sync mark may be its end, or be deflated
 * data that looks like one, so the first one up to which the bytes inflate to whole lines is taken. Null where
 * there is none before `end`.
 */
export function nextBlock(
  gz: Deno.FsFile,
  at: number,
  end: number,
): { text: Uint8Array; length: number } | null {
  for (let length = Math.min(COPY_BYTES, end - at);; length = Math.min(length * 2, end - at)) {
    const bytes = readAt(gz, at, length);
    for (let mark = indexOfMark(bytes, 0); mark !== -1; mark = indexOfMark(bytes, mark + 1)) {
      const text = tryInflate(bytes.subarray(0, mark + SYNC_MARK.length));
      if (text?.at(-1) === LINE_FEED) return { text, length: mark + SYNC_MARK.length };
    }
    if (length === end - at) return null;
  }
}

function indexOfMark(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from + 2); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xff && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
  }
  return -1;
}

function tryInflate(bytes: Uint8Array): Uint8Array | null {
  try {
    return zlib.inflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  } catch {
    return null;
  }
}
