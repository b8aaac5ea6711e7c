/**
 * Promises the index of a gzip file, made from that file alone: each block tells of itself, and the trailer tells
 * whether they are all there. Runs in the block worker, and at opening.
 *
 * @module
 */

import zlib from "node:zlib";
import type { DayNumber } from "../../day.ts";
import {
  type BlockPlace,
  entryOf,
  formatCrc32,
  gzipTrailer,
  inflateBlock,
  placeAfter,
  sameBytes,
} from "../blocks/block.ts";
import {
  type DayIndex,
  indexHeader,
  indexText,
  intactEntries,
  intactSeal,
  sealOf,
} from "../blocks/day_index.ts";
import { readEdits } from "../day/edits_check.ts";
import { readAt, readTextIfThere, writeFileWhole } from "../disk.ts";
import {
  type BlockEntry,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  type HealedEntry,
  type SealEntry,
} from "../format.ts";
import { nextBlock } from "../blocks/unpack.ts";

/** What {@linkcode mendIndex} does. */
export interface MendTask {
  /** Tells the tasks of the block worker apart. */
  kind: "mendIndex";
  /** Which day it is. */
  day: DayNumber;
  /** The sealed gzip file. */
  gzPath: string;
  /** Its index. */
  indexPath: string;
  /** The totals that the index had when the archive was opened, or the day sealed. */
  seal: SealEntry;
}

/** The index that was made. `writeFault` says why it could not be written; then it is right all the same. */
export interface MendedIndex {
  /** The whole text. */
  text: string;
  /** Why the disk has not taken it, in the system's words; null where it has. */
  writeFault: string | null;
}

/**
 * Makes the index of a gzip file again. An entry of `oldText` whose checksum is right is taken over, so that a
 * damaged line costs no more than reading its own block; only an index without checksums is made from all blocks.
 *
 * That lines were inserted, the gzip file does not tell: `findHealed` says it of the text of these blocks, see
 * {@linkcode healedOf}.
 *
 * @throws {Error} If the gzip file is damaged as well.
 */
export function rebuildIndex(
  gzPath: string,
  day: DayNumber,
  oldText: string,
  findHealed: (blocks: readonly BlockEntry[]) => HealedEntry | undefined,
): DayIndex & { seal: SealEntry } {
  const known = intactEntries(oldText);
  using gz = Deno.openSync(gzPath, { read: true });
  const dataEnd = gz.statSync().size - GZIP_TRAILER_BYTES;
  const blocks: BlockEntry[] = [];
  let place: BlockPlace = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };
  let isAfterHole = false;
  while (place.gzOffset < dataEnd) {
    const old = known.get(place.gzOffset);
    const kept = old !== undefined && fits(old, place, dataEnd) ? old : null;
    const entry = kept ?? readEntry(gz, place, dataEnd);
    if (entry === null || (kept !== null && isAfterHole && !continues(gz, kept, place))) {
      throw new Error(
        `Cannot make an index of "${gzPath}": it is damaged before or at byte ${place.gzOffset}`,
      );
    }
    isAfterHole = kept === null;
    blocks.push(entry);
    place = placeAfter(entry);
  }
  const trailer = readAt(gz, Math.max(0, dataEnd), GZIP_TRAILER_BYTES);
  if (!sameBytes(trailer, gzipTrailer(place.totalCrc32, place.rawOffset))) {
    throw new Error(`Cannot make an index of "${gzPath}": its trailer is not that of its blocks`);
  }
  return { header: indexHeader(day, 0, 0), blocks, seal: sealOf(blocks, findHealed(blocks)) };
}

/**
 * What was inserted into the text of `blocks`: as the seal in the text of the old index has it, if that can still be read, or
 * else as the sum of what the file of edits at `editsPath` tells.
 *
 * The old index may be of the text after the next insertion, where a crash came between the two renames at its end. It shares
 * only its first blocks with this text then, and tells of one edition too many.
 */
export function healedOf(
  blocks: readonly BlockEntry[],
  oldText: string,
  editsPath: string,
): HealedEntry | undefined {
  const seal = intactSeal(oldText);
  if (seal === null) return readHealed(editsPath);
  const known = intactEntries(oldText);
  const isOfOtherText = blocks.some(({ gzOffset, crc32 }) => (known.get(gzOffset)?.crc32 ?? crc32) !== crc32);
  if (seal.healed === undefined || !isOfOtherText) return seal.healed;
  return readHealed(editsPath, seal.healed.edition - 1);
}

/** The sum of a file of edits, or of its first `editions`; undefined where it tells of none. */
function readHealed(editsPath: string, editions?: number): HealedEntry | undefined {
  const { healed } = readEdits(editsPath, { editions });
  return healed.edition === 0 ? undefined : healed;
}

function fits(entry: BlockEntry, place: BlockPlace, dataEnd: number): boolean {
  return entry.rawOffset === place.rawOffset && entry.gzOffset + entry.gzLength <= dataEnd;
}

/** Whether an entry that was taken over follows the text before it, which was read: its total says what that was. */
function continues(gz: Deno.FsFile, entry: BlockEntry, place: BlockPlace): boolean {
  try {
    const text = inflateBlock(readAt(gz, entry.gzOffset, entry.gzLength), entry);
    return formatCrc32(zlib.crc32(text, place.totalCrc32)) === entry.totalCrc32;
  } catch {
    return false;
  }
}

function readEntry(gz: Deno.FsFile, place: BlockPlace, dataEnd: number): BlockEntry | null {
  const block = nextBlock(gz, place.gzOffset, dataEnd);
  return block && entryOf(block.text, readAt(gz, place.gzOffset, block.length), place);
}

/**
 * Does a task: makes the index and lets it take the place of the one that is there.
 *
 * @throws {Error} As {@linkcode rebuildIndex}, and if it is not of the text that was sealed.
 */
export function mendIndex({ day, gzPath, indexPath, seal }: MendTask): MendedIndex {
  const index = rebuildIndex(gzPath, day, readTextIfThere(indexPath) ?? "", () => seal.healed);
  if (JSON.stringify(index.seal) !== JSON.stringify(seal)) {
    throw new Error(`Cannot make an index of "${gzPath}": its totals are not those that were sealed`);
  }
  const text = indexText(index);
  try {
    writeFileWhole(indexPath, text);
    return { text, writeFault: null };
  } catch (error) {
    return { text, writeFault: (error as Error).message };
  }
}
