/**
 * Promises that the index of a sealed day, which never changes, is read once for the many who search it, and
 * that what is remembered of all days stays small.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { DayNumber } from "../../day.ts";
import { readCheckedLine } from "../checked_line.ts";
import { IndexDamage, parseSeal, parseSealedIndex } from "../blocks/day_index.ts";
import { type BlockEntry, GZIP_HEADER, indexFile, type SealEntry } from "../format.ts";

/** At most this many blocks are remembered: 20 GB of text, in some 10 MB of memory. */
export const REMEMBERED_BLOCKS_LIMIT = 20_000;

/** So many entries are read before others on this thread get a turn: less than a millisecond's work. */
const ENTRIES_PER_TURN = 256;

interface CachedIndex {
  blocks: Promise<readonly BlockEntry[]>;
  count: number;
}

/** The blocks of sealed days, those that were asked for last. */
export class IndexCache {
  readonly #indexes = new Map<string, CachedIndex>();
  #count = 0;

  /**
   * The blocks that were sealed with `seal`. `readText` reads the index file, and is called where they are not
   * remembered; `mend` makes a damaged one again and gives its text.
   *
   * @throws {IndexDamage} If the file is not the index that the seal belongs to, and cannot be made again.
   */
  async get(
    day: DayNumber,
    seal: SealEntry,
    readText: () => Promise<string>,
    mend: (damage: IndexDamage) => Promise<string>,
  ): Promise<readonly BlockEntry[]> {
    const key = `${day} ${seal.crc32} ${seal.rawBytes} ${seal.gzBytes}`;
    const found = this.#indexes.get(key);
    if (found !== undefined) {
      this.#indexes.delete(key);
      this.#indexes.set(key, found);
      return await found.blocks;
    }
    const index: CachedIndex = { blocks: readOrMend(day, seal, readText, mend), count: 0 };
    this.#indexes.set(key, index);
    try {
      const blocks = await index.blocks;
      // Forgotten while it was being read: what is not in the list must not count.
      if (this.#indexes.get(key) !== index) return blocks;
      index.count = blocks.length;
      this.#count += blocks.length;
      this.#forget();
      return blocks;
    } catch (error) {
      if (this.#indexes.get(key) === index) this.#indexes.delete(key);
      throw error;
    }
  }

  #forget(): void {
    for (const [key, { count }] of this.#indexes) {
      if (this.#count <= REMEMBERED_BLOCKS_LIMIT) return;
      this.#indexes.delete(key);
      this.#count -= count;
    }
  }
}

async function readOrMend(
  day: DayNumber,
  seal: SealEntry,
  readText: () => Promise<string>,
  mend: (damage: IndexDamage) => Promise<string>,
): Promise<readonly BlockEntry[]> {
  const text = await readText();
  try {
    return await readBlocks(text, day, seal);
  } catch (error) {
    if (!(error instanceof IndexDamage) || error.unknownVersion) throw error;
    return await readBlocks(await mend(error), day, seal);
  }
}

/**
 * Reads the blocks of an index. A line whose checksum is right is what was written; the schema, which takes ten
 * times as long, is asked where something is wrong, and for an index without checksums.
 */
async function readBlocks(text: string, day: DayNumber, seal: SealEntry): Promise<readonly BlockEntry[]> {
  const lines = text.split("\n");
  const blocks: BlockEntry[] = [];
  const appLists = new Map<string, string[]>();
  let rawEnd = 0;
  let gzEnd = GZIP_HEADER.length;
  if (!hasFrame(lines, day, seal)) return slowly(text, day, seal);
  const isOld = readCheckedLine(lines[0]!).check === "none";
  for (let line = 1; line < lines.length - 2; line++) {
    if (line % ENTRIES_PER_TURN === 0) await nextTurn();
    const block = isOld ? parseOldEntry(lines[line]!) : parseEntry(lines[line]!);
    if (block?.rawOffset !== rawEnd || block.gzOffset !== gzEnd) return slowly(text, day, seal);
    rawEnd += block.rawLength;
    gzEnd += block.gzLength;
    if (block.apps !== null) block.apps = sharedList(block.apps, appLists);
    blocks.push(block);
  }
  return rawEnd === seal.rawBytes ? blocks : slowly(text, day, seal);
}

/** Whether the first line is the header and the last one the seal. */
function hasFrame(lines: readonly string[], day: DayNumber, seal: SealEntry): boolean {
  if (lines.length < 3 || lines.at(-1) !== "") return false;
  const found = parseSeal(lines[0]! + "\n", lines.at(-2)! + "\n", day);
  return JSON.stringify(found) === JSON.stringify(seal);
}

/** What a line whose checksum is right says; null for any other. */
function parseEntry(line: string): BlockEntry | null {
  const { json, check } = readCheckedLine(line);
  return check === "right" ? JSON.parse(json) : null;
}

/** A line of an index without checksums. What is looked at is what nobody could read rightly without. */
function parseOldEntry(line: string): BlockEntry | null {
  try {
    const entry = JSON.parse(line);
    const { rawLength, gzLength, untimed, crc32, first, last, apps } = entry;
    const isEntry = Number.isSafeInteger(rawLength) && Number.isSafeInteger(gzLength) &&
      typeof untimed === "number" && typeof crc32 === "string" &&
      (first === null || typeof first === "string") && (last === null || typeof last === "string") &&
      (apps === null || Array.isArray(apps));
    return isEntry ? { ...entry, gzCrc32: null } : null;
  } catch {
    return null;
  }
}

/** Blocks of one day mostly have the same apps. */
function sharedList(apps: string[], lists: Map<string, string[]>): string[] {
  const key = apps.join("\n");
  const list = lists.get(key) ?? apps;
  lists.set(key, list);
  return list;
}

function slowly(text: string, day: DayNumber, seal: SealEntry): readonly BlockEntry[] {
  const index = parseSealedIndex(text, day);
  if (JSON.stringify(index.seal) === JSON.stringify(seal)) return index.blocks;
  throw new IndexDamage(`Cannot use "${indexFile(day)}": it is of another gzip file`, index, 0);
}
