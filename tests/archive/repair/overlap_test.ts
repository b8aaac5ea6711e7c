import assert from "node:assert/strict";
import { parseSealedIndex } from "../../../lib/archive/blocks/day_index.ts";
import {
  addRest,
  findOverlap,
  matchOverlap,
  readRecordedLines,
} from "../../../lib/archive/repair/overlap.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { DAY, openArchive, TestDirectory } from "../archive_rig.ts";
import { appendDayLines, insertDayLines, lineAt, linesBetween, textOfLines } from "../healing_rig.ts";
import { GZ, INDEX, PLAIN, sealed } from "./damages.ts";

const SEALED = linesBetween("a", 36_000, 36_004);
const REST = linesBetween("b", 36_004, 36_006);

/** A day that grew on after a line was inserted among its first four. */
async function healedDay(): Promise<{ directory: TestDirectory; place: RepairPlace }> {
  const directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendDayLines(opened.archive, SEALED);
  await opened.archive.sync();
  await insertDayLines(opened.archive, directory.path, [lineAt("found", 36_001)]);
  appendDayLines(opened.archive, REST);
  await opened.archive.sync();
  return { directory, place: new RepairPlace(directory.path, DAY, []) };
}

Deno.test("findOverlap() tells where what was recorded ends that is sealed, and which plain file goes on there", async () => {
  const { directory, place } = await healedDay();
  using _ = directory;
  const index = directory.text(INDEX);
  const { healed, recordedEnd, from } = findOverlap(place, [0], index);
  assert.equal(healed?.lines, 1);
  assert.equal(recordedEnd, textOfLines(SEALED).length);
  assert.equal(from, 0);
  assert.equal(findOverlap(place, [], index).from, null);
  const isUnknown = findOverlap(place, [0], index.slice(0, -20));
  assert.deepEqual({ ...isUnknown, healed: isUnknown.healed?.lines }, {
    healed: 1,
    recordedEnd: null,
    from: null,
  });
});

Deno.test("findOverlap() says nothing of a day into which nothing was inserted", () => {
  using directory = new TestDirectory();
  directory.write(INDEX, sealed[INDEX]!);
  const place = new RepairPlace(directory.path, DAY, []);
  assert.deepEqual(findOverlap(place, [], directory.text(INDEX)), {
    healed: null,
    recordedEnd: null,
    from: null,
  });
});

Deno.test("matchOverlap() tells by the lines alone where the plain file goes on, also after a part of what was sealed", async () => {
  const { directory, place } = await healedDay();
  using _ = directory;
  const unknown = findOverlap(place, [0], "");
  const found = `${lineAt("found", 36_001).text}\n`;
  const [first, ...others] = SEALED.map((line) => textOfLines([line]));
  for (
    const [text, recorded] of [[[first, found, ...others], SEALED.length], [[first, found], 1], [
      [],
      0,
    ]] as const
  ) {
    directory.write("unpacked", text.join(""));
    const { recordedEnd, from } = matchOverlap(place, [0], unknown, directory.file("unpacked"));
    assert.deepEqual({ recordedEnd, from }, {
      recordedEnd: textOfLines(SEALED.slice(0, recorded)).length,
      from: 0,
    });
  }
  assert.equal(matchOverlap(place, [], unknown, directory.file("unpacked")).recordedEnd, null);
});

Deno.test("addRest() adds what is not sealed, and readRecordedLines() gives what was recorded of a block", async () => {
  const { directory, place } = await healedDay();
  using _ = directory;
  const overlap = findOverlap(place, [0], directory.text(INDEX));
  directory.write("target", "before\n");
  addRest(place, overlap, directory.file("target"));
  assert.equal(directory.text("target"), "before\n" + textOfLines(REST));
  const [block] = parseSealedIndex(directory.text(INDEX), DAY).blocks;
  const text = readRecordedLines(place, overlap, block!);
  assert.equal(new TextDecoder().decode(text!), textOfLines(SEALED));
  directory.write(PLAIN, directory.read(PLAIN).fill(0, 5, 20));
  assert.equal(
    readRecordedLines(place, overlap, block!),
    null,
    "where the file was cut while it was written",
  );
  assert.ok(directory.names().includes(GZ));
});
