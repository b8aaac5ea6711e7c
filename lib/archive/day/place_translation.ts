/**
 * Promises where a place stands in a day's text as it is now, or that it cannot be told, and why: never another line.
 *
 * @module
 */

import { dayName } from "../../day.ts";
import { insertedBytes } from "../blocks/day_index.ts";
import { editsFile, type SealEntry } from "../format.ts";
import { LostPlace, type Place } from "../place.ts";
import type { Bytes } from "../read/bytes.ts";
import { DayEdits, type PlaceSide } from "./edits.ts";
import type { DamageHandler } from "./open_day.ts";

/** What tells where lines were inserted into a day. */
export interface TranslatingDay {
  /** The totals of the sealed text; null where none is sealed. */
  seal: SealEntry | null;
  /** The file that says where lines were inserted; null where none were, or where it is gone. */
  edits: Bytes | null;
  /** Told if that file cannot be read. */
  damage: Pick<DamageHandler, "onMasked">;
}

/**
 * The offset of `place` in the text of its day as it is now, in bytes. `side` says what it is of where lines were inserted
 * exactly there. What was recorded after the sealed text is found without reading.
 *
 * Example: 1000 bytes were recorded when 50 were inserted at byte 100 of them, and 200 were recorded since. Offset 1100 of
 * edition 0 is 1150 now.
 *
 * @throws {LostPlace} If the day has never been of that edition, or where lines were inserted cannot be read.
 */
export async function translatePlace(
  place: Place,
  side: PlaceSide,
  { seal, edits, damage }: TranslatingDay,
): Promise<number> {
  const { day, offset, edition } = place;
  const healed = seal?.healed;
  const newest = healed?.edition ?? 0;
  if (edition === newest) return offset;
  if (seal === null || healed === undefined || edition > newest) {
    const reason = `it is of edition ${edition}, and ${dayName(day)} has only come to edition ${newest}`;
    throw new LostPlace(place, reason);
  }
  const recordedEnd = seal.rawBytes - insertedBytes(seal);
  const isBehind = offset > recordedEnd || (offset === recordedEnd && side === "start");
  if (edition === 0 && isBehind) return offset + healed.bytes;
  try {
    if (edits === null) throw new Error("it is gone");
    return await new DayEdits(edits, healed.editsBytes).translate(offset, edition, side);
  } catch (error) {
    const what = "places from before lines were inserted cannot be followed";
    damage.onMasked(editsFile(day), `${what}: ${(error as Error).message}`);
    const reason = `lines were brought back to ${
      dayName(day)
    } since, and where these stand cannot be read any more`;
    throw new LostPlace(place, reason, { cause: error });
  }
}
