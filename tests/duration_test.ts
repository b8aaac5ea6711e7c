import assert from "node:assert/strict";
import { parseDuration } from "../lib/duration.ts";

Deno.test("parseDuration() gives milliseconds when the number has a unit", () => {
  assert.equal(parseDuration("500ms"), 500);
  assert.equal(parseDuration("15m"), 900_000);
  assert.equal(parseDuration("3d"), 259_200_000);
  assert.equal(parseDuration("1w"), 604_800_000);
  assert.equal(parseDuration("0"), 0);
});

Deno.test("parseDuration() adds up several numbers with units, the larger ones first", () => {
  assert.equal(parseDuration("2h30m"), 9_000_000);
  assert.equal(parseDuration("1w1d1h1m1s1ms"), 694_861_001);
  assert.equal(parseDuration("1m500ms"), 60_500);
  for (const text of ["30m2h", "1h1h", "1h 30m", "1h30"]) assert.equal(parseDuration(text), null, text);
});

Deno.test("parseDuration() gives null when the unit is missing, unknown or not alone", () => {
  for (const text of ["", "15", "1.5h", "-1s", " 1s", "1S", "999999999999d"]) {
    assert.equal(parseDuration(text), null, text);
  }
});
