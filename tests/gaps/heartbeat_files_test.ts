import assert from "node:assert/strict";
import { join } from "node:path";
import { KEPT_BYTES } from "../../lib/archive/format.ts";
import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { TestDirectory } from "../archive/archive_rig.ts";

Deno.test("read() returns what move() was told, also in a new process, and null before", async () => {
  using directory = new TestDirectory();
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  assert.equal(heartbeatFiles.read(), null);
  await heartbeatFiles.move(Date.parse("2026-11-22T12:00:00.123Z"));
  assert.equal(new HeartbeatFiles(directory.path).read(), Date.parse("2026-11-22T12:00:00.123Z"));
  await heartbeatFiles.move(Date.parse("2026-11-22T11:00:00Z"));
  assert.equal(heartbeatFiles.read(), Date.parse("2026-11-22T11:00:00Z"));
  assert.deepEqual(directory.names(), ["alive"]);
});

Deno.test("move() leaves the mark where the last call put it", async () => {
  using directory = new TestDirectory();
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  await Promise.all([5000, 9000, 7000].map((epochMs) => heartbeatFiles.move(epochMs)));
  assert.equal(heartbeatFiles.read(), 7000);
});

Deno.test("move() rejects when the directory is gone", async () => {
  const heartbeatFiles = new HeartbeatFiles("/nonexistent/directory");
  await assert.rejects(heartbeatFiles.move(0), Deno.errors.NotFound);
  await assert.rejects(heartbeatFiles.move(0), Deno.errors.NotFound);
});

Deno.test("HeartbeatFiles.note() is read as it was written, takes one place and is told as damaged", async () => {
  using directory = new TestDirectory();
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  assert.equal(heartbeatFiles.readNote(), null);
  const day = { day: 20_779, bytes: 4711, synced: 4000 };
  await heartbeatFiles.note({
    sinceMs: Date.parse("2026-11-22T12:00:00.123Z"),
    lastGap: 3,
    days: [day, day],
  });
  const note = { sinceMs: Date.parse("2026-11-22T12:00:01.000Z"), lastGap: 4, days: [day] };
  await heartbeatFiles.note(note);
  assert.deepEqual(new HeartbeatFiles(directory.path).readNote(), note);
  heartbeatFiles.noteAtOnce({ ...note, lastGap: 5 });
  assert.deepEqual(heartbeatFiles.readNote(), { ...note, lastGap: 5 });
  const path = join(directory.path, "alive.kept");
  assert.equal(Deno.statSync(path).size, KEPT_BYTES);
  const text = Deno.readTextFileSync(path);
  assert.match(text, /"lastGap":5,"days":\[\["2026-11-22",4711,4000\]\]/);
  Deno.writeTextFileSync(path, text.replace("4711", "4712"));
  assert.equal(heartbeatFiles.readNote(), "damaged");
  Deno.writeTextFileSync(path, "\0".repeat(KEPT_BYTES));
  assert.equal(heartbeatFiles.readNote(), "damaged", "as after a loss of power");
  Deno.writeTextFileSync(path, "");
  assert.equal(heartbeatFiles.readNote(), null, "killed before the first note was written");
});

Deno.test("HeartbeatFiles.note() leaves out days that are safe where there are too many, then changes nothing", async () => {
  using directory = new TestDirectory();
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  const daysOf = (count: number, synced: number) =>
    Array.from({ length: count }, (_, i) => ({ day: 20_779 - i, bytes: 123_456_789, synced }));
  const note = { sinceMs: 0, lastGap: 1, days: [...daysOf(20, 123_456_789), ...daysOf(3, 5)] };
  await heartbeatFiles.note(note);
  assert.deepEqual(heartbeatFiles.readNote(), { ...note, days: daysOf(3, 5) });
  await heartbeatFiles.note({ ...note, sinceMs: 1, days: daysOf(20, 5) });
  assert.deepEqual(heartbeatFiles.readNote(), { ...note, days: daysOf(3, 5) });
});

Deno.test("HeartbeatFiles.readNote() reads a note from before notes told what was on the disk", () => {
  using directory = new TestDirectory();
  directory.write(
    "alive.kept",
    '{"flightlog":"kept","version":1,"since":"2026-11-22T12:00:01.000Z",' +
      '"days":[{"day":"2026-11-22","bytes":9}]} 48f3e749'.padEnd(KEPT_BYTES) + "\n",
  );
  assert.deepEqual(new HeartbeatFiles(directory.path).readNote(), {
    sinceMs: Date.parse("2026-11-22T12:00:01.000Z"),
    lastGap: 0,
    days: [{ day: 20_779, bytes: 9, synced: 0 }],
  });
});

Deno.test("HeartbeatFiles.read() and readNote() never fail, whatever stands in the place of their files", async () => {
  using directory = new TestDirectory();
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  const note = { sinceMs: 0, lastGap: 1, days: [] };
  await heartbeatFiles.note(note);
  Deno.truncateSync(directory.file("alive.kept"), 1 << 30);
  assert.deepEqual(heartbeatFiles.readNote(), note, "no more is read than is written");
  directory.remove("alive.kept");
  for (const file of ["alive", "alive.kept"]) Deno.symlinkSync(file, directory.file(file));
  assert.deepEqual([heartbeatFiles.read(), heartbeatFiles.readNote()], [null, "damaged"]);
  directory.remove("alive.kept");
  Deno.mkdirSync(directory.file("alive.kept"));
  assert.equal(heartbeatFiles.readNote(), "damaged");
});
