import assert from "node:assert/strict";
import { editRecord, headRecord } from "../../../lib/archive/day/edits.ts";
import { RecordedOffsets } from "../../../lib/archive/repair/recorded_offsets.ts";
import { TestDirectory } from "../archive_rig.ts";

/** The example of the module: 50 bytes at 100 and 30 at 200; then, with `isTwice`, 10 bytes at 0 of that. */
function writeEdits(directory: TestDirectory, isTwice = false): string {
  const records = [
    headRecord({ edition: 1, edits: 2, lines: 2 }),
    editRecord({ at: 100, total: 50 }),
    editRecord({ at: 200, total: 80 }),
    ...(isTwice ? [headRecord({ edition: 2, edits: 1, lines: 1 }), editRecord({ at: 0, total: 10 })] : []),
  ];
  directory.write("edits", new Uint8Array(records.flatMap((record) => [...record])));
  return directory.file("edits");
}

Deno.test("RecordedOffsets leads back to what was recorded, and to where something was inserted from within that", () => {
  using directory = new TestDirectory();
  using offsets = new RecordedOffsets(writeEdits(directory), 72);
  const pairs = [0, 90, 100, 130, 150, 170, 250, 260, 280, 330].map((at) => [at, offsets.recordedOffset(at)]);
  assert.deepEqual(pairs, [
    ...[[0, 0], [90, 90], [100, 100], [130, 100], [150, 100], [170, 120]],
    ...[[250, 200], [260, 200], [280, 200], [330, 250]],
  ]);
});

Deno.test("RecordedOffsets goes back through all editions, and reads no more than counts", () => {
  using directory = new TestDirectory();
  const path = writeEdits(directory, true);
  using both = new RecordedOffsets(path, 120);
  assert.deepEqual([5, 10, 100, 180].map((at) => both.recordedOffset(at)), [0, 0, 90, 120]);
  using first = new RecordedOffsets(path, 72);
  assert.equal(first.recordedOffset(180), 130);
});

Deno.test("RecordedOffsets throws where a record is damaged that it needs, and closes the file", () => {
  using directory = new TestDirectory();
  const bytes = Deno.readFileSync(writeEdits(directory));
  bytes[0]! ^= 1;
  directory.write("edits", bytes);
  assert.throws(
    () => new RecordedOffsets(directory.file("edits"), 72),
    /the record at 0 of the edits is damaged/,
  );
  bytes[0]! ^= 1;
  bytes[24]! ^= 1;
  directory.write("edits", bytes);
  using offsets = new RecordedOffsets(directory.file("edits"), 72);
  assert.throws(() => offsets.recordedOffset(120), /the record at 24 of the edits is damaged/);
});
