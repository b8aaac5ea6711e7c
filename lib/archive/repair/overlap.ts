/**
 * Promises what the plain file of a day into which lines were inserted still has, when its gzip file is damaged: the lines that
 * were recorded, but not those that were inserted.
 *
 * @module
 */

import { intactSeal } from "../blocks/day_index.ts";
import { copyBytes, readAt, sizeOf } from "../disk.ts";
import { type BlockEntry, editsFile, type HealedEntry, plainFile } from "../format.ts";
import { containedBytes, plainPieces } from "./contained_lines.ts";
import { healedOf } from "./index_repair.ts";
import { RecordedOffsets } from "./recorded_offsets.ts";
import type { RepairPlace } from "./repair_place.ts";

/** What is known of what was recorded of a day whose gzip file is damaged. */
export interface Overlap {
  /** What was inserted; null where nothing was. */
  healed: HealedEntry | null;
  /** Where the sealed text ends in what was recorded; null where that is not known any more. */
  recordedEnd: number | null;
  /** Where the plain file starts that goes on after the sealed text; null where there is none. */
  from: number | null;
}

/** Finds out what the index, whose text is `indexText`, and the edits say; `plains` are where the plain files start. */
export function findOverlap(place: RepairPlace, plains: readonly number[], indexText: string): Overlap {
  const seal = intactSeal(indexText);
  const healed = healedOf([], indexText, place.path(editsFile(place.day))) ?? null;
  if (healed === null || seal === null) return { healed, recordedEnd: null, from: null };
  const recordedEnd = seal.rawBytes - healed.bytes;
  const from = plains.findLast((from) =>
    from <= recordedEnd && from + sizeOfPlain(place, from) >= recordedEnd
  );
  return { healed, recordedEnd, from: from ?? null };
}

/**
 * As {@linkcode findOverlap}, where the index does not tell how much was sealed: by what the last plain file has of the beginning of the
 * sealed text, which is what the file at `path` has. Where the rest of that text cannot be read, the plain file goes on sooner.
 *
 * Example: the text is a, x, b of a, x, b, y, c, where x and y were inserted and the rest is damaged, and the plain file has a, b, c,
 * d. It goes on with c.
 */
export function matchOverlap(
  place: RepairPlace,
  plains: readonly number[],
  { healed }: Overlap,
  path: string,
): Overlap {
  const from = plains.at(-1);
  if (from === undefined) return { healed, recordedEnd: null, from: null };
  const lines = plainPieces(place.path(plainFile(place.day, from)), 0, sizeOfPlain(place, from));
  const recordedEnd = from + containedBytes(lines, plainPieces(path, 0, sizeOf(path) ?? 0));
  return { healed, recordedEnd, from };
}

/** Adds to the file at `path` what the plain file has after the sealed text. */
export function addRest(place: RepairPlace, { recordedEnd, from }: Overlap, path: string): void {
  if (from === null || recordedEnd === null) return;
  using target = Deno.openSync(path, { append: true });
  using plain = Deno.openSync(place.path(plainFile(place.day, from)), { read: true });
  const start = recordedEnd - from;
  plain.seekSync(start, Deno.SeekMode.Start);
  copyBytes(plain, target, plain.statSync().size - start);
  target.syncSync();
}

/** The lines of a block that were recorded, if the plain file has them; null where it has not, or nothing tells where they are. */
export function readRecordedLines(
  place: RepairPlace,
  { healed, recordedEnd, from }: Overlap,
  { rawOffset, rawLength }: BlockEntry,
): Uint8Array | null {
  if (healed === null || recordedEnd === null || from === null) return null;
  try {
    using offsets = new RecordedOffsets(place.path(editsFile(place.day)), healed.editsBytes);
    const start = offsets.recordedOffset(rawOffset);
    const end = offsets.recordedOffset(rawOffset + rawLength);
    if (start < from) return null;
    using plain = Deno.openSync(place.path(plainFile(place.day, from)), { read: true });
    const text = readAt(plain, start - from, end - start);
    return text.includes(0) ? null : text; // where the file was cut while it was written
  } catch {
    return null;
  }
}

function sizeOfPlain(place: RepairPlace, from: number): number {
  return sizeOf(place.path(plainFile(place.day, from))) ?? 0;
}
