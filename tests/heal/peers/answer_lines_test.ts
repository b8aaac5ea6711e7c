import assert from "node:assert/strict";
import { answerLines } from "../../../lib/heal/peers/answer_lines.ts";

const TEXT = "one\n\ncaf\u00e9 three\nfour\n";

/** What comes of `text` in pieces of `size` bytes. */
async function linesOf(
  text: string,
  size: number,
  limitBytes = 100,
): Promise<{ lines: string[]; tooLong: number }> {
  const bytes = new TextEncoder().encode(text);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  }
  const lines: string[] = [];
  let tooLong = 0;
  for await (const line of answerLines(pieces(), limitBytes, { onTooLong: () => tooLong++ })) {
    lines.push(new TextDecoder().decode(line));
  }
  return { lines, tooLong };
}

Deno.test("answerLines() yields the same lines whatever the pieces", async () => {
  for (let size = 1; size < 30; size++) {
    const { lines } = await linesOf(TEXT, size);
    assert.deepEqual(lines, ["one", "", "caf\u00e9 three", "four"], `pieces of ${size}`);
  }
});

Deno.test("answerLines() leaves lines out that are too long, and goes on after them", async () => {
  for (let size = 1; size < 40; size++) {
    const { lines, tooLong } = await linesOf(`12345\n123456\n${"x".repeat(50)}\n12345\n`, size, 5);
    assert.deepEqual([lines, tooLong], [["12345", "12345"], 2], `pieces of ${size}`);
  }
});

Deno.test("answerLines() fails on a last line without an end, also on one that is too long", async () => {
  await assert.rejects(linesOf("one\ntw", 3), { message: "Cannot read the last line: it has no end" });
  await assert.rejects(linesOf("one\ntwotwo", 3, 4), RangeError);
});

Deno.test("answerLines() of nothing is nothing", async () => {
  assert.deepEqual((await linesOf("", 3)).lines, []);
});
