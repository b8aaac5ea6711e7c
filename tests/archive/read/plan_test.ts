import assert from "node:assert/strict";
import {
  firstBytes,
  lastBytes,
  planRanges,
  rangesBefore,
  rangesFrom,
} from "../../../lib/archive/read/plan.ts";
import type { DayInfo } from "../../../lib/archive/day/day_info.ts";
import { parseDayName } from "../../../lib/day.ts";
import type { FilterSpec } from "../../../lib/filter/filter.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";

const DAY = 20_779; // 2026-11-22

function info(name: string, first: string | null, last: string | null, bytes = 100): DayInfo {
  return {
    day: parseDayName(name)!,
    lines: 3,
    bytes,
    gzBytes: 50,
    first,
    last,
    sealed: true,
    crc32: "00000000",
    modifiedMs: 0,
    held: 0,
    edition: 0,
    recordedBytes: 0,
  };
}

const DAYS = [
  info("2026-11-22", "2026-11-22T00:00:00.500000000Z", "2026-11-22T12:00:00.000000000Z"),
  info("2026-11-21", null, null),
  // A line with a time of weeks before lies in the day on which it came.
  info("2026-11-20", "2026-11-01T00:00:00.000000000Z", "2026-11-20T23:00:00.000000000Z"),
];

const EVERYTHING = { day: null, start: null };

function span(since: string | null, until: string | null): FilterSpec {
  return {
    since: since === null ? null : parseTimestamp(since),
    until: until === null ? null : parseTimestamp(until),
    apps: [],
    regions: [],
    instances: [],
    levels: [],
  };
}

Deno.test("planRanges() gives all days, oldest first", () => {
  assert.deepEqual(planRanges(DAYS, span(null, null), EVERYTHING), [
    { day: DAY - 2, start: 0, end: 100, edition: 0, timedOnly: false },
    { day: DAY - 1, start: 0, end: 100, edition: 0, timedOnly: false },
    { day: DAY, start: 0, end: 100, edition: 0, timedOnly: false },
  ]);
});

const SPANS: [since: string | null, until: string | null, days: [day: number, timedOnly: boolean][]][] = [
  ["2026-11-22T00:00:00Z", null, [[DAY, false]]],
  ["2026-11-22T13:00:00Z", null, [[DAY, false]]],
  ["2026-11-23T00:00:00Z", null, []],
  [null, "2026-11-21T00:00:00Z", [[DAY - 2, false]]],
  [null, "2026-11-21T00:00:00.000000001Z", [[DAY - 2, false], [DAY - 1, false]]],
  ["2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z", [[DAY - 2, true]]],
  ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", []],
];

for (const [since, until, expected] of SPANS) {
  Deno.test(`planRanges() gives the days that can have lines from ${since} to ${until}`, () => {
    const ranges = planRanges(DAYS, span(since, until), EVERYTHING);
    assert.deepEqual(ranges.map(({ day, timedOnly }) => [day, timedOnly]), expected);
  });
}

Deno.test("planRanges() begins at a place, and keeps to one day", () => {
  const start = { day: DAY - 1, offset: 40, edition: 0 };
  assert.deepEqual(planRanges(DAYS, span(null, null), { day: null, start }), [
    { day: DAY - 1, start: 40, end: 100, edition: 0, timedOnly: false },
    { day: DAY, start: 0, end: 100, edition: 0, timedOnly: false },
  ]);
  assert.deepEqual(planRanges(DAYS, span(null, null), { day: DAY - 1, start }), [
    { day: DAY - 1, start: 40, end: 100, edition: 0, timedOnly: false },
  ]);
  assert.deepEqual(
    planRanges(DAYS, span(null, null), { day: DAY, start: { day: DAY, offset: 100, edition: 0 } }),
    [],
  );
});

Deno.test("lastBytes() cuts ranges from their beginning", () => {
  const ranges = planRanges(DAYS, span(null, null), EVERYTHING);
  assert.deepEqual(lastBytes(ranges, 130), [
    { day: DAY - 1, start: 70, end: 100, edition: 0, timedOnly: false },
    { day: DAY, start: 0, end: 100, edition: 0, timedOnly: false },
  ]);
  assert.deepEqual(lastBytes(ranges, 1000), ranges);
});

