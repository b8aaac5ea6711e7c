import assert from "node:assert/strict";
import { StampOffsets } from "../../lib/recorder/stamp_offsets.ts";

/** Offsets of so many lines each. */
function offsetsOf(...counted: [offsetMs: number, lines: number][]): StampOffsets {
  const offsets = new StampOffsets();
  for (const [offsetMs, lines] of counted) for (let i = 0; i < lines; i++) offsets.note(offsetMs);
  return offsets;
}

Deno.test("StampOffsets.near() joins what is within a second, in whatever order it comes", () => {
  assert.deepEqual(offsetsOf([5000, 10], [3000, 10], [4000, 10], [9000, 10]).near(0), [
    { lowMs: 3000, highMs: 5000 },
    { lowMs: 9000, highMs: 9000 },
  ]);
});

Deno.test("StampOffsets.near() reaches from a few lines to the clock", () => {
  assert.deepEqual(offsetsOf([-40_000, 9]).near(100), [{ lowMs: -40_000, highMs: 100 }]);
});

Deno.test("StampOffsets.near() believes most lines rather than the clock, and few of them not", () => {
  const day = 86_400_000;
  assert.deepEqual(offsetsOf([day, 10], [0, 9]).near(0).at(-1), { lowMs: day, highMs: day });
  assert.deepEqual(offsetsOf([day, 10], [0, 11]).near(0), [{ lowMs: 0, highMs: 0 }]);
  assert.deepEqual(offsetsOf([day, 2]).near(0), []);
});

Deno.test("StampOffsets holds a bounded number of clusters and leaves none out", () => {
  const near = offsetsOf(...Array.from({ length: 100 }, (_, i): [number, number] => [i * 5000, 10])).near(0);
  assert.ok(near.length <= 16);
  assert.equal(near[0]?.lowMs, 0);
  assert.equal(near.at(-1)?.highMs, 99 * 5000);
});

Deno.test("StampOffsets.forgetOld() forgets at the second call, and not while few lines have come", () => {
  const offsets = offsetsOf([-90_000, 10]);
  offsets.forgetOld();
  for (let i = 0; i < 9; i++) offsets.note(0);
  offsets.forgetOld();
  assert.equal(offsets.near(0).length, 2);
  offsets.note(0);
  offsets.forgetOld();
  assert.deepEqual(offsets.near(0), [{ lowMs: 0, highMs: 0 }]);
});
