/**
 * Promises that a gzip file whose index has its name already gets its own: the two are renamed one after the other, and a crash may
 * come in between. Everything is on the disk by then, see take_place.ts.
 *
 * @module
 */

import { join } from "node:path";
import type { DayNumber } from "../../day.ts";
import { gzipTrailer, parseCrc32, sameBytes } from "../blocks/block.ts";
import { parseSealedIndex, type SealedIndex } from "../blocks/day_index.ts";
import { verifyCopy } from "../day/sealing.ts";
import { readAt, sizeOf, syncDirectory } from "../disk.ts";
import {
  gzFile,
  GZIP_TRAILER_BYTES,
  indexFile,
  parseFileName,
  type SealEntry,
  TEMPORARY_SUFFIX,
} from "../format.ts";
import type { Finding } from "./aside.ts";

/**
 * Renames each gzip file in `directory` that is whole under its temporary name, and that the index of its day is of. Whatever else
 * has such a name stays as it is. To be called before temporary files are removed.
 */
export function finishRenames(directory: string): Finding[] {
  const findings: Finding[] = [];
  for (const { name, isFile } of [...Deno.readDirSync(directory)]) {
    const file = isFile && name.endsWith(TEMPORARY_SUFFIX)
      ? parseFileName(name.slice(0, -TEMPORARY_SUFFIX.length))
      : null;
    if (file?.kind !== "gz" || !isReady(directory, file.day)) continue;
    Deno.renameSync(join(directory, name), join(directory, gzFile(file.day)));
    syncDirectory(directory);
    const what = "took its place: a crash came after that of its index";
    findings.push({ file: gzFile(file.day), what, damage: false });
  }
  return findings;
}

/** Whether the file under the temporary name is the one that the index is of, and the one that has the name is not. */
function isReady(directory: string, day: DayNumber): boolean {
  const path = join(directory, gzFile(day));
  try {
    const index = readSealed(join(directory, indexFile(day)), day);
    if (hasFrameOf(path, index.seal) || !hasFrameOf(path + TEMPORARY_SUFFIX, index.seal)) return false;
    verifyCopy(path + TEMPORARY_SUFFIX, index, new Set());
    return true;
  } catch {
    return false; // what can be read of the day as it is, is found out next
  }
}

function readSealed(path: string, day: DayNumber): SealedIndex {
  return parseSealedIndex(Deno.readTextFileSync(path), day);
}

/** Whether a gzip file has the size and the trailer that belong to `seal`. */
function hasFrameOf(path: string, { gzBytes, crc32, rawBytes }: SealEntry): boolean {
  if (sizeOf(path) !== gzBytes) return false;
  using file = Deno.openSync(path, { read: true });
  const trailer = readAt(file, gzBytes - GZIP_TRAILER_BYTES, GZIP_TRAILER_BYTES);
  return sameBytes(trailer, gzipTrailer(parseCrc32(crc32), rawBytes));
}
