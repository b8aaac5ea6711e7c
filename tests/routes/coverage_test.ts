import assert from "node:assert/strict";
import type { Gap } from "../../lib/gaps/gap.ts";
import { formatCoverage, measureCoverage } from "../../routes/coverage.ts";
import { ListedDays, listedGaps, NOW_MS, stoppedClock } from "./rig.ts";

const SINCE_MS = NOW_MS - 100_000;

function coverageOf(...gaps: [sinceMs: number, untilMs: number | null, state?: Gap["state"]][]): string {
  const listed = gaps.map(([since, until, state = "lost"], number): Gap => ({
    id: number + 1,
    sinceMs: SINCE_MS + since,
    untilMs: until === null ? null : SINCE_MS + until,
    cause: "disconnect",
    state,
    healing: null,
  }));
  const parts = { archive: new ListedDays({}), gaps: listedGaps(listed), clock: stoppedClock };
  return formatCoverage(measureCoverage(parts, SINCE_MS, SINCE_MS + 1_000_000));
}

Deno.test("measureCoverage() is complete when no gap touches the span, or only healed ones, which it counts", () => {
  assert.equal(coverageOf(), "complete");
  assert.equal(coverageOf([-5000, 0]), "complete");
  assert.equal(coverageOf([-5000, 0, "healed"]), "complete");
  assert.equal(coverageOf([1000, 2000, "healed"], [5000, 6000, "healed"]), "complete; healed=2");
});

Deno.test("measureCoverage() counts healed gaps beside those that are not, and no second of them", () => {
  assert.equal(
    coverageOf([1000, 15_000], [20_000, 50_000, "healed"], [60_000, 61_000, "partial"]),
    "partial; gaps=2; seconds=15; healed=1",
  );
});

Deno.test("measureCoverage() counts gaps and their seconds, a part of one as one", () => {
  assert.equal(coverageOf([1000, 3000], [10_000, 22_000]), "partial; gaps=2; seconds=14");
  assert.equal(coverageOf([1000, 1001]), "partial; gaps=1; seconds=1");
});

Deno.test("measureCoverage() counts a moment once when gaps overlap", () => {
  assert.equal(coverageOf([1000, 5000], [2000, 3000], [4000, 6000]), "partial; gaps=3; seconds=5");
});

Deno.test("measureCoverage() counts only what lies inside the span", () => {
  assert.equal(coverageOf([-5000, 2000]), "partial; gaps=1; seconds=2");
});

Deno.test("measureCoverage() counts an open gap up to now and not beyond", () => {
  assert.equal(coverageOf([90_000, null, "open"]), "partial; gaps=1; seconds=10");
});

Deno.test("measureCoverage() tells of lines that wait for the disk, beside the gaps and without any", () => {
  const archive = new ListedDays({ "2026-11-22": { text: "", held: 5700 } });
  const gap: Gap = {
    id: 1,
    sinceMs: SINCE_MS,
    untilMs: SINCE_MS + 1500,
    cause: "disk",
    state: "lost",
    healing: null,
  };
  const coverage = (gaps: Gap[], sinceMs: number) => {
    const parts = { archive, gaps: listedGaps(gaps), clock: stoppedClock };
    return formatCoverage(measureCoverage(parts, sinceMs, sinceMs + 1_000_000));
  };
  assert.equal(coverage([], SINCE_MS), "partial; held=5700");
  assert.equal(coverage([gap], SINCE_MS), "partial; gaps=1; seconds=2; held=5700");
  assert.equal(coverage([{ ...gap, state: "healed" }], SINCE_MS), "partial; held=5700; healed=1");
  assert.equal(coverage([], SINCE_MS - 86_400_000), "complete", "of another day");
});
