/**
 * Promises to find out how much was inserted into a sealed text where the index is lost and the file of edits, see edits.ts, is
 * damaged or lost as well: by the lines that the plain file has which goes on after that text. A wrong answer would have lines of
 * the plain file read twice, or not at all.
 *
 * Example: 1,000,000 bytes are sealed, and the first 998,000 of the plain file stand among them, in the same order. So 2,000 were
 * inserted.
 *
 * @module
 */

import { EDIT_RECORD_BYTES } from "../day/edits.ts";
import { readEdits } from "../day/edits_check.ts";
import { sizeOf } from "../disk.ts";
import { type BlockEntry, editsFile, gzFile, type HealedEntry, plainFile } from "../format.ts";
import { areContained, blockPieces, containedBytes, linesOf, plainPieces } from "./contained_lines.ts";
import type { RepairPlace } from "./repair_place.ts";

/**
 * What was inserted into the text of `blocks`, of which no index tells any more; `plains` are where the plain files start. Where the
 * file of edits is not whole, it counts as one that lacks a record, so that no place from before is followed to another line.
 *
 * @throws {Error} If a block is damaged.
 */
export function matchHealed(
  place: RepairPlace,
  plains: readonly number[],
  blocks: readonly BlockEntry[],
): HealedEntry | undefined {
  const path = place.path(editsFile(place.day));
  const { healed: said, fault } = readEdits(path);
  if (fault === null) return said.edition === 0 ? undefined : said;
  const bytes = insertedByLines(place, plains, blocks) ?? said.bytes;
  if (bytes === 0) return undefined;
  const { edition, lines, editsBytes } = said;
  return { edition: edition + 1, bytes, lines, editsBytes: editsBytes + EDIT_RECORD_BYTES };
}

/** How many bytes were inserted; null where no plain file tells. */
function insertedByLines(
  place: RepairPlace,
  plains: readonly number[],
  blocks: readonly BlockEntry[],
): number | null {
  const [from, last] = [plains.at(-1), blocks.at(-1)];
  if (from === undefined || last === undefined) return null;
  const path = place.path(plainFile(place.day, from));
  const size = sizeOf(path) ?? 0;
  const sealed = () => blockPieces(place.path(gzFile(place.day)), blocks);
  const rawBytes = last.rawOffset + last.rawLength;
  if (size === 0) return null;
  if (from === rawBytes) return 0;
  const contained = containedBytes(plainPieces(path, 0, size), sealed());
  // A line that has changed ends what is the same: then those after it are sealed too.
  const next = secondLine(path, contained, size);
  if (next !== null && areContained([next], sealed())) return null;
  return Math.max(0, rawBytes - from - contained);
}

/** The second line of a plain file from `start` on; null where there is none. */
function secondLine(path: string, start: number, end: number): Uint8Array | null {
  const lines = linesOf(plainPieces(path, start, end));
  lines.next();
  const { value } = lines.next();
  lines.return(); // closes the file
  return value ?? null;
}
