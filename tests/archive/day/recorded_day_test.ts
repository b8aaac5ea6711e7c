import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type BlockResult, type BlockTask, runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import { type DayHost, emptyDay, RecordedDay } from "../../../lib/archive/day/recorded_day.ts";
import { DAY_MS, dayStartMs } from "../../../lib/day.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { DAY, DAY_NAME, HOUR_MS, NOON, record, TestDirectory, textOf } from "../archive_rig.ts";
import { untilSo, within } from "../../rig/wait.ts";

/** A day whose block worker is the test: `beforeTask` is awaited before each task, and may throw. */
function createDay(directory: TestDirectory, beforeTask: (task: BlockTask) => unknown = () => {}) {
  const clock = new FakeClock(NOON);
  const faults: string[] = [];
  const host: DayHost = {
    directory: directory.path,
    clock,
    syncIntervalMs: 1000,
    runBlockTask: async (task): Promise<BlockResult> => {
      await beforeTask(task);
      return runBlockTask(task);
    },
    events: () => ({ onCommit() {}, onSync() {}, onDrain() {}, onTrouble() {}, onTiming() {} }),
    onRepair: (file, what) => void faults.push(`${file}: ${what}`),
    onMasked: (file, what) => void faults.push(`${file}: ${what}`),
    onMeddled: (file, what) => void faults.push(`${file}: ${what}`),
    onLost: (span) => void faults.push(`lost: ${span.sinceMs} to ${span.untilMs}`),
    confirmLock: () => {},
    onFault: (what, error) => void faults.push(`${what}: ${(error as Error).message}`),
  };
  const day = new RecordedDay(emptyDay(DAY, clock.now()), host);
  const append = (from: number, end: number, padding = 0) => {
    for (let number = from; number < end; number++) {
      day.append(new TextEncoder().encode(record(number, padding)), false, {
        seconds: number,
        nanoseconds: 0,
      });
    }
  };
  return { clock, day, append, faults };
}

Deno.test("trySeal() gives false when a line arrives while it verifies; the line is kept, and sealed next time", async () => {
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

Deno.test("trySeal() gives false while a line is waiting to be written", async () => {
  using directory = new TestDirectory();
  const { day, append } = createDay(directory);
  append(0, 2);
  assert.equal(await day.trySeal(), false);
  await day.close();
});

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
  assert.ok(day.part.blocks.length > 0);
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
