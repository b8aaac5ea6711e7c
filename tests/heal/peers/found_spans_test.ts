import assert from "node:assert/strict";
import { FOUND_SPANS_LIMIT, FoundSpans } from "../../../lib/heal/peers/found_spans.ts";

function at(seconds: number, nanoseconds = 0): { seconds: number; nanoseconds: number } {
  return { seconds, nanoseconds };
}

Deno.test("FoundSpans joins lines that are no farther apart than a minute", () => {
  const spans = new FoundSpans("peer");
  for (const time of [at(0, 500_000_000), at(0, 500_000_001), at(60, 501_000_000), at(121), at(121)]) {
    spans.add(time);
  }
  assert.deepEqual(spans.spans, [
    { span: { sinceMs: 500, untilMs: 60_502 }, lines: 3, source: "peer" },
    { span: { sinceMs: 121_000, untilMs: 121_001 }, lines: 2, source: "peer" },
  ]);
});

Deno.test("FoundSpans joins spans, also one that lies before the last", () => {
  const spans = new FoundSpans("peer");
  spans.addSpan({ sinceMs: 100_000, untilMs: 110_000 }, 2);
  spans.addSpan({ sinceMs: 60_000, untilMs: 70_000 }, 3);
  spans.addSpan({ sinceMs: 400_000, untilMs: 400_001 }, 1);
  assert.deepEqual(spans.spans.map(({ span, lines }) => [span.sinceMs, span.untilMs, lines]), [
    [60_000, 110_000, 5],
    [400_000, 400_001, 1],
  ]);
});

Deno.test("FoundSpans has no more spans than its limit, and loses no line by it", () => {
  const spans = new FoundSpans("peer");
  for (let n = 0; n < FOUND_SPANS_LIMIT + 10; n++) spans.add(at(n * 1000));
  assert.equal(spans.spans.length, FOUND_SPANS_LIMIT);
  assert.equal(spans.spans.reduce((sum, { lines }) => sum + lines, 0), FOUND_SPANS_LIMIT + 10);
  assert.equal(spans.spans.at(-1)!.span.untilMs, (FOUND_SPANS_LIMIT + 9) * 1_000_000 + 1);
});
