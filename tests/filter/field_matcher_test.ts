import assert from "node:assert/strict";
import { FieldMatcher } from "../../lib/filter/field_matcher.ts";

const encoder = new TextEncoder();

Deno.test("matchesBytes() asks about the value, with its escapes resolved", () => {
  const asked: string[] = [];
  const matcher = new FieldMatcher((value) => asked.push(value) > 0);
  const bytes = encoder.encode("é|\\u00e9\\n|\ufeff|");
  assert.equal(matcher.matchesBytes(bytes, 0, 2, false), true);
  assert.equal(matcher.matchesBytes(bytes, 3, 11, true), true);
  assert.equal(matcher.matchesBytes(bytes, 12, 15, false), true);
  assert.equal(matcher.matchesBytes(bytes, 15, 15, false), true);
  assert.deepEqual(asked, ["é", "é\n", "\ufeff", ""]);
});

Deno.test("matchesBytes() says what it was told to where there is no value", () => {
  for (const absent of [true, false]) {
    const matcher = new FieldMatcher(() => !absent, absent);
    assert.equal(matcher.matchesBytes(encoder.encode("x"), -1, -1, false), absent);
    assert.equal(matcher.matches(undefined), absent);
  }
});

Deno.test("matchesBytes() asks once about a value that comes back", () => {
  let asked = 0;
  const matcher = new FieldMatcher(() => ++asked > 0);
  for (let i = 0; i < 3; i++) matcher.matchesBytes(encoder.encode("web"), 0, 3, false);
  assert.equal(asked, 1);
});

Deno.test("matchesBytes() gives the answer of each of a thousand values, again and again", () => {
  const matcher = new FieldMatcher((value) => Number(value.slice(4)) % 3 === 0);
  for (let i = 0; i < 3000; i++) {
    const bytes = encoder.encode(`app-${i % 1000}`);
    assert.equal(matcher.matchesBytes(bytes, 0, bytes.length, false), (i % 1000) % 3 === 0);
  }
});
