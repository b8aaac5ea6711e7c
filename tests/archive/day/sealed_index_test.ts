import assert from "node:assert/strict";
import { DAY_NAME, TestDirectory, textOf } from "../archive_rig.ts";
import { createDay, type DayRig } from "./day_rig.ts";

const INDEX = `${DAY_NAME}.index`;

/** A day of two lines, sealed, of which a third has come then. */
async function reopened(directory: TestDirectory): Promise<DayRig> {
  const rig = createDay(directory);
  rig.append(0, 2);
  await rig.day.writer!.sync();
  assert.equal(await rig.day.trySeal(), true);
  rig.append(2, 3);
  await rig.day.writer!.sync();
  return rig;
}

Deno.test("An index that is damaged when its day is sealed again is made again from the gzip file", async () => {
  using directory = new TestDirectory();
  const { day, faults } = await reopened(directory);
  directory.write(INDEX, directory.text(INDEX).replace('"lines":2', '"lines":3'));
  assert.equal(await day.trySeal(), true);
  assert.equal(day.info().lines, 3);
  assert.equal(day.info().bytes, textOf(0, 3).length);
  assert.equal(faults.length, 1);
  assert.match(faults[0]!, /^2026-11-22\.index: made again from the gzip file: /);
  await day.close();
});

Deno.test("A day is not sealed again while its index and its gzip file are both damaged", async () => {
  using directory = new TestDirectory();
  const { day } = await reopened(directory);
  directory.write(INDEX, "");
  directory.write(`${DAY_NAME}.jsonl.gz`, "");
  await assert.rejects(day.trySeal(), /; it cannot be made again either: /);
  assert.equal(day.info().sealed, false);
  await day.close();
});
