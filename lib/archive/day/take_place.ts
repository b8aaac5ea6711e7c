/**
 * Promises that a gzip file and its index, which are whole under other names, take the place of those of a day together or not at
 * all, as far as this process lives; what a crash leaves between the two is finished at the next start, see finish_rename.ts.
 *
 * @module
 */

import { type DayIndex, indexText } from "../blocks/day_index.ts";
import { removeIfThere, writeFileWhole } from "../disk.ts";
import { TEMPORARY_SUFFIX } from "../format.ts";
import type { DayPaths } from "./day_paths.ts";

/**
 * Lets the index with {@linkcode TEMPORARY_SUFFIX} and then the gzip file at `gzTargetPath` take their names. Index first: it says
 * of which gzip file it is, so that the next start can tell what a crash in between has left. `before` is the index that is there,
 * null for none. In one go and blocking, so that no line can come between.
 *
 * @throws {Error} If a file cannot be renamed; everything is as it was before then.
 */
export function takePlace(paths: DayPaths, gzTargetPath: string, before: DayIndex | null): void {
  const { index } = paths;
  Deno.renameSync(index + TEMPORARY_SUFFIX, index);
  try {
    Deno.renameSync(gzTargetPath, paths.gz);
  } catch (error) {
    if (before === null) removeIfThere(index);
    else writeFileWhole(index, indexText(before));
    throw error;
  }
}
