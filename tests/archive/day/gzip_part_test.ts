import assert from "node:assert/strict";
import { DAY_NAME, TestDirectory } from "../archive_rig.ts";
import { untilSo, within } from "../../rig/wait.ts";
import { createDay } from "./day_rig.ts";

const GZ_PART = `${DAY_NAME}.jsonl.gz.part`;
const INDEX_PART = `${DAY_NAME}.index.part`;

Deno.test("Blocks that cannot be made are told and made after the next sync", async () => {
  using directory = new TestDirectory();
  let failures = 1;
  const made = Promise.withResolvers<void>();
  const { day, append, faults } = createDay(directory, () => {
    if (failures-- > 0) throw new Error("Cannot write: full");
    made.resolve();
  });
  append(0, 3, 600_000);
  await day.writer!.sync();
  await untilSo(() => faults.length > 0, "the fault");
  assert.deepEqual(faults, [`making gzip blocks of ${DAY_NAME}: Cannot write: full`]);
  append(3, 4);
  await day.writer!.sync();
  await within(made.promise, "the block");
  await day.close();
  await day.ended();
  assert.ok(directory.read(GZ_PART).length > 0);
});

Deno.test("Blocks whose files were removed are made again from the plain file, and that is told", async () => {
  using directory = new TestDirectory();
  const { day, append, faults } = createDay(directory);
  append(0, 3, 600_000);
  await day.writer!.sync();
  await untilSo(() => directory.names().includes(INDEX_PART), "the blocks");
  const made = directory.read(GZ_PART);
  directory.remove(GZ_PART);
  await day.look();
  await untilSo(() => directory.names().includes(INDEX_PART), "the blocks anew");
  await day.close();
  await day.ended();
  assert.deepEqual(directory.read(GZ_PART), made);
  assert.deepEqual(faults, [`${GZ_PART}: or its index was removed or cut: made again from the plain file`]);
});
