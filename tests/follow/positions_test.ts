import assert from "node:assert/strict";
import { EVENT_ID_LIMIT, parseEventId, Positions, resumePositions } from "../../lib/follow/positions.ts";

const DAY = 20_779; // 2026-11-22

function resumed(id: string, days: [day: number, bytes: number][]): [number, number][] {
  const parsed = parseEventId(id);
  assert.ok(parsed !== null, id);
  return [...resumePositions(parsed, days.map(([day, bytes]) => ({ day, bytes }))).entries()];
}

Deno.test("Positions.eventId() names the line's own place first, then the days that were there", () => {
  const positions = new Positions([[DAY - 40, 5], [DAY - 2, 36], [DAY - 1, 1000], [DAY, 77], [DAY + 1, 0]]);
  assert.equal(positions.eventId({ day: DAY, offset: 123 }), "2026-11-22:123;-2.10,-1.rs");
  assert.equal(positions.eventId({ day: DAY - 1, offset: 1500 }), "2026-11-21:1500;-1.10,1.25");
  assert.equal(new Positions().eventId({ day: DAY, offset: 9 }), "2026-11-22:9;");
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
    "2026-11-22:1;;",
    "2026-11-22:1;-1.rs\n",
    `2026-11-22:1;${"1.1,".repeat(EVENT_ID_LIMIT / 4)}1.1`,
  ]
) {
  Deno.test(`parseEventId() refuses ${JSON.stringify(id.slice(0, 40))}`, () => {
    assert.equal(parseEventId(id), null);
  });
}
