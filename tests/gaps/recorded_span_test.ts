import assert from "node:assert/strict";
import { parseDayName } from "../../lib/day.ts";
import type { Gap } from "../../lib/gaps/gap.ts";
import type { GapListener } from "../../lib/gaps/ledger.ts";
import { RecordedSpan } from "../../lib/gaps/recorded_span.ts";

const NOW = "2026-11-24T12:00:00.000Z";

interface Known {
  gaps?: Gap[];
  oldest?: { day: string; first: string | null };
  removed?: string;
  untouched?: string[];
}

function spanOf({ gaps = [], oldest, removed, untouched = [] }: Known): RecordedSpan {
  return new RecordedSpan({
    ledger: {
      touching: (sinceMs, untilMs) =>
        gaps.filter((gap) => gap.sinceMs < untilMs && (gap.untilMs ?? Infinity) > sinceMs),
      latest: () => gaps.at(-1) ?? null,
      onChange: () => () => {},
    },
    archive: {
      oldestDay: () => oldest === undefined ? null : { ...oldest, day: parseDayName(oldest.day)! },
      newestRemovedDay: () => removed === undefined ? null : parseDayName(removed),
      untouched: new Map(untouched.map((day) => [parseDayName(day)!, "it is of stone"])),
    },
    clock: { now: () => Date.parse(NOW) },
  });
}

function begin(known: Known): string {
  const [first] = spanOf(known).touching(0, 1);
  assert.equal(first?.cause, "before");
  assert.equal(first.sinceMs, 0);
  assert.equal(first.state, "lost");
  return new Date(first.untilMs!).toISOString();
}

const START: Gap = {
  id: 1,
  sinceMs: Date.parse("2026-11-22T20:12:04.250Z"),
  untilMs: Date.parse("2026-11-22T20:12:05Z"),
  cause: "start",
  state: "lost",
  healing: null,
};

Deno.test("Time before the first start of a recorder is a gap, also where a late line tells of it", () => {
  const oldest = { day: "2026-11-22", first: "2026-11-22T19:50:00.000000000Z" };
  assert.equal(begin({ gaps: [START], oldest }), "2026-11-22T20:12:04.250Z");
});

Deno.test("Time before the first line is a gap where the ledger tells of no start", () => {
  const oldest = { day: "2026-11-22", first: "2026-11-22T19:50:00.123456789Z" };
  assert.equal(begin({ oldest }), "2026-11-22T19:50:00.123Z");
  assert.equal(
    begin({ oldest: { day: "2026-11-22", first: "1971-01-01T00:00:00.000000000Z" } }),
    "2026-11-22T00:00:00.000Z",
    "a line of another time is in the day of its arrival",
  );
  assert.equal(begin({ oldest: { day: "2026-11-22", first: null } }), "2026-11-22T00:00:00.000Z");
});

Deno.test("Time before 1970 is a gap as far back as it is asked for", () => {
  const sinceMs = Date.parse("1960-01-01T00:00:00Z");
  const [first] = spanOf({ gaps: [START] }).touching(sinceMs, 0);
  assert.deepEqual([first!.sinceMs, first!.untilMs, first!.cause], [sinceMs, START.sinceMs, "before"]);
  assert.equal(spanOf({ gaps: [START] }).touching(-Infinity, 0)[0]!.sinceMs, 0);
});

Deno.test("Time before now is a gap in an archive that has nothing yet", () => {
  assert.equal(begin({}), NOW);
});

Deno.test("Time up to the end of the newest day that retention removed is a gap", () => {
  const oldest = { day: "2026-11-23", first: "2026-11-23T09:00:00.000000000Z" };
  assert.equal(begin({ gaps: [START], oldest, removed: "2026-11-22" }), "2026-11-23T00:00:00.000Z");
  assert.equal(begin({ gaps: [START], removed: "2026-11-22" }), "2026-11-23T00:00:00.000Z");
});

Deno.test("A span since the first start has the gaps of the ledger and no other", () => {
  const span = spanOf({ gaps: [START] });
  assert.deepEqual(span.touching(START.sinceMs, Infinity), [START]);
  assert.deepEqual(span.touching(START.sinceMs - 1, START.sinceMs).map(({ cause }) => cause), ["before"]);
  assert.deepEqual(span.touching(-Infinity, Infinity).map(({ cause }) => cause), ["before", "start"]);
  assert.deepEqual(span.latest(), START);
});

