import assert from "node:assert/strict";
import { EDIT_RECORD_BYTES } from "../../../lib/archive/day/edits.ts";
import { cutEdits, editsFault, readEdits } from "../../../lib/archive/day/edits_check.ts";
import { EditsWriter } from "../../../lib/archive/day/edits_writer.ts";
import { TestDirectory } from "../archive_rig.ts";

/** Three editions: 50 and 30 bytes in 4 lines, 10 in 1, and 5, 5 and 5 in 3. */
function writeThree(directory: TestDirectory): void {
  let end = 0;
  for (
    const [edition, lines, edits] of [
      [1, 4, [[100, 50], [200, 30]]],
      [2, 1, [[0, 10]]],
      [3, 3, [[0, 5], [10, 5], [20, 5]]],
    ] as const
  ) {
    using writer = new EditsWriter(directory.file("edits"), end);
    for (const [at, bytes] of edits) writer.add(at, bytes);
    end = writer.finish(edition, lines);
  }
}

const THREE = { edition: 3, bytes: 105, lines: 8, editsBytes: 9 * EDIT_RECORD_BYTES };
const TWO = { edition: 2, bytes: 90, lines: 5, editsBytes: 5 * EDIT_RECORD_BYTES };
const MEANS = "cursors and links into this day from before lines were inserted cannot be followed, " +
  "its lines are all there";

function flip(directory: TestDirectory, record: number): void {
  const bytes = directory.read("edits");
  bytes[record * EDIT_RECORD_BYTES]! ^= 1;
  directory.write("edits", bytes);
}

function read(damage: (directory: TestDirectory) => void = () => {}) {
  using directory = new TestDirectory();
  writeThree(directory);
  damage(directory);
  return {
    totals: readEdits(directory.file("edits")),
    fault: editsFault(directory.file("edits"), THREE),
  };
}

Deno.test("A whole file of edits says what was inserted in all", () => {
  assert.deepEqual(read(), { totals: { healed: THREE, fault: null }, fault: null });
});

Deno.test("A file of edits is read as far as the text has editions", () => {
  using directory = new TestDirectory();
  writeThree(directory);
  const path = directory.file("edits");
  assert.deepEqual(readEdits(path, { lengthBytes: TWO.editsBytes }), { healed: TWO, fault: null });
  assert.deepEqual(readEdits(path, { editions: 2 }), { healed: TWO, fault: null });
  const nothing = { edition: 0, bytes: 0, lines: 0, editsBytes: 0 };
  assert.deepEqual(readEdits(path, { editions: 0 }), { healed: nothing, fault: null });
  assert.equal(editsFault(path, TWO), null);
});

Deno.test("A file of edits that is missing, or ends early, is told with what that means", () => {
  const missing = read((directory) => directory.remove("edits"));
  assert.equal(missing.totals.fault, "it is missing");
  assert.equal(missing.totals.healed.edition, 0);
  assert.equal(missing.fault, `it is missing; ${MEANS}`);
  const cut = read((directory) => Deno.truncateSync(directory.file("edits"), 130));
  assert.equal(cut.fault, `it has 130 bytes of 216; ${MEANS}`);
  assert.deepEqual(cut.totals.healed, TWO, "an edition that is not whole does not count");
  assert.equal(cut.totals.fault, "the record at 120 is damaged");
});

Deno.test("Of a damaged file of edits the rest still says what was inserted", () => {
  const faults = [
    [0, "the record at 0 is damaged", { ...THREE, lines: 4 }],
    [1, "the record at 24 is damaged", THREE],
    [2, "the record at 48 is damaged", { ...THREE, bytes: 75 }],
    [3, "the record at 72 is damaged", { ...THREE, lines: 7 }],
    [5, "the record at 120 is damaged", TWO],
    [6, "the record at 144 is damaged", THREE],
    [8, "the record at 192 is damaged", { ...THREE, bytes: 100 }],
  ] as const;
  for (const [record, fault, healed] of faults) {
    const { totals, fault: told } = read((directory) => flip(directory, record));
    assert.deepEqual(totals, { healed, fault }, `record ${record}`);
    assert.equal(told, `${fault}; ${MEANS}`);
  }
});

Deno.test("A file of edits whose first two heads are damaged still says what was inserted", () => {
  const { totals } = read((directory) => {
    flip(directory, 0);
    flip(directory, 3);
  });
  assert.deepEqual(totals.healed, { ...THREE, lines: 3 });
});

Deno.test("Edits that are not in the order of the text are told", () => {
  for (const edits of [[[100, 5], [50, 5]], [[100, 5], [200, -1]]] as const) {
    using directory = new TestDirectory();
    using writer = new EditsWriter(directory.file("edits"), 0);
    for (const [at, bytes] of edits) writer.add(at, bytes);
    writer.finish(1, 2);
    assert.equal(
      readEdits(directory.file("edits")).fault,
      "the record at 48 is not in the order of the text",
    );
  }
});

Deno.test("An edition that is not the next one is told", () => {
  using directory = new TestDirectory();
  using writer = new EditsWriter(directory.file("edits"), 0);
  writer.add(0, 5);
  writer.finish(2, 1);
  assert.equal(readEdits(directory.file("edits")).fault, "edition 2 comes at 0, after 0");
});

Deno.test("A file of edits that says other than the index is told", () => {
  using directory = new TestDirectory();
  writeThree(directory);
  assert.equal(
    editsFault(directory.file("edits"), { ...THREE, bytes: 104 }),
    `it tells of 105 bytes in 8 lines and 3 editions, the index of 104 in 8 and 3; ${MEANS}`,
  );
});

Deno.test("cutEdits() leaves what belongs to the text, and no file where that is nothing", () => {
  using directory = new TestDirectory();
  writeThree(directory);
  const path = directory.file("edits");
  cutEdits(path, 500);
  assert.equal(directory.read("edits").length, 216, "it makes no file longer");
  cutEdits(path, TWO.editsBytes);
  assert.equal(editsFault(path, TWO), null);
  assert.equal(directory.read("edits").length, TWO.editsBytes);
  for (let turn = 0; turn < 2; turn++) {
    cutEdits(path, 0);
    cutEdits(path, 24);
    assert.deepEqual(directory.names(), []);
  }
});
