import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { DAY_NAME, TestDirectory, textOf } from "../archive_rig.ts";
import { createDay } from "./day_rig.ts";

Deno.test("trySeal() that fails throws the derived files away, and the next one makes them again", async () => {
  using directory = new TestDirectory();
  let failures = 1;
  const { day, append } = createDay(directory, (task) => {
    if (task.kind === "prepareSeal" && failures-- > 0) throw new Error("Cannot verify: no");
  });
  append(0, 2);
  await day.writer!.sync();
  await assert.rejects(day.trySeal(), { message: "Cannot verify: no" });
  assert.deepEqual(directory.names(), [`${DAY_NAME}.jsonl`]);
  assert.equal(await day.trySeal(), true);
  assert.equal(day.info().crc32?.length, 8);
  await day.close();
});

Deno.test("trySeal() seals what the blocks have when the plain file has changed since, and keeps that aside", async () => {
  using directory = new TestDirectory();
  const plain = `${DAY_NAME}.jsonl`;
  const { day, append, faults } = createDay(directory, (task) => {
    if (task.kind === "prepareSeal") {
      directory.write(plain, directory.text(plain).replace("line 1", "line 7"));
    }
  });
  append(0, 2);
  await day.writer!.sync();
  assert.equal(await day.trySeal(), true);
  assert.deepEqual(directory.names(), [`${DAY_NAME}.index`, `${plain}.damaged`, `${plain}.gz`]);
  assert.equal(gunzipSync(directory.read(`${plain}.gz`)).toString(), textOf(0, 2));
  assert.equal(directory.text(`${plain}.damaged`), textOf(0, 2).replace("line 1", "line 7"));
  assert.equal(faults.length, 1);
  assert.match(
    faults[0]!,
    /^sealing 2026-11-22: .* is not that of the block made of it; .*"2026-11-22.jsonl.damaged"$/,
  );
  await day.close();
});

Deno.test("trySeal() that cannot rename the gzip file leaves no index, and the next one seals the day", async () => {
  using directory = new TestDirectory();
  let failures = 1;
  const { day, append } = createDay(directory, (task) => {
    if (task.kind === "prepareSeal" && failures-- > 0) Deno.mkdirSync(directory.file(`${DAY_NAME}.jsonl.gz`));
  });
  append(0, 2);
  await day.writer!.sync();
  await assert.rejects(day.trySeal(), Deno.errors.IsADirectory);
  assert.equal(directory.names().includes(`${DAY_NAME}.index`), false);
  assert.equal(day.info().sealed, false);
  directory.remove(`${DAY_NAME}.jsonl.gz`);
  assert.equal(await day.trySeal(), true);
  assert.deepEqual(directory.names(), [`${DAY_NAME}.index`, `${DAY_NAME}.jsonl.gz`]);
  await day.close();
});
