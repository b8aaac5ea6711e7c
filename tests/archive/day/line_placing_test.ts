import assert from "node:assert/strict";
import {
  goesBefore,
  momentOf,
  PLACING_WINDOW_LINES,
  timedLines,
} from "../../../lib/archive/day/line_placing.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { createRandomBelow } from "../../rig/random.ts";
import { DAY } from "../archive_rig.ts";
import { timedLine } from "./insertion_rig.ts";

const encoder = new TextEncoder();

/** The number of the line before which one of `moment` is put; that of the lines for the end. */
function placeOf(moments: readonly number[], moment: number): number {
  const place = moments.findIndex((_, at) => goesBefore(moments, at, moment));
  return place === -1 ? moments.length : place;
}

/** Moments from 0 up to before `end`. */
function upTo(end: number): number[] {
  return Array.from({ length: end }, (_, moment) => moment);
}

Deno.test("momentOf() tells nanoseconds apart on the day, and holds what is far away at 100 days", () => {
  const [a, b] = ["2026-11-22T23:59:59.999999998Z", "2026-11-22T23:59:59.999999999Z"]
    .map((text) => momentOf(parseTimestamp(text)!, DAY));
  assert.equal(b! - a!, 1);
  assert.equal(momentOf(parseTimestamp("2026-11-21T23:59:59Z")!, DAY), -1e9);
  const limit = 100 * 86_400 * 1e9;
  assert.equal(momentOf(parseTimestamp("9999-01-01T00:00:00Z")!, DAY), limit);
  assert.equal(momentOf(parseTimestamp("0001-01-01T00:00:00Z")!, DAY), -limit);
});

Deno.test("timedLines() finds where lines with a time begin, also of records that are written unusually", () => {
  const lines = [
    timedLine("a", "00:00:01"),
    timedLine("b", null),
    `{"timest\\u0061mp":"2026-11-22T00:00:02Z","message":"c"}`,
    "no record",
    `{"message":"d","timestamp":"just now"}`,
    timedLine("e", "00:00:03"),
  ];
  const text = lines.map((line) => `${line}\n`).join("");
  const starts = [0, 2, 5].map((number) => text.indexOf(lines[number]!));
  assert.deepEqual(timedLines(encoder.encode(text), DAY), { starts, moments: [1e9, 2e9, 3e9] });
});

Deno.test("A found line goes before the first that is later, and after those of its own time", () => {
  assert.equal(placeOf([10, 20, 20, 30], 5), 0);
  assert.equal(placeOf([10, 20, 20, 30], 10), 1);
  assert.equal(placeOf([10, 20, 20, 30], 20), 3);
  assert.equal(placeOf([10, 20, 20, 30], 25), 3);
  assert.equal(placeOf([10, 20, 20, 30], 30), 4);
  assert.equal(placeOf([], 30), 0);
});

Deno.test("The example of the module's comment holds: a wrong clock does not draw a line to it", () => {
  assert.equal(placeOf([1000, 1001, 1700, 1002, 1003, 1010], 1003), 5);
});

Deno.test("A line hours ahead draws nothing to it, wherever it stands", () => {
  for (const stray of [0, 1, 500, 990]) {
    const moments = upTo(1000);
    moments[stray] = 1e6;
    assert.equal(placeOf(moments, 999), 1000, `${stray}`);
    for (const moment of [stray + 2, stray + 3, stray + 20, 700]) {
      assert.equal(placeOf(moments, moment), Math.min(1000, moment + 1), `${stray} ${moment}`);
    }
  }
});

Deno.test("A line hours ahead at the end of the text stays there", () => {
  assert.equal(placeOf([...upTo(100), 1e6], 200), 100);
});

Deno.test("Many lines ahead in a row draw nothing to them that belongs behind as many others", () => {
  const burst = PLACING_WINDOW_LINES / 2 - 1;
  const moments = [...upTo(100), ...Array.from({ length: burst }, () => 1e6), ...upTo(300).slice(100)];
  assert.equal(placeOf(moments, 200), 201 + burst);
});

Deno.test("Lines that came late do not hold a found line back", () => {
  assert.equal(placeOf([1, 2, 9, 3, 10, 11], 5), 2);
  assert.equal(placeOf([1, 2, 9, 3, 10, 4, 11, 5, 12], 8), 2, "every other line came late");
  const late = [...upTo(500), ...upTo(450).slice(400), ...upTo(1000).slice(500)];
  assert.equal(placeOf(late, 300), 301);
  assert.equal(placeOf(late, 600), 651);
  assert.equal(placeOf([...upTo(500), 3, 4, 5], 499), 503, "behind late lines at the end");
});

Deno.test("A found line goes behind late lines that are more than those before which it would go", () => {
  assert.equal(placeOf([1, 2, 9, 3, 4, 5, 10], 8), 6);
});

Deno.test("A later found line never goes before an earlier one, whatever the text", () => {
  const below = createRandomBelow(1);
  for (let round = 0; round < 2000; round++) {
    const moments = Array.from({ length: below(100) }, () => below(50));
    const places = Array.from({ length: 50 }, (_, moment) => placeOf(moments, moment));
    assert.deepEqual(places, places.toSorted((a, b) => a - b), `${moments}`);
  }
});

Deno.test("Only so many lines are looked at", () => {
  const half = PLACING_WINDOW_LINES / 2;
  const window = [...Array.from({ length: half }, () => 100), ...Array.from({ length: half }, () => 1)];
  const after = Array.from({ length: 500 }, () => 1);
  assert.equal(goesBefore([...window, ...after], 0, 50), true);
  assert.equal(goesBefore([...window, ...after], 1, 50), false);
});
