import assert from "node:assert/strict";
import { parseSealedIndex } from "../../../lib/archive/blocks/day_index.ts";
import { matchHealed } from "../../../lib/archive/repair/matched_healing.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { DAY, DAY_NAME, openArchive, TestDirectory } from "../archive_rig.ts";
import { appendDayLines, insertDayLines, lineAt, linesBetween, textOfLines } from "../healing_rig.ts";
import { INDEX, PLAIN } from "./damages.ts";

const EDITS = `${DAY_NAME}.edits`;
const SEALED = linesBetween("a", 36_000, 36_004);
const FOUND = [lineAt("found", 36_001), lineAt("found", 36_003)];

/** A day that grew on after two lines were inserted, and whose edits `damage` has damaged. */
async function matched(damage: (directory: TestDirectory) => void, plains: readonly number[] = [0]) {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendDayLines(opened.archive, SEALED);
  await opened.archive.sync();
  await insertDayLines(opened.archive, directory.path, FOUND);
  appendDayLines(opened.archive, linesBetween("b", 36_004, 36_006));
  await opened.archive.sync();
  const { blocks, seal } = parseSealedIndex(directory.text(INDEX), DAY);
  damage(directory);
  return { healed: matchHealed(new RepairPlace(directory.path, DAY, []), plains, blocks), seal };
}

Deno.test("matchHealed() believes edits that are whole", async () => {
  const { healed, seal } = await matched(() => {});
  assert.deepEqual(healed, seal.healed);
});

Deno.test("matchHealed() finds by the lines how much was inserted, and lets no older place be followed", async () => {
  const bytes = textOfLines(FOUND).length;
  const gone = await matched((directory) => directory.remove(EDITS));
  assert.deepEqual(gone.healed, { edition: 1, bytes, lines: 0, editsBytes: 24 });
  const changed = await matched((directory) => directory.write(EDITS, directory.read(EDITS).fill(0, 30, 40)));
  assert.equal(changed.healed?.bytes, bytes);
  assert.equal(changed.healed?.edition, 2);
  assert.ok(changed.healed!.editsBytes > changed.seal.healed!.editsBytes);
});

Deno.test("matchHealed() does not go by a plain file that has changed, or is not there", async () => {
  const changed = await matched((directory) => {
    directory.remove(EDITS);
    directory.write(PLAIN, directory.read(PLAIN).fill(0x79, 50, 51));
  });
  assert.equal(changed.healed, undefined);
  assert.equal((await matched((directory) => directory.remove(EDITS), [])).healed, undefined);
});
