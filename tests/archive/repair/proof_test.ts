import assert from "node:assert/strict";
import type { BlockEntry } from "../../../lib/archive/format.ts";
import {
  describeBlocks,
  findMissing,
  readFromPlains,
  readProof,
  spanOfDay,
  spansOfBlocks,
} from "../../../lib/archive/repair/proof.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { asVersion, INDEX, PLAIN, recordedText, sealed } from "./damages.ts";

const TEXT = new TextDecoder().decode(sealed[INDEX]);
const BLOCKS = readProof(TEXT, DAY).blocks;

Deno.test("readProof() reads all blocks of an index, and of a damaged one those whose lines are intact", () => {
  assert.deepEqual(BLOCKS.map(({ lines }) => lines), [962, 962, 576]);
  assert.equal(readProof(TEXT, DAY).seal?.lines, 2500);
  const damaged = readProof(TEXT.replace('"apps":["web"]', '"apps":["wec"]'), DAY);
  assert.deepEqual(damaged.blocks, BLOCKS.slice(1));
  assert.deepEqual([damaged.seal, damaged.fault], [null, "Cannot read line 2: its checksum is wrong"]);
  assert.deepEqual(readProof("garbage\n", DAY).blocks, []);
});

Deno.test("readProof() takes nothing from the index of another day or of a later version", () => {
  assert.deepEqual(readProof(TEXT, DAY + 1).blocks, []);
  using directory = new TestDirectory();
  directory.write(INDEX, TEXT);
  asVersion(directory, INDEX, 4);
  assert.equal(readProof(directory.text(INDEX), DAY).isUnknownVersion, true);
});

Deno.test("findMissing() looks for blocks where they stood, and where they stand when those before are gone", () => {
  using directory = new TestDirectory();
  const place = new RepairPlace(directory.path, DAY, []);
  const missing = (text: string): number[] => {
    directory.write(PLAIN, text);
    return findMissing(place, BLOCKS, [0]).map((block) => BLOCKS.indexOf(block));
  };
  assert.deepEqual(missing(recordedText(0, 2500)), []);
  assert.deepEqual(missing(recordedText(0, 1924)), [2]);
  assert.deepEqual(missing(recordedText(962, 2500)), [0]);
  assert.deepEqual(missing(""), [0, 1, 2]);
  assert.deepEqual(findMissing(place, BLOCKS, []), BLOCKS);
  assert.equal(readFromPlains(place, BLOCKS[0]!, [0]), null);
});

function blockOf(rawOffset: number, first: string | null, last: string | null): BlockEntry {
  const [from, to] = [first, last].map((time) => time && `2026-11-22T${time}.000000000Z`);
  return { ...BLOCKS[0]!, rawOffset, rawLength: 10, lines: 5, first: from!, last: to! };
}

function timesOf(blocks: BlockEntry[]): string[] {
  return spansOfBlocks(DAY, blocks).map(({ sinceMs, untilMs }) =>
    [sinceMs, untilMs].map((ms) => new Date(ms).toISOString().slice(11, 23)).join(" ")
  );
}

Deno.test("spansOfBlocks() makes one span of blocks that follow each other, within the day", () => {
  const [first, second] = [blockOf(0, "10:00:00", "10:20:00"), blockOf(10, "10:19:00", "10:40:00")];
  assert.deepEqual(timesOf([first, second]), ["10:00:00.000 10:40:00.001"]);
  assert.deepEqual(timesOf([first, blockOf(30, "11:00:00", "11:10:00")]), [
    "10:00:00.000 10:20:00.001",
    "11:00:00.000 11:10:00.001",
  ]);
  assert.deepEqual(timesOf([blockOf(0, null, null)]), ["00:00:00.000 00:00:00.000"]);
  const early = { ...first, first: "1971-01-01T00:00:00.000000000Z" };
  assert.deepEqual(timesOf([early]), ["00:00:00.000 10:20:00.001"]);
  const never = { ...early, last: early.first };
  assert.deepEqual(spansOfBlocks(DAY, [never]), [spanOfDay(DAY)]);
});

Deno.test("describeBlocks() says how many lines and of which times", () => {
  const blocks = [blockOf(0, "10:00:00", "10:20:00"), blockOf(10, "10:19:00", "10:40:00")];
  assert.equal(
    describeBlocks(blocks, spansOfBlocks(DAY, blocks)),
    "10 lines in 2 blocks, of 2026-11-22T10:00:00.000Z to 2026-11-22T10:40:00.001Z",
  );
});
