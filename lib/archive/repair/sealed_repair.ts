/**
 * Promises that a sealed gzip file has an index that is its own: the gzip file is the truth, and what can be read of it
 * is not lost because its index is. Where both are damaged the day becomes a hot one again, with all the text there is.
 *
 * @module
 */

import { IndexDamage, indexText, parseIndex, parseSeal, type SealedIndex } from "../blocks/day_index.ts";
import { unpackGzip } from "../blocks/unpack.ts";
import { readAt, readTextIfThere, removeIfThere, sizeOf, syncDirectory, writeFileWhole } from "../disk.ts";
import {
  DAMAGED_SUFFIX,
  gzFile,
  HEADER_LINE_LIMIT_BYTES,
  indexFile,
  plainFile,
  SEAL_LINE_LIMIT_BYTES,
  type SealEntry,
  TEMPORARY_SUFFIX,
} from "../format.ts";
import { rebuildIndex } from "./index_repair.ts";
import type { RepairPlace } from "./repair_place.ts";

/**
 * The seal of the gzip file, with its index put right; "unpacked" where the day had to become hot again; null where the
 * gzip file was removed, since all of its text is in a plain file. `plains` are where the plain files start.
 */
export function repairSealed(
  place: RepairPlace,
  plains: readonly number[],
): SealEntry | "unpacked" | "unknown version" | null {
  const name = indexFile(place.day);
  const gzBytes = sizeOf(place.path(gzFile(place.day)));
  const fast = readSealFast(place);
  if (fast !== null && fast.gzBytes === gzBytes) return fast;
  let fault = "it is of another gzip file";
  try {
    parseIndex(readTextIfThere(place.path(name)) ?? "", place.day);
  } catch (error) {
    if (!(error instanceof IndexDamage)) throw error;
    if (error.unknownVersion) {
      place.note(name, error.message + "; the day is left alone", true);
      return "unknown version";
    }
    fault = error.message;
  }
  const rebuilt = remakeIndex(place);
  if (rebuilt !== null) {
    place.note(name, `made again from the gzip file: ${fault}`, false);
    return rebuilt;
  }
  if (plains[0] === 0) {
    removeIfThere(place.path(gzFile(place.day)));
    removeIfThere(place.path(name));
    place.note(gzFile(place.day), `removed, to be made again from the plain file: ${fault}`, false);
    return null;
  }
  return unpack(place, fault);
}

/** Reads only the end of the index: with 400 days, that is most of what opening costs. */
function readSealFast(place: RepairPlace): SealEntry | null {
  const size = sizeOf(place.path(indexFile(place.day)));
  if (size === null) return null;
  using file = Deno.openSync(place.path(indexFile(place.day)), { read: true });
  const start = new TextDecoder().decode(readAt(file, 0, HEADER_LINE_LIMIT_BYTES));
  const length = Math.min(size, SEAL_LINE_LIMIT_BYTES);
  return parseSeal(start, new TextDecoder().decode(readAt(file, size - length, length)), place.day);
}

/** Makes the index again; null where the gzip file is damaged too. */
function remakeIndex(place: RepairPlace): SealEntry | null {
  const path = place.path(indexFile(place.day));
  let index: SealedIndex;
  try {
    index = rebuildIndex(place.path(gzFile(place.day)), place.day, readTextIfThere(path) ?? "");
  } catch {
    return null; // what is wrong with the gzip file is told when it is unpacked
  }
  writeFileWhole(path, indexText(index));
  return index.seal;
}

/** A gzip file that is damaged and has no index cannot be read block by block: the day becomes a hot one again. */
function unpack(place: RepairPlace, fault: string): "unpacked" {
  const gz = place.path(gzFile(place.day));
  const plain = place.path(plainFile(place.day, 0));
  const failure = unpackGzip(gz, plain + TEMPORARY_SUFFIX);
  Deno.renameSync(plain + TEMPORARY_SUFFIX, plain);
  if (failure === null) removeIfThere(gz);
  else Deno.renameSync(gz, gz + DAMAGED_SUFFIX);
  removeIfThere(place.path(indexFile(place.day)));
  syncDirectory(place.directory);
  const done = failure === null ? "unpacked, to be sealed again" : `unpacked as far as it goes (${failure})`;
  place.note(gzFile(place.day), `${done}: ${fault}`, failure !== null);
  return "unpacked";
}
