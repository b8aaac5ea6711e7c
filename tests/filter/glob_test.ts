import assert from "node:assert/strict";
import { compileGlob } from "../../lib/filter/glob.ts";

const MATCHES: [pattern: string, text: string][] = [
  ["web", "web"],
  ["", ""],
  ["*", ""],
  ["*", "anything"],
  ["***", "x"],
  ["fly-builder-*", "fly-builder-"],
  ["fly-builder-*", "fly-builder-quiet-sun-1"],
  ["*-db", "shop-db"],
  ["*-db", "-db-db"],
  ["a*b*c", "a-b-b-c-c"],
  ["?", "é"],
  ["?", "😀"],
  ["w?b", "web"],
  ["?*?", "ab"],
  ["[a-z].(x)+\\d^$", "[a-z].(x)+\\d^$"],
  ["*" + "x".repeat(70) + "?", "y".repeat(40) + "x".repeat(71)],
  ["x".repeat(31) + "?", "x".repeat(32)],
  ["x".repeat(32) + "?", "x".repeat(33)],
];

Deno.test("matches() is true when the whole text is what the pattern describes", () => {
  for (const [pattern, text] of MATCHES) {
    assert.equal(compileGlob(pattern).matches(text), true, `${pattern} ${text}`);
  }
});

const DIFFERS: [pattern: string, text: string][] = [
  ["web", "Web"],
  ["web", "web2"],
  ["", "x"],
  ["?", ""],
  ["?", "ab"],
  ["fly-builder-*", "my-fly-builder-x"],
  ["*-db", "shop-dbx"],
  ["a*b*c", "a-c-b"],
  ["?*?", "a"],
  ["w.b", "web"],
  ["w.*", "web"],
  ["x".repeat(32) + "?", "x".repeat(32)],
  ["x".repeat(32) + "?", "x".repeat(34)],
];

Deno.test("matches() is false when the text is anything else", () => {
  for (const [pattern, text] of DIFFERS) {
    assert.equal(compileGlob(pattern).matches(text), false, `${pattern} ${text}`);
  }
});

Deno.test("matches() agrees with a regular expression on every short text over two letters", () => {
  const texts = words("ab", 6);
  for (const pattern of words("ab*?", 5)) {
    const glob = compileGlob(pattern);
    const expression = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
    for (const text of texts) assert.equal(glob.matches(text), expression.test(text), `${pattern} ${text}`);
  }
});

/** Every word of up to so many letters of an alphabet. */
function words(alphabet: string, length: number): string[] {
  if (length === 0) return [""];
  const shorter = words(alphabet, length - 1);
  const longest = shorter.filter((word) => word.length === length - 1);
  return [...shorter, ...longest.flatMap((word) => [...alphabet].map((letter) => word + letter))];
}

Deno.test("matches() takes no longer for a pattern that asks for going back", () => {
  const text = "a".repeat(100_000);
  assert.equal(compileGlob("*a".repeat(30) + "b").matches(text), false);
  assert.equal(compileGlob("*" + "a".repeat(500) + "b").matches(text), false);
});
