import assert from "node:assert/strict";
import { sortByNearness } from "../../lib/filter/near_names.ts";

Deno.test("sortByNearness() puts typos first, then names that one is a part of, then the rest by name", () => {
  assert.deepEqual(sortByNearness("wbe", ["postgres", "api", "web", "wbe-2"]), [
    "web",
    "wbe-2",
    "api",
    "postgres",
  ]);
  assert.deepEqual(sortByNearness("API", ["web", "apis", "api"]), ["api", "apis", "web"]);
  assert.deepEqual(sortByNearness("shop-frontend", ["b", "shop", "a"]), ["shop", "a", "b"]);
});

Deno.test("sortByNearness() finds nothing near in names that have nothing in common", () => {
  assert.deepEqual(sortByNearness("ab", ["zz", "cd", ""]), ["", "cd", "zz"]);
  assert.deepEqual(sortByNearness("", ["b", "a"]), ["a", "b"]);
});

Deno.test("sortByNearness() takes names of any length", () => {
  const [long, longer] = ["x".repeat(100_000), "x".repeat(100_001)];
  assert.deepEqual(sortByNearness(long, ["a", longer]), [longer, "a"]);
});
