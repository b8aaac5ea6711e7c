import assert from "node:assert/strict";
import { indexHeader, indexLine, parseIndex } from "../../../lib/archive/blocks/day_index.ts";
import { BLOCK_BYTES, GZIP_HEADER } from "../../../lib/archive/format.ts";
import {
  type BlocksTask,
  makeBlocks,
  prepareSeal,
  type SealTask,
  verifyCopy,
  verifyGzip,
} from "../../../lib/archive/day/sealing.ts";
import { DAY, inflateAsZcat, record, TestDirectory, textOf } from "../archive_rig.ts";

const PLACE = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };

function hotFiles(directory: TestDirectory) {
  return {
    plainPath: directory.file("plain"),
    plainFrom: 0,
    gzPartPath: directory.file("gz.part"),
    indexPartPath: directory.file("index.part"),
    gzFrom: 0,
  };
}

function blocksTask(directory: TestDirectory, upTo: number, final: boolean): BlocksTask {
  const header = indexLine(indexHeader(DAY, 0, 0));
  return { kind: "makeBlocks", ...hotFiles(directory), place: PLACE, header, upTo, final };
}

function sealTask(directory: TestDirectory): SealTask {
  return {
    kind: "prepareSeal",
    ...hotFiles(directory),
    index: parseIndex(directory.text("index.part"), DAY),
    before: null,
    gzTargetPath: directory.file("gz.part"),
    indexTargetPath: directory.file("index.tmp"),
  };
}

Deno.test("makeBlocks() makes full blocks of what is synced, and the last one when it is told to", () => {
  using directory = new TestDirectory();
  const text = textOf(0, 3000, 500);
  directory.write("plain", text);
  assert.deepEqual(makeBlocks(blocksTask(directory, BLOCK_BYTES - 1, false)), []);
  const [first, ...others] = makeBlocks(blocksTask(directory, text.length, false));
  assert.deepEqual(others, []);
  assert.ok(first!.rawLength <= BLOCK_BYTES && first!.rawLength > BLOCK_BYTES - 1000);
  const place = {
    rawOffset: first!.rawLength,
    gzOffset: first!.gzOffset + first!.gzLength,
    totalCrc32: parseInt(first!.totalCrc32, 16),
  };
  const [last] = makeBlocks({ ...blocksTask(directory, text.length, true), place });
  assert.equal(last!.rawOffset + last!.rawLength, text.length);
  assert.equal(first!.lines + last!.lines, 3000);
  assert.deepEqual(parseIndex(directory.text("index.part"), DAY).blocks, [first, last]);
});

Deno.test("makeBlocks() throws when the plain file is shorter than what is said to be synced", () => {
  using directory = new TestDirectory();
  directory.write("plain", textOf(0, 2));
  assert.throws(() => makeBlocks(blocksTask(directory, 5000, true)), /the file ends early/);
});

Deno.test("prepareSeal() gives the totals of what it has read back; zcat agrees", () => {
  using directory = new TestDirectory();
  const text = textOf(0, 10) + record(10, 2 * BLOCK_BYTES) + "\n";
  directory.write("plain", text);
  makeBlocks(blocksTask(directory, text.length, true));
  const seal = prepareSeal(sealTask(directory));
  assert.equal(seal.rawBytes, text.length);
  assert.equal(seal.lines, 11);
  assert.equal(seal.gzBytes, directory.read("gz.part").length);
  Deno.renameSync(directory.file("gz.part"), directory.file("a.gz"));
  assert.ok(new TextDecoder().decode(inflateAsZcat(directory.file("a.gz"))) === text);
  assert.equal(parseIndex(directory.text("index.tmp"), DAY).seal?.crc32, seal.crc32);
});

