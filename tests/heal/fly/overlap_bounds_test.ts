import assert from "node:assert/strict";
import type { Span } from "../../../lib/gaps/gap.ts";
import { chooseOverlaps, type OverlapBounds, STORE_LAG_MS } from "../../../lib/heal/fly/overlap_bounds.ts";

const GAP = { sinceMs: 1_000_000, untilMs: 1_020_000 };

/** The bounds where lines are here at these moments, in seconds before or after the gap. */
function choose(
  before: number[],
  after: number[],
  { hasBefore = true, laterMs = 3_600_000 } = {},
): Promise<OverlapBounds> {
  const moments = [
    ...before.map((seconds) => GAP.sinceMs - seconds * 1000),
    ...after.map((seconds) => GAP.untilMs + seconds * 1000),
  ];
  const hasLines = ({ sinceMs, untilMs }: Span) =>
    Promise.resolve(moments.some((moment) => moment >= sinceMs && moment < untilMs));
  return chooseOverlaps({ gap: GAP, hasBefore, nowMs: GAP.untilMs + laterMs, hasLines });
}

Deno.test("chooseOverlaps() takes 5 s where a line is here within 5 s, on either side", async () => {
  const expected = { overlapMs: 5000, sinceMs: 995_000, untilMs: 1_025_000 };
  assert.deepEqual(await choose([5, 40], []), expected);
  assert.deepEqual(await choose([40], [4]), expected);
});

Deno.test("chooseOverlaps() takes longer ones until a line is in them", async () => {
  assert.deepEqual(await choose([40], [300]), { overlapMs: 60_000, sinceMs: 940_000, untilMs: 1_080_000 });
  assert.deepEqual(await choose([], [300]), { overlapMs: 600_000, sinceMs: 400_000, untilMs: 1_620_000 });
});

Deno.test("chooseOverlaps() takes the short ones where nothing is near", async () => {
  assert.deepEqual(await choose([700], [700]), { overlapMs: 5000, sinceMs: 995_000, untilMs: 1_025_000 });
});

Deno.test("chooseOverlaps() leaves out what the source may not have yet, if that is more than 5 s after the gap", async () => {
  assert.deepEqual(await choose([40], [], { laterMs: 120_000 }), {
    overlapMs: 60_000,
    sinceMs: 940_000,
    untilMs: 1_025_000,
  });
  assert.equal((await choose([40], [], { laterMs: STORE_LAG_MS + 20_000 })).untilMs, 1_040_000);
});

Deno.test("chooseOverlaps() has none before the gap where there is none", async () => {
  assert.deepEqual(await choose([40], [300], { hasBefore: false }), {
    overlapMs: 600_000,
    sinceMs: 1_000_000,
    untilMs: 1_620_000,
  });
});
