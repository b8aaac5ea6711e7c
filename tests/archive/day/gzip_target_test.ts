import assert from "node:assert/strict";
import { makeBlock } from "../../../lib/archive/blocks/block.ts";
import { BLOCK_BYTES, type BlockEntry } from "../../../lib/archive/format.ts";
import { GzipTarget } from "../../../lib/archive/day/gzip_target.ts";
import { inflateAsZcat, record, TestDirectory, textOf } from "../archive_rig.ts";

const encoder = new TextEncoder();
const PLACE = { rawOffset: 77, gzOffset: 99, totalCrc32: 5 };

/** Puts a file together; gives its text as zcat reads it, the entries, and which of them were made of text. */
function put(write: (target: GzipTarget) => void): { text: string; blocks: BlockEntry[]; made: number[] } {
  using directory = new TestDirectory();
  using target = new GzipTarget(directory.file("a.gz"));
  write(target);
  target.finish();
  const text = new TextDecoder().decode(inflateAsZcat(directory.file("a.gz")));
  return { text, blocks: target.blocks, made: [...target.made] };
}

/** A block of the lines from `from` to before `end`, from somewhere in another file. */
function blockOf(from: number, end: number, padding = 0): { bytes: Uint8Array; entry: BlockEntry } {
  return makeBlock(encoder.encode(textOf(from, end, padding)), PLACE);
}

function add(target: GzipTarget, text: string): void {
  target.add(encoder.encode(text));
}

function copy(target: GzipTarget, { bytes, entry }: { bytes: Uint8Array; entry: BlockEntry }): void {
  target.copy(bytes, entry);
}

Deno.test("GzipTarget copies blocks to other places, with the totals of these", () => {
  const { text, blocks, made } = put((target) => {
    copy(target, blockOf(0, 10));
    copy(target, blockOf(10, 30));
  });
  assert.equal(text, textOf(0, 30));
  assert.deepEqual(made, []);
  const first = makeBlock(encoder.encode(textOf(0, 10)), { rawOffset: 0, gzOffset: 10, totalCrc32: 0 });
  assert.deepEqual(blocks[0], first.entry);
  assert.equal(blocks[1]!.rawOffset, first.entry.rawLength);
});

Deno.test("GzipTarget of nothing is a gzip file without text", () => {
  assert.deepEqual(put(() => {}), { text: "", blocks: [], made: [] });
});

Deno.test("GzipTarget makes two blocks of about the same size of a little more than fits into one", () => {
  const { text, blocks, made } = put((target) => {
    add(target, textOf(0, 900, 1000));
    add(target, textOf(900, 990, 1000));
    copy(target, blockOf(990, 1900, 1000));
  });
  assert.ok(text === textOf(0, 1900, 1000));
  assert.deepEqual(blocks.map(({ lines }) => lines), [495, 495, 910]);
  assert.deepEqual(made, [0, 1]);
});

Deno.test("GzipTarget takes a copied block in that fits into one with the text before it, and no other", () => {
  const { text, blocks, made } = put((target) => {
    copy(target, blockOf(0, 10, 1000));
    add(target, textOf(10, 20, 1000));
    copy(target, blockOf(20, 30, 1000));
    copy(target, blockOf(30, 40, 1000));
    copy(target, blockOf(40, 1000, 1000));
    copy(target, blockOf(1000, 1010, 1000));
  });
  assert.ok(text === textOf(0, 1010, 1000));
  assert.deepEqual(blocks.map(({ lines }) => lines), [10, 30, 960, 10]);
  assert.deepEqual(made, [1]);
});

Deno.test("GzipTarget makes full blocks of much text, and none above the limit", () => {
  const { text, blocks } = put((target) => {
    for (let from = 0; from < 5000; from += 100) add(target, textOf(from, from + 100, 1000));
  });
  assert.ok(text === textOf(0, 5000, 1000));
  assert.deepEqual(blocks.slice(0, -2).map(({ lines }) => lines), [962, 962, 961, 961]);
  assert.ok(blocks.every(({ rawLength }) => rawLength <= BLOCK_BYTES && rawLength > BLOCK_BYTES / 2));
});

Deno.test("GzipTarget gives a line that is longer than a block one of its own", () => {
  const long = record(10, 3 * BLOCK_BYTES) + "\n";
  const { text, blocks, made } = put((target) => {
    add(target, textOf(0, 10));
    add(target, long);
    add(target, textOf(11, 20));
    copy(target, makeBlock(encoder.encode(long), PLACE));
  });
  assert.ok(text === textOf(0, 10) + long + textOf(11, 20) + long);
  assert.deepEqual(blocks.map(({ lines }) => lines), [10, 1, 9, 1]);
  assert.deepEqual(made, [0, 1, 2]);
});

Deno.test("GzipTarget cuts lines of nearly a block at their ends", () => {
  const { text, blocks } = put((target) => {
    for (let number = 0; number < 4; number++) add(target, `${record(number, BLOCK_BYTES - 200)}\n`);
    for (let number = 4; number < 7; number++) add(target, `${record(number, BLOCK_BYTES / 2)}\n`);
  });
  assert.equal(text.match(/\n/g)!.length, 7);
  assert.deepEqual(blocks.map(({ lines }) => lines), [1, 1, 1, 1, 1, 1, 1]);
});
