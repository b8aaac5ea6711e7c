/**
 * Promises which files of which days lie in an archive, by their names alone.
 *
 * @module
 */

import { walk } from "@std/fs";
import type { DayNumber } from "../day.ts";
import { type FileKind, parseFileName } from "./format.ts";

/** A file of a day. */
export interface DayFile {
  /** What its name means. */
  kind: FileKind;
  /** Where it is. */
  path: string;
}

/**
 * The files of each day in `directory`, the oldest day first. What has another name, or is a directory, is left out.
 *
 * @throws {Error} If `directory` cannot be listed.
 */
export async function listDayFiles(directory: string): Promise<Map<DayNumber, DayFile[]>> {
  const days = new Map<DayNumber, DayFile[]>();
  for await (const { name, path } of walk(directory, { maxDepth: 1, includeDirs: false })) {
    const kind = parseFileName(name);
    if (kind === null) continue;
    const files = days.get(kind.day) ?? [];
    files.push({ kind, path });
    days.set(kind.day, files);
  }
  return new Map([...days].sort(([a], [b]) => a - b));
}
