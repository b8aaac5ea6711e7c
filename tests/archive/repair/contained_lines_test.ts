import assert from "node:assert/strict";
import { areContained, containedBytes, plainPieces } from "../../../lib/archive/repair/contained_lines.ts";
import { BLOCK_BYTES } from "../../../lib/archive/format.ts";
import { TestDirectory } from "../archive_rig.ts";

const encoder = new TextEncoder();

/** Lines as pieces: a space parts lines, a bar parts pieces. */
function pieces(text: string): Uint8Array[] {
  return text.split("|").map((piece) => encoder.encode(piece.split(" ").map((line) => `${line}\n`).join("")));
}

for (
  const [lines, text, expected] of [
    ["a c d", "a b c d e", true],
    ["a d c", "a b c d e", false],
    ["a|c d", "a b|c|d e", true],
    ["a a", "a b", false],
    ["a a", "a b a", true],
    ["a b", "a", false],
    ["a", "aa", false],
  ] as const
) {
  Deno.test(`areContained() is ${expected} for "${lines}" in "${text}"`, () => {
    assert.equal(areContained(pieces(lines), pieces(text)), expected);
  });
}

Deno.test("areContained() passes over the start of a line that has no end, and over lines with NULs", () => {
  const text = pieces("a b c");
  assert.equal(areContained([encoder.encode("a\nb")], pieces("a")), true);
  assert.equal(areContained([encoder.encode("a\nx\0\0\0\nc\n")], text), true);
  assert.equal(areContained([], text), true);
});

for (
  const [lines, text, expected] of [
    ["a b d c e", "a x b c d", 6],
    ["a b c", "a x b", 4],
    ["a b", "a x b", 4],
    ["a b", "x", 0],
    ["a b", "", 0],
    ["", "a", 0],
  ] as const
) {
  Deno.test(`containedBytes() is ${expected} for "${lines}" in "${text}"`, () => {
    assert.equal(containedBytes(pieces(lines), pieces(text)), expected);
  });
}

Deno.test("containedBytes() counts lines with NULs, and not the start of a line that has no end", () => {
  const lines = [encoder.encode("a\nx\0\0\0\nc\nb")];
  assert.equal(containedBytes(lines, pieces("a b c")), 9);
});

Deno.test("areContained() closes what it reads from, also where it ends early", () => {
  using directory = new TestDirectory();
  directory.write("plain", "a\nb\n");
  assert.equal(areContained(plainPieces(directory.file("plain"), 0, 4), pieces("b")), false);
  assert.equal(areContained(pieces("a"), plainPieces(directory.file("plain"), 0, 4)), true);
});

Deno.test("plainPieces() gives whole lines, also of such as are longer than a block, and then the rest", () => {
  using directory = new TestDirectory();
  const long = "x".repeat(BLOCK_BYTES * 2.5);
  directory.write("plain", `first\n${long}\nlast\nrest`);
  const decoder = new TextDecoder();
  const found = [...plainPieces(directory.file("plain"), 6, 6 + long.length + 10)].map((piece) =>
    decoder.decode(piece)
  );
  assert.equal(found.join(""), `${long}\nlast\nrest`);
  assert.ok(found.slice(0, -1).every((piece) => piece.endsWith("\n")));
});
