/**
 * Promises that what is read is read whole, what is written is written whole, and what is made visible is on
 * the disk before its name is. Everything here blocks: it is for workers, for opening and for the one moment
 * in which a sealed day takes its place.
 *
 * @module
 */

import { dirname } from "node:path";
import { TEMPORARY_SUFFIX } from "./format.ts";

/** How much is copied or compared at a time, in bytes. */
export const COPY_BYTES = 1024 * 1024;

/** Reads `length` bytes from `offset`; fewer only where the file ends. */
export function readAt(file: Deno.FsFile, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

/** Writes all of `bytes` where the file stands. */
export function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/** Copies `length` bytes from where `source` stands to where `target` stands. */
export function copyBytes(source: Deno.FsFile, target: Deno.FsFile, length: number): void {
  const buffer = new Uint8Array(COPY_BYTES);
  for (let left = length; left > 0;) {
    const count = source.readSync(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Error(`Cannot copy: the file ends ${left} bytes early`);
    writeAll(target, buffer.subarray(0, count));
    left -= count;
  }
}

/**
 * Makes what happened to names in `directory` last. Linux takes fsync on a directory that is open for
 * reading; ext4 needs it after a rename (man fsync: "does not necessarily ensure that the entry in the
 * directory ... has also reached disk").
 */
export function syncDirectory(directory: string): void {
  using file = Deno.openSync(directory, { read: true });
  file.syncSync();
}

/**
 * Writes a file so that at every moment `path` is the old content or the new one, whole. Where that fails, as on
 * a full disk, what was written so far takes no room there.
 */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    using file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    writeAll(file, typeof content === "string" ? new TextEncoder().encode(content) : content);
    file.syncSync();
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
  Deno.renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Removes a file; tells whether there was one. */
export function removeIfThere(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The size of a file in bytes, or null where there is none. */
export function sizeOf(path: string): number | null {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The text of a file, or null where there is none. Bytes that are no UTF-8 come as U+FFFD. */
export function readTextIfThere(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
