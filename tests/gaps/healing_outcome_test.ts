import assert from "node:assert/strict";
import type { Gap, GapState } from "../../lib/gaps/gap.ts";
import { afterOutcome, type HealingOutcome } from "../../lib/gaps/healing_outcome.ts";

const GAP: Gap = { id: 1, sinceMs: 1000, untilMs: 2000, cause: "stop", state: "lost", healing: null };

function outcome(state: HealingOutcome["state"], lines = 3, span = [1000, 2000]): HealingOutcome {
  const healing = { sources: [{ name: "fly", lines }], atMs: 9000, doneUntilMs: null, reason: null };
  return { state, healing, span: { sinceMs: span[0]!, untilMs: span[1]! } };
}

for (
  const [was, found, becomes, noted] of [
    ["lost", "lost", "lost", "noted"],
    ["lost", "partial", "partial", "noted"],
    ["lost", "healed", "healed", "noted"],
    ["partial", "lost", "partial", "noted"],
    ["partial", "healed", "healed", "noted"],
    ["healed", "healed", "healed", "noted"],
    ["healed", "partial", "healed", "kept"],
    ["healed", "lost", "healed", "kept"],
  ] as [GapState, HealingOutcome["state"], GapState, string][]
) {
  Deno.test(`A gap that is ${was} and is found to be ${found} is ${becomes}`, () => {
    const after = afterOutcome({ ...GAP, state: was }, outcome(found));
    assert.deepEqual([after.state, after.noted], [becomes, noted]);
    assert.deepEqual(after.healing, noted === "kept" ? null : outcome(found).healing);
  });
}

Deno.test("A gap that lasts is not healed", () => {
  const open: Gap = { ...GAP, untilMs: null, state: "open" };
  const { state, healing, noted } = afterOutcome(open, outcome("healed"));
  assert.deepEqual([state, healing, noted], ["open", null, "grown"]);
});

for (const span of [[1001, 2000], [1000, 1999]]) {
  Deno.test(`A gap of 1000 to 2000 is not healed by what is found of ${span.join(" to ")}, and says why`, () => {
    for (const [lines, state] of [[3, "partial"], [0, "lost"]] as const) {
      const after = afterOutcome(GAP, outcome("healed", lines, span));
      assert.deepEqual([after.state, after.noted], [state, "grown"]);
      assert.equal(after.healing?.reason, "It was found to be longer while its lines were fetched");
      assert.equal(after.healing?.sources[0]?.lines, lines);
    }
  });
}

Deno.test("A gap of which more was looked through than it is now is healed", () => {
  assert.equal(afterOutcome(GAP, outcome("healed", 3, [0, 5000])).state, "healed");
});

Deno.test("What is found out later is of a later moment, also where the clock was set back", () => {
  const known = { ...outcome("partial").healing, atMs: 50_000 };
  assert.equal(
    afterOutcome({ ...GAP, state: "partial", healing: known }, outcome("healed")).healing?.atMs,
    50_000,
  );
});
