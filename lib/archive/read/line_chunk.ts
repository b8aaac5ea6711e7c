/**
 * Promises lines together with their places: whatever becomes of a line, it is known where it stands.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import type { FilterSpec } from "../../filter/filter.ts";
import type { Place } from "../place.ts";
import type { DayPiece } from "./day_pieces.ts";
import type { EventIds, LineStyle } from "./line_format.ts";
import type { SelectedLines } from "./line_selection.ts";
import type { DayRange } from "./plan.ts";

/** The filter that every line passes. */
export const EVERY_LINE: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };

/** Which lines are read, and what becomes of them. */
export interface LineRequest {
  /** Where, oldest first. */
  ranges: readonly DayRange[];
  /** Which. */
  filter: FilterSpec;
  /** How they are written. */
  style: LineStyle;
  /**
   * Makes them events: returns the ids for the lines of a day, without what {@linkcode placeSuffix} adds, which is only known
   * when the day is opened. Null for plain lines.
   */
  events: ((day: DayNumber) => EventIds) | null;
  /** At most so many; null for all. */
  limit: number | null;
  /** Whether each line is wanted with its place. Default: they are not. */
  withPlaces?: boolean;
}

/** A line, or what was made of it, and where it stands. */
export interface ChunkLine {
  /** Where it begins. */
  start: Place;
  /** Where it ends, after its line feed. */
  end: Place;
  /** The line with its line feed, or what was made of it. */
  bytes: Uint8Array;
}

/** What was found in one piece of the archive, which may be nothing. */
export interface LineChunk {
  /** The lines, or what was made of them. */
  bytes: Uint8Array;
  /** How many lines these are; null where the request has no limit and wants no places. */
  lines: number | null;
  /** Where the first one begins, or the piece where their number is not known. */
  start: Place;
  /** Everything wanted before this place is in this chunk or one before it: after the last line of a limit, else the piece's end. */
  end: Place;
  /** Each of the lines; null where the request wants no places. */
  placed: ChunkLine[] | null;
}

/** How the lines of a piece are cut to those that are still wanted. */
export interface ChunkCut {
  /** How many are wanted; null for all. */
  limit: number | null;
  /** Whether those are the last ones and not the first. */
  fromEnd: boolean;
  /** Whether each is wanted with its place. */
  withPlaces: boolean;
}

/** What was found in a piece of this edition of `day`, cut to the lines that are still wanted. */
export function chunkOf(
  { day, edition }: Pick<Place, "day" | "edition">,
  { offset: baseOffset, range }: Pick<DayPiece, "offset" | "range">,
  { bytes, marks }: SelectedLines,
  { limit, fromEnd, withPlaces }: ChunkCut,
): LineChunk {
  const at = (offset: number): Place => ({ day, offset: baseOffset + offset, edition });
  const [start, end] = [at(range.start), at(range.end)];
  if (marks === null) return { bytes, lines: null, start, end, placed: null };
  const found = marks.starts.length;
  const lines = limit === null ? found : Math.min(found, limit);
  if (lines === 0) return { bytes: bytes.subarray(0, 0), lines, start, end, placed: withPlaces ? [] : null };
  const first = fromEnd ? found - lines : 0;
  const last = first + lines - 1;
  const outputStart = (line: number): number => line === 0 ? 0 : marks.outputEnds[line - 1]!;
  const placed = withPlaces
    ? Array.from({ length: lines }, (_, i) => ({
      start: at(marks.starts[first + i]!),
      end: at(marks.ends[first + i]!),
      bytes: bytes.subarray(outputStart(first + i), marks.outputEnds[first + i]!),
    }))
    : null;
  return {
    bytes: bytes.subarray(outputStart(first), marks.outputEnds[last]!),
    lines,
    start: at(marks.starts[first]!),
    end: lines === limit ? at(marks.ends[last]!) : end,
    placed,
  };
}
