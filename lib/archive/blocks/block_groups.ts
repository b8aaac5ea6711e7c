/**
 * Promises blocks that stand one after another in groups that are read from a gzip file in one go, and the bytes of
 * each block out of what was read.
 *
 * @module
 */

import type { BlockEntry } from "../format.ts";

/** So much of a gzip file is read in one go, in bytes: whole blocks, at least one. */
const GROUP_BYTES = 512 * 1024;

/** Blocks that stand one after another, and where they lie in the gzip file. */
export interface BlockGroup {
  /** The blocks, at least one. */
  blocks: BlockEntry[];
  /** Where the first one begins, in bytes. */
  gzOffset: number;
  /** How long they are together, in bytes. */
  gzLength: number;
}

/** Puts `blocks`, which stand one after another, into groups of up to 512 KiB. A block that is larger is one alone. */
export function* groupsOf(blocks: readonly BlockEntry[]): Generator<BlockGroup> {
  let group: BlockGroup | null = null;
  for (const block of blocks) {
    if (group !== null && group.gzLength + block.gzLength > GROUP_BYTES) {
      yield group;
      group = null;
    }
    group ??= { blocks: [], gzOffset: block.gzOffset, gzLength: 0 };
    group.blocks.push(block);
    group.gzLength += block.gzLength;
  }
  if (group !== null) yield group;
}

/** Each block of a group with its part of `bytes`, which are those of the group. */
export function* piecesOf(
  { blocks, gzOffset }: BlockGroup,
  bytes: Uint8Array<ArrayBuffer>,
): Generator<[BlockEntry, Uint8Array<ArrayBuffer>]> {
  for (const block of blocks) {
    const start = block.gzOffset - gzOffset;
    yield [block, bytes.subarray(start, start + block.gzLength)];
  }
}
