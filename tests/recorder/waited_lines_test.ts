import assert from "node:assert/strict";
import { WaitedLines } from "../../lib/recorder/waited_lines.ts";

const NOON_MS = Date.parse("2026-11-22T12:00:00Z");

/** What each line proves that comes at 18 s; `seconds` are those of the timestamps after noon. */
function momentsOf(seconds: readonly number[], highMs: number | null = NOON_MS): number[] {
  const waited = new WaitedLines(highMs);
  return seconds.map((second) => waited.note(18_000, NOON_MS + second * 1000));
}

Deno.test("WaitedLines.note() tells nothing before three lines have come", () => {
  assert.deepEqual(momentsOf([1, 2]), [-Infinity, -Infinity]);
});

Deno.test("WaitedLines.note() is the earliest moment of the last three lines", () => {
  assert.deepEqual(momentsOf([0, 9, 10, 11, 8]).slice(2), [0, 9_000, 8_000]);
});

Deno.test("WaitedLines.note() believes no single line that is ahead of the others", () => {
  assert.equal(momentsOf([1, 2, 17]).at(-1), 1_000);
});

Deno.test("WaitedLines.note() is never later than the line came, however far ahead the timestamps are", () => {
  assert.equal(momentsOf([3_600, 3_600, 3_600]).at(-1), 18_000);
});

Deno.test("WaitedLines.note() tells nothing where no line had come to compare with", () => {
  assert.equal(momentsOf([12, 12, 12], null).at(-1), -Infinity);
});
