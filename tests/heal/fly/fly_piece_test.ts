import assert from "node:assert/strict";
import { FlyPiece } from "../../../lib/heal/fly/fly_piece.ts";

const MS_NS = 1_000_000n;

function add(piece: FlyPiece, atMs: number, name: string, app = "web", bytes = 1): void {
  const line = new TextEncoder().encode(name.padEnd(bytes));
  if (!piece.isOver(BigInt(atMs) * MS_NS)) piece.add({ app, atNs: BigInt(atMs) * MS_NS, line });
}

function namesIn(piece: FlyPiece): string[] {
  return piece.sorted().map(({ line }) => new TextDecoder().decode(line).trim());
}

Deno.test("FlyPiece has the rows of all apps in the order of time, those of one moment as they came", () => {
  const piece = new FlyPiece({ sinceMs: 0, untilMs: 100 });
  add(piece, 5, "a", "web");
  add(piece, 7, "b", "web");
  add(piece, 5, "c", "api");
  assert.deepEqual([namesIn(piece), piece.untilMs, piece.wasCut], [["a", "c", "b"], 100, false]);
});

Deno.test("FlyPiece ends sooner when there are too many rows, and has all up to there", () => {
  const piece = new FlyPiece({ sinceMs: 0, untilMs: 100 }, { rows: 4 });
  for (const atMs of [10, 20, 30, 40, 50]) add(piece, atMs, `${atMs}`);
  assert.deepEqual([piece.untilMs, piece.wasCut, namesIn(piece)], [30, true, ["10", "20"]]);
  for (const atMs of [15, 25, 35]) add(piece, atMs, `${atMs}`, "api");
  assert.deepEqual([piece.untilMs, namesIn(piece)], [30, ["10", "15", "20", "25"]]);
});

Deno.test("FlyPiece ends sooner when its lines are too long", () => {
  const piece = new FlyPiece({ sinceMs: 0, untilMs: 100 }, { bytes: 100 });
  for (const atMs of [10, 20, 30]) add(piece, atMs, `${atMs}`, "web", 40);
  assert.deepEqual([piece.untilMs, namesIn(piece)], [20, ["10"]]);
});

Deno.test("FlyPiece does not part rows of one millisecond, and refuses more of them than fit", () => {
  const piece = new FlyPiece({ sinceMs: 10, untilMs: 100 }, { rows: 2 });
  for (let i = 0; i < 2; i++) add(piece, 10, `${i}`);
  assert.throws(() => add(piece, 10, "2"), {
    name: "RangeError",
    message: "Cannot gather rows of Fly: more than 2, or 16777216 bytes, are within a millisecond",
  });
  assert.equal(piece.untilMs, 11);
  piece.remove("web");
  assert.equal(piece.size, 0);
});

Deno.test("FlyPiece.isSparse tells whether twice the span would fit", () => {
  const piece = new FlyPiece({ sinceMs: 0, untilMs: 100 }, { rows: 4 });
  add(piece, 1, "a");
  assert.equal(piece.isSparse, true);
  add(piece, 2, "b");
  assert.equal(piece.isSparse, false);
});
