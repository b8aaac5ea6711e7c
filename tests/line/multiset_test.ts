import assert from "node:assert/strict";
import { missing, Multiset } from "../../lib/line/multiset.ts";

Deno.test("missing() yields each key as often as they have it more than we, when lines repeat", () => {
  const ours = multisetOf("a", "a", "b");
  const theirs = ["a", "b", "a", "b", "a", "b", "a"];
  assert.deepEqual([...missing(theirs, ours, (key) => key)], ["b", "a", "b", "a"]);
});

Deno.test("missing() yields nothing when we have more", () => {
  const ours = multisetOf("a", "a", "a", "b");
  assert.deepEqual([...missing(["a", "a"], ours, (key) => key)], []);
  assert.deepEqual([ours.count("a"), ours.count("b"), ours.size], [1, 1, 2]);
});

Deno.test("missing() keeps their order and the items themselves", () => {
  const theirs = [{ key: "z", at: 1 }, { key: "a", at: 2 }, { key: "m", at: 3 }];
  assert.deepEqual([...missing(theirs, multisetOf("a"), ({ key }) => key)], [theirs[0], theirs[2]]);
});

Deno.test("Multiset.take() takes out what add() put in, as often", () => {
  const multiset = multisetOf("a", "a");
  assert.deepEqual([multiset.take("a"), multiset.take("a"), multiset.take("a")], [true, true, false]);
  assert.equal(multiset.size, 0);
});

Deno.test("Multiset.clear() takes all out", () => {
  const multiset = multisetOf("a", "b");
  multiset.clear();
  assert.deepEqual([multiset.size, multiset.count("a")], [0, 0]);
});

Deno.test("Multiset.add() throws when there are more different keys than it may hold, and counts repeats on", () => {
  const multiset = new Multiset(2);
  for (const key of ["a", "b", "a", "b"]) multiset.add(key);
  assert.throws(() => multiset.add("c"), {
    name: "RangeError",
    message: "Cannot compare so many lines at once: there are more than 2 different ones",
  });
  assert.equal(multiset.size, 4);
});

function multisetOf(...keys: string[]): Multiset {
  const multiset = new Multiset();
  for (const key of keys) multiset.add(key);
  return multiset;
}
