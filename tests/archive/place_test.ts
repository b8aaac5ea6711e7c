import assert from "node:assert/strict";
import { formatPlace, LostPlace, parsePlace, placePrefix, placeSuffix } from "../../lib/archive/place.ts";

const DAY = 20_779; // 2026-11-22

Deno.test("formatPlace() writes the day's name and the offset", () => {
  assert.equal(formatPlace({ day: DAY, offset: 0, edition: 0 }), "2026-11-22:0");
  assert.equal(
    formatPlace({ day: DAY, offset: 999_999_999_999_999, edition: 0 }),
    "2026-11-22:999999999999999",
  );
});

Deno.test("formatPlace() begins with placePrefix()", () => {
  assert.equal(placePrefix(DAY), "2026-11-22:");
});

Deno.test("formatPlace() throws for a day that has no name", () => {
  assert.throws(() => formatPlace({ day: NaN, offset: 0, edition: 0 }), RangeError);
});

Deno.test("formatPlace() ends with the edition of a day into which lines were inserted", () => {
  assert.equal(formatPlace({ day: DAY, offset: 123, edition: 2 }), "2026-11-22:123.2");
  assert.equal(placeSuffix(12), ".12");
  assert.equal(placeSuffix(0), "");
});

Deno.test("LostPlace says which place cannot be followed, and why", () => {
  const error = new LostPlace({ day: DAY, offset: 123, edition: 2 }, "it is of another archive");
  assert.equal(error.message, 'Cannot follow "2026-11-22:123.2": it is of another archive');
  assert.equal(error.reason, "it is of another archive");
});

Deno.test("parsePlace() reads what formatPlace() writes", () => {
  assert.deepEqual(parsePlace("2026-11-22:123.999999"), { day: DAY, offset: 123, edition: 999_999 });
  assert.deepEqual(parsePlace("2026-11-22:123"), { day: DAY, offset: 123, edition: 0 });
  assert.deepEqual(parsePlace("2026-11-22:0"), { day: DAY, offset: 0, edition: 0 });
});

for (
  const text of [
    "",
    "2026-11-22",
    "2026-11-22:",
    "2026-02-30:1",
    "2026-11-22:01",
    "2026-11-22:-1",
    "2026-11-22:1.0",
    "2026-11-22:1.05",
    "2026-11-22:1.",
    "2026-11-22:1.5.5",
    "2026-11-22:1.1000000",
    "2026-11-22:1e3",
    "2026-11-22:1\n",
    " 2026-11-22:1",
    "2026-11-22:1000000000000000",
    "2026-11-22;1",
    "../../../et:1",
  ]
) {
  Deno.test(`parsePlace() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parsePlace(text), null);
  });
}
