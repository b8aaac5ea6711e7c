/**
 * Promises that nothing that stands where a file of the archive belongs keeps lines from being recorded, and
 * that it is kept.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { syncDirectory } from "../disk.ts";
import { ALIVE_FILE, DAMAGED_SUFFIX, GAPS_FILE, parseFileName, REMOVED_FILE } from "../format.ts";

/** So many things of one name are set aside at most; whoever has more looks after them first. */
const ASIDE_LIMIT = 100;

/** Something that was found out of order, and what was done about it. */
export interface Finding {
  /** The name of the file, without its directory. */
  file: string;
  /** What was wrong with it and what became of it, in words that follow the name. */
  what: string;
  /** Whether lines could not be saved, or may be wrong. */
  damage: boolean;
}

/**
 * Renames what is at `path` to a name that nobody reads: that of the file with {@linkcode DAMAGED_SUFFIX}, or
 * `…-2` and so on where that is taken. Returns the new name, without its directory.
 *
 * @throws {Error} If the system refuses, as for a place at which something is mounted.
 */
export function setAside(path: string): string {
  const free = Array.from({ length: ASIDE_LIMIT }, (_, i) => i === 0 ? "" : `-${i + 1}`)
    .map((ending) => path + DAMAGED_SUFFIX + ending)
    .find((aside) => !isThere(aside));
  if (free === undefined) throw new Error(`Cannot set "${path}" aside: ${ASIDE_LIMIT} of that name are`);
  Deno.renameSync(path, free);
  syncDirectory(dirname(path));
  return basename(free);
}

/** Sets aside each directory that has the name of a file of the archive. Never fails: it tells. */
export function setDirectoriesAside(directory: string): Finding[] {
  return [...Deno.readDirSync(directory)]
    .filter(({ name, isDirectory }) => isDirectory && isArchiveFile(name))
    .map(({ name }) => setDirectoryAside(join(directory, name)));
}

/** Sets aside a directory that has the name of a file. Never fails: it tells. */
export function setDirectoryAside(path: string): Finding {
  const file = basename(path);
  try {
    return { file, what: `was a directory: kept as "${setAside(path)}"`, damage: false };
  } catch (error) {
    return {
      file,
      what: `is a directory, which cannot be renamed: ${(error as Error).message}`,
      damage: true,
    };
  }
}

function isArchiveFile(name: string): boolean {
  return parseFileName(name) !== null || [GAPS_FILE, ALIVE_FILE, REMOVED_FILE].includes(name);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
