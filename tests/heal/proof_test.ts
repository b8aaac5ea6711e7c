import assert from "node:assert/strict";
import { type Proof, proveByApps, proveByOverlaps } from "../../lib/heal/proof.ts";

Deno.test("proveByOverlaps() proves when all that is here is there, as often, whatever other lines are there", () => {
  const before = { ours: ["a", "b", "b"], theirs: ["b", "x", "a", "b", "x"] };
  const after = { ours: ["c"], theirs: ["c"] };
  assert.deepEqual(proveByOverlaps({ before, after }), { state: "proven", matched: 4 });
});

Deno.test("proveByOverlaps() proves by one side when nothing is here on the other, or there is no other", () => {
  const after = { ours: ["c"], theirs: ["c"] };
  assert.deepEqual(proveByOverlaps({ before: { ours: [], theirs: ["x"] }, after }), {
    state: "proven",
    matched: 1,
  });
  assert.deepEqual(proveByOverlaps({ before: null, after }), { state: "proven", matched: 1 });
});

Deno.test("proveByOverlaps() names the side and the number when lines are not there, repeats among them", () => {
  const whole = { ours: ["c"], theirs: ["c"] };
  const short = { ours: ["a", "a", "b"], theirs: ["a", "b", "x"] };
  assert.deepEqual(proveByOverlaps({ before: short, after: whole }), {
    state: "unproven",
    reason: "1 of 3 lines in the 5 s before the gap are not there",
  });
  assert.deepEqual(proveByOverlaps({ before: short, after: { ours: ["d"], theirs: [] } }), {
    state: "unproven",
    reason:
      "1 of 3 lines in the 5 s before the gap are not there, 1 of 1 lines in the 5 s after the gap are not there",
  });
});

Deno.test("proveByOverlaps() proves nothing when a line is there more often than here", () => {
  const before = { ours: ["a", "b"], theirs: ["a", "a", "a", "b"] };
  assert.deepEqual(proveByOverlaps({ before, after: null }), {
    state: "unproven",
    reason: "2 lines in the 5 s before the gap are there more often than here",
  });
});

Deno.test("proveByOverlaps() proves nothing when nothing is here to compare with", () => {
  const empty = { ours: [], theirs: ["x"] };
  assert.deepEqual(proveByOverlaps({ before: empty, after: empty }), {
    state: "silent",
    reason: "no line is here within 5 s of the gap to compare with",
  });
});

Deno.test("proveByOverlaps() proves nothing when the source doubts itself", () => {
  const whole = { ours: ["c"], theirs: ["c"] };
  assert.deepEqual(
    proveByOverlaps({ before: whole, after: whole, doubt: "there were rows that could not be read" }),
    {
      state: "unproven",
      reason: "there were rows that could not be read",
    },
  );
});

const PROVEN: Proof = { state: "proven", matched: 2 };
const SILENT: Proof = { state: "silent", reason: "nothing" };
const UNPROVEN: Proof = { state: "unproven", reason: "1 of 3 lines" };

Deno.test("proveByApps() proves when an app is proven and none speaks against it", () => {
  assert.deepEqual(proveByApps(new Map<string, Proof>([["a", PROVEN], ["b", SILENT], ["c", PROVEN]])), {
    state: "proven",
    matched: 4,
  });
});

Deno.test("proveByApps() names the first app that speaks against it, and how many more", () => {
  assert.deepEqual(proveByApps(new Map<string, Proof>([["a", PROVEN], ["b", UNPROVEN]])), {
    state: "unproven",
    reason: '"b": 1 of 3 lines',
  });
  assert.deepEqual(proveByApps(new Map<string, Proof>([["a", UNPROVEN], ["b", UNPROVEN], ["c", UNPROVEN]])), {
    state: "unproven",
    reason: '"a": 1 of 3 lines (and so for 2 more)',
  });
});

Deno.test("proveByApps() proves nothing when all are silent, or there are none", () => {
  assert.equal(proveByApps(new Map<string, Proof>([["a", SILENT]])).state, "silent");
  assert.equal(proveByApps(new Map()).state, "silent");
});

Deno.test("proveByOverlaps() and proveByApps() say how long the overlaps were", () => {
  const short = { ours: ["a"], theirs: [] };
  const proofs = [
    proveByOverlaps({ before: short, after: null, overlapMs: 60_000 }),
    proveByOverlaps({ before: null, after: null, overlapMs: 60_000 }),
    proveByApps(new Map(), 600_000),
  ];
  assert.deepEqual(proofs.map((proof) => proof.state === "proven" ? null : proof.reason), [
    "1 of 1 lines in the 60 s before the gap are not there",
    "no line is here within 60 s of the gap to compare with",
    "no line is here within 600 s of the gap to compare with",
  ]);
});
