import assert from "node:assert/strict";
import { parseDuration } from "../lib/duration.ts";

Deno.test("parseDuration() gives milliseconds when the number has a unit", () => {
  assert.equal(parseDuration("500ms"), 500);
  assert.equal(parseDuration("15m"), 900_000);
  assert.equal(parseDuration("3d"), 259_200_000);
  assert.equal(parseDuration("0"), 0);
});

Deno.test("parseDuration() gives null when the unit is missing, unknown or not alone", () => {
  for (const text of ["", "15", "1w", "1.5h", "-1s", "1h30m", " 1s", "1S", "999999999999d"]) {
    assert.equal(parseDuration(text), null, text);
  }
});
