import assert from "node:assert/strict";
import * as v from "valibot";
import { MinuteSums } from "../../../lib/line/minute_sums.ts";
import { digestAnswer, digestSchema } from "../../../routes/wire/digest.ts";

const DAY = 20_779;
const ONE = "0".repeat(31) + "1";

Deno.test("digestAnswer() writes minutes of any year that a timestamp can have, oldest first", () => {
  const sums = new MinuteSums(DAY);
  for (const time of ["9999-12-31T23:59:59Z", "2026-11-22T10:00:30Z", "0001-01-01T00:00:00Z"]) {
    sums.add(Date.parse(time) / 1000, ONE);
  }
  const answer = v.parse(digestSchema, digestAnswer(DAY, sums.table()));
  const minutes = ["0001-01-01T00:00:00Z", "2026-11-22T10:00:00Z", "9999-12-31T23:59:00Z"];
  assert.deepEqual(answer.minutes, minutes.map((minute) => ({ minute, lines: 1, sum: ONE })));
});

Deno.test("digestAnswer() has as many minutes as its schema allows, and the other lines in one entry", () => {
  const sums = new MinuteSums(DAY);
  for (let minute = 0; minute < 5000; minute++) sums.add((DAY * 1440 + minute) * 60, ONE);
  const answer = v.parse(digestSchema, digestAnswer(DAY, sums.table()));
  assert.equal(answer.minutes.length, 2880);
  assert.deepEqual(answer.distant, { lines: 2120, sum: (2120).toString(16).padStart(32, "0") });
});

for (
  const [what, change] of [
    ["minutes that are not in their order", { minutes: ["10:01", "10:00"] }],
    ["a minute twice", { minutes: ["10:00", "10:00"] }],
    ["a minute that does not exist", { minutes: ["10:60"] }],
    ["a sum in capital letters", { minutes: ["10:00"], sum: "A".repeat(32) }],
    ["a minute without lines", { minutes: ["10:00"], lines: 0 }],
  ] as [string, { minutes: string[]; sum?: string; lines?: number }][]
) {
  Deno.test(`The schema of a digest refuses ${what}`, () => {
    const { sum = ONE, lines = 1 } = change;
    const minutes = change.minutes.map((time) => ({ minute: `2026-11-22T${time}:00Z`, lines, sum }));
    const empty = digestAnswer(DAY, new MinuteSums(DAY).table());
    assert.equal(v.safeParse(digestSchema, empty).success, true);
    assert.equal(v.safeParse(digestSchema, { ...empty, minutes }).success, false);
  });
}
