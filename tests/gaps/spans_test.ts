import assert from "node:assert/strict";
import type { Span } from "../../lib/gaps/gap.ts";
import { commonSpans, joinSpans, outsideSpans } from "../../lib/gaps/spans.ts";
import { createRandomBelow } from "../rig/random.ts";

const WHOLE = { sinceMs: 0, untilMs: 40 };

/** Which milliseconds of {@linkcode WHOLE} lie in spans. */
function moments(spans: readonly Span[]): boolean[] {
  return Array.from({ length: 40 }, (_, ms) => spans.some((span) => span.sinceMs <= ms && ms < span.untilMs));
}

Deno.test("joinSpans() leaves out what is empty or outside, and joins what touches", () => {
  const spans = [[50, 60], [30, 99], [3, 3], [10, 20], [20, 25], [-5, 1]].map(([sinceMs, untilMs]) => ({
    ...{ sinceMs: sinceMs!, untilMs: untilMs! },
  }));
  assert.deepEqual(joinSpans(spans, WHOLE), [
    { sinceMs: 0, untilMs: 1 },
    { sinceMs: 10, untilMs: 25 },
    { sinceMs: 30, untilMs: 40 },
  ]);
});

Deno.test("commonSpans() and outsideSpans() of any spans say of each millisecond what is so", () => {
  const below = createRandomBelow(7);
  const some = () =>
    Array.from({ length: below(5) }, () => {
      const sinceMs = below(45) - 3;
      return { sinceMs, untilMs: sinceMs + below(12) };
    });
  for (let round = 0; round < 500; round++) {
    const [a, b] = [some(), some()];
    const [inA, inB] = [moments(a), moments(b)];
    const common = joinSpans(commonSpans(a, b), WHOLE);
    assert.deepEqual(moments(common), inA.map((is, ms) => is && inB[ms]!), JSON.stringify({ a, b }));
    assert.deepEqual(moments(outsideSpans(a, WHOLE)), inA.map((is) => !is), JSON.stringify(a));
    for (const spans of [common, outsideSpans(a, WHOLE)]) assert.deepEqual(joinSpans(spans, WHOLE), spans);
  }
});
