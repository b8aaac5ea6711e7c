/**
 * Promises the text of sealed blocks in its order, with the next blocks inflated on other threads while the reader
 * takes the one before: as many as there are threads, and as there is room in memory for.
 *
 * @module
 */

import { type MemoryBudget, type MemoryHold, READER_BYTES } from "../../machine/memory_budget.ts";
import type { ByteRange } from "../day/open_day.ts";
import type { BlockEntry } from "../format.ts";
import type { Bytes } from "./bytes.ts";
import type { ReadPool } from "./pool.ts";

/** A block that is being inflated, and the room for it; null for the one that the reader waits for. */
interface InflatedBlock {
  text: Promise<Uint8Array>;
  room: MemoryHold | null;
}

/**
 * The bytes of the text in `range`, a piece for each of the `blocks` of `gz` that the range touches.
 *
 * @throws {Error} If a block is damaged, or `gz` ends early.
 */
export async function* sealedText(
  gz: Bytes,
  blocks: readonly BlockEntry[],
  range: ByteRange,
  { pool, memory }: { pool: ReadPool; memory: MemoryBudget },
): AsyncGenerator<Uint8Array> {
  const touched = blocks.filter(({ rawOffset, rawLength }) =>
    rawOffset < range.end && rawOffset + rawLength > range.start
  );
  const inflating: InflatedBlock[] = [];
  try {
    for (const [number, block] of touched.entries()) {
      const aheadEnd = Math.min(number + 1 + pool.size, touched.length);
      for (let ahead = number + inflating.length; ahead < aheadEnd; ahead++) {
        const room = ahead === number ? null : memory.trySpare(READER_BYTES);
        if (ahead > number && room === null) break;
        const next = touched[ahead]!;
        // The place is in the list before anything can fail, so that it is given back.
        const { promise: text, resolve } = Promise.withResolvers<Uint8Array>();
        text.catch(() => {}); // it is awaited in its turn, or not at all
        inflating.push({ text, room });
        const bytes = await gz.read(next.gzOffset, next.gzLength);
        resolve(pool.run({ kind: "inflate", bytes, block: next }));
      }
      // It stays in the list until it has been waited for: where it is damaged, that throws, and its room is given back with
      // that of all others in the list.
      const { text, room } = inflating[0]!;
      const inflated = await text.catch((error) => {
        throw new Error(`Cannot read block at ${block.gzOffset} of "${gz.name}": ${error.message}`);
      });
      inflating.shift();
      room?.[Symbol.dispose]();
      yield inflated.subarray(Math.max(0, range.start - block.rawOffset), range.end - block.rawOffset);
    }
  } finally {
    for (const { room } of inflating) room?.[Symbol.dispose]();
  }
}
