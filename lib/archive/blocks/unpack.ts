/**
 * Promises all of the text that a gzip file still has, also where it is damaged further on.
 *
 * @module
 */

import zlib from "node:zlib";
import { formatCrc32, readGzipTrailer } from "./block.ts";
import { COPY_BYTES, readAt, writeAll } from "../disk.ts";
import { GZIP_HEADER, GZIP_TRAILER_BYTES, LINE_FEED, SYNC_MARK } from "../format.ts";

/**
 * Writes the text of the gzip file `path` to `target` and syncs it. Returns null, or what is wrong with the
 * file: then `target` has the text up to the first block that cannot be inflated.
 */
export function unpackGzip(path: string, target: string): string | null {
  using gz = Deno.openSync(path, { read: true });
  using plain = Deno.openSync(target, { write: true, create: true, truncate: true });
  const size = gz.statSync().size;
  const dataEnd = size - GZIP_TRAILER_BYTES;
  let crc32 = 0;
  let rawBytes = 0;
  let failure: string | null = null;
  for (let at = GZIP_HEADER.length; at < dataEnd && failure === null;) {
    const block = nextBlock(gz, at, dataEnd);
    if (block === null) failure = `no block can be inflated at byte ${at}`;
    else {
      writeAll(plain, block.text);
      crc32 = zlib.crc32(block.text, crc32);
      rawBytes += block.text.length;
      at += block.length;
    }
  }
  plain.syncSync();
  if (failure !== null) return failure;
  const trailer = readAt(gz, Math.max(0, dataEnd), GZIP_TRAILER_BYTES);
  if (trailer.length < GZIP_TRAILER_BYTES) return "it ends within its trailer";
  const says = readGzipTrailer(trailer);
  if (says.crc32 !== crc32) {
    return `checksum is ${formatCrc32(crc32)}, its trailer says ${formatCrc32(says.crc32)}`;
  }
  return says.rawBytes === rawBytes % 2 ** 32 ? null : "its length is another";
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
