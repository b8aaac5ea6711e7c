import assert from "node:assert/strict";
import { mayHave, nextAskingMs, type SourceKind } from "../../lib/heal/heal_plan.ts";

const UNTIL = Date.parse("2026-11-22T12:00:00Z");

/** The times at which `source` is asked, in words of ISO 8601, where each answer takes a second. */
function askings(source: SourceKind, count: number, from: number | null = null): string[] {
  const times: string[] = [];
  let lastMs = from;
  while (times.length < count) {
    const nextMs = nextAskingMs(source, UNTIL, lastMs);
    if (nextMs === null) break;
    times.push(new Date(nextMs).toISOString().slice(8, 19));
    lastMs = nextMs + 1000;
  }
  return times;
}

Deno.test("peers are asked two seconds after a gap, and then ever more rarely", () => {
  assert.deepEqual(askings("peers", 7), [
    "22T12:00:02",
    "22T12:01:10",
    "22T12:05:00",
    "22T12:15:00",
    "22T13:00:00",
    "22T14:00:00",
    "22T15:00:00",
  ]);
});

Deno.test("Fly is asked two minutes after a gap, at fifteen, and then while it keeps lines", () => {
  assert.deepEqual(askings("fly", 5), [
    "22T12:02:00",
    "22T12:15:00",
    "22T13:00:00",
    "22T18:00:00",
    "23T00:00:00",
  ]);
  assert.equal(askings("fly", 1000).at(-1), "29T12:00:00");
});

Deno.test("peers are asked for the last time eight days after a gap", () => {
  assert.equal(askings("peers", 1000).at(-1), "30T12:00:00");
});

Deno.test("a recorder that starts hours after a gap asks at once, and then at the times that are left", () => {
  const startMs = Date.parse("2026-11-22T15:30:00Z");
  assert.ok(nextAskingMs("peers", UNTIL, null)! < startMs);
  assert.deepEqual(askings("peers", 2, startMs), ["22T16:00:00", "22T17:00:00"]);
  assert.deepEqual(askings("fly", 1, startMs), ["22T18:00:00"]);
});

Deno.test("a clock that was set back before the gap asks as if nobody had been asked", () => {
  assert.deepEqual(askings("fly", 1, UNTIL - 60_000), ["22T12:02:00"]);
});

Deno.test("mayHave() is over where no source keeps lines so long, and not yet for a gap that lasts", () => {
  const days = (count: number) => UNTIL + count * 86_400_000;
  assert.equal(mayHave("fly", { untilMs: UNTIL }, days(6.9)), true);
  assert.equal(mayHave("fly", { untilMs: UNTIL }, days(7)), false);
  assert.equal(mayHave("peers", { untilMs: UNTIL }, days(7.9)), true);
  assert.equal(mayHave("peers", { untilMs: UNTIL }, days(8)), false);
  assert.equal(mayHave("peers", { untilMs: null }, UNTIL), false);
});
