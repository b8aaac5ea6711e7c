import assert from "node:assert/strict";
import { rangeStillHolds, readRange, weighConditions } from "../../routes/range.ts";

const RANGES: [header: string | undefined, length: number, expected: unknown][] = [
  [undefined, 10, null],
  ["bytes=0-0", 10, { start: 0, end: 1 }],
  ["bytes=2-5", 10, { start: 2, end: 6 }],
  ["Bytes=2-5", 10, { start: 2, end: 6 }],
  ["bytes= 2-5 ", 10, { start: 2, end: 6 }],
  ["bytes=2-", 10, { start: 2, end: 10 }],
  ["bytes=2-99", 10, { start: 2, end: 10 }],
  ["bytes=2-99999999999999999999999", 10, { start: 2, end: 10 }],
  ["bytes=-3", 10, { start: 7, end: 10 }],
  ["bytes=-99", 10, { start: 0, end: 10 }],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=99999999999999999999999-", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-1", 0, null],
  ["bytes=5-2", 10, null],
  ["bytes=-", 10, null],
  ["bytes=", 10, null],
  ["bytes=a-b", 10, null],
  ["bytes=0x1-2", 10, null],
  ["bytes 0-1", 10, null],
  ["lines=0-1", 10, null],
  ["bytes=0-1,3-4", 10, null],
  ["bytes=0-1,", 10, null],
];

for (const [header, length, expected] of RANGES) {
  Deno.test(`readRange() gives ${JSON.stringify(expected)} when ${header} is asked of ${length} bytes`, () => {
    assert.deepEqual(readRange(header, length), expected);
  });
}

const VALIDATORS = { etag: '"a"', modifiedMs: Date.parse("2026-11-22T01:00:00.250Z") };
const MODIFIED = "Sun, 22 Nov 2026 01:00:00 GMT";
const BEFORE = "Sun, 22 Nov 2026 00:59:59 GMT";
const AFTER = "Sun, 22 Nov 2026 01:00:01 GMT";

Deno.test("rangeStillHolds() compares strongly, and dates exactly", () => {
  assert.equal(rangeStillHolds(undefined, VALIDATORS), true);
  assert.equal(rangeStillHolds('"a"', VALIDATORS), true);
  assert.equal(rangeStillHolds(MODIFIED, VALIDATORS), true);
  for (const stale of ['"b"', 'W/"a"', '"a", "b"', "a", "*", BEFORE, AFTER, ""]) {
    assert.equal(rangeStillHolds(stale, VALIDATORS), false, stale);
  }
});

Deno.test("No date is a validator of what has changed within this second", () => {
  const justNow = { etag: '"a"', modifiedMs: null };
  assert.equal(rangeStillHolds('"a"', justNow), true);
  assert.equal(rangeStillHolds(MODIFIED, justNow), false);
  assert.equal(weighConditions(new Headers({ "If-Modified-Since": AFTER }), justNow), "send");
  assert.equal(weighConditions(new Headers({ "If-Unmodified-Since": AFTER }), justNow), "failed");
  assert.equal(weighConditions(new Headers({ "If-None-Match": '"a"' }), justNow), "not-modified");
});

const CONDITIONS: [headers: Record<string, string>, outcome: string][] = [
  [{}, "send"],
  [{ "If-None-Match": '"a"' }, "not-modified"],
  [{ "If-None-Match": 'W/"a"' }, "not-modified"],
  [{ "If-None-Match": '"x", "a"' }, "not-modified"],
  [{ "If-None-Match": "*" }, "not-modified"],
  [{ "If-None-Match": '"x"' }, "send"],
  [{ "If-None-Match": '"x', "If-Modified-Since": MODIFIED }, "send"],
  [{ "If-Modified-Since": MODIFIED }, "not-modified"],
  [{ "If-Modified-Since": AFTER }, "not-modified"],
  [{ "If-Modified-Since": BEFORE }, "send"],
  [{ "If-Modified-Since": "2026-11-22T01:00:00Z" }, "send"],
  [{ "If-Modified-Since": "nonsense" }, "send"],
  [{ "If-Match": '"a"' }, "send"],
  [{ "If-Match": "*" }, "send"],
  [{ "If-Match": '"x"' }, "failed"],
  [{ "If-Match": 'W/"a"' }, "failed"],
  [{ "If-Match": '"a"', "If-Unmodified-Since": BEFORE }, "send"],
  [{ "If-Unmodified-Since": BEFORE }, "failed"],
  [{ "If-Unmodified-Since": MODIFIED }, "send"],
];

for (const [headers, outcome] of CONDITIONS) {
  Deno.test(`weighConditions() says ${outcome} when asked with ${JSON.stringify(headers)}`, () => {
    assert.equal(weighConditions(new Headers(headers), VALIDATORS), outcome);
  });
}