Deno.test("A start that is written down while the program runs ends the gap before it", () => {
  const gaps: Gap[] = [];
  let tell: GapListener = () => {};
  const span = new RecordedSpan({
    ledger: {
      touching: () => gaps,
      latest: () => null,
      onChange(listener) {
        tell = listener;
        return () => {};
      },
    },
    archive: { oldestDay: () => null, newestRemovedDay: () => null, untouched: new Map() },
    clock: { now: () => Date.parse(NOW) },
  });
  assert.equal(span.touching(0, 1)[0]!.untilMs, Date.parse(NOW));
  gaps.push(START);
  tell(START, null);
  assert.equal(span.touching(0, 1)[0]!.untilMs, START.sinceMs);
});

const BEFORE: Gap = {
  id: 2,
  sinceMs: START.sinceMs - 7 * 86_400_000,
  untilMs: START.sinceMs,
  cause: "before",
  state: "healed",
  healing: { sources: [{ name: "fly", lines: 9 }], atMs: START.sinceMs, doneUntilMs: null, reason: null },
};

Deno.test("Time before the first start ends where the days begin that somebody else may have", () => {
  assert.equal(begin({ gaps: [BEFORE, START] }), "2026-11-15T20:12:04.250Z");
  const span = spanOf({ gaps: [BEFORE, START] });
  assert.deepEqual(span.touching(BEFORE.sinceMs, START.sinceMs), [BEFORE]);
  assert.deepEqual(span.touching(-Infinity, Infinity).map(({ id, state }) => `${id} ${state}`), [
    "0 lost",
    "2 healed",
    "1 lost",
  ]);
  assert.equal(
    begin({ gaps: [BEFORE, START], removed: "2026-11-18" }),
    "2026-11-19T00:00:00.000Z",
    "what was brought back and then removed is missing",
  );
});

Deno.test("Time before the first start ends where the oldest part of the days begins that somebody else had in part", () => {
  const middle = BEFORE.sinceMs + 3_600_000;
  const rest: Gap = { ...BEFORE, sinceMs: middle, untilMs: middle + 5000, state: "lost" };
  const parts = [{ ...BEFORE, id: 3, untilMs: middle }, rest, { ...BEFORE, id: 4, sinceMs: middle + 5000 }];
  assert.equal(begin({ gaps: [...parts, START] }), "2026-11-15T20:12:04.250Z");
  assert.deepEqual(
    spanOf({ gaps: [...parts, START] }).touching(-Infinity, Infinity).map(({ id, state }) =>
      `${id} ${state}`
    ),
    ["0 lost", "3 healed", "2 lost", "4 healed", "1 lost"],
  );
});

Deno.test("Days that somebody else may have and that are noted after the start end the time before them", () => {
  const gaps: Gap[] = [START];
  let tell: GapListener = () => {};
  const span = new RecordedSpan({
    ledger: {
      touching: () => gaps,
      latest: () => null,
      onChange(listener) {
        tell = listener;
        return () => {};
      },
    },
    archive: { oldestDay: () => null, newestRemovedDay: () => null, untouched: new Map() },
    clock: { now: () => Date.parse(NOW) },
  });
  assert.equal(span.touching(0, 1)[0]!.untilMs, START.sinceMs);
  gaps.unshift(BEFORE);
  tell(BEFORE, null);
  assert.equal(span.touching(0, 1)[0]!.untilMs, BEFORE.sinceMs);
});

Deno.test("A day whose files cannot be read is a gap, and one that is still to come is none", () => {
  const span = spanOf({ gaps: [START], untouched: ["2026-11-21", "2026-11-23", "2026-11-25"] });
  const shown = span.touching(-Infinity, Infinity).map(({ id, cause, sinceMs, untilMs, state }) =>
    [id, cause, ...[sinceMs, untilMs!].map((ms) => new Date(ms).toISOString()), state].join(" ")
  );
  assert.deepEqual(shown, [
    "0 before 1970-01-01T00:00:00.000Z 2026-11-22T20:12:04.250Z lost",
    "-20779 disk 2026-11-21T00:00:00.000Z 2026-11-22T00:00:00.000Z lost",
    "1 start 2026-11-22T20:12:04.250Z 2026-11-22T20:12:05.000Z lost",
    "-20781 disk 2026-11-23T00:00:00.000Z 2026-11-24T00:00:00.000Z lost",
  ]);
  const endMs = Date.parse("2026-11-24T00:00:00Z");
  assert.equal(span.touching(endMs - 1, endMs)[0]?.cause, "disk");
  assert.deepEqual(span.touching(endMs, Infinity), []);
});
