import assert from "node:assert/strict";
import type { Finding } from "../../../lib/archive/repair/aside.ts";
import { readPart, removeParts, repairPart } from "../../../lib/archive/repair/part_repair.ts";
import { sealOf } from "../../../lib/archive/blocks/day_index.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { GZ_PART, hot, PLAIN, recordedText } from "./damages.ts";

/** A directory with a hot day of 2500 lines, of which two blocks with 1924 lines were made. */
function hotDay(): { directory: TestDirectory; place: RepairPlace; findings: Finding[] } {
  const directory = new TestDirectory();
  for (const [name, bytes] of Object.entries(hot)) directory.write(name, bytes);
  const findings: Finding[] = [];
  return { directory, place: new RepairPlace(directory.path, DAY, findings), findings };
}

Deno.test("repairPart() keeps the blocks of an intact day, and changes nothing", () => {
  const { directory, place, findings } = hotDay();
  using _ = directory;
  assert.deepEqual(repairPart(place, 0, null).blocks.map(({ lines }) => lines), [962, 962]);
  assert.deepEqual(findings, []);
  for (const [name, bytes] of Object.entries(hot)) assert.deepEqual(directory.read(name), bytes);
});

Deno.test("repairPart() puts lines back from the blocks that the plain file has lost", () => {
  const { directory, place, findings } = hotDay();
  using _ = directory;
  directory.write(PLAIN, recordedText(0, 1000));
  repairPart(place, 0, null);
  assert.ok(directory.text(PLAIN) === recordedText(0, 1924));
  const missing = recordedText(1000, 1924).length;
  assert.deepEqual(findings, [
    { file: PLAIN, what: `was ${missing} bytes short: ${missing} put back from the blocks`, damage: false },
  ]);
});

Deno.test("repairPart() sets the blocks aside that a plain file needs and that are damaged", () => {
  const { directory, place, findings } = hotDay();
  using _ = directory;
  const part = directory.read(GZ_PART);
  part[1000]! ^= 1; // in the first block
  directory.write(GZ_PART, part);
  directory.write(PLAIN, "");
  assert.deepEqual(repairPart(place, 0, null).blocks, []);
  assert.match(findings[0]!.what, /^set aside: its block at 10 is damaged$/);
  assert.deepEqual(directory.names(), [PLAIN, `${GZ_PART}.damaged`].sort());
  assert.deepEqual(directory.read(`${GZ_PART}.damaged`), part);
});

Deno.test("readPart() gives up the last blocks that cannot be read, and removeParts() all of them", () => {
  const { directory, place } = hotDay();
  using _ = directory;
  directory.write(GZ_PART, hot[GZ_PART]!.slice(0, -1));
  assert.equal(readPart(place, null).blocks.length, 1);
  assert.equal(readPart(place, { ...sealOf([]), rawBytes: 5 }).blocks.length, 0, "of another plain file");
  removeParts(place);
  assert.deepEqual(directory.names(), [PLAIN]);
});
