import assert from "node:assert/strict";
import { firstAfter, isTimeOfDay, readTime, timeFault } from "../../routes/time_parameter.ts";
import { NOW_MS } from "./rig.ts";

/** It is 2026-11-22T12:00:00Z. */
const TIMES: [text: string, moment: string][] = [
  ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"],
  ["2026-11-22T12:00:00+02:00", "2026-11-22T10:00:00Z"],
  ["2026-11-22T12:00:00 02:00", "2026-11-22T10:00:00Z"],
  ["2026-11-22T10:00", "2026-11-22T10:00:00Z"],
  ["2026-11-22 10:00", "2026-11-22T10:00:00Z"],
  ["2026-11-22 9:05", "2026-11-22T09:05:00Z"],
  ["2026-11-22T10:00:30", "2026-11-22T10:00:30Z"],
  ["2026-11-22 10:00:30.25Z", "2026-11-22T10:00:30.250Z"],
  ["2026-11-22 10:00-0130", "2026-11-22T11:30:00Z"],
  ["2026-11-22", "2026-11-22T00:00:00Z"],
  ["today", "2026-11-22T00:00:00Z"],
  ["yesterday", "2026-11-21T00:00:00Z"],
  ["yesterday 10:00", "2026-11-21T10:00:00Z"],
  ["now", "2026-11-22T12:00:00Z"],
  ["10:00", "2026-11-22T10:00:00Z"],
  ["12:00", "2026-11-22T12:00:00Z"],
  ["12:01", "2026-11-21T12:01:00Z"],
  ["23:59:59", "2026-11-21T23:59:59Z"],
  ["9:30Z", "2026-11-22T09:30:00Z"],
  ["1795341600", "2026-11-22T10:00:00Z"],
  ["1795341600.5", "2026-11-22T10:00:00.500Z"],
  ["1795341600123", "2026-11-22T10:00:00.123Z"],
  ["1795341600123456", "2026-11-22T10:00:00.123Z"],
  ["1795341600123456789", "2026-11-22T10:00:00.123Z"],
  ["15m", "2026-11-22T11:45:00Z"],
  ["2h", "2026-11-22T10:00:00Z"],
  ["2h30m", "2026-11-22T09:30:00Z"],
  ["-1h", "2026-11-22T11:00:00Z"],
  ["1w", "2026-11-15T12:00:00Z"],
  ["500ms", "2026-11-22T11:59:59.500Z"],
  ["0s", "2026-11-22T12:00:00Z"],
];

for (const [text, moment] of TIMES) {
  Deno.test(`readTime() reads ${text}`, () => {
    const { seconds, nanoseconds } = readTime(text, NOW_MS)!;
    assert.equal(seconds * 1000 + Math.floor(nanoseconds / 1e6), Date.parse(moment));
  });
}

Deno.test("readTime() keeps nine decimals of a time and of Unix time", () => {
  for (
    const text of [
      "2026-11-22T10:00:00.123456789Z",
      "2026-11-22 10:00:00.123456789",
      "1795341600.123456789",
      "1795341600123456789",
    ]
  ) {
    assert.deepEqual(readTime(text, NOW_MS), { seconds: 1_795_341_600, nanoseconds: 123_456_789 }, text);
  }
});

for (
  const text of [
    "",
    "x",
    "0",
    "15",
    "-5",
    "999999999",
    "0123456789",
    "17953416001",
    "1e3",
    "2026-02-30",
    "2026-02-30 10:00",
    "2026-11-22T25:00:00Z",
    "24:00",
    "10:60",
    "10:00+02:00",
    "10:00 10:00",
    "tomorrow",
    "now 10:00",
    "--1h",
    "1h-",
    "99999999999d",
    "9999999d",
    "\u0661\u0660:00",
  ]
) {
  Deno.test(`readTime() gives null for ${JSON.stringify(text)}`, () => {
    assert.equal(readTime(text, NOW_MS), null);
  });
}

Deno.test("timeFault() says what to write, and shows what was sent as ASCII", () => {
  assert.equal(
    timeFault("15"),
    'must have a unit: 15m, 15h or 15d are that long before now; Unix time has ten digits, and "15" has not',
  );
  assert.match(timeFault("so\u2028on"), /^must be a time such as 10:00, .* 1w, not "so\?on"$/);
});

Deno.test("firstAfter() keeps the time of day and moves the day", () => {
  const hour = (seconds: number) => ({ seconds: seconds * 3600, nanoseconds: 0 });
  assert.deepEqual(firstAfter(hour(26), hour(22)), hour(26));
  assert.deepEqual(firstAfter(hour(18), hour(33)), hour(42));
  assert.deepEqual(firstAfter(hour(18), hour(18)), hour(42));
  assert.deepEqual(firstAfter(hour(1), hour(100)), hour(121));
});

Deno.test("isTimeOfDay() is true of a time without a date only", () => {
  for (const text of ["10:00", "9:30:00Z"]) assert.equal(isTimeOfDay(text), true, text);
  for (const text of ["2026-11-22 10:00", "today 10:00", "1h", "now", ""]) {
    assert.equal(isTimeOfDay(text), false, text);
  }
});
