import assert from "node:assert/strict";
import { type BlockContent, compileFilter, type FilterSpec } from "../../lib/filter/filter.ts";
import { intersectFilters } from "../../lib/filter/scope.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";

const ALL: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };
const WEB: FilterSpec = { ...ALL, apps: ["web"] };

const LINES = [
  '{"fly":{"app":{"name":"web"}},"message":"one","timestamp":"2026-11-22T10:00:00Z"}',
  '{"fly":{"app":{"name":"api"}},"message":"one","timestamp":"2026-11-22T11:00:00Z"}',
  '{"fly":{"app":{"name":"api-test"}},"message":"two","timestamp":"2026-11-22T12:00:00Z"}',
  '{"message":"one","fly":{"app":{"name":"w\\u0065b"}}}',
  '{"message":"one"}',
  "no record",
].map((line) => new TextEncoder().encode(line));

/** The numbers of the lines that match, which is the same seen alone and in a block. */
function select(spec: FilterSpec): number[] {
  const filter = compileFilter(structuredClone(spec));
  const alone = LINES.flatMap((line, number) => filter.matches(line, 0, line.length) ? [number] : []);
  const block = new Uint8Array(LINES.flatMap((line) => [...line, 0x0a]));
  const starts = LINES.map((_, number) =>
    LINES.slice(0, number).reduce((sum, line) => sum + line.length + 1, 0)
  );
  const together: number[] = [];
  filter.matchingLines(block, (start) => void together.push(starts.indexOf(start)));
  assert.deepEqual(together, alone);
  return alone;
}

function mayMatch(spec: FilterSpec, block: Partial<BlockContent>): boolean {
  const whole = { first: null, last: null, untimed: 1, apps: null };
  return compileFilter(spec).mayMatchBlock({ ...whole, ...block });
}

Deno.test("intersectFilters() leaves a filter as it is where the scope is everything", () => {
  assert.deepEqual(intersectFilters(WEB, null), WEB);
  assert.ok(compileFilter(intersectFilters(ALL, ALL)).matchesAll);
  assert.ok(!compileFilter(intersectFilters(ALL, WEB)).matchesAll);
});

for (
  const [what, asked, scope, found] of [
    ["everything within one app", ALL, WEB, [0, 3]],
    ["another app than that of the scope", { ...ALL, apps: ["api"] }, WEB, []],
    ["one of two apps of the scope", { ...ALL, apps: ["api"] }, { ...ALL, apps: ["web", "api"] }, [1]],
    ["two globs that overlap", { ...ALL, apps: ["*-test"] }, { ...ALL, apps: ["api*"] }, [2]],
    ["two globs that do not", { ...ALL, apps: ["w*"] }, { ...ALL, apps: ["api*"] }, []],
    ["a text within a scope", { ...ALL, texts: ["one"] }, { ...ALL, apps: ["a*"] }, [1]],
    ["all but what the scope excludes", ALL, { ...ALL, except: { apps: ["api*"] } }, [0, 3, 4, 5]],
    ["what the scope excludes", { ...ALL, apps: ["api"] }, { ...ALL, except: { apps: ["api*"] } }, []],
    ["a text of the scope", WEB, { ...ALL, texts: ["two"] }, []],
  ] as const satisfies [string, FilterSpec, FilterSpec, number[]][]
) {
  Deno.test(`A filter within a scope finds what both ask for: ${what}`, () => {
    assert.deepEqual(select(intersectFilters(asked, scope)), found);
  });
}

Deno.test("A filter within two scopes finds what is in both, whichever comes first", () => {
  const [apps, text] = [{ ...ALL, apps: ["api*"] }, { ...ALL, texts: ["two"] }];
  assert.deepEqual(select(intersectFilters(intersectFilters(ALL, apps), text)), [2]);
  assert.deepEqual(select(intersectFilters(intersectFilters(ALL, text), apps)), [2]);
});

Deno.test("A scope with a span leaves out lines without a time, whatever is asked", () => {
  const since = parseTimestamp("2026-11-22T10:30:00Z");
  const until = parseTimestamp("2026-11-22T11:30:00Z");
  assert.deepEqual(select(intersectFilters(ALL, { ...ALL, since, until })), [1]);
  assert.deepEqual(select(intersectFilters(ALL, { ...ALL, since })), [1, 2]);
  assert.deepEqual(select(intersectFilters({ ...ALL, since }, { ...ALL, until })), [1]);
  assert.deepEqual(select({ ...ALL, since }), [1, 2, 3, 4, 5]);
});

Deno.test("A scope rules out a block in which nothing is within it", () => {
  assert.ok(!mayMatch(intersectFilters(ALL, WEB), { apps: ["api"] }));
  assert.ok(mayMatch(intersectFilters(ALL, WEB), { apps: ["api", "web"] }));
  assert.ok(!mayMatch(intersectFilters({ ...ALL, apps: ["api"] }, WEB), { apps: ["web"] }));
  const since = parseTimestamp("2026-11-22T10:30:00Z");
  const [first, last] = ["2026-11-22T08:00:00.000000000Z", "2026-11-22T09:00:00.000000000Z"];
  assert.ok(!mayMatch(intersectFilters(ALL, { ...ALL, since }), { first, last }));
});
