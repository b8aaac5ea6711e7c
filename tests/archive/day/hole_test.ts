import assert from "node:assert/strict";
import { runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import { indexHeader, indexLine } from "../../../lib/archive/blocks/day_index.ts";
import type { BlockEntry } from "../../../lib/archive/format.ts";
import { type FilledHole, fillHole } from "../../../lib/archive/day/hole.ts";
import { isLostLine } from "../../../lib/line/lost_line.ts";
import { DAY, numbersIn, TestDirectory, textOf } from "../archive_rig.ts";

const PADDING = 100_000;
/** Some ten lines are a block. */
const TEXT = textOf(0, 25, PADDING);

/** A plain file of 25 lines, with two blocks made of it, after `spoil`; and the hole filled. */
function fill(spoil: (files: { plain: string; part: string }) => void): { text: string; filled: FilledHole } {
  using directory = new TestDirectory();
  const files = { plain: directory.file("plain"), part: directory.file("part") };
  directory.write("plain", TEXT);
  const hot = {
    ...{ plainPath: files.plain, plainFrom: 0, gzPartPath: files.part, gzFrom: 0 },
    indexPartPath: directory.file("index"),
  };
  const header = indexHeader(DAY, 0, 0);
  const { entries: blocks } = runBlockTask({
    ...{ kind: "makeBlocks", ...hot, header: indexLine(header), upTo: TEXT.length, final: false },
    place: { rawOffset: 0, gzOffset: 10, totalCrc32: 0 },
  }) as { entries: BlockEntry[] };
  assert.deepEqual(blocks.map(({ lines }) => lines), [10, 10]);
  spoil(files);
  const filled = fillHole({ kind: "fillHole", ...hot, day: DAY, blocks, end: TEXT.length, sealedEnd: 0 });
  return { text: directory.text("plain"), filled };
}

/** As a writer does that goes on after the file was cut to `length`. */
function cutAndExtend(path: string, length: number): void {
  Deno.truncateSync(path, length);
  Deno.truncateSync(path, TEXT.length + 500);
}

function lengthOf(from: number, end: number): number {
  return textOf(from, end, PADDING).length;
}

Deno.test("fillHole() puts back what has blocks, and has a line say that the rest is lost", () => {
  const { text, filled } = fill(({ plain }) => cutAndExtend(plain, 0));
  assert.ok(text.startsWith(textOf(0, 20, PADDING)));
  const rest = text.slice(lengthOf(0, 20), TEXT.length);
  assert.equal(rest.endsWith("}\n"), true);
  assert.equal(isLostLine(rest.trimEnd()), true);
  assert.deepEqual(filled, {
    ...{ backBytes: lengthOf(0, 20), lostBytes: lengthOf(20, 25), last: "2026-11-22T10:00:19.500000000Z" },
    ...{ areBlocksRight: true, lines: 21 },
  });
});

Deno.test("fillHole() begins where the last whole line ends that is left, in a block or after all", () => {
  for (const lines of [7, 10, 12, 20, 22]) {
    const { text, filled } = fill(({ plain }) => cutAndExtend(plain, lengthOf(0, lines) + 50));
    const kept = Math.max(20, lines);
    assert.ok(text.startsWith(textOf(0, kept, PADDING)), `${lines}`);
    assert.deepEqual(filled, {
      ...{ backBytes: lengthOf(lines, Math.max(20, lines)), lostBytes: lengthOf(kept, 25) },
      ...{ last: `2026-11-22T10:00:${kept - 1}.500000000Z`, areBlocksRight: true, lines: kept + 1 },
    });
  }
});

Deno.test("fillHole() changes nothing where nothing is missing up to the end, also in a file that is cut after it", () => {
  const { text, filled } = fill(({ plain }) => cutAndExtend(plain, TEXT.length));
  assert.equal(text.slice(0, TEXT.length), TEXT);
  assert.deepEqual([filled.backBytes, filled.lostBytes, filled.lines], [0, 0, 25]);
});

Deno.test("fillHole() counts a block as lost that is damaged, and puts back those on either side", () => {
  const { text, filled } = fill(({ plain, part }) => {
    Deno.truncateSync(plain, 0);
    using file = Deno.openSync(part, { write: true });
    file.seekSync(40, Deno.SeekMode.Start);
    file.writeSync(Uint8Array.of(0xff, 0xff, 0xff));
  });
  assert.deepEqual(numbersIn(text), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.equal(text.length, TEXT.length);
  assert.equal(filled.areBlocksRight, false);
  assert.equal(filled.lostBytes, lengthOf(0, 10) + lengthOf(20, 25));
  assert.equal(filled.last, null);
  assert.equal(filled.lines, text.split("\n").length - 1);
});

Deno.test("fillHole() says that all is lost of a file that is gone, and its blocks too", () => {
  const { text, filled } = fill(({ plain, part }) => {
    Deno.removeSync(plain);
    Deno.removeSync(part);
  });
  assert.equal(text.length, TEXT.length);
  assert.ok(text.trimEnd().split("\n").every(isLostLine));
  assert.deepEqual([filled.backBytes, filled.lostBytes, filled.areBlocksRight], [0, TEXT.length, false]);
});
