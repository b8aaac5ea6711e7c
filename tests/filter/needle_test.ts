import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Needle } from "../../lib/filter/needle.ts";

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

Deno.test("a needle in any case finds both cases, in bytes, in escapes and among lines", () => {
  const needle = new Needle("aé-1", { anyCase: true });
  const bytes = encoder.encode("xAÉ-1x");
  assert.equal(needle.isInBytes(bytes, 0, bytes.length), true);
  assert.equal(needle.isInBytes(bytes, 2, bytes.length), false);
  const escaped = encoder.encode("\\u0041\\u00c9-1");
  assert.equal(needle.isInEscaped(escaped, 0, escaped.length), true);
  const found: number[] = [];
  const text = Buffer.from("aÉ-1\nae-1\n\\u00c9\nAé-1").toString("latin1");
  needle.forEachCandidate(text, (start) => found.push(start) > 0);
  assert.deepEqual(found, [0, 11, 18]);
});

Deno.test("a needle in any case takes what means something to a regular expression for itself", () => {
  for (const text of [".*", "[a", "a|b", "(", "\\", "$^", "a{2}"]) {
    const needle = new Needle(text, { anyCase: true });
    const found: string[] = [];
    needle.forEachCandidate(
      `x\n${text}\naa`,
      (start, end) => found.push(`x\n${text}\naa`.slice(start, end)) > 0,
    );
    assert.deepEqual(found, [text]);
    const bytes = encoder.encode(text);
    assert.equal(needle.isInBytes(bytes, 0, bytes.length), true);
  }
});

Deno.test("a needle for a whole string passes over lines that have it only as a part of one", () => {
  const text = '{"app":"Web"}\n{"message":"AppleWebKit"}\n{"app":"\\u0077eb"}\n"web';
  for (const anyCase of [true, false]) {
    const found: number[] = [];
    const needle = new Needle("web", { whole: true, anyCase });
    needle.forEachCandidate(text, (start) => found.push(start) > 0);
    assert.deepEqual(found, anyCase ? [0, 40] : [40]);
  }
});
