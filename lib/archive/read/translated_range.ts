/**
 * Promises that what was planned, or given out as a place, before lines were inserted is read of the text as it is now: the
 * same lines, and those that were inserted between them.
 *
 * @module
 */

import type { PlaceSide } from "../day/edits.ts";
import type { ByteRange, OpenDay } from "../day/open_day.ts";
import type { Place } from "../place.ts";
import type { DayRange } from "./plan.ts";

/**
 * Where `place` stands in the text of a day that is open. `side` says what it is of where lines were inserted exactly there.
 *
 * @throws {LostPlace} If it cannot be followed.
 */
export async function placeIn(
  open: OpenDay,
  { day, offset, edition }: Place,
  side: PlaceSide,
): Promise<Place> {
  return { day, offset: await open.translate(offset, edition, side), edition: open.edition };
}

/**
 * The bytes of `range` in the text of a day that is open. Lines that were inserted at its very start belong to it and those
 * at its very end do not, so that of two ranges that follow one another only one has them.
 *
 * Example: bytes 100 to 200 were planned, and 10 bytes are inserted at each of 100, 150 and 200. Those from 100 to 220 are
 * read now, and whoever goes on from 200 goes on at 220.
 *
 * @throws {LostPlace} If its start or its end cannot be followed.
 */
export async function bytesIn(open: OpenDay, range: DayRange): Promise<ByteRange> {
  const { start, end, edition, startEdition = edition } = range;
  if (edition === open.edition && startEdition === open.edition) return { start, end };
  return {
    start: start === 0 ? 0 : await open.translate(start, startEdition, "end"),
    end: await open.translate(end, edition, "end"),
  };
}
