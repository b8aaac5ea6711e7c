/**
 * Promises that the blocks that were made of a hot day so far are those of its plain file, and that lines which that file
 * has lost come back from them.
 *
 * @module
 */

import { inflateBlock, sameBytes } from "../blocks/block.ts";
import {
  type DayIndex,
  IndexDamage,
  indexHeader,
  indexText,
  insertedBytes,
  nextPlace,
  parseIndex,
} from "../blocks/day_index.ts";
import { readAt, readTextIfThere, removeIfThere, sizeOf, writeAll, writeFileWhole } from "../disk.ts";
import {
  type BlockEntry,
  DAMAGED_SUFFIX,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  gzPartFile,
  indexPartFile,
  plainFile,
  type SealEntry,
} from "../format.ts";
import type { RepairPlace } from "./repair_place.ts";

/**
 * Puts the blocks right that were made of the plain file that starts at `from`, and that file where they have more.
 * Returns their index, which is on the disk then; one without blocks where they have to be made again.
 */
export function repairPart(place: RepairPlace, from: number, seal: SealEntry | null): DayIndex {
  const part = readPart(place, seal);
  putBack(place, { from, fromInText: from + insertedBytes(seal) }, part);
  if (part.blocks.length > 0 && writePart(place, part)) return part;
  part.blocks.length = 0; // made again from the plain file, which is the truth
  removeParts(place);
  return part;
}

/** The index of the part that goes on after the text of `seal`, as far as it can be used. */
export function readPart(place: RepairPlace, seal: SealEntry | null): DayIndex {
  const rawFrom = seal?.rawBytes ?? 0;
  const header = indexHeader(place.day, rawFrom, seal === null ? 0 : seal.gzBytes - GZIP_TRAILER_BYTES);
  const empty: DayIndex = { header, blocks: [], seal: null };
  const text = readTextIfThere(place.path(indexPartFile(place.day)));
  const gzBytes = sizeOf(place.path(gzPartFile(place.day)));
  if (text === null || gzBytes === null) return empty;
  const index = intactIndex(place, text);
  if (index === null || index.header.rawFrom !== rawFrom || index.header.gzFrom !== header.gzFrom) {
    return empty;
  }
  const blocks = index.blocks.filter(({ gzOffset, gzLength }) =>
    gzOffset + gzLength <= header.gzFrom + gzBytes
  );
  using part = Deno.openSync(place.path(gzPartFile(place.day)), { read: true });
  if (seal === null && !sameBytes(readAt(part, 0, GZIP_HEADER.length), GZIP_HEADER)) return empty;
  while (blocks.length > 0 && tryInflate(part, blocks.at(-1)!, header.gzFrom) === null) blocks.pop();
  return { header, blocks, seal: null };
}

function intactIndex(place: RepairPlace, text: string): DayIndex | null {
  try {
    return parseIndex(text, place.day);
  } catch (error) {
    if (error instanceof IndexDamage) return error.intact;
    throw error;
  }
}

/** Removes the blocks that were made so far. */
export function removeParts(place: RepairPlace): void {
  removeIfThere(place.path(gzPartFile(place.day)));
  removeIfThere(place.path(indexPartFile(place.day)));
}

/**
 * Blocks are made of synced text only: a plain file that is shorter lost lines that they still have. Where one
 * of them is damaged, all are set aside. The file starts at `from` of what was recorded, which is `fromInText` for its blocks; see
 * {@linkcode HotFiles.plainFrom}.
 */
function putBack(
  place: RepairPlace,
  { from, fromInText }: { from: number; fromInText: number },
  part: DayIndex,
): void {
  const { gzFrom } = part.header;
  const end = nextPlace(part).rawOffset;
  const path = place.path(plainFile(place.day, from));
  using plain = Deno.openSync(path, { read: true, write: true, create: true });
  const size = plain.statSync().size;
  if (fromInText + size >= end) return;
  using gz = Deno.openSync(place.path(gzPartFile(place.day)), { read: true });
  for (const block of part.blocks) {
    if (block.rawOffset + block.rawLength <= fromInText + size) continue;
    const text = tryInflate(gz, block, gzFrom);
    if (text === null) {
      const name = gzPartFile(place.day);
      Deno.renameSync(place.path(name), place.path(name) + DAMAGED_SUFFIX);
      place.note(name, `set aside: its block at ${block.gzOffset} is damaged`, true);
      part.blocks.length = 0;
      break;
    }
    plain.seekSync(block.rawOffset - fromInText, Deno.SeekMode.Start);
    writeAll(plain, text);
  }
  plain.syncSync();
  const back = plain.statSync().size - size;
  place.note(
    plainFile(place.day, from),
    `was ${end - fromInText - size} bytes short: ${back} put back from the blocks`,
    false,
  );
}

function tryInflate(gz: Deno.FsFile, block: BlockEntry, gzFrom: number): Uint8Array | null {
  try {
    return inflateBlock(readAt(gz, block.gzOffset - gzFrom, block.gzLength), block);
  } catch {
    return null;
  }
}

/** Writes the index of what can be used of the part; false where that fails, as on a full disk. */
function writePart(place: RepairPlace, part: DayIndex): boolean {
  const path = place.path(indexPartFile(place.day));
  const text = indexText(part);
  if (readTextIfThere(path) === text) return true;
  try {
    writeFileWhole(path, text);
    return true;
  } catch {
    return false;
  }
}
