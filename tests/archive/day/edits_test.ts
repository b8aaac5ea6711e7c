import assert from "node:assert/strict";
import {
  DayEdits,
  type Edit,
  EDIT_RECORD_BYTES,
  editRecord,
  headRecord,
  type PlaceSide,
  readEdit,
  readHead,
} from "../../../lib/archive/day/edits.ts";
import { MemoryBytes } from "../read/memory_bytes.ts";

/** The sections of these editions, one after another. */
function sections(...editions: readonly (readonly Edit[])[]): Uint8Array<ArrayBuffer> {
  const records = editions.flatMap((edits, before) => [
    headRecord({ edition: before + 1, edits: edits.length, lines: 7 }),
    ...edits.map(editRecord),
  ]);
  return new Uint8Array(records.flatMap((record) => [...record]));
}

function editsOf(bytes: Uint8Array<ArrayBuffer>, lengthBytes = bytes.length): DayEdits {
  return new DayEdits(new MemoryBytes("2026-11-22.edits", bytes), lengthBytes);
}

/** 50 bytes at 100 and 30 at 200; then 10 more at the very start, and 5 right behind the 50, at 150. */
const TWO = sections(
  [{ at: 100, total: 50 }, { at: 200, total: 80 }],
  [{ at: 0, total: 10 }, { at: 150, total: 15 }],
);

Deno.test("A record is read back as what it was written, and as nothing else", () => {
  const head = headRecord({ edition: 3, edits: 2, lines: 1_000_000 });
  const edit = editRecord({ at: 2 ** 50 + 1, total: 2 ** 40 + 1 });
  assert.deepEqual([head.length, edit.length], [EDIT_RECORD_BYTES, EDIT_RECORD_BYTES]);
  assert.deepEqual(readHead(head), { edition: 3, edits: 2, lines: 1_000_000 });
  assert.deepEqual(readEdit(edit), { at: 2 ** 50 + 1, total: 2 ** 40 + 1 });
  assert.equal(readHead(edit), null);
  assert.equal(readEdit(head), null);
  assert.equal(readEdit(edit.subarray(1)), null);
  for (let at = 0; at < EDIT_RECORD_BYTES; at++) {
    const damaged = edit.slice();
    damaged[at]! ^= 1;
    assert.equal(readEdit(damaged), null, `byte ${at}`);
  }
});

const PLACES: [offset: number, edition: number, side: PlaceSide, now: number][] = [
  // Before all that edition 1 has inserted there are only the 10 bytes of edition 2; at the very start, only a line moves.
  [0, 0, "end", 0],
  [0, 0, "start", 10],
  [99, 0, "start", 109],
  // Where the 50 bytes are: who goes on there gets them, the line that began there begins behind them and the 5 of edition 2.
  [100, 0, "end", 110],
  [100, 0, "start", 165],
  [101, 0, "end", 166],
  [200, 0, "end", 265],
  [200, 0, "start", 295],
  [5000, 0, "end", 5095],
  // In the text of edition 1 the 50 bytes are text like any other.
  [100, 1, "end", 110],
  [149, 1, "start", 159],
  [150, 1, "end", 160],
  [150, 1, "start", 165],
  [5000, 1, "start", 5015],
  // Nothing was inserted since.
  [150, 2, "start", 150],
  [0, 2, "end", 0],
];
for (const [offset, edition, side, now] of PLACES) {
  Deno.test(`translate() finds where ${side} ${offset} of edition ${edition} is after two insertions`, async () => {
    assert.equal(await editsOf(TWO).translate(offset, edition, side), now);
  });
}

Deno.test("translate() takes no notice of what follows the sections that belong to the text", async () => {
  const edits = editsOf(TWO, 3 * EDIT_RECORD_BYTES);
  assert.equal(await edits.translate(100, 0, "start"), 150);
  assert.equal(await edits.translate(100, 1, "start"), 100);
  const garbage = new Uint8Array([...TWO, 1, 2, 3]);
  assert.equal(await editsOf(garbage, TWO.length).translate(100, 0, "start"), 165);
});

Deno.test("translate() reads a few records, however many there are", async () => {
  const many = Array.from({ length: 10_000 }, (_, number) => ({ at: number * 10, total: number + 1 }));
  const bytes = new MemoryBytes("edits", sections(many));
  const edits = new DayEdits(bytes, await bytes.size());
  assert.equal(await edits.translate(50_000, 0, "start"), 50_000 + 5001);
  assert.equal(await edits.translate(50_000, 0, "end"), 50_000 + 5000);
  assert.ok(bytes.reads.length <= 2 * (1 + 14), `${bytes.reads.length} reads`);
});

Deno.test("translate() says which record is damaged rather than where it may be", async () => {
  for (const [at, damaged] of [[0, 3], [48, 60], [72, 90]] as const) {
    const bytes = TWO.slice();
    bytes[damaged]! ^= 0x10;
    await assert.rejects(editsOf(bytes).translate(250, 0, "end"), {
      message: `Cannot read where lines were inserted: the record at ${at} of "2026-11-22.edits" is damaged`,
    });
  }
});

Deno.test("translate() says that a file is cut", async () => {
  await assert.rejects(
    editsOf(TWO.slice(0, 60), TWO.length).translate(250, 0, "end"),
    /"2026-11-22.edits"/,
  );
});
