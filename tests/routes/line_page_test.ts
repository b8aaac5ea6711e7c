import assert from "node:assert/strict";
import type { LineChunk } from "../../lib/archive/read/line_chunk.ts";
import { OWN_KEPT_BYTES } from "../../lib/archive/read/kept_chunks.ts";
import { collectPage } from "../../routes/line_page.ts";
import { anyHold } from "./rig.ts";

const DAY = 20_779; // 2026-11-22
const at = (offset: number) => ({ day: DAY, offset, edition: 0 });

/** A chunk of `lines` lines in the 100 bytes from `offset` on. */
function chunk(offset: number, lines: number, bytes = new Uint8Array(lines)): LineChunk {
  return { bytes, lines, start: at(offset), end: at(offset + 100), placed: null };
}

// deno-lint-ignore require-yield -- it fails before
async function* failing(): AsyncGenerator<LineChunk, void> {
  await Promise.reject(new Error("Cannot read block at 10"));
}

async function* all(...chunks: LineChunk[]): AsyncGenerator<LineChunk, void> {
  yield* await Promise.resolve(chunks);
}

const never = new AbortController().signal;

Deno.test("collectPage() ends with the chunk that fills the page, and keeps what has lines", async () => {
  const chunks = [chunk(0, 0), chunk(100, 2), chunk(200, 0), chunk(300, 1), chunk(400, 5)];
  const page = await collectPage(all(...chunks), { tryKeep: anyHold }, 3, never);
  assert.deepEqual([page.lines, page.start, page.end], [3, at(100), at(400)]);
  assert.deepEqual(page.kept.chunks, [chunks[1], chunks[3]]);
});

Deno.test("collectPage() ends where there is no more", async () => {
  const page = await collectPage(all(chunk(0, 2), chunk(100, 0)), { tryKeep: anyHold }, 3, never);
  assert.deepEqual([page.lines, page.start, page.end], [2, at(0), at(200)]);
});

Deno.test("collectPage() knows where a page lies whose lines there is no room for", async () => {
  const large = chunk(0, 2, new Uint8Array(OWN_KEPT_BYTES + 1));
  const page = await collectPage(all(large, chunk(100, 1)), { tryKeep: () => null }, 3, never);
  assert.equal(page.kept.chunks, null);
  assert.deepEqual([page.lines, page.start, page.end], [3, at(0), at(200)]);
});

Deno.test("collectPage() fails as its chunks do", async () => {
  await assert.rejects(collectPage(failing(), { tryKeep: anyHold }, 3, never), /Cannot read block at 10/);
});
