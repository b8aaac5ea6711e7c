import assert from "node:assert/strict";
import * as v from "valibot";
import { gapAnswer, gapSchema } from "../../../routes/wire/gaps.ts";

const GAP = {
  id: 1,
  sinceMs: Date.parse("2026-11-22T09:00:00Z"),
  untilMs: Date.parse("2026-11-22T09:00:12.5Z"),
  cause: "disconnect",
  state: "lost",
} as const;

Deno.test("gapAnswer() writes both ends as times", () => {
  assert.deepEqual(v.parse(gapSchema, gapAnswer(GAP)), {
    since: "2026-11-22T09:00:00.000Z",
    until: "2026-11-22T09:00:12.500Z",
    cause: "disconnect",
    state: "lost",
  });
});

Deno.test("gapAnswer() writes null for the end of a gap that lasts", () => {
  assert.equal(v.parse(gapSchema, gapAnswer({ ...GAP, untilMs: null, state: "open" })).until, null);
});

Deno.test("gapSchema refuses a gap with a member too few or too many", () => {
  const { state, ...rest } = gapAnswer(GAP);
  assert.ok(!v.is(gapSchema, rest));
  assert.ok(!v.is(gapSchema, { ...rest, state, lines: 3 }));
});
