import assert from "node:assert/strict";
import { DAY_NAME, TestDirectory, textOf } from "../archive_rig.ts";
import { createDay } from "./day_rig.ts";

const PLAIN = `${DAY_NAME}.jsonl`;

Deno.test("A plain file that was removed while it was written is put back, and that is told", async () => {
  using directory = new TestDirectory();
  const { day, append, faults } = createDay(directory);
  append(0, 2);
  await day.writer!.sync();
  directory.remove(PLAIN);
  append(2, 3);
  await day.writer!.sync();
  assert.equal(directory.text(PLAIN), textOf(0, 3));
  assert.deepEqual(faults, [`${PLAIN}: was removed while it was written: put back from the open file`]);
  await day.close();
  await day.ended();
});

Deno.test("A directory in the place of the plain file is set aside, and that is told", async () => {
  using directory = new TestDirectory();
  Deno.mkdirSync(directory.file(PLAIN));
  const { day, append, faults } = createDay(directory);
  append(0, 1);
  await day.writer!.sync();
  assert.equal(directory.text(PLAIN), textOf(0, 1));
  assert.equal(faults.length, 1);
  assert.match(faults[0]!, /^2026-11-22\.jsonl: /);
  await day.close();
});
