import assert from "node:assert/strict";
import { dayName, parseDayName } from "../../lib/day.ts";
import { DAYS_LIMIT, listedDays } from "../../routes/listed_days.ts";
import { ListedDays } from "./rig.ts";

function listed(days: readonly string[], today: string, untouched: readonly string[] = []): string[] {
  const archive = new ListedDays(Object.fromEntries(days.map((day) => [day, { text: "{}\n" }])));
  for (const day of untouched) archive.untouched.set(parseDayName(day)!, "it is of stone");
  return listedDays(archive, parseDayName(today)!).map(dayName);
}

Deno.test("listedDays() leaves out no day up to today", () => {
  assert.deepEqual(listed(["2026-11-20", "2026-11-22"], "2026-11-23"), [
    "2026-11-23",
    "2026-11-22",
    "2026-11-21",
    "2026-11-20",
  ]);
});

Deno.test("listedDays() begins with a day after today where one has lines", () => {
  assert.deepEqual(listed(["2026-11-24"], "2026-11-23"), ["2026-11-24"]);
});

Deno.test("listedDays() is empty where nothing was ever recorded", () => {
  assert.deepEqual(listed([], "2026-11-23"), []);
});

Deno.test("listedDays() has the days that cannot be read, also where there are no others", () => {
  assert.deepEqual(listed(["2026-11-22"], "2026-11-22", ["2026-11-20"]), [
    "2026-11-22",
    "2026-11-21",
    "2026-11-20",
  ]);
  assert.deepEqual(listed([], "2026-11-21", ["2026-11-20"]), ["2026-11-21", "2026-11-20"]);
});

Deno.test("listedDays() ends one day beyond its limit, however long ago the first day is", () => {
  assert.equal(listed(["1999-01-01"], "2026-11-23").length, DAYS_LIMIT + 1);
});
