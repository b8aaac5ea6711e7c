/**
 * Promises that of the plain files of a day one goes on, which has all lines that are not sealed; that those whose lines
 * are sealed are removed, and that none is removed whose lines are nowhere else.
 *
 * @module
 */

import { inflateBlock, sameBytes } from "../blocks/block.ts";
import { insertedBytes, parseIndex } from "../blocks/day_index.ts";
import { cutTornTail, inspectFile } from "../day/plain_end.ts";
import { COPY_BYTES, copyBytes, readAt, removeIfThere, sizeOf, syncDirectory } from "../disk.ts";
import {
  CONFLICT_SUFFIX,
  gzFile,
  indexFile,
  plainFile,
  type SealEntry,
  TEMPORARY_SUFFIX,
  tornFile,
} from "../format.ts";
import { areContained, blockPieces, plainPieces } from "./contained_lines.ts";
import { spanOfDay, spanOfTimes } from "./proof.ts";
import type { RepairPlace } from "./repair_place.ts";

/**
 * Where the plain file starts that the day goes on in; null for none. `plains` are where those that are there start,
 * smallest first; `seal` is that of the gzip file, null where there is none. Offsets are those of what was recorded.
 *
 * Example: 1,000,000 bytes are sealed, 2,000 of which were inserted. The day goes on in a plain file that starts at 998,000; or in
 * one that starts before and is as long at least, since lines were inserted while it was written.
 */
export function repairPlains(
  place: RepairPlace,
  plains: readonly number[],
  seal: SealEntry | null,
): number | null {
  let living: number | null = null;
  const sealedEnd = (seal?.rawBytes ?? 0) - insertedBytes(seal);
  let end = sealedEnd;
  for (const from of plains) {
    const path = place.path(plainFile(place.day, from));
    const size = sizeOf(path) ?? 0;
    const isOverlapping = seal?.healed !== undefined && from < sealedEnd && from + size >= sealedEnd;
    if (living === null && (from === end || isOverlapping)) {
      living = from;
      end = from + size;
    } else if (living !== null && from <= end && joinPlain(place, living, path, from, end)) {
      end = from + size;
    } else if (seal !== null && from + size <= sealedEnd && isSealed(place, path, { seal, from, size })) {
      removeIfThere(path);
      place.note(plainFile(place.day, from), "removed: its lines are sealed", false);
    } else if (seal === null && living !== null && isWithin(place, path, living)) {
      removeIfThere(path);
      place.note(
        plainFile(place.day, from),
        `removed: its lines are in "${plainFile(place.day, living)}"`,
        false,
      );
    } else if (seal === null && living !== null && from > end) {
      end = addAfterHole(place, living, from);
    } else if (seal === null && living === null) {
      loseDay(place);
      Deno.renameSync(path, place.path(plainFile(place.day, 0)));
      place.note(plainFile(place.day, from), "renamed: the sealed text before it is missing", true);
      living = 0;
      end = size;
    } else {
      // It has more than is sealed: lines that are nowhere else.
      if (from + size > sealedEnd) place.lose([spanOfTimes(place.day, inspectFile(path, 0, size).summary)]);
      Deno.renameSync(path, path + CONFLICT_SUFFIX);
      place.note(plainFile(place.day, from), "set aside: its lines do not fit those that are sealed", true);
    }
  }
  return living;
}

/**
 * Puts a plain file after another one; only a day that was unpacked has two. What the first one has of the
 * second already, from a try that a crash ended, must be the same: else returns false.
 */
function joinPlain(place: RepairPlace, living: number, path: string, from: number, end: number): boolean {
  using target = Deno.openSync(place.path(plainFile(place.day, living)), { read: true, write: true });
  using source = Deno.openSync(path, { read: true });
  const joined = readAt(target, from - living, end - from);
  if (!sameBytes(joined, readAt(source, 0, end - from))) return false;
  target.seekSync(from - living, Deno.SeekMode.Start);
  source.seekSync(0, Deno.SeekMode.Start);
  copyBytes(source, target, source.statSync().size);
  target.syncSync();
  Deno.removeSync(path);
  return true;
}

