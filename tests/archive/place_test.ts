import assert from "node:assert/strict";
import { formatPlace, parsePlace, placePrefix } from "../../lib/archive/place.ts";

const DAY = 20_779; // 2026-11-22

Deno.test("formatPlace() writes the day's name and the offset", () => {
  assert.equal(formatPlace({ day: DAY, offset: 0 }), "2026-11-22:0");
  assert.equal(formatPlace({ day: DAY, offset: 999_999_999_999_999 }), "2026-11-22:999999999999999");
});

Deno.test("formatPlace() begins with placePrefix()", () => {
  assert.equal(placePrefix(DAY), "2026-11-22:");
});

Deno.test("formatPlace() throws for a day that has no name", () => {
  assert.throws(() => formatPlace({ day: NaN, offset: 0 }), RangeError);
});

Deno.test("parsePlace() reads what formatPlace() writes", () => {
  assert.deepEqual(parsePlace("2026-11-22:123"), { day: DAY, offset: 123 });
  assert.deepEqual(parsePlace("2026-11-22:0"), { day: DAY, offset: 0 });
});

for (
  const text of [
    "",
    "2026-11-22",
    "2026-11-22:",
    "2026-02-30:1",
    "2026-11-22:01",
    "2026-11-22:-1",
    "2026-11-22:1.5",
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
