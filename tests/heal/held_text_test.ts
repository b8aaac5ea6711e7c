import assert from "node:assert/strict";
import { HeldText, TEXT_BUFFER_BYTES } from "../../lib/heal/held_text.ts";

/** Adds lines that are overwritten right after, and returns what is held of them. */
function hold(lengths: readonly number[]): Uint8Array[] {
  const text = new HeldText();
  return lengths.map((length, number) => {
    const line = new Uint8Array(length).fill(number + 1);
    const held = text.add(line);
    line.fill(0);
    return held;
  });
}

Deno.test("HeldText keeps each line as it was, also an empty one and one that ends a buffer", () => {
  const lengths = [3, 0, TEXT_BUFFER_BYTES - 3, 1, TEXT_BUFFER_BYTES, TEXT_BUFFER_BYTES + 1, 2];
  for (const [number, held] of hold(lengths).entries()) {
    assert.deepEqual(held, new Uint8Array(lengths[number]!).fill(number + 1));
  }
});

Deno.test("HeldText has lines share a buffer until it is full", () => {
  const [first, second, third] = hold([100, TEXT_BUFFER_BYTES - 100, 1]);
  assert.equal(first!.buffer, second!.buffer);
  assert.notEqual(second!.buffer, third!.buffer);
  assert.equal(third!.buffer.byteLength, TEXT_BUFFER_BYTES);
});