Deno.test("firstBytes() cuts ranges from their end", () => {
  const ranges = planRanges(DAYS, span(null, null), EVERYTHING);
  assert.deepEqual(firstBytes(ranges, 130), [
    { day: DAY - 2, start: 0, end: 100, edition: 0, timedOnly: false },
    { day: DAY - 1, start: 0, end: 30, edition: 0, timedOnly: false },
  ]);
  assert.deepEqual(firstBytes(ranges, 100), ranges.slice(0, 1));
  assert.deepEqual(firstBytes(ranges, 1000), ranges);
});

Deno.test("rangesFrom() and rangesBefore() part ranges at a place", () => {
  const ranges = planRanges(DAYS, span(null, null), EVERYTHING);
  const place = { day: DAY - 1, offset: 40, edition: 0 };
  assert.deepEqual(rangesBefore(ranges, place), [
    { day: DAY - 2, start: 0, end: 100, edition: 0, timedOnly: false },
    { day: DAY - 1, start: 0, end: 40, edition: 0, timedOnly: false },
  ]);
  assert.deepEqual(rangesFrom(ranges, place), [
    { day: DAY - 1, start: 40, end: 100, edition: 0, timedOnly: false },
    { day: DAY, start: 0, end: 100, edition: 0, timedOnly: false },
  ]);
});

/** A day of 100 bytes in edition 2. */
const HEALED = [{ ...info("2026-11-22", null, null), edition: 2 }];
const OF_HEALED = { day: DAY, start: 0, end: 100, edition: 2, timedOnly: false };

Deno.test("planRanges() keeps the edition of a place from before lines were inserted", () => {
  const from = (start: { day: number; offset: number; edition: number }) =>
    planRanges(HEALED, span(null, null), { day: null, start });
  assert.deepEqual(planRanges(HEALED, span(null, null), EVERYTHING), [OF_HEALED]);
  assert.deepEqual(from({ day: DAY, offset: 40, edition: 2 }), [{ ...OF_HEALED, start: 40 }]);
  assert.deepEqual(from({ day: DAY, offset: 40, edition: 1 }), [{
    ...OF_HEALED,
    start: 40,
    startEdition: 1,
  }]);
  assert.deepEqual(from({ day: DAY, offset: 0, edition: 1 }), [OF_HEALED]);
});

Deno.test("rangesFrom() and rangesBefore() part ranges at a place of another edition", () => {
  const place = { day: DAY, offset: 40, edition: 1 };
  const from = rangesFrom([OF_HEALED], place);
  assert.deepEqual(from, [{ ...OF_HEALED, start: 40, startEdition: 1 }]);
  assert.deepEqual(rangesBefore([OF_HEALED], place), [{ ...OF_HEALED, end: 40, edition: 1 }]);
  assert.deepEqual(rangesFrom(from, { ...place, offset: 50, edition: 2 }), [{ ...OF_HEALED, start: 50 }]);
  assert.deepEqual(rangesBefore(from, { ...place, offset: 60 }), [
    { ...OF_HEALED, start: 40, end: 60, edition: 1 },
  ]);
  assert.deepEqual(rangesBefore([{ ...OF_HEALED, start: 20 }], place), [
    { ...OF_HEALED, start: 20, startEdition: 2, end: 40, edition: 1 },
  ]);
});

Deno.test("firstBytes() and lastBytes() cut a range where its edition allows to tell", () => {
  const range = { ...OF_HEALED, start: 40, startEdition: 1 };
  assert.deepEqual(firstBytes([range], 10), [{ ...OF_HEALED, start: 40, end: 50, edition: 1 }]);
  assert.deepEqual(firstBytes([range], 60), [range]);
  assert.deepEqual(lastBytes([range], 10), [range]);
  assert.deepEqual(lastBytes([OF_HEALED], 10), [{ ...OF_HEALED, start: 90 }]);
});
