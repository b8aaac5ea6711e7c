import assert from "node:assert/strict";
import {
  endPosition,
  EVENT_ID_LIMIT,
  parseEventId,
  type Position,
  Positions,
  resumePositions,
} from "../../lib/follow/positions.ts";

const DAY = 20_779; // 2026-11-22

/** The end of a day, into the first 100 bytes of which so many were inserted, in two editions. */
function endOf(bytes: number, inserted = 0): Position {
  return endPosition({ bytes, edition: inserted === 0 ? 0 : 2, recordedBytes: bytes - inserted });
}

function resumed(id: string, days: [day: number, bytes: number, inserted?: number][]): [number, number][] {
  const parsed = parseEventId(id);
  assert.ok(parsed !== null, id);
  const known = days.map(([day, bytes, inserted = 0]) => ({ day, end: endOf(bytes, inserted), inserted }));
  return [...resumePositions(parsed, known).entries()].map(([day, { offset }]) => [day, offset]);
}

Deno.test("Positions.eventId() names the line's own place first, then the days that were there", () => {
  const positions = new Positions([
    [DAY - 40, endOf(5)],
    [DAY - 2, endOf(36)],
    [DAY - 1, endOf(1000)],
    [DAY, endOf(77)],
    [DAY + 1, endOf(0)],
  ]);
  assert.equal(positions.eventId({ day: DAY, offset: 123, edition: 0 }), "2026-11-22:123;-2.10,-1.rs");
  assert.equal(positions.eventId({ day: DAY - 1, offset: 1500, edition: 0 }), "2026-11-21:1500;-1.10,1.25");
  assert.equal(new Positions().eventId({ day: DAY, offset: 9, edition: 0 }), "2026-11-22:9;");
});

Deno.test("Positions.eventId() names the edition of each day into which lines were inserted", () => {
  const positions = new Positions([[DAY - 2, endOf(36)], [DAY - 1, endOf(1000, 50)]]);
  const id = positions.eventId({ day: DAY, offset: 123, edition: 3 });
  assert.equal(id, "2026-11-22:123.3;-2.10,-1.rs.2");
  assert.deepEqual(parseEventId(id), {
    own: { day: DAY, offset: 123, edition: 3 },
    others: [{ day: DAY - 2, offset: 36, edition: 0 }, { day: DAY - 1, offset: 1000, edition: 2 }],
  });
});

Deno.test("resumePositions() tells by what was recorded whether a place is the end of its day", () => {
  // 1000 bytes were recorded and 50 inserted.
  assert.deepEqual(resumed("2026-11-22:1050.2", [[DAY, 1050, 50]]), [[DAY, 1050]]);
  assert.deepEqual(resumed("2026-11-22:1049.2", [[DAY, 1050, 50]]), [[DAY, 1049]]);
  // Those who get what is new have got it up to byte 1000 of what was recorded: it is the same place.
  const id = parseEventId("2026-11-22:1050.2")!;
  const end = { offset: 1000, edition: 0, recorded: 1000 };
  assert.deepEqual(resumePositions(id, [{ day: DAY, end, inserted: 50 }]).get(DAY), end);
});

Deno.test("resumePositions() goes on in every day behind what was given", () => {
  const days: [number, number][] = [[DAY - 40, 5], [DAY - 2, 50], [DAY - 1, 2000], [DAY, 500], [DAY + 1, 8]];
  assert.deepEqual(resumed("2026-11-22:123;-2.10,-1.rs", days), [
    [DAY - 40, 5], // long over
    [DAY - 2, 36],
    [DAY - 1, 1000],
    [DAY, 123],
    [DAY + 1, 0], // new since then
  ]);
});

Deno.test("resumePositions() takes a day that could have been named and was not for new", () => {
  assert.deepEqual(resumed("2026-11-22:123;", [[DAY - 10, 7], [DAY - 9, 7], [DAY, 200]]), [
    [DAY - 10, 7],
    [DAY - 9, 0],
    [DAY, 123],
  ]);
});

Deno.test("resumePositions() takes days before a plain cursor for over and days behind it for new", () => {
  assert.deepEqual(resumed("2026-11-22:123", [[DAY - 1, 7], [DAY, 200], [DAY + 1, 9]]), [
    [DAY - 1, 7],
    [DAY, 123],
    [DAY + 1, 0],
  ]);
});

Deno.test("resumePositions() goes no further than the end of a day", () => {
  assert.deepEqual(resumed("2026-11-22:123;-1.rs", [[DAY - 1, 7], [DAY, 100]]), [[DAY - 1, 7], [DAY, 100]]);
});

for (
  const id of [
    "",
    "2026-11-22",
    "2026-02-30:1",
    "2026-11-22:01",
    "2026-11-22:-1",
    "2026-11-22:1;x",
    "2026-11-22:1;-1.",
    "2026-11-22:1;-1.rs,",
    "2026-11-22:1;-1.RS",
    "2026-11-22:1;-1.rs.0",
    "2026-11-22:1;-1.rs.1x",
    "2026-11-22:1;-1.rs.1.1",
    "2026-11-22:1;;",
    "2026-11-22:1;-1.rs\n",
    `2026-11-22:1;${"1.1,".repeat(EVENT_ID_LIMIT / 4)}1.1`,
  ]
) {
  Deno.test(`parseEventId() refuses ${JSON.stringify(id.slice(0, 40))}`, () => {
    assert.equal(parseEventId(id), null);
  });
}
