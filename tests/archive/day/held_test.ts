import assert from "node:assert/strict";
import { HELD_AFTER_MS, joinHeld } from "../../../lib/archive/day/held.ts";
import { DAY, NOON, openArchive, record, TestDirectory } from "../archive_rig.ts";
import { StalledDisk } from "../../faults/stalled_disk.ts";
import { Bench } from "../writer_bench.ts";

const ANY = { sinceMs: -Infinity, untilMs: Infinity, withUntimed: true };

Deno.test("held() tells nothing of lines that merely are on their way to the file", async () => {
  const bench = new Bench();
  bench.append(0, 3);
  assert.equal(bench.writer.held(ANY), null);
  await bench.rest();
  assert.equal(bench.writer.held(ANY), null);
  await bench.end(record(0) + "\n" + record(1) + "\n" + record(2) + "\n");
});

Deno.test("held() tells of lines once their write has lasted too long, until it is done", async () => {
  const bench = new Bench();
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.disk.plan = (step) => step === "write" ? promise : undefined;
  bench.append(0, 2);
  await bench.rest();
  bench.clock.advance(HELD_AFTER_MS);
  bench.append(2, 3);
  assert.equal(bench.writer.held(ANY), null);
  bench.clock.advance(1);
  assert.deepEqual(bench.writer.held(ANY), { lines: 3, sinceMs: Date.parse(NOON), reason: null });
  resolve();
  await bench.rest();
  assert.equal(bench.writer.held(ANY), null);
  await bench.end(record(0) + "\n" + record(1) + "\n" + record(2) + "\n");
});

Deno.test("held() tells of the lines of a span, and of those without a time for the whole of their day", async () => {
  using directory = new TestDirectory();
  const disk = new StalledDisk({ stalls: false });
  await using opened = await openArchive(directory, { openFile: disk.open });
  const { archive } = opened;
  disk.fail();
  const tenMs = Date.parse("2026-11-22T10:00:00Z");
  const append = (time: { seconds: number; nanoseconds: number } | null, day = DAY) =>
    archive.append(day, new TextEncoder().encode(record(0)), false, time);
  append({ seconds: tenMs / 1000 + 5, nanoseconds: 9e8 });
  append({ seconds: tenMs / 1000 + 7, nanoseconds: 2e8 });
  append(null, DAY - 1);
  const changed = Promise.withResolvers<void>();
  archive.onChange(() => archive.held()?.lines === 3 && changed.resolve());
  await changed.promise;
  const heldIn = (sinceMs: number, untilMs: number) => archive.held(sinceMs, untilMs)?.lines ?? 0;
  assert.equal(heldIn(tenMs, tenMs + 5000), 0);
  assert.equal(heldIn(tenMs, tenMs + 6000), 2);
  assert.equal(heldIn(tenMs + 7500, tenMs + 9000), 2, "known to the second");
  assert.equal(heldIn(tenMs + 8000, tenMs + 9000), 0);
  assert.equal(heldIn(tenMs - 86_400_000, tenMs - 86_399_000), 1);
  assert.equal(heldIn(tenMs - 2 * 86_400_000, tenMs - 2 * 86_400_000 + 1000), 0);
  assert.equal(archive.day(DAY)?.held, 2);
  assert.equal(archive.day(DAY)?.lines, 0);
  disk.release();
});

Deno.test("joinHeld() adds up, from the earlier of two on", () => {
  const full = { lines: 2, sinceMs: 2000, reason: "No space left on device" };
  assert.equal(joinHeld(null, null), null);
  assert.equal(joinHeld(full, null), full);
  assert.deepEqual(joinHeld({ lines: 1, sinceMs: 1000, reason: null }, full), {
    lines: 3,
    sinceMs: 1000,
    reason: "No space left on device",
  });
});
