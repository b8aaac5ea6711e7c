/**
 * Promises to find out whether lines stand in another text in the same order, whatever stands between them there: the lines of a
 * plain file in a sealed text into which others were inserted. Both are read once, piece by piece.
 *
 * Example: the lines a, c, d stand in a, b, c, d, e; the lines a, d, c do not.
 *
 * @module
 */

import { cutBlock, inflateBlock, sameBytes } from "../blocks/block.ts";
import { readAt } from "../disk.ts";
import { BLOCK_BYTES, type BlockEntry, LINE_FEED } from "../format.ts";

/**
 * Whether each of `lines` stands in `text`, in the same order; both are pieces of whole lines. The start of a line that has no end
 * does not count, nor does a line with NULs in it: there the file was cut while it was written, see hole.ts.
 */
export function areContained(lines: Iterable<Uint8Array>, text: Iterable<Uint8Array>): boolean {
  return passContained(lines, text).isWhole;
}

/**
 * How many bytes of `lines` come before the first of them that does not stand in `text` after those before it; see
 * {@linkcode areContained}. Example: of a, b, d, c, e, lines of ten bytes each, 30 bytes stand in a, x, b, c, d.
 */
export function containedBytes(lines: Iterable<Uint8Array>, text: Iterable<Uint8Array>): number {
  return passContained(lines, text).bytes;
}

/** Goes through `lines` as far as they are contained in `text`; `isWhole` tells whether they all are. */
function passContained(
  lines: Iterable<Uint8Array>,
  text: Iterable<Uint8Array>,
): { bytes: number; isWhole: boolean } {
  const wanted = linesOf(lines);
  let bytes = 0;
  const nextWanted = (): Uint8Array | null => {
    for (let next = wanted.next(); !next.done; next = wanted.next()) {
      if (!next.value.includes(0)) return next.value;
      bytes += next.value.length;
    }
    return null;
  };
  try {
    let next = nextWanted();
    for (const line of linesOf(text)) {
      if (next === null) break;
      if (!sameBytes(line, next)) continue;
      bytes += next.length;
      next = nextWanted();
    }
    return { bytes, isWhole: next === null };
  } finally {
    wanted.return?.(); // closes what the lines are read from
  }
}

/** The text of a plain file from `start` to `end`, in pieces of whole lines; the last one may end within a line. */
export function* plainPieces(path: string, start: number, end: number): Generator<Uint8Array> {
  using file = Deno.openSync(path, { read: true });
  let length = BLOCK_BYTES;
  for (let at = start; at < end;) {
    const text = readAt(file, at, Math.min(length, end - at));
    const cut = at + text.length < end ? cutBlock(text) : text.length;
    length = cut === 0 ? length * 2 : BLOCK_BYTES;
    if (cut > 0) yield text.subarray(0, cut);
    at += cut;
  }
}

/**
 * The text of `blocks` of the gzip file at `path`, a piece for each.
 *
 * @throws {Error} If one of them is damaged.
 */
export function* blockPieces(path: string, blocks: readonly BlockEntry[]): Generator<Uint8Array> {
  using gz = Deno.openSync(path, { read: true });
  for (const block of blocks) yield inflateBlock(readAt(gz, block.gzOffset, block.gzLength), block);
}

/** The lines of pieces of whole lines, each with its line feed, without one that has no end. */
export function* linesOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  for (const piece of pieces) {
    for (let start = 0; start < piece.length;) {
      const lineFeed = piece.indexOf(LINE_FEED, start);
      if (lineFeed === -1) break;
      yield piece.subarray(start, lineFeed + 1);
      start = lineFeed + 1;
    }
  }
}
