import assert from "node:assert/strict";
import { AliveMark } from "../../lib/archive/alive_mark.ts";
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
