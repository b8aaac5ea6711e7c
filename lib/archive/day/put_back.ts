/**
 * Promises to find out whether an open plain file still has what was written, at the path where readers look for it, and
 * to put it back there where somebody has removed or replaced it: the text is in the open file for as long as that is open.
 *
 * @module
 */

import { dirname } from "node:path";
import { ensureDir } from "@std/fs";
import { COPY_BYTES, removeIfThere, syncDirectory } from "../disk.ts";
import { LINE_FEED, TEMPORARY_SUFFIX } from "../format.ts";
import { isThere, setAside } from "../repair/aside.ts";
import type { PlainFile } from "./plain_file.ts";

/** Ends of writes that lie this near to each other, in bytes, are looked at with one read. */
export const WINDOW_BYTES: number = 16 * 1024;

/**
 * Whether the file is at its path, is no shorter than the last of `ends`, and has a line feed before each of them.
 * `ends` are where writes have ended, in bytes from the file's start, in ascending order. `window` is memory to read into:
 * it is done with every sync, and memory that is made anew each time piles up.
 *
 * Of a file that was cut and written on, the length tells nothing. Example: a file of 5,000 bytes is emptied, and the next
 * 100 bytes are written at 5,000. It is 5,100 bytes long then, and the bytes before 5,000 are NULs: also the one at 4,999,
 * where the write before has ended with a line feed.
 */
export async function isAsWritten(
  file: PlainFile,
  ends: readonly number[],
  window: Uint8Array = new Uint8Array(WINDOW_BYTES),
): Promise<boolean> {
  const { isInPlace, size } = await file.look();
  if (!isInPlace || size < (ends.at(-1) ?? 0)) return false;
  let from = 0;
  let filled = 0;
  for (const end of ends) {
    if (end === 0) continue;
    const last = end - 1;
    if (last >= from + filled) {
      await file.seek(last, Deno.SeekMode.Start);
      from = last;
      filled = await file.read(window) ?? 0;
    }
    if (filled === 0 || window[last - from] !== LINE_FEED) return false;
  }
  return true;
}

/** What {@linkcode putFileBack} did. */
export interface PutBack {
  /** How many bytes are in the new file: fewer than were asked for where the open one is shorter. */
  size: number;
  /** The name under which that is kept which stood in its place; null for nothing. */
  aside: string | null;
}

/**
 * Copies the first `length` bytes of an open file into a new one at `path`, piece by piece, so that it takes little memory
 * however long the file is. The directory is made again where it is gone.
 *
 * @throws {Error} If the disk does not take it. What stands at `path` is then as it was, or set aside.
 */
export async function putFileBack(path: string, file: PlainFile, length: number): Promise<PutBack> {
  await ensureDir(dirname(path));
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    const size = await copyToNew(temporary, file, length);
    const aside = isThere(path) ? setAside(path) : null;
    Deno.renameSync(temporary, path);
    syncDirectory(dirname(path));
    return { size, aside };
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

async function copyToNew(path: string, source: PlainFile, length: number): Promise<number> {
  using target = await Deno.open(path, { write: true, create: true, truncate: true });
  const buffer = new Uint8Array(COPY_BYTES);
  await source.seek(0, Deno.SeekMode.Start);
  let size = 0;
  while (size < length) {
    const count = await source.read(buffer.subarray(0, Math.min(buffer.length, length - size)));
    if (count === null) break;
    for (let done = 0; done < count;) done += await target.write(buffer.subarray(done, count));
    size += count;
  }
  await target.sync();
  return size;
}
