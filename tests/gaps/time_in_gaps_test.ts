import assert from "node:assert/strict";
import { timeInGaps } from "../../lib/gaps/time_in_gaps.ts";

function time(...gaps: [sinceMs: number, untilMs: number | null][]): number {
  return timeInGaps(gaps.map(([sinceMs, untilMs]) => ({ sinceMs, untilMs })), 100, 200);
}

Deno.test("timeInGaps() counts a moment once, in whatever order the gaps are told", () => {
  assert.equal(time(), 0);
  assert.equal(time([150, 160], [110, 120]), 20);
  assert.equal(time([150, 160], [110, 155], [111, 112]), 50);
});

Deno.test("timeInGaps() counts what lies in the span, and a gap that lasts up to its end", () => {
  assert.equal(time([0, 110], [190, 300]), 20);
  assert.equal(time([0, 100], [200, 300]), 0);
  assert.equal(time([170, null]), 30);
});
