import assert from "node:assert/strict";
import { EDIT_RECORD_BYTES, readEdit, readHead } from "../../../lib/archive/day/edits.ts";
import { EditsWriter } from "../../../lib/archive/day/edits_writer.ts";
import { TestDirectory } from "../archive_rig.ts";

function recordsOf(directory: TestDirectory): unknown[] {
  const bytes = directory.read("edits");
  const records = [];
  for (let at = 0; at < bytes.length; at += EDIT_RECORD_BYTES) {
    const record = bytes.subarray(at, at + EDIT_RECORD_BYTES);
    records.push(readHead(record) ?? readEdit(record));
  }
  return records;
}

/** Writes a section at `start`. */
function writeSection(
  directory: TestDirectory,
  start: number,
  edition: number,
  edits: [number, number][],
): number {
  using writer = new EditsWriter(directory.file("edits"), start);
  for (const [at, bytes] of edits) writer.add(at, bytes);
  assert.equal(writer.total, edits.reduce((sum, [, bytes]) => sum + bytes, 0));
  return writer.finish(edition, edits.length);
}

Deno.test("EditsWriter makes one edit of all lines that are inserted at one place", () => {
  using directory = new TestDirectory();
  assert.equal(writeSection(directory, 0, 1, [[100, 20], [100, 30], [200, 30]]), 72);
  assert.deepEqual(recordsOf(directory), [
    { edition: 1, edits: 2, lines: 3 },
    { at: 100, total: 50 },
    { at: 200, total: 80 },
  ]);
});

Deno.test("EditsWriter goes on where the last edition ends, and cuts off what a crash has left there", () => {
  using directory = new TestDirectory();
  const end = writeSection(directory, 0, 1, [[0, 20]]);
  writeSection(directory, end, 2, [[0, 7], [50, 7], [90, 7]]);
  assert.equal(writeSection(directory, end, 2, [[10, 5]]), 96);
  assert.deepEqual(recordsOf(directory), [
    { edition: 1, edits: 1, lines: 1 },
    { at: 0, total: 20 },
    { edition: 2, edits: 1, lines: 1 },
    { at: 10, total: 5 },
  ]);
});

Deno.test("EditsWriter has no head in the file before all edits are", () => {
  using directory = new TestDirectory();
  {
    using writer = new EditsWriter(directory.file("edits"), 0);
    for (let at = 0; at < 5000; at++) writer.add(at, 1);
  }
  const records = recordsOf(directory);
  assert.equal(records[0], null);
  assert.deepEqual(records[1], { at: 0, total: 1 });
});

Deno.test("EditsWriter writes more edits than it gathers at a time", () => {
  using directory = new TestDirectory();
  writeSection(directory, 0, 1, Array.from({ length: 5000 }, (_, at) => [at, 2]));
  const records = recordsOf(directory);
  assert.deepEqual(records[0], { edition: 1, edits: 5000, lines: 5000 });
  assert.deepEqual(records.slice(1), Array.from({ length: 5000 }, (_, at) => ({ at, total: 2 * at + 2 })));
});

Deno.test("EditsWriter has zeros in the place of editions that are lost", () => {
  using directory = new TestDirectory();
  assert.equal(writeSection(directory, 48, 2, [[10, 5]]), 96);
  assert.deepEqual(recordsOf(directory), [
    null,
    null,
    { edition: 2, edits: 1, lines: 1 },
    { at: 10, total: 5 },
  ]);
});
