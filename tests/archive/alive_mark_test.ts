import assert from "node:assert/strict";
import { join } from "node:path";
import { AliveMark, NOTE_BYTES } from "../../lib/archive/alive_mark.ts";
import { TestDirectory } from "./archive_rig.ts";

Deno.test("read() gives what move() was told, also by a new mark, and null before", async () => {
  using directory = new TestDirectory();
  const mark = new AliveMark(directory.path);
  assert.equal(mark.read(), null);
  await mark.move(Date.parse("2026-11-22T12:00:00.123Z"));
  assert.equal(new AliveMark(directory.path).read(), Date.parse("2026-11-22T12:00:00.123Z"));
  await mark.move(Date.parse("2026-11-22T11:00:00Z"));
  assert.equal(mark.read(), Date.parse("2026-11-22T11:00:00Z"));
  assert.deepEqual(directory.names(), ["alive"]);
});

Deno.test("move() leaves the mark where the last call put it", async () => {
  using directory = new TestDirectory();
  const mark = new AliveMark(directory.path);
  await Promise.all([5000, 9000, 7000].map((epochMs) => mark.move(epochMs)));
  assert.equal(mark.read(), 7000);
});

Deno.test("move() rejects when the directory is gone", async () => {
  const mark = new AliveMark("/nonexistent/directory");
  await assert.rejects(mark.move(0), Deno.errors.NotFound);
  await assert.rejects(mark.move(0), Deno.errors.NotFound);
});

Deno.test("AliveMark.note() is read as it was written, takes one place and is nothing when damaged", async () => {
  using directory = new TestDirectory();
  const mark = new AliveMark(directory.path);
  assert.equal(mark.readNote(), null);
  await mark.note({ sinceMs: Date.parse("2026-11-22T12:00:00.123Z"), days: [{ day: 20_779, bytes: 4711 }] });
  const note = { sinceMs: Date.parse("2026-11-22T12:00:01.000Z"), days: [{ day: 20_779, bytes: 9 }] };
  await mark.note(note);
  assert.deepEqual(new AliveMark(directory.path).readNote(), note);
  const path = join(directory.path, "alive.kept");
  assert.equal(Deno.statSync(path).size, NOTE_BYTES);
  const text = Deno.readTextFileSync(path);
  assert.match(text, /"day":"2026-11-22","bytes":9\}/);
  Deno.writeTextFileSync(path, text.replace('"bytes":9', '"bytes":8'));
  assert.equal(mark.readNote(), null);
  mark.forgetNote();
  assert.equal(mark.readNote(), null);
});
