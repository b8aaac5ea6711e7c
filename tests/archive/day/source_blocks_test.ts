import assert from "node:assert/strict";
import { makeBlocks } from "../../../lib/archive/day/sealing.ts";
import { indexHeader, indexLine, nextPlace, parseIndex } from "../../../lib/archive/blocks/day_index.ts";
import { PLACING_WINDOW_LINES } from "../../../lib/archive/day/line_placing.ts";
import { SourceBlocks } from "../../../lib/archive/day/source_blocks.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { GZ, readIndex, timedLine, writeSealed } from "./insertion_rig.ts";

/** Lines of the seconds from `from` to before `end` after ten o'clock. */
function seconds(from: number, end: number): string {
  let text = "";
  for (let at = from; at < end; at++) {
    text += timedLine(`${at}`, new Date(36_000_000 + at * 1000).toISOString().slice(11, -1)) + "\n";
  }
  return text;
}

function open(directory: TestDirectory): SourceBlocks {
  return new SourceBlocks(DAY, [{ gzPath: directory.file(GZ), index: readIndex(directory) }]);
}

function textOf(sources: SourceBlocks, number: number): string {
  return new TextDecoder().decode(sources.text(number, sources.read(number).bytes));
}

Deno.test("SourceBlocks goes on from the sealed text into the blocks of the plain file", () => {
  using directory = new TestDirectory();
  writeSealed(directory, [seconds(0, 10), seconds(10, 20)]);
  const { seal } = readIndex(directory);
  // As of a day that was healed before: what was recorded ends 500 bytes earlier than the text.
  const from = seal.rawBytes - 500;
  const header = indexHeader(DAY, from, seal.gzBytes - 10);
  const part = { header, blocks: [], seal: null };
  directory.write("plain", seconds(20, 30));
  makeBlocks({
    ...{ kind: "makeBlocks", plainPath: directory.file("plain"), plainFrom: from, final: true },
    ...{ gzPartPath: directory.file("part"), indexPartPath: directory.file("index"), gzFrom: header.gzFrom },
    ...{ place: nextPlace(part), header: indexLine(header), upTo: from + seconds(20, 30).length },
  });
  using sources = new SourceBlocks(DAY, [
    { gzPath: directory.file(GZ), index: readIndex(directory) },
    { gzPath: directory.file("part"), index: parseIndex(directory.text("index"), DAY) },
  ]);
  assert.equal(sources.length, 3);
  assert.equal([0, 1, 2].map((number) => textOf(sources, number)).join(""), seconds(0, 30));
  assert.deepEqual([0, 1, 2].map((number) => sources.rawAt(number)), [
    0,
    seconds(0, 10).length,
    seconds(0, 20).length,
  ]);
  assert.equal(sources.rawBytes, seconds(0, 30).length);
  assert.equal(sources.latest(2), 36_029e9);
});

Deno.test("SourceBlocks looks into the blocks that follow as far as it must, also over those without times", () => {
  using directory = new TestDirectory();
  const untimed = `${timedLine("x", null)}\n`;
  writeSealed(directory, [seconds(0, 2), untimed, seconds(2, 12), seconds(12, 13), seconds(13, 400)]);
  using sources = open(directory);
  const text = sources.text(0, sources.read(0).bytes);
  const { starts, moments } = sources.timedLines(0, text);
  assert.deepEqual(starts, [0, seconds(0, 1).length]);
  assert.deepEqual(
    moments,
    Array.from({ length: 2 + PLACING_WINDOW_LINES - 1 }, (_, at) => (36_000 + at) * 1e9),
  );
  assert.equal(sources.latest(1), -Infinity);
  // What was looked at ahead is what it is when its turn comes.
  const third = sources.timedLines(2, sources.text(2, sources.read(2).bytes));
  assert.equal(third.starts.length, 10);
  assert.equal(third.moments[0], 36_002e9);
  const last = sources.timedLines(4, sources.text(4, sources.read(4).bytes));
  assert.equal(last.moments.length, 387);
});

Deno.test("SourceBlocks names the place of a block that is not what was written", () => {
  using directory = new TestDirectory();
  writeSealed(directory, [seconds(0, 10), seconds(10, 20)]);
  const { blocks } = readIndex(directory);
  const gz = directory.read(GZ);
  gz[blocks[1]!.gzOffset + 5]! ^= 1;
  directory.write(GZ, gz);
  using sources = open(directory);
  assert.equal(textOf(sources, 0), seconds(0, 10));
  assert.throws(() => sources.read(1), {
    message: `Cannot read the block at ${blocks[1]!.gzOffset} of "${directory.file(GZ)}": ` +
      "its bytes are not those that were written",
  });
});

Deno.test("SourceBlocks gives a block of an old index the checksum that it lacks, if its text is right", () => {
  using directory = new TestDirectory();
  writeSealed(directory, [seconds(0, 10), seconds(10, 20)]);
  const index = readIndex(directory);
  const old = { ...index, blocks: index.blocks.map((block) => ({ ...block, gzCrc32: null })) };
  const gz = directory.read(GZ);
  gz[index.blocks[1]!.gzOffset + 5]! ^= 1;
  directory.write(GZ, gz);
  using sources = new SourceBlocks(DAY, [{ gzPath: directory.file(GZ), index: old }]);
  assert.deepEqual(sources.read(0).entry, index.blocks[0]);
  assert.throws(() => sources.read(1), /Cannot read the block at \d+ of/);
});
