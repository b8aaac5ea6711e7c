import assert from "node:assert/strict";
import { untilSo, within } from "./wait.ts";

Deno.test("untilSo() looks again until it is so", async () => {
  let looks = 0;
  await untilSo(() => ++looks === 3, "the third look");
  assert.equal(looks, 3);
});

Deno.test("within() is what the promise is, and leaves no timer", async () => {
  assert.equal(await within(Promise.resolve(7), "seven"), 7);
  await assert.rejects(within(Promise.reject(new Error("Cannot count")), "seven"), /^Error: Cannot count$/);
});
