import assert from "node:assert/strict";
import { parsePlace } from "../../lib/archive/place.ts";
import { EVERY_LINE } from "../../lib/archive/read/line_chunk.ts";
import { checkCursor, endOf, nextPage } from "../../routes/cursor.ts";
import type { LineQuery } from "../../routes/query.ts";
import { createParts, ListedDays } from "./rig.ts";

const DAY = 20_779; // 2026-11-22
const PARTS = createParts({
  archive: new ListedDays({ "2026-11-22": { text: '{"a":1}\n{"b":2}\n', sealed: false } }, ["2026-11-01"]),
});

const QUERY: LineQuery = {
  filter: EVERY_LINE,
  tail: null,
  limit: null,
  cursor: null,
  format: null,
  color: false,
};

async function check(cursor: string | null, day: number | null = null): Promise<void> {
  const place = cursor === null ? null : parsePlace(cursor);
  await checkCursor(place, day, PARTS, new AbortController().signal);
}

Deno.test("checkCursor() lets a place between two lines pass, also the start and the end of a day", async () => {
  for (const cursor of [null, "2026-11-22:0", "2026-11-22:8", "2026-11-22:16", "2026-11-23:0"]) {
    await check(cursor);
  }
});

const REFUSED: [cursor: string, day: number | null, status: number, detail: RegExp][] = [
  ["2026-11-22:3", null, 400, /byte 3 of 2026-11-22 is inside one/],
  ["2026-11-22:17", null, 400, /2026-11-22, which has 16 bytes/],
  ["2026-11-23:1", null, 400, /2026-11-23, which has 0 bytes/],
  ["2026-11-01:8", null, 410, /Retention removed 2026-11-01/],
  ["2026-11-22:8", DAY - 1, 400, /must be one of 2026-11-21 here/],
];

for (const [cursor, day, status, detail] of REFUSED) {
  Deno.test(`checkCursor() refuses ${cursor}${day === null ? "" : " for another day"} with ${status}`, async () => {
    await assert.rejects(check(cursor, day), (error: Error & { toResponse(): Response }) => {
      assert.equal(error.toResponse().status, status);
      assert.match(error.message, detail);
      return true;
    });
  });
}

Deno.test("endOf() is the end of the newest day, also where no line of it was wanted", () => {
  const range = { day: DAY - 1, start: 0, end: 50, edition: 0, timedOnly: false };
  assert.deepEqual(endOf([range], QUERY, null, PARTS), { day: DAY, offset: 16, edition: 0 });
  assert.deepEqual(endOf([range], QUERY, DAY - 1, PARTS), { day: DAY - 1, offset: 50, edition: 0 });
  const until = { ...QUERY, filter: { ...EVERY_LINE, until: { seconds: 0, nanoseconds: 0 } } };
  assert.deepEqual(endOf([range], until, null, PARTS), { day: DAY - 1, offset: 50, edition: 0 });
  assert.equal(endOf([], QUERY, null, PARTS), null);
});

Deno.test("nextPage() asks the same from a place on, with fixed times and a fixed day", () => {
  const filter = { ...EVERY_LINE, since: { seconds: DAY * 86_400, nanoseconds: 0 } };
  const place = { day: DAY, offset: 8, edition: 0 };
  assert.equal(
    nextPage("http://a/logs/today.log?limit=1&since=2h", place, { ...QUERY, filter }),
    "/logs/2026-11-22.log?limit=1&since=2026-11-22T00%3A00%3A00.000000000Z&cursor=2026-11-22%3A8",
  );
});