/**
 * Puts the plain file that starts at `from` after the one that starts at `living`, though text between is lost. All of it is written
 * under another name first: a crash leaves both files as they were, or the second one besides the whole. Returns where
 * the text ends.
 */
function addAfterHole(place: RepairPlace, living: number, from: number): number {
  const path = place.path(plainFile(place.day, living));
  const laterPath = place.path(plainFile(place.day, from));
  loseDay(place);
  const before = cutTornTail(path, 0, (end) => place.path(tornFile(place.day, living + end))).size;
  const added = sizeOf(laterPath) ?? 0;
  if (!endsWith(path, laterPath, added)) {
    using whole = Deno.openSync(path + TEMPORARY_SUFFIX, { write: true, create: true, truncate: true });
    using first = Deno.openSync(path, { read: true });
    using later = Deno.openSync(laterPath, { read: true });
    copyBytes(first, whole, before);
    copyBytes(later, whole, added);
    whole.syncSync();
    Deno.renameSync(path + TEMPORARY_SUFFIX, path);
    syncDirectory(place.directory);
  }
  Deno.removeSync(laterPath);
  place.note(plainFile(place.day, from), "put after the lines before it: those between are missing", true);
  return living + (sizeOf(path) ?? 0);
}

function endsWith(path: string, endPath: string, length: number): boolean {
  using file = Deno.openSync(path, { read: true });
  using end = Deno.openSync(endPath, { read: true });
  const start = file.statSync().size - length;
  for (let at = 0; at < length; at += COPY_BYTES) {
    const count = Math.min(COPY_BYTES, length - at);
    if (start < 0 || !sameBytes(readAt(file, start + at, count), readAt(end, at, count))) return false;
  }
  return true;
}

/** That there was text before a plain file its name alone tells: of which times, nobody does, unless the index did. */
function loseDay(place: RepairPlace): void {
  if (!place.hasLost) place.lose([spanOfDay(place.day)]);
}

/**
 * Whether the text of a plain file stands, byte for byte, in the sealed blocks; damaged ones do not count. Where lines were inserted,
 * others may stand between its own.
 */
function isSealed(
  place: RepairPlace,
  path: string,
  { seal, from, size }: { seal: SealEntry; from: number; size: number },
): boolean {
  try {
    if (seal.healed === undefined) return hasBlocksOf(place, path, from, size);
    const { blocks } = parseIndex(Deno.readTextFileSync(place.path(indexFile(place.day))), place.day);
    return areContained(plainPieces(path, 0, size), blockPieces(place.path(gzFile(place.day)), blocks));
  } catch {
    return false;
  }
}

/** Whether the lines of a plain file stand in the one that starts at `living`, since they were put there with those of the gzip file. */
function isWithin(place: RepairPlace, path: string, living: number): boolean {
  const whole = place.path(plainFile(place.day, living));
  return areContained(plainPieces(path, 0, sizeOf(path) ?? 0), plainPieces(whole, 0, sizeOf(whole) ?? 0));
}

function hasBlocksOf(place: RepairPlace, path: string, from: number, size: number): boolean {
  const index = parseIndex(Deno.readTextFileSync(place.path(indexFile(place.day))), place.day);
  using gz = Deno.openSync(place.path(gzFile(place.day)), { read: true });
  using plain = Deno.openSync(path, { read: true });
  let same = 0;
  for (const block of index.blocks) {
    if (block.rawOffset < from || block.rawOffset >= from + size) continue;
    const text = inflateBlock(readAt(gz, block.gzOffset, block.gzLength), block);
    const length = Math.min(text.length, from + size - block.rawOffset);
    if (!sameBytes(text.subarray(0, length), readAt(plain, block.rawOffset - from, length))) return false;
    same += length;
  }
  return same === size;
}
