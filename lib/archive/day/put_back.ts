/**
 * Promises to put a plain file back to its path where somebody has removed or replaced it: the text is in the open file
 * for as long as that is open.
 *
 * @module
 */

import { dirname } from "node:path";
import { ensureDir } from "@std/fs";
import { COPY_BYTES, removeIfThere, syncDirectory } from "../disk.ts";
import { TEMPORARY_SUFFIX } from "../format.ts";
import { isThere, setAside } from "../repair/aside.ts";
import type { PlainFile } from "./plain_file.ts";

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
