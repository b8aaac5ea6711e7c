import assert from "node:assert/strict";
import * as v from "valibot";
import { heldAnswer, heldSchema } from "../../../routes/wire/held.ts";

Deno.test("heldAnswer() tells since when, how many and why", () => {
  const sinceMs = Date.parse("2026-11-22T09:00:00Z");
  assert.deepEqual(v.parse(heldSchema, heldAnswer({ sinceMs, lines: 3, reason: null })), {
    since: "2026-11-22T09:00:00.000Z",
    lines: 3,
    reason: null,
  });
});
