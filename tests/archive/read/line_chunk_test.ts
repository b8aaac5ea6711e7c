import assert from "node:assert/strict";
import { chunkOf } from "../../../lib/archive/read/line_chunk.ts";

const DAY = 20_779; // 2026-11-22

const OF_DAY = { day: DAY, edition: 2 };

/** Three lines of 4, 6 and 2 bytes, the second after 10 bytes that were not wanted, of a piece at 1000. */
const PIECE = { offset: 1000, range: { start: 0, end: 50 } };
const SELECTED = {
  bytes: new TextEncoder().encode("aaa\nbbbbb\nc\n"),
  marks: {
    starts: Uint32Array.of(0, 14, 20),
    ends: Uint32Array.of(4, 20, 22),
    outputEnds: Uint32Array.of(4, 10, 12),
  },
};

const at = (offset: number) => ({ day: DAY, offset, edition: 2 });
const text = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

Deno.test("chunkOf() cuts the lines to the first of a limit, and ends after the last of them", () => {
  const chunk = chunkOf(OF_DAY, PIECE, SELECTED, { limit: 2, fromEnd: false, withPlaces: false });
  assert.equal(text(chunk), "aaa\nbbbbb\n");
  assert.deepEqual([chunk.lines, chunk.start, chunk.end, chunk.placed], [2, at(1000), at(1020), null]);
});

Deno.test("chunkOf() cuts the lines to the last of a limit", () => {
  const chunk = chunkOf(OF_DAY, PIECE, SELECTED, { limit: 1, fromEnd: true, withPlaces: false });
  assert.equal(text(chunk), "c\n");
  assert.deepEqual([chunk.lines, chunk.start, chunk.end], [1, at(1020), at(1022)]);
});

Deno.test("chunkOf() ends where the piece does while more lines are wanted", () => {
  const { lines, end } = chunkOf(OF_DAY, PIECE, SELECTED, { limit: 4, fromEnd: false, withPlaces: false });
  assert.deepEqual([lines, end], [3, at(1050)]);
});

Deno.test("chunkOf() gives each line with its place", () => {
  const { lines, placed } = chunkOf(OF_DAY, PIECE, SELECTED, {
    limit: null,
    fromEnd: false,
    withPlaces: true,
  });
  assert.equal(lines, 3);
  assert.deepEqual(placed!.map((line) => [line.start.offset, line.end.offset, text(line)]), [
    [1000, 1004, "aaa\n"],
    [1014, 1020, "bbbbb\n"],
    [1020, 1022, "c\n"],
  ]);
});

Deno.test("chunkOf() knows no number of lines where nothing tells it", () => {
  const chunk = chunkOf(OF_DAY, PIECE, { bytes: SELECTED.bytes, marks: null }, {
    ...{ limit: null, fromEnd: false, withPlaces: false },
  });
  assert.deepEqual([chunk.lines, chunk.start, chunk.end, chunk.placed], [null, at(1000), at(1050), null]);
});
