/**
 * Promises that nothing that stands where a file of the archive belongs keeps lines from being recorded, and
 * that it is kept.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { syncDirectory } from "../disk.ts";
import {
  ALIVE_FILE,
  DAMAGED_SUFFIX,
  GAPS_FILE,
  GAPS_RESERVE_FILE,
  KEPT_FILE,
  LOCK_FILE,
  LOSSES_FILE,
  parseFileName,
  REMOVED_FILE,
  SCRUB_FILE,
  TEMPORARY_SUFFIX,
} from "../format.ts";

/** So many things of one name are set aside at most. Then somebody has to remove some of them first. */
const ASIDE_LIMIT = 100;

/** The files that belong to no day. */
export const HELPER_FILES: readonly string[] = [
  ALIVE_FILE,
  GAPS_FILE,
  GAPS_RESERVE_FILE,
  KEPT_FILE,
  LOCK_FILE,
  LOSSES_FILE,
  REMOVED_FILE,
  SCRUB_FILE,
];

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

/** What stands where a file of the archive belongs and is none. */
export interface ForeignEntry {
  /** Its name. */
  name: string;
  /** What it is, in words that follow "was" or "is". */
  what: string;
}

/**
 * What in `directory` has the name of a file of the archive and is neither a regular file nor a symlink to one. Opens
 * nothing: opening a FIFO would wait until somebody writes into it.
 */
export function findForeign(directory: string): ForeignEntry[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name }) => {
    const what = isArchiveFile(name) ? foreignWords(join(directory, name)) : null;
    return what === null ? [] : [{ name, what }];
  });
}

/** Sets aside what {@linkcode findForeign} finds, but for the lock. Never fails: it tells. */
export function setForeignAside(directory: string): Finding[] {
  return findForeign(directory)
    .filter(({ name }) => name !== LOCK_FILE)
    .map(({ name, what }) => setEntryAside(join(directory, name), what));
}

/** Sets aside a directory that has the name of a file. Never fails: it tells. */
export function setDirectoryAside(path: string): Finding {
  return setEntryAside(path, "a directory");
}

/**
 * Makes sure that the lock can be opened without waiting. It is not set aside: another process may hold it.
 *
 * @throws {Error} If something stands in its place that is no file.
 */
export function refuseForeignLock(directory: string): void {
  const what = foreignWords(join(directory, LOCK_FILE));
  if (what === null) return;
  throw new Error(`Cannot lock "${join(directory, LOCK_FILE)}": it is ${what}; move it away`);
}

function setEntryAside(path: string, what: string): Finding {
  const file = basename(path);
  try {
    return { file, what: `was ${what}: kept as "${setAside(path)}"`, damage: false };
  } catch (error) {
    return { file, what: `is ${what}, which cannot be renamed: ${(error as Error).message}`, damage: true };
  }
}

function isArchiveFile(name: string): boolean {
  const whole = name.endsWith(TEMPORARY_SUFFIX) ? name.slice(0, -TEMPORARY_SUFFIX.length) : name;
  return parseFileName(whole) !== null || HELPER_FILES.includes(whole);
}

/** What is at `path` in words, where it is neither a file nor a symlink to one; null for these and for nothing. */
function foreignWords(path: string): string | null {
  try {
    const entry = Deno.lstatSync(path);
    if (entry.isFile) return null;
    if (!entry.isSymlink) return kindOf(entry);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const target = Deno.statSync(path);
    return target.isFile ? null : `a symlink to ${kindOf(target)}`;
  } catch (error) {
    return `a symlink that leads nowhere (${(error as Error).message})`;
  }
}

function kindOf({ isDirectory, isFifo, isSocket }: Deno.FileInfo): string {
  if (isDirectory) return "a directory";
  if (isFifo) return "a FIFO";
  return isSocket ? "a socket" : "a device";
}

/** Whether there is anything at `path`, a symbolic link that leads nowhere too. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
