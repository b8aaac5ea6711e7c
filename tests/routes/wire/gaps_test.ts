import assert from "node:assert/strict";
import * as v from "valibot";
import { gapAnswer, gapSchema } from "../../../routes/wire/gaps.ts";

const GAP = {
  id: 1,
  sinceMs: Date.parse("2026-11-22T09:00:00Z"),
  untilMs: Date.parse("2026-11-22T09:00:12.5Z"),
  cause: "disconnect",
  state: "lost",
  healing: null,
} as const;

Deno.test("gapAnswer() writes both ends as times", () => {
  assert.deepEqual(v.parse(gapSchema, gapAnswer(GAP)), {
    since: "2026-11-22T09:00:00.000Z",
    until: "2026-11-22T09:00:12.500Z",
    cause: "disconnect",
    state: "lost",
    healed: null,
    reason: null,
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

Deno.test("gapAnswer() tells who has brought lines, when, how far, and why the gap is not healed", () => {
  const healing = {
    sources: [{ name: "http://[fdaa::1]:8080", lines: 40 }, { name: "fly", lines: 0 }],
    atMs: Date.parse("2026-11-22T09:15:00Z"),
    doneUntilMs: Date.parse("2026-11-22T09:00:05Z"),
    reason: "Fly will be asked again",
  };
  const { healed, reason } = v.parse(gapSchema, gapAnswer({ ...GAP, state: "partial", healing }));
  assert.deepEqual(healed, {
    sources: [{ name: "http://[fdaa::1]:8080", lines: 40 }, { name: "fly", lines: 0 }],
    at: "2026-11-22T09:15:00.000Z",
    until: "2026-11-22T09:00:05.000Z",
  });
  assert.equal(reason, "Fly will be asked again");
  const done = gapAnswer({
    ...GAP,
    state: "healed",
    healing: { ...healing, doneUntilMs: null, reason: null },
  });
  assert.equal(v.parse(gapSchema, done).healed?.until, null);
});
