/**
 * Promises to know from a day's index alone which apps have lines in it.
 *
 * @module
 */

import type { Filter } from "../../filter/filter.ts";
import type { BlockEntry } from "../format.ts";
import type { ByteRange, OpenDay } from "../day/open_day.ts";

/**
 * The apps of each block in `range` that `filter` does not rule out, the newest first, and the same list once
 * where it comes several times in a row. Null stands for a part of the day of which the index does not say.
 */
export async function* appLists(
  day: OpenDay,
  range: ByteRange,
  filter: Filter,
): AsyncGenerator<readonly string[] | null, void> {
  let last: readonly string[] | null | undefined;
  if (day.plainRange !== null) {
    const indexed = day.plainBlocks.at(-1);
    const indexedEnd = indexed === undefined ? day.plainRange.start : indexed.rawOffset + indexed.rawLength;
    if (range.end > Math.max(indexedEnd, range.start)) yield last = null;
  }
  for (const blocks of [day.plainBlocks, await day.sealedBlocks()]) {
    for (let at = blocks.length - 1; at >= 0; at--) {
      const block = blocks[at]!;
      if (!touches(block, range) || !filter.mayMatchBlock(block) || block.apps === last) continue;
      yield last = block.apps;
    }
  }
}

function touches({ rawOffset, rawLength }: BlockEntry, { start, end }: ByteRange): boolean {
  return rawOffset < end && rawOffset + rawLength > start;
}
