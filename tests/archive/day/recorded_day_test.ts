import assert from "node:assert/strict";
import type { DayHost } from "../../../lib/archive/day/day_host.ts";
import { emptyDay } from "../../../lib/archive/day/day_info.ts";
import { RecordedDay } from "../../../lib/archive/day/recorded_day.ts";
import { DAY_MS, dayStartMs } from "../../../lib/day.ts";
import { DAY, DAY_NAME, HOUR_MS, record, TestDirectory, textOf } from "../archive_rig.ts";
import { createDay } from "./day_rig.ts";

Deno.test("trySeal() returns false when a line arrives while it verifies; the line is kept, and sealed next time", async () => {
  using directory = new TestDirectory();
  let isFirst = true;
  const { day, append } = createDay(directory, async (task) => {
    if (task.kind !== "prepareSeal" || !isFirst) return;
    isFirst = false;
    append(2, 3);
    await day.writer!.sync();
  });
  append(0, 2);
  await day.writer!.sync();
  assert.equal(await day.trySeal(), false);
  assert.equal(day.info().sealed, false);
  assert.equal(await day.trySeal(), true);
  assert.equal(day.info().lines, 3);
  assert.deepEqual(directory.names(), [`${DAY_NAME}.index`, `${DAY_NAME}.jsonl.gz`]);
  await day.close();
});

Deno.test("trySeal() returns false while a line is waiting to be written", async () => {
  using directory = new TestDirectory();
  const { day, append } = createDay(directory);
  append(0, 2);
  assert.equal(await day.trySeal(), false);
  await day.close();
});

Deno.test("Lines that arrive at the very moment of sealing reopen the day and are not removed with its plain file", async () => {
  using directory = new TestDirectory();
  directory.write(`${DAY_NAME}.jsonl`, "");
  const { day, append } = createDay(directory);
  append(0, 2);
  await day.writer!.sync();
  const sealing = day.trySeal();
  // Not the next turn of the event loop, which would be too late, so their number is the limit.
  for (let steps = 0; day.writer !== null && steps < 1_000_000; steps++) await Promise.resolve();
  assert.equal(day.writer, null);
  append(2, 3);
  assert.equal(await sealing, true);
  await day.writer!.sync();
  const from = textOf(0, 2).length;
  assert.equal(directory.text(`${DAY_NAME}.from-${from}.jsonl`), textOf(2, 3));
  assert.equal(day.info().lines, 3);
  await day.close();
});

Deno.test("isDue() is true an hour after midnight and after the last line, whichever is later", async () => {
  using directory = new TestDirectory();
  const { day, append, clock } = createDay(directory);
  const isDue = () => day.isDue(clock.now(), HOUR_MS);
  append(0, 1);
  await day.writer!.sync();
  clock.skip(dayStartMs(DAY) + DAY_MS + HOUR_MS - 1 - clock.now());
  assert.equal(isDue(), false);
  clock.skip(1);
  assert.equal(isDue(), true);
  append(1, 2);
  await day.writer!.sync();
  assert.equal(isDue(), false);
  clock.skip(HOUR_MS);
  assert.equal(isDue(), true);
  assert.equal(await day.trySeal(), true);
  assert.equal(isDue(), false);
});

Deno.test("A file that was last changed in the future does not keep its day from being sealed", () => {
  using directory = new TestDirectory();
  const { clock } = createDay(directory);
  const host = { clock, directory: directory.path } as Partial<DayHost> as DayHost;
  const state = { ...emptyDay(DAY, 0), modifiedMs: clock.now() + 400 * DAY_MS };
  assert.equal(new RecordedDay(state, host).modifiedMs, clock.now());
});

Deno.test("info() tells the smallest and the largest time of the lines, whatever their order", async () => {
  using directory = new TestDirectory();
  const { day } = createDay(directory);
  const bytes = new TextEncoder().encode(record(1));
  for (const [seconds, nanoseconds] of [[5, 7], [5, 6], [9, 1], [9, 0], [5, 8]] as const) {
    day.append(bytes, false, { seconds, nanoseconds });
  }
  day.append(bytes, false, null);
  await day.writer!.sync();
  const { first, last, lines, bytes: length } = day.info();
  assert.equal(first, "1970-01-01T00:00:05.000000006Z");
  assert.equal(last, "1970-01-01T00:00:09.000000001Z");
  assert.equal(lines, 6);
  assert.equal(length, 6 * (bytes.length + 1));
  await day.close();
});
