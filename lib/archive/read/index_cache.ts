/**
 * Promises that the index of a sealed day, which never changes, is read once for the many who search it, and
 * that what is remembered of all days stays small.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { DayNumber } from "../../day.ts";
import { IndexDamage, readSealedIndex } from "../blocks/day_index.ts";
import { type BlockEntry, indexFile, type SealEntry } from "../format.ts";

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
   * remembered; `mend` makes a damaged one again and returns its text.
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
      // One that was forgotten while it was read is not in the list, so its blocks do not count.
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

/** Reads the blocks of an index, so many at a time that others on this thread do not wait long. */
async function readBlocks(text: string, day: DayNumber, seal: SealEntry): Promise<readonly BlockEntry[]> {
  const reading = readSealedIndex(text, day);
  let step = reading.next();
  for (let entries = 1; !step.done; entries++) {
    if (entries % ENTRIES_PER_TURN === 0) await nextTurn();
    step = reading.next();
  }
  const index = step.value;
  if (JSON.stringify(index.seal) !== JSON.stringify(seal)) {
    throw new IndexDamage(`Cannot use "${indexFile(day)}": it is of another gzip file`, index, 0);
  }
  const appLists = new Map<string, string[]>();
  for (const block of index.blocks) if (block.apps !== null) block.apps = sharedList(block.apps, appLists);
  return index.blocks;
}

/** Blocks of one day mostly have the same apps. */
function sharedList(apps: string[], lists: Map<string, string[]>): string[] {
  const key = apps.join("\n");
  const list = lists.get(key) ?? apps;
  lists.set(key, list);
  return list;
}
