import assert from "node:assert/strict";
import { OverlapIdentities, type SourceDoubts } from "../../../lib/heal/fly/overlap_identities.ts";

const NO_DOUBTS: SourceDoubts = { gone: new Set(), faults: new Map(), doubts: new Map() };

function filled(limit?: number): OverlapIdentities {
  const overlaps = new OverlapIdentities(limit);
  overlaps.add("web", "before", "ours", "a");
  overlaps.add("web", "before", "theirs", "a");
  overlaps.add("api", "after", "ours", "b");
  return overlaps;
}

Deno.test("OverlapIdentities.prove() proves by each app, in the overlap in which it has lines", () => {
  const overlaps = filled();
  assert.deepEqual(overlaps.prove(["web"], NO_DOUBTS, 5000), { state: "proven", matched: 1 });
  assert.deepEqual(overlaps.prove(["web", "api"], NO_DOUBTS, 60_000), {
    state: "unproven",
    reason: '"api": 1 of 1 lines in the 60 s after the gap are not there',
  });
  assert.equal(overlaps.prove(["idle"], NO_DOUBTS, 5000).state, "silent");
});

Deno.test("OverlapIdentities.prove() holds an app that is gone against the source only where it has lines here", () => {
  const gone = new Set(["api", "old"]);
  assert.deepEqual(filled().prove(["web", "old"], { ...NO_DOUBTS, gone }, 5000).state, "proven");
  assert.deepEqual(filled().prove(["web", "api"], { ...NO_DOUBTS, gone }, 5000), {
    state: "unproven",
    reason: '"api": the app is gone, and its logs with it',
  });
});

Deno.test("OverlapIdentities.prove() says why an app could not be read, or not wholly", () => {
  const faults = new Map([["idle", "it was refused"]]);
  assert.deepEqual(filled().prove(["web", "idle"], { ...NO_DOUBTS, faults }, 5000), {
    state: "unproven",
    reason: '"idle": it was refused',
  });
  const doubts = new Map([["web", "there were rows that could not be read"]]);
  assert.deepEqual(filled().prove(["web"], { ...NO_DOUBTS, doubts }, 5000), {
    state: "unproven",
    reason: '"web": there were rows that could not be read',
  });
});

Deno.test("OverlapIdentities.prove() proves nothing when there are too many lines", () => {
  assert.deepEqual(filled(2).prove(["web"], NO_DOUBTS, 5000), {
    state: "unproven",
    reason: "the overlaps have more than 2 lines, too many to compare",
  });
});

Deno.test("OverlapIdentities.foreign() counts the lines before the gap of which a source with others has none", () => {
  const overlaps = new OverlapIdentities();
  for (const identity of ["a", "b", "c"]) overlaps.add("web", "before", "ours", identity);
  assert.equal(overlaps.foreign(), 0);
  overlaps.add("web", "before", "theirs", "x");
  assert.equal(overlaps.foreign(), 3);
  overlaps.add("api", "before", "theirs", "b");
  assert.equal(overlaps.foreign(), 0);
});

Deno.test("OverlapIdentities.foreign() does not judge by two lines, which may be lost by chance", () => {
  const overlaps = new OverlapIdentities();
  for (const identity of ["a", "b"]) overlaps.add("web", "before", "ours", identity);
  overlaps.add("web", "before", "theirs", "x");
  assert.equal(overlaps.foreign(), 0);
});
