import assert from "node:assert/strict";
import { Backoff } from "../lib/backoff.ts";

Deno.test("Backoff.next() doubles from 250 ms up to 15 s", () => {
  const backoff = new Backoff(() => 0);
  const waits = Array.from({ length: 9 }, () => backoff.next());
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

Deno.test("Backoff.next() takes off up to a half", () => {
  const backoff = new Backoff(() => 0.5);
  assert.deepEqual([backoff.next(), backoff.next()], [187.5, 375]);
});

Deno.test("Backoff.reset() begins anew", () => {
  const backoff = new Backoff(() => 0);
  backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 250);
});

Deno.test("Backoff.next() begins and ends with the waits that are given", () => {
  const backoff = new Backoff(() => 0, 64, 200);
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next(), backoff.next()], [64, 128, 200, 200]);
  backoff.reset();
  assert.equal(backoff.next(), 64);
});
