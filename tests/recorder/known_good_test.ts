import assert from "node:assert/strict";
import type { Span } from "../../lib/gaps/gap.ts";
import { KnownGood, OFFSETS_MEMORY_MS } from "../../lib/recorder/known_good.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const NOON_MS = Date.parse("2026-11-22T12:00:00Z");
const HOUR_MS = 3_600_000;

/** The spans of what is lost from 10 s to 13.4 s, with lines whose ways took `ways` milliseconds. */
function spansAfter(
  ways: readonly number[],
  clock = new FakeClock(NOON_MS),
  stampsFromMs = NOON_MS,
): string[] {
  const good = new KnownGood(clock);
  const endMs = clock.elapsed() + 10_000;
  while (clock.elapsed() < endMs) {
    clock.advance(100);
    for (const way of ways) good.noteLine(clock.elapsed(), stampsFromMs + clock.elapsed() - way);
    good.look();
  }
  clock.advance(3_400);
  return good.spans(good.goodMs, clock.elapsed()).map(show);
}

function show({ sinceMs, untilMs }: Span): string {
  return [sinceMs, untilMs].map((ms) => new Date(ms).toISOString().slice(11, 23)).join(" ");
}

Deno.test("KnownGood.spans() is the outage, begun earlier by the longest way of a line", () => {
  assert.deepEqual(spansAfter([0, 200]), ["12:00:08.800 12:00:13.401"]);
});

Deno.test("KnownGood.spans() of lines that are all late is where they were printed, and as long as the outage", () => {
  assert.deepEqual(spansAfter([50_000]), ["11:59:19.000 11:59:23.500", "12:00:09.000 12:00:13.401"]);
});

Deno.test("KnownGood.spans() of lines of which some are late has a span for either", () => {
  assert.deepEqual(spansAfter([0, 90_000]), ["11:58:39.000 11:58:43.500", "12:00:09.000 12:00:13.401"]);
});

Deno.test("KnownGood.spans() of lines that are late by anything is one span", () => {
  const ways = Array.from({ length: 51 }, (_, second) => second * 1000);
  assert.deepEqual(spansAfter(ways), ["11:59:19.000 12:00:13.401"]);
});

Deno.test("KnownGood.spans() of a few late lines has all between them and the clock", () => {
  const clock = new FakeClock(NOON_MS);
  const good = new KnownGood(clock);
  clock.advance(10_000);
  good.noteLine(10_000, NOON_MS + 10_000 - 40_000);
  good.noteLine(10_000, NOON_MS + 10_000 - 20_000);
  clock.advance(3_400);
  assert.deepEqual(good.spans(10_000, 13_400).map(show), ["11:59:29.000 12:00:13.401"]);
});

Deno.test("KnownGood.spans() is where the lines are when the clock is an hour off, and where the clock is", () => {
  assert.deepEqual(spansAfter([0], new FakeClock(NOON_MS + HOUR_MS)), [
    "12:00:09.000 12:00:13.500",
    "13:00:09.000 13:00:13.401",
  ]);
});

Deno.test("KnownGood.spans() knows nothing any more of a clock that was set right before the outage", () => {
  const clock = new FakeClock(NOON_MS + HOUR_MS);
  const good = new KnownGood(clock);
  good.noteAnswer(0);
  clock.advance(7_000);
  good.look();
  clock.jump(-HOUR_MS);
  good.look();
  clock.advance(3_000);
  good.noteAnswer(10_000);
  clock.advance(3_400);
  assert.deepEqual(good.spans(good.goodMs, 13_400).map(show), ["12:00:09.000 12:00:13.401"]);
});

Deno.test("KnownGood.spans() holds for both readings of a clock that was set within the outage", () => {
  const clock = new FakeClock(NOON_MS);
  const good = new KnownGood(clock);
  clock.advance(10_000);
  good.noteAnswer(10_000);
  good.look();
  clock.advance(1_000);
  clock.jump(HOUR_MS);
  clock.advance(2_400);
  assert.deepEqual(good.spans(good.goodMs, 13_400).map(show), [
    "12:00:09.000 12:00:13.401",
    "13:00:09.000 13:00:13.401",
  ]);
});

Deno.test("KnownGood.goodMs is the last line or answer, and no answer takes it back", () => {
  const good = new KnownGood(new FakeClock(NOON_MS));
  assert.equal(good.goodMs, -Infinity);
  good.noteAnswer(500);
  good.noteLine(700, null);
  good.noteAnswer(600);
  assert.equal(good.goodMs, 700);
});

Deno.test("KnownGood forgets how late lines were once enough have come that were not", () => {
  const clock = new FakeClock(NOON_MS);
  const good = new KnownGood(clock);
  for (let i = 0; i < 10; i++) good.noteLine(0, NOON_MS - 90_000);
  for (let i = 0; i < 2; i++) {
    clock.advance(OFFSETS_MEMORY_MS);
    for (let line = 0; line < 10; line++) good.noteLine(clock.elapsed(), clock.now());
    good.look();
  }
  assert.equal(good.sinceMs(clock.elapsed()), clock.now() - 1000);
});

Deno.test("KnownGood takes no account of a few lines that claim to be of another time altogether", () => {
  const clock = new FakeClock(NOON_MS);
  const good = new KnownGood(clock);
  for (let i = 0; i < 20; i++) good.noteLine(0, NOON_MS);
  for (const stamp of ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-21T12:00:00Z"]) {
    good.noteLine(0, Date.parse(stamp));
  }
  assert.deepEqual(good.spans(0, 0).map(show), ["11:59:59.000 12:00:00.001"]);
});

Deno.test("KnownGood rounds outwards what lies between two milliseconds", () => {
  const good = new KnownGood(new FakeClock(NOON_MS));
  assert.deepEqual(good.spans(10.4, 20.2).map(show), ["11:59:59.010 12:00:00.022"]);
});
