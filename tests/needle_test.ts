import assert from "node:assert/strict";
import { Needle } from "../lib/needle.ts";

const encoder = new TextEncoder();

function candidates(needle: string, text: string): [start: number, end: number][] {
  const found: [number, number][] = [];
  new Needle(needle).forEachCandidate(text, (start, end) => {
    found.push([start, end]);
    return true;
  });
  return found;
}

Deno.test("forEachCandidate() gives each line once that has the text or an escape of a part of it", () => {
  assert.deepEqual(candidates("ab", "xx\nab ab\\u0061\nx\\u0062\nb"), [[3, 14], [15, 22]]);
  assert.deepEqual(candidates('"', 'a\n\\"\n"'), [[2, 4], [5, 6]]);
});

Deno.test("forEachCandidate() passes over lines with escapes of something else", () => {
  assert.deepEqual(candidates("ab", "\\u001b[0m\\n\\t\\\\\\/\\u0063\n\\x\\u006\\"), []);
});

Deno.test("forEachCandidate() ends when it is told to", () => {
  let calls = 0;
  new Needle("a").forEachCandidate("a\na\na", () => ++calls < 2);
  assert.equal(calls, 2);
});

Deno.test("isInBytes() looks for the UTF-8 of the text in the range only", () => {
  const bytes = encoder.encode("xéx");
  const needle = new Needle("é");
  assert.equal(needle.isInBytes(bytes, 0, 4), true);
  assert.equal(needle.isInBytes(bytes, 1, 3), true);
  assert.equal(needle.isInBytes(bytes, 0, 2), false);
  assert.equal(needle.isInBytes(bytes, 2, 4), false);
});

Deno.test("isInEscaped() resolves every kind of escape", () => {
  const raw = encoder.encode('\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00é');
  for (const text of ['"\\/\b\f\n\r\tA', "Aé€😀é"]) {
    assert.equal(new Needle(text).isInEscaped(raw, 0, raw.length), true, JSON.stringify(text));
  }
  assert.equal(new Needle("u0041").isInEscaped(raw, 0, raw.length), false);
});

Deno.test("a needle with a lone surrogate is one with U+FFFD", () => {
  const bytes = encoder.encode("\ufffd");
  assert.equal(new Needle("\ud800").isInBytes(bytes, 0, 3), true);
});
