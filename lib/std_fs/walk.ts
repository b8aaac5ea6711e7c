/**
 * Promises to name everything below a directory.
 *
 * @module
 */

import { basename, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** What {@linkcode walk} yields, and what it goes into. */
export interface WalkOptions {
  /** How many levels below the root to go; 0 yields the root alone. Default: no limit. */
  maxDepth?: number;
  /** Whether files are yielded. Default: true. */
  includeFiles?: boolean;
  /** Whether directories are yielded. Default: true. */
  includeDirs?: boolean;
  /** Whether symlinks are yielded; without effect when they are followed. Default: true. */
  includeSymlinks?: boolean;
  /** Whether directories that symlinks point to are gone into. Default: false. */
  followSymlinks?: boolean;
  /** Whether a followed symlink is yielded under its target's path. Default: true. */
  canonicalize?: boolean;
  /** Extensions of which a yielded path must have one, with or without the dot. Default: any. */
  exts?: string[];
  /** Patterns of which a yielded path must match one. Default: any. */
  match?: RegExp[];
  /** Patterns; a path that matches one is neither yielded nor gone into. Default: none. */
  skip?: RegExp[];
}

/** A path that was found. */
export interface WalkEntry extends Deno.DirEntry {
  /** The path, beginning with the root as it was given. */
  path: string;
}

/**
 * Yields `root` and everything below it, a directory before what is in it, in the order of the file system.
 * Needs permission to read. See https://jsr.io/@std/fs/doc/walk.
 *
 * @throws {Deno.errors.NotFound} If `root` does not exist, and whatever else reading a directory throws.
 */
export async function* walk(root: string | URL, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry> {
  const path = root instanceof URL ? fileURLToPath(root) : root;
  const exts = options.exts?.map((ext) => ext.startsWith(".") ? ext : `.${ext}`);
  yield* walkDirectory(path, options.maxDepth ?? Infinity, { ...options, exts });
}

async function* walkDirectory(
  path: string,
  depth: number,
  options: WalkOptions,
): AsyncIterableIterator<WalkEntry> {
  const { includeFiles = true, includeDirs = true, includeSymlinks = true } = options;
  if (depth < 0) return;
  if (includeDirs && isWanted(path, options)) yield await directoryEntry(path);
  if (depth < 1 || isSkipped(path, options)) return;
  for await (const entry of Deno.readDir(path)) {
    const followed = entry.isSymlink && options.followSymlinks === true;
    const found = followed
      ? await follow(join(path, entry.name), options)
      : { path: join(path, entry.name), isDirectory: entry.isDirectory };
    if (found.isDirectory) {
      yield* walkDirectory(found.path, depth - 1, options);
    } else if (
      (entry.isSymlink && !followed ? includeSymlinks : includeFiles) && isWanted(found.path, options)
    ) {
      yield { path: found.path, ...entry };
    }
  }
}

async function directoryEntry(path: string): Promise<WalkEntry> {
  const { isFile, isDirectory, isSymlink } = await Deno.stat(path);
  const normalized = normalize(path);
  return { path: normalized, name: basename(normalized), isFile, isDirectory, isSymlink };
}

async function follow(path: string, options: WalkOptions): Promise<{ path: string; isDirectory: boolean }> {
  const target = await Deno.realPath(path);
  const { isDirectory } = await Deno.lstat(target);
  return { path: options.canonicalize === false ? path : target, isDirectory };
}

function isSkipped(path: string, { skip }: WalkOptions): boolean {
  return skip !== undefined && skip.some((pattern) => path.match(pattern) !== null);
}

// match() and not test(): a pattern with the g flag would remember where it was.
function isWanted(path: string, options: WalkOptions): boolean {
  const { exts, match } = options;
  if (exts !== undefined && !exts.some((ext) => path.endsWith(ext))) return false;
  if (match !== undefined && !match.some((pattern) => path.match(pattern) !== null)) return false;
  return !isSkipped(path, options);
}