Deno.test("prepareSeal() refuses what is not the plain text, and leaves no index", () => {
  const text = textOf(0, 10);
  const faults: [string, (directory: TestDirectory) => void, RegExp][] = [
    [
      "a plain file that changed",
      (directory) => directory.write("plain", text.replace("line 3", "line 4")),
      /not that of the block/,
    ],
    [
      "a plain file that is cut",
      (directory) => directory.write("plain", text.slice(0, -1)),
      /not that of the block/,
    ],
    ["a flipped bit", (directory) => {
      const gz = directory.read("gz.part");
      gz[20]! ^= 1;
      directory.write("gz.part", gz);
    }, /Cannot read block 0 of/],
    [
      "a gzip part that is cut",
      (directory) => directory.write("gz.part", directory.read("gz.part").slice(0, 30)),
      /Cannot read block 0 of/,
    ],
  ];
  for (const [name, damage, message] of faults) {
    using directory = new TestDirectory();
    directory.write("plain", text);
    makeBlocks(blocksTask(directory, text.length, true));
    damage(directory);
    assert.throws(() => prepareSeal(sealTask(directory)), message, name);
    assert.equal(directory.names().includes("index.tmp"), false, name);
  }
});

Deno.test("verifyGzip() finds every bit that is flipped, wherever it is", () => {
  using directory = new TestDirectory();
  const text = textOf(0, 5);
  directory.write("plain", text);
  makeBlocks(blocksTask(directory, text.length, true));
  prepareSeal(sealTask(directory));
  const index = parseIndex(directory.text("index.tmp"), DAY);
  const gz = directory.read("gz.part");
  const path = directory.file("gz.part");
  verifyGzip(path, index);
  for (let at = 0; at < gz.length; at++) {
    const damaged = gz.slice();
    damaged[at]! ^= 1 << (at % 8);
    directory.write("gz.part", damaged);
    assert.throws(() => verifyGzip(path, index), /^Error: Cannot (verify|read block 0 of) "/, `byte ${at}`);
  }
});

Deno.test("verifyCopy() finds every bit that is flipped, of blocks that were copied and of those that were made", () => {
  using directory = new TestDirectory();
  const text = textOf(0, 5);
  directory.write("plain", text);
  makeBlocks(blocksTask(directory, text.length, true));
  prepareSeal(sealTask(directory));
  const index = parseIndex(directory.text("index.tmp"), DAY);
  const gz = directory.read("gz.part");
  const path = directory.file("gz.part");
  for (const made of [new Set<number>(), new Set([0])]) {
    verifyCopy(path, index, made);
    for (let at = 0; at < gz.length; at++) {
      const damaged = gz.slice();
      damaged[at]! ^= 1 << (at % 8);
      directory.write("gz.part", damaged);
      assert.throws(
        () => verifyCopy(path, index, made),
        /^Error: Cannot (verify|read block 0 of) "/,
        `byte ${at}`,
      );
    }
    directory.write("gz.part", gz);
  }
});

Deno.test("verifyCopy() inflates the blocks that were made: an entry that tells of other text is noticed", () => {
  using directory = new TestDirectory();
  directory.write("plain", textOf(0, 5));
  makeBlocks(blocksTask(directory, textOf(0, 5).length, true));
  prepareSeal(sealTask(directory));
  const index = parseIndex(directory.text("index.tmp"), DAY);
  for (const change of [{ crc32: "00000000" }, { lines: 6 }, { rawLength: 5 }]) {
    const blocks = [{ ...index.blocks[0]!, ...change }];
    assert.throws(() => verifyCopy(directory.file("gz.part"), { ...index, blocks }, new Set([0])), /block 0/);
  }
});

Deno.test("verifyCopy() does not trust a block whose bytes have no checksum", () => {
  using directory = new TestDirectory();
  directory.write("plain", textOf(0, 5));
  makeBlocks(blocksTask(directory, textOf(0, 5).length, true));
  prepareSeal(sealTask(directory));
  const index = parseIndex(directory.text("index.tmp"), DAY);
  const blocks = [{ ...index.blocks[0]!, gzCrc32: null }];
  assert.throws(() => verifyCopy(directory.file("gz.part"), { ...index, blocks }, new Set()), /block 0/);
});
