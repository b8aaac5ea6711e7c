/**
 * Promises the lines of a page with their places: the first or the last of what is asked for, as many as a page has
 * room for.
 *
 * @module
 */

import type { LineChunk, LineRequest } from "../../lib/archive/read/line_chunk.ts";
import { rangesFrom } from "../../lib/archive/read/plan.ts";
import type { Place } from "../../lib/archive/place.ts";
import type { Parts } from "../parts.ts";

/** What is read for a page is at most so many bytes and one piece of the archive; longer lines make fewer. */
export const SHOWN_BYTES_LIMIT = 1024 * 1024;

const decoder = new TextDecoder();

/** A line and where it is. */
export interface PlacedLine {
  /** Where it begins. */
  place: Place;
  /** Its JSON. */
  text: string;
}

/** Which lines a page shows, and how many at the most. */
export type PageRequest = Pick<LineRequest, "ranges" | "filter"> & { limit: number };

/** What was found. */
export interface FoundLines {
  /** The lines, oldest first. */
  lines: PlacedLine[];
  /** Where the next page begins; null where there is none. */
  next: Place | null;
}

/** The first lines of what is asked for. `signal` ends the search for them. */
export async function firstLines(
  reader: Pick<Parts["lines"], "read">,
  request: PageRequest,
  signal: AbortSignal,
): Promise<FoundLines> {
  const lines: PlacedLine[] = [];
  let bytes = 0;
  for await (const chunk of reader.read(withPlaces(request))) {
    lines.push(...linesOf(chunk));
    bytes += chunk.bytes.length;
    if (lines.length >= request.limit || bytes > SHOWN_BYTES_LIMIT) return { lines, next: chunk.end };
    if (signal.aborted) break;
  }
  return { lines, next: null };
}

/** The last lines of what is asked for, or if they are too large to hold, the first of them. */
export async function lastLines(
  reader: Pick<Parts["lines"], "read" | "readTail">,
  request: PageRequest,
  signal: AbortSignal,
): Promise<FoundLines> {
  using tail = await reader.readTail(withPlaces(request), signal);
  const { start, chunks } = tail;
  if (chunks !== null) return { lines: chunks.flatMap(linesOf), next: null };
  return await firstLines(reader, { ...request, ranges: rangesFrom(request.ranges, start!) }, signal);
}

function withPlaces(request: PageRequest): LineRequest {
  return { ...request, style: "jsonl", events: null, withPlaces: true };
}

function linesOf({ placed }: LineChunk): PlacedLine[] {
  return placed!.map(({ start, bytes }) => ({ place: start, text: decoder.decode(bytes.subarray(0, -1)) }));
}
