import assert from "node:assert/strict";
import { groupsOf, piecesOf } from "../../../lib/archive/blocks/block_groups.ts";
import type { BlockEntry } from "../../../lib/archive/format.ts";

/** Blocks of so many bytes, one after another from 10 on, where those of a gzip file begin. */
function blocksOf(...lengths: number[]): BlockEntry[] {
  let gzOffset = 10;
  return lengths.map((gzLength) => {
    const block = { gzOffset, gzLength } as BlockEntry;
    gzOffset += gzLength;
    return block;
  });
}

const KIB = 1024;

Deno.test("groupsOf() puts blocks together up to 512 KiB, and leaves a larger one alone", () => {
  const blocks = blocksOf(200 * KIB, 312 * KIB, 1, 600 * KIB, 5);
  const groups = [...groupsOf(blocks)].map(({ blocks, gzOffset, gzLength }) => [
    blocks.length,
    gzOffset,
    gzLength,
  ]);
  assert.deepEqual(groups, [
    [2, 10, 512 * KIB],
    [1, 10 + 512 * KIB, 1],
    [1, 11 + 512 * KIB, 600 * KIB],
    [1, 11 + 1112 * KIB, 5],
  ]);
});

Deno.test("groupsOf() gives nothing for no blocks", () => {
  assert.deepEqual([...groupsOf([])], []);
});

Deno.test("piecesOf() gives each block its own bytes", () => {
  const [group] = [...groupsOf(blocksOf(2, 3, 1))];
  const pieces = [...piecesOf(group!, Uint8Array.of(1, 1, 2, 2, 2, 3))];
  assert.deepEqual(pieces.map(([block, bytes]) => [block.gzOffset, [...bytes]]), [
    [10, [1, 1]],
    [12, [2, 2, 2]],
    [15, [3]],
  ]);
});
