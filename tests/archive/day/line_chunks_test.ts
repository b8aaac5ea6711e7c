import assert from "node:assert/strict";
import { HELD_AFTER_MS } from "../../../lib/archive/day/held.ts";
import { CHUNK_BYTES, LineChunks } from "../../../lib/archive/day/line_chunks.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { createRandom } from "../../rig/random.ts";
import { NOON, textOf } from "../archive_rig.ts";

const encoder = new TextEncoder();

/** Appends each line of a text, and gives by how much what is held grew. */
function append(chunks: LineChunks, text: string): number {
  let grown = 0;
  for (const line of text.split("\n").slice(0, -1)) grown += chunks.append(encoder.encode(line), false, null);
  return grown;
}

/** Takes everything out as a writer does; gives the text, and how many bytes it was counted for. */
function drain(chunks: LineChunks): { text: string; heldBytes: number } {
  let text = "";
  let heldBytes = 0;
  while (!chunks.isEmpty) {
    const { bytes, length } = chunks.first();
    text += new TextDecoder().decode(bytes.subarray(0, length));
    heldBytes += chunks.shift().heldBytes;
  }
  return { text, heldBytes };
}

Deno.test("LineChunks deflates what waits once the disk stalls, and gives each line back as it came", () => {
  const clock = new FakeClock(NOON);
  const chunks = new LineChunks(clock, 2);
  const text = textOf(0, 40_000, 60);
  let grown = append(chunks, textOf(0, 1000, 60));
  assert.equal(grown, textOf(0, 1000, 60).length);
  chunks.first(); // is being written
  clock.advance(HELD_AFTER_MS + 1);
  grown += append(chunks, textOf(1000, 40_000, 60));
  assert.ok(grown < text.length / 3, `${grown} bytes of ${text.length}`);
  assert.equal(chunks.all.reduce((sum, { lines }) => sum + lines, 0), 40_000);
  const drained = drain(chunks);
  assert.ok(drained.text === text);
  assert.equal(drained.heldBytes, grown);
  assert.equal(chunks.isEmpty, true);
});

Deno.test("LineChunks deflates nothing that waits for no longer than a write takes", () => {
  const clock = new FakeClock(NOON);
  const chunks = new LineChunks(clock, 2);
  const text = textOf(0, 40_000, 60);
  append(chunks, textOf(0, 1000, 60));
  clock.advance(HELD_AFTER_MS);
  append(chunks, textOf(1000, 40_000, 60));
  assert.equal(chunks.all.some(({ isDeflated }) => isDeflated), false);
  assert.equal(drain(chunks).heldBytes, text.length);
});

Deno.test("LineChunks leaves as they are lines that do not get smaller", () => {
  const clock = new FakeClock(NOON);
  const chunks = new LineChunks(clock, 2);
  const random = createRandom(1);
  // Bytes of JSON's strings that are no line feed, quote or backslash.
  const noise = () => Uint8Array.from({ length: CHUNK_BYTES - 1 }, () => 128 + Math.floor(random() * 128));
  const lines = [noise(), noise(), noise()];
  let grown = chunks.append(lines[0]!, false, null);
  clock.advance(HELD_AFTER_MS + 1);
  for (const line of lines.slice(1)) grown += chunks.append(line, false, null);
  assert.equal(grown, 3 * CHUNK_BYTES);
  for (const line of lines) {
    const { bytes, length } = chunks.first();
    assert.deepEqual(bytes.subarray(0, length - 1), line);
    chunks.shift();
  }
});
