import assert from "node:assert/strict";
import {
  halvesOf,
  MINUTE_SLICES_LIMIT,
  SLICE_LINES_LIMIT,
  timeSlices,
} from "../../../lib/heal/peers/time_slices.ts";

const EVER = { sinceMs: -Infinity, untilMs: Infinity };

Deno.test("timeSlices() joins minutes that follow on each other, up to the limit of lines", () => {
  const minutes = [1, 2, 3, 5].map((minute) => ({ minute, lines: SLICE_LINES_LIMIT / 2 }));
  assert.deepEqual([...timeSlices(minutes, EVER)], [
    { sinceMs: 60_000, untilMs: 180_000, lines: SLICE_LINES_LIMIT },
    { sinceMs: 180_000, untilMs: 240_000, lines: SLICE_LINES_LIMIT / 2 },
    { sinceMs: 300_000, untilMs: 360_000, lines: SLICE_LINES_LIMIT / 2 },
  ]);
});

Deno.test("timeSlices() cuts minutes to the span, and leaves out those outside of it", () => {
  const minutes = [0, 1, 2, 3].map((minute) => ({ minute, lines: 1 }));
  assert.deepEqual([...timeSlices(minutes, { sinceMs: 60_001, untilMs: 180_000 })], [
    { sinceMs: 60_001, untilMs: 180_000, lines: 2 },
  ]);
});

Deno.test("timeSlices() parts a minute evenly and without a hole, into no more slices than its limit", () => {
  for (const lines of [SLICE_LINES_LIMIT + 1, 7 * SLICE_LINES_LIMIT, 2 ** 50]) {
    const slices = [...timeSlices([{ minute: 1, lines }], EVER)];
    assert.equal(slices.length, Math.min(Math.ceil(lines / SLICE_LINES_LIMIT), MINUTE_SLICES_LIMIT));
    assert.equal(slices[0]!.sinceMs, 60_000);
    assert.equal(slices.at(-1)!.untilMs, 120_000);
    for (const [at, slice] of slices.entries()) {
      if (at > 0) assert.equal(slice.sinceMs, slices[at - 1]!.untilMs);
    }
  }
});

Deno.test("halvesOf() parts a slice in two, but not a millisecond", () => {
  assert.deepEqual(halvesOf({ sinceMs: 10, untilMs: 13, lines: 5 }), [
    { sinceMs: 10, untilMs: 11, lines: 3 },
    { sinceMs: 11, untilMs: 13, lines: 3 },
  ]);
  assert.equal(halvesOf({ sinceMs: 10, untilMs: 11, lines: 5 }), null);
});
