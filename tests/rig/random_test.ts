import assert from "node:assert/strict";
import { createRandom, createRandomBelow, pick } from "./random.ts";

/** Of the generator as its author wrote it, with 32 bits each. */
const FIRST_OF_SEED_1 = [2_693_262_067, 11_749_833, 2_265_367_787];

Deno.test("createRandom() makes the numbers of mulberry32 from 0 to below 1, the same for the same seed", () => {
  const random = createRandom(1);
  assert.deepEqual([random(), random(), random()].map((number) => number * 2 ** 32), FIRST_OF_SEED_1);
});

Deno.test("createRandomBelow() makes whole numbers below each limit, from the same generator", () => {
  const random = createRandomBelow(1);
  assert.deepEqual([10, 100, 1000].map(random), FIRST_OF_SEED_1.map((number, i) => number % 10 ** (i + 1)));
});

Deno.test("pick() takes the value at the part of the list that is drawn", () => {
  assert.deepEqual([0, 0.34, 0.99].map((drawn) => pick(["a", "b", "c"], () => drawn)), ["a", "b", "c"]);
});
