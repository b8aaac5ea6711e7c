import assert from "node:assert/strict";
import { runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import { TEMPORARY_SUFFIX } from "../../../lib/archive/format.ts";
import { insertLines } from "../../../lib/archive/day/insertion.ts";
import { healedOf, type MendedIndex, rebuildIndex } from "../../../lib/archive/repair/index_repair.ts";
import { checkedLine } from "../../../lib/archive/checked_line.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import {
  EDITS,
  GZ,
  INDEX,
  insertFound,
  insertTask,
  readIndex,
  timedLine,
  writeFound,
  writeSealed,
} from "../day/insertion_rig.ts";

function lines(...times: string[]): string {
  return times.map((time) => `${timedLine(time, time)}\n`).join("");
}

/** A sealed day of two blocks into which lines were inserted twice. */
async function writeHealed(directory: TestDirectory): Promise<void> {
  writeSealed(directory, [lines("10:00:00", "10:10:00"), lines("11:00:00", "11:10:00")]);
  await insertFound(directory, [[timedLine("a", "10:05:00"), "10:05:00"], [
    timedLine("b", "11:05:00"),
    "11:05:00",
  ]]);
  await insertFound(directory, [[timedLine("c", "11:20:00"), "11:20:00"]]);
}

/** What becomes of the index when it is made again as opening does. */
function rebuild(directory: TestDirectory, oldText: string) {
  const findHealed = (blocks: Parameters<typeof healedOf>[0]) =>
    healedOf(blocks, oldText, directory.file(EDITS));
  return rebuildIndex(directory.file(GZ), DAY, oldText, findHealed);
}

Deno.test("An index of a healed day is made again with the same seal, whatever has become of the old one", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const text = directory.text(INDEX);
  const whole = readIndex(directory);
  assert.deepEqual(whole.seal.healed, { edition: 2, bytes: 240, lines: 3, editsBytes: 120 });
  for (
    const old of ["", "garbage", text.slice(0, 200), text.slice(0, -1), text.replaceAll("web", "wec"), text]
  ) {
    assert.deepEqual(rebuild(directory, old).seal, whole.seal, old);
  }
});

Deno.test("The seal of the old index says what was inserted where the file of edits is gone or damaged", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const old = directory.text(INDEX).replace('"apps"', '"apqs"');
  const { seal } = readIndex(directory);
  directory.write(EDITS, "garbage");
  assert.deepEqual(rebuild(directory, old).seal, seal);
  directory.remove(EDITS);
  assert.deepEqual(rebuild(directory, old).seal, seal);
});

Deno.test("The index of a day that was never healed is made again without anything that was inserted", () => {
  using directory = new TestDirectory();
  writeSealed(directory, [lines("10:00:00")]);
  const { seal } = readIndex(directory);
  for (const old of ["", directory.text(INDEX)]) {
    assert.deepEqual(rebuild(directory, old).seal, seal);
    assert.equal("healed" in rebuild(directory, old).seal, false);
  }
});

Deno.test("What an insertion has left that a crash ended before its head was written counts as nothing", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const { seal } = readIndex(directory);
  directory.write(EDITS, new Uint8Array([...directory.read(EDITS), ...new Uint8Array(24)]));
  assert.deepEqual(rebuild(directory, "").seal, seal);
});

for (const editions of [0, 1, 2]) {
  Deno.test(`After a crash between the renames of insertion ${editions + 1} the gzip file is what it was before`, async () => {
    using directory = new TestDirectory();
    writeSealed(directory, [lines("10:00:00", "10:10:00"), lines("11:00:00", "11:10:00")]);
    for (let edition = 0; edition < editions; edition++) {
      await insertFound(directory, [[timedLine(`${edition}`, "10:05:00"), "10:05:00"]]);
    }
    const { seal } = readIndex(directory);
    using found = await writeFound(directory, [[timedLine("b", "11:05:00"), "11:05:00"]]);
    insertLines(insertTask(directory, found.path));
    const newIndex = directory.text(INDEX + TEMPORARY_SUFFIX);
    assert.deepEqual(rebuild(directory, newIndex).seal, seal);
    Deno.renameSync(directory.file(GZ + TEMPORARY_SUFFIX), directory.file(GZ));
    assert.equal(rebuild(directory, newIndex).seal.healed!.edition, editions + 1);
  });
}

Deno.test("After a crash between the renames of a second sealing what was inserted before stays inserted", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const { blocks, seal, header } = readIndex(directory);
  // The index of the sealing has one block more; the gzip file is still that of before.
  const more = { ...blocks.at(-1)!, rawOffset: seal.rawBytes, gzOffset: seal.gzBytes - 10 };
  const index = [header, ...blocks, more, { ...seal, rawBytes: seal.rawBytes + more.rawLength }];
  assert.deepEqual(rebuild(directory, index.map((entry) => checkedLine(entry) + "\n").join("")).seal, seal);
});

Deno.test("mendIndex() makes the index of a healed day again as it was, byte for byte", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const { seal } = readIndex(directory);
  const text = directory.text(INDEX);
  for (const damaged of ["", text.slice(0, 300), text.replace("edition", "editiom")]) {
    directory.write(INDEX, damaged);
    const task = { day: DAY, gzPath: directory.file(GZ), indexPath: directory.file(INDEX), seal };
    const { mended } = runBlockTask({ kind: "mendIndex", ...task }) as { mended: MendedIndex };
    assert.deepEqual(mended, { text, writeFault: null });
    assert.equal(directory.text(INDEX), text);
  }
});
