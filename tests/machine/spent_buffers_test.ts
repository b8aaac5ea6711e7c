import assert from "node:assert/strict";
import { chunkStream } from "../../lib/archive/read/chunk_stream.ts";
import { freeBuffer, freeWhenSent } from "../../lib/machine/spent_buffers.ts";

Deno.test("freeBuffer() gives a large buffer back, and leaves a small one that may be shared", () => {
  const large = new Uint8Array(100_000);
  freeBuffer(large.subarray(10, 20));
  assert.equal(large.length, 0);
  const small = new Uint8Array(100);
  freeBuffer(small);
  assert.equal(small.length, 100);
});

Deno.test("freeWhenSent() frees each buffer once the server has come for the next piece, and none before", async () => {
  const chunks = [new Uint8Array(393_216).fill(1), new Uint8Array(70_000).fill(2)];
  async function* each() {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const answer = freeWhenSent(new Response(chunkStream(each(), { hold: null })));
  const reader = answer.body!.getReader();
  let bytes = 0;
  while (bytes < 393_216) {
    const { value } = await reader.read();
    assert.ok(value!.every((byte) => byte === 1));
    bytes += value!.length;
  }
  assert.equal(chunks[0]!.length, 393_216);
  assert.equal((await reader.read()).value![0], 2);
  assert.equal(chunks[0]!.length, 0);
  assert.ok((await reader.read()).done);
  assert.equal(chunks[1]!.length, 0);
});

Deno.test("freeWhenSent() gives a small part of a large buffer as a copy, which may be kept", async () => {
  const chunk = new Uint8Array(400_000).fill(3);
  async function* each() {
    yield await Promise.resolve(chunk.subarray(399_990));
    yield new Uint8Array(1);
  }
  const reader = freeWhenSent(new Response(chunkStream(each(), { hold: null }))).body!.getReader();
  const { value } = await reader.read();
  await reader.read();
  assert.equal(chunk.length, 0);
  assert.deepEqual([...value!], Array(10).fill(3));
});

Deno.test("freeWhenSent() leaves every other answer as it is", async () => {
  const answer = new Response("a body");
  assert.equal(freeWhenSent(answer), answer);
  assert.equal(await answer.text(), "a body");
  assert.equal(freeWhenSent(new Response(null)).body, null);
});
