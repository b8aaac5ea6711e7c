import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { chunkStream, SLICE_BYTES } from "../../../lib/archive/read/chunk_stream.ts";
import { MemoryBudget, STALLED_MS } from "../../../lib/machine/memory_budget.ts";
import { FakeClock } from "../../rig/fake_clock.ts";

async function* twoChunks(ended: () => void) {
  try {
    yield await Promise.resolve(new Uint8Array(SLICE_BYTES * 3).fill(1));
    yield new Uint8Array(5).fill(2);
  } finally {
    ended();
  }
}

Deno.test("chunkStream() gives everything in slices and gives its place back at the end", async () => {
  const memory = new MemoryBudget({ limitBytes: 10, clock: new FakeClock(0) });
  const hold = await memory.take(10);
  let ends = 0;
  const lengths: number[] = [];
  for await (const { length } of chunkStream(twoChunks(() => {}), { hold, onEnd: () => ends++ })) {
    lengths.push(length);
  }
  assert.deepEqual(lengths, [SLICE_BYTES, SLICE_BYTES, SLICE_BYTES, 5]);
  assert.equal(ends, 1);
  assert.equal(memory.heldBytes, 0);
});

Deno.test("chunkStream() breaks off when its client stalls and somebody waits for the room", async () => {
  const clock = new FakeClock(0);
  const memory = new MemoryBudget({ limitBytes: 10, clock });
  const ended = Promise.withResolvers<void>();
  const stream = chunkStream(twoChunks(ended.resolve), { hold: await memory.take(10) });
  const reader = stream.getReader();
  await reader.read();
  clock.advance(STALLED_MS);
  using _room = await memory.take(10);
  await ended.promise;
  await assert.rejects(reader.read(), /nothing was taken for 5000 ms/);
});

Deno.test("chunkStream() ends its chunks and gives its place back when it is cancelled, also in the middle", async () => {
  const memory = new MemoryBudget({ limitBytes: 10, clock: new FakeClock(0) });
  const never = Promise.withResolvers<void>();
  async function* slow() {
    await never.promise;
    yield new Uint8Array(5);
  }
  const stream = chunkStream(slow(), { hold: await memory.take(10) });
  const reader = stream.getReader();
  const reading = reader.read();
  await nextTurn();
  const cancelled = reader.cancel();
  never.resolve();
  await Promise.all([reading, cancelled]);
  assert.equal(memory.heldBytes, 0);
});

Deno.test("chunkStream() passes an error on, tells of it, and gives its place back", async () => {
  const memory = new MemoryBudget({ limitBytes: 10, clock: new FakeClock(0) });
  const errors: unknown[] = [];
  // deno-lint-ignore require-yield -- it fails before
  async function* failing(): AsyncGenerator<Uint8Array, void> {
    await Promise.reject(new Error("Cannot read"));
  }
  const stream = chunkStream(failing(), {
    hold: await memory.take(10),
    onError: (error) => errors.push(error),
  });
  await assert.rejects(stream.getReader().read(), /Cannot read/);
  assert.equal(errors.length, 1);
  assert.equal(memory.heldBytes, 0);
});
