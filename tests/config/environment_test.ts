import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { VARIABLE_NAMES } from "../../lib/config/environment.ts";

Deno.test("the start permissions name just the variables that are read", () => {
  assert.deepEqual(deno.permissions.start.env.toSorted(), VARIABLE_NAMES.toSorted());
});
