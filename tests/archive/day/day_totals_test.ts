import assert from "node:assert/strict";
import { DayTotals } from "../../../lib/archive/day/day_totals.ts";

Deno.test("DayTotals has the smallest and the largest time of the lines, whatever their order", () => {
  const totals = new DayTotals([]);
  assert.deepEqual([totals.first, totals.last], [null, null]);
  for (const [seconds, nanoseconds] of [[5, 7], [5, 6], [9, 1], [9, 0], [5, 8]] as const) {
    totals.noteTime({ seconds, nanoseconds });
  }
  assert.equal(totals.first, "1970-01-01T00:00:05.000000006Z");
  assert.equal(totals.last, "1970-01-01T00:00:09.000000001Z");
});

Deno.test("DayTotals begins with the sums of what was found", () => {
  const totals = new DayTotals([
    { lines: 3, first: "1970-01-01T00:00:02.000000000Z", last: "1970-01-01T00:00:04.000000000Z" },
    { lines: 4, first: "1970-01-01T00:00:01.000000000Z", last: "1970-01-01T00:00:03.000000000Z" },
    { lines: 1, first: null, last: null },
  ]);
  totals.noteTime({ seconds: 2, nanoseconds: 0 });
  assert.deepEqual([totals.lines, totals.first, totals.last], [
    8,
    "1970-01-01T00:00:01.000000000Z",
    "1970-01-01T00:00:04.000000000Z",
  ]);
});

Deno.test("DayTotals keeps no time that it is told: a caller may use the object again", () => {
  const totals = new DayTotals([]);
  const time = { seconds: 5, nanoseconds: 0 };
  totals.noteTime(time);
  time.seconds = 9;
  assert.equal(totals.last, "1970-01-01T00:00:05.000000000Z");
});
