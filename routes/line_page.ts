/**
 * Promises the end of a page of lines before the page is sent, so that its headers can say where the next one begins,
 * with no more of its lines in memory than there is room for.
 *
 * @module
 */

import { KeptChunks } from "../lib/archive/read/kept_chunks.ts";
import type { LineChunk } from "../lib/archive/read/line_chunk.ts";
import type { Place } from "../lib/archive/place.ts";
import type { Parts } from "./parts.ts";

/**
 * The end of an answer with `limit` up to this many lines is found before it is sent, so that its headers can say
 * where the next one begins. Its lines are kept meanwhile, up to {@linkcode PAGE_BYTES_LIMIT}, else read once more.
 */
export const PAGE_LINES_LIMIT = 10_000;

/** No more of a page is kept, in bytes. */
export const PAGE_BYTES_LIMIT = 8 * 1024 * 1024;

/** The lines of a page, as far as they are kept, and where they are. */
export interface LinePage {
  /** The lines. */
  kept: KeptChunks<LineChunk>;
  /** How many there are. */
  lines: number;
  /** Where the piece with its first line begins; null where there is none. */
  start: Place | null;
  /** After the last line; null where there is none. */
  end: Place | null;
}

/** Finds the end of a page, and keeps its lines if there is room for them. */
export async function collectPage(
  chunks: AsyncGenerator<LineChunk, void>,
  reader: Pick<Parts["lines"], "tryKeep">,
  limit: number,
  signal: AbortSignal,
): Promise<LinePage> {
  const kept = new KeptChunks<LineChunk>((bytes) => reader.tryKeep(bytes), PAGE_BYTES_LIMIT);
  const page: LinePage = { kept, lines: 0, start: null, end: null };
  try {
    // A signal that is aborted before there is an answer means that nobody waits for it.
    for await (const chunk of chunks) {
      if (signal.aborted) break;
      page.end = chunk.end;
      if (chunk.lines === 0) continue;
      page.start ??= chunk.start;
      page.lines += chunk.lines!;
      kept.add(chunk);
      if (page.lines === limit) break;
    }
    return page;
  } catch (error) {
    kept[Symbol.dispose]();
    throw error;
  }
}
