import assert from "node:assert/strict";
import type { Gap, Span } from "../../lib/gaps/gap.ts";
import { partGap, type PartialOutcome } from "../../lib/gaps/parted_gap.ts";

const PEER = "http://b:8080";
const GAP: Gap = { id: 3, sinceMs: 1000, untilMs: 2000, cause: "stop", state: "lost", healing: null };

function span(sinceMs: number, untilMs: number): Span {
  return { sinceMs, untilMs };
}

function outcome(rest: Span[], more: Partial<PartialOutcome> = {}): PartialOutcome {
  const sources = [{ name: PEER, lines: 40 }];
  return {
    ...{ span: span(1000, 2000), rest, state: "partial", agreed: [PEER] },
    healing: { sources, atMs: 9000, doneUntilMs: null, reason: "It has gaps of its own" },
    ...more,
  };
}

/** The parts in order of time, as `since…until state lines`. */
function told(gap: Gap, what: PartialOutcome): string[] | null {
  const parts = partGap(gap, what);
  return parts && [...parts.rest, ...parts.healed].sort((a, b) => a.sinceMs - b.sinceMs).map((part) => {
    const lines = part.healing!.sources.map((source) => source.lines).join("+");
    return `${part.sinceMs}…${part.untilMs} ${part.state} ${lines}`;
  });
}

Deno.test("partGap() tells all lines with the first part that is healed", () => {
  assert.deepEqual(told(GAP, outcome([span(1000, 1100), span(1500, 1505)])), [
    "1000…1100 partial ",
    "1100…1500 healed 40",
    "1500…1505 partial ",
    "1505…2000 healed 0",
  ]);
});

Deno.test("partGap() leaves the cause of each part, and with what is missing the reason, and the number with the first of it", () => {
  const { rest, healed } = partGap(GAP, outcome([span(1000, 1100), span(1500, 1505)]))!;
  assert.deepEqual(rest.map(({ id }) => id), [3, 0]);
  assert.deepEqual(healed.map(({ id }) => id), [0, 0]);
  assert.ok([...rest, ...healed].every(({ cause }) => cause === "stop"));
  const missing = { sources: [], atMs: 9000, doneUntilMs: null, reason: "It has gaps of its own" };
  assert.deepEqual(rest.map(({ healing }) => healing), [missing, missing]);
  assert.ok(healed.every(({ healing }) => healing!.reason === null));
});

Deno.test("partGap() does not tell as healed what the gap has grown by, at either end, and nothing outside of it", () => {
  const grown = { ...GAP, sinceMs: 900, untilMs: 2100 };
  assert.deepEqual(told(grown, outcome([span(1500, 1505)])), [
    "900…1000 partial ",
    "1000…1500 healed 40",
    "1500…1505 partial ",
    "1505…2000 healed 0",
    "2000…2100 partial ",
  ]);
  const narrower = { ...GAP, sinceMs: 1200, untilMs: 1600 };
  assert.deepEqual(told(narrower, outcome([span(1500, 1505)])), [
    "1200…1500 healed 40",
    "1500…1505 partial ",
    "1505…1600 healed 0",
  ]);
});

Deno.test("partGap() rounds what is missing outwards, to whole milliseconds", () => {
  assert.deepEqual(told(GAP, outcome([span(1500.9, 1505.1)]))![1], "1500…1506 partial ");
});

Deno.test("partGap() parts nothing that lasts, is healed, or has no part that is", () => {
  const rest = [span(1500, 1505)];
  assert.equal(partGap({ ...GAP, untilMs: null, state: "open" }, outcome(rest)), null);
  assert.equal(partGap({ ...GAP, state: "healed" }, outcome(rest)), null);
  assert.equal(partGap(GAP, outcome([span(0, 5000)])), null);
  assert.equal(partGap(GAP, outcome([])), null, "all of it is healed");
  assert.equal(
    partGap(GAP, outcome(rest, { span: span(5000, 6000) })),
    null,
    "something else was looked through",
  );
});

Deno.test("partGap() tells of no part as lost of a gap of which some lines are back", () => {
  const states = (gap: Gap, state: "lost" | "partial") => {
    return partGap(gap, outcome([span(1500, 1505)], { state }))!.rest.map((part) => part.state);
  };
  assert.deepEqual(states(GAP, "lost"), ["lost"]);
  assert.deepEqual(states(GAP, "partial"), ["partial"]);
  assert.deepEqual(states({ ...GAP, state: "partial" }, "lost"), ["partial"]);
});

Deno.test("partGap() keeps how far each part was looked through, and the later moment", () => {
  const healing = { sources: [], atMs: 9500, doneUntilMs: 1503, reason: null };
  const { rest } = partGap(
    { ...GAP, healing },
    outcome([span(1200, 1300), span(1500, 1505), span(1700, 1800)]),
  )!;
  assert.deepEqual(rest.map((part) => part.healing!.doneUntilMs), [1300, 1503, null]);
  assert.deepEqual(rest.map((part) => part.healing!.atMs), [9500, 9500, 9500]);
});
