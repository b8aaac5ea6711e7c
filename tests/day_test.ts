import assert from "node:assert/strict";
import { dayName, dayOf, dayStartMs, parseDayName } from "../lib/day.ts";

/** 20,779 days after 1970-01-01: 56 years of 365 days, 14 leap days, and 325 days of 2026. */
const DAY = 20_779;

Deno.test("dayOf() changes at midnight UTC, before 1970 too", () => {
  assert.equal(dayOf(Date.UTC(2026, 10, 22)), DAY);
  assert.equal(dayOf(Date.UTC(2026, 10, 22) - 1), DAY - 1);
  assert.equal(dayOf(0), 0);
  assert.equal(dayOf(-1), -1);
});

Deno.test("dayStartMs() is the first millisecond of a day", () => {
  assert.equal(dayStartMs(DAY), 1_795_305_600_000);
  assert.equal(dayStartMs(-1), -86_400_000);
});

for (
  const [day, name] of [
    [DAY, "2026-11-22"],
    [0, "1970-01-01"],
    [-1, "1969-12-31"],
    [-719_162, "0001-01-01"],
    [2_932_896, "9999-12-31"],
    [19_782, "2024-02-29"],
  ] as const
) {
  Deno.test(`dayName() and parseDayName() know ${name}`, () => {
    assert.equal(dayName(day), name);
    assert.equal(parseDayName(name), day);
  });
}

for (const day of [-719_163, 2_932_897, 0.5, NaN, Infinity]) {
  Deno.test(`dayName() refuses ${day}`, () => {
    assert.throws(() => dayName(day), RangeError);
  });
}

for (
  const text of [
    "",
    "2026-02-30",
    "2025-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "0000-01-01",
    "2026-1-1",
    "2026-11-22T00:00:00Z",
    " 2026-11-22",
    "2026-11-22\n",
    "+02026-11-22",
    "-2026-11-22",
    "２０２６-11-22",
    "../2026-11-22",
  ]
) {
  Deno.test(`parseDayName() gives null for ${JSON.stringify(text)}`, () => {
    assert.equal(parseDayName(text), null);
  });
}
