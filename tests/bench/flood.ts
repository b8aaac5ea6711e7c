/**
 * Promises lines at full speed, and the moment at which the last of them was safe: whole in the contender's
 * file, and synced. Whoever has not synced by itself is synced from outside, so all are asked the same.
 *
 * @module
 */

import { until } from "./bench.ts";
import { type LineBatch, LineSource } from "./lines.ts";
import type { Publisher } from "./publisher.ts";

/** Lines in the piece that is published over and over; some 6 MB, far beyond deflate's window. */
const PIECE_LINES = 20_000;

/** How often the file's size is looked at, in milliseconds. */
const POLL_MS = 2;

/** How long a million lines may take at the very most, in milliseconds. */
const LIMIT_MS = 60_000;

/** The UTC day of a flood: today's, as it would be on a bad day. */
export interface Day {
  /** `YYYY-MM-DD`. */
  name: string;
  /** Its first millisecond. */
  startMs: number;
}

/** The UTC day `daysAgo` days before now. */
export function dayAgo(daysAgo: number): Day {
  const name = new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  return { name, startMs: Date.parse(`${name}T00:00:00Z`) };
}

/** A piece of `PIECE_LINES` lines of `day` up to now. */
export function makePiece(day: Day): LineBatch {
  const spanMs = Math.max(60_000, Math.min(86_400_000, Date.now() - day.startMs));
  return new LineSource({ dayStartMs: day.startMs, spanMs, total: PIECE_LINES }).batch(PIECE_LINES);
}

/**
 * Publishes `piece` until `lines` lines are out and waits until `file` has grown by them and is synced.
 * Gives the seconds from the first byte published. `pieceBytes` is what one piece takes in the file.
 *
 * @throws {Error} If the file does not get there in time.
 */
export async function flood(
  publisher: Publisher,
  options: { piece: LineBatch; lines: number; file: string; pieceBytes: number },
): Promise<number> {
  const { piece, lines, file, pieceBytes } = options;
  const pieces = Math.round(lines / piece.count);
  const wanted = sizeOf(file) + pieces * pieceBytes;
  const startMs = performance.now();
  for (let i = 0; i < pieces; i++) await publisher.publish(piece.frames);
  const limitMs = LIMIT_MS * Math.max(1, lines / 1e6);
  try {
    await until("the last line", limitMs, POLL_MS, () => sizeOf(file) >= wanted);
  } catch (error) {
    throw new Error(
      `Cannot finish a flood of ${lines} lines: ${sizeOf(file)} of ${wanted} bytes in the file`,
      {
        cause: error,
      },
    );
  }
  using handle = await Deno.open(file);
  await handle.syncData();
  return (performance.now() - startMs) / 1000;
}

/** The size of a file, 0 while there is none. */
function sizeOf(file: string): number {
  try {
    return Deno.statSync(file).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
