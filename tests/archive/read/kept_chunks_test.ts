import assert from "node:assert/strict";
import { KeptChunks, OWN_KEPT_BYTES } from "../../../lib/archive/read/kept_chunks.ts";
import { MemoryBudget } from "../../../lib/machine/memory_budget.ts";
import { FakeClock } from "../../rig/fake_clock.ts";

const chunk = (length: number) => ({ bytes: new Uint8Array(length) });

Deno.test("KeptChunks takes room for what is more than its own, and gives it back", () => {
  const memory = new MemoryBudget({ limitBytes: 10_000, clock: new FakeClock(0) });
  const kept = new KeptChunks((bytes) => memory.tryTake(bytes), OWN_KEPT_BYTES * 2);
  const chunks = [chunk(OWN_KEPT_BYTES), chunk(5000)];
  for (const one of chunks) kept.add(one);
  assert.deepEqual(kept.chunks, chunks);
  assert.equal(memory.heldBytes, 5000);
  kept[Symbol.dispose]();
  assert.equal(memory.heldBytes, 0);
});

Deno.test("KeptChunks forgets everything when there is no room for one more, or it is too much", () => {
  const memory = new MemoryBudget({ limitBytes: 10_000, clock: new FakeClock(0) });
  for (const [limitBytes, last] of [[OWN_KEPT_BYTES * 2, 5001], [OWN_KEPT_BYTES + 5500, 1000]] as const) {
    const kept = new KeptChunks((bytes) => memory.tryTake(bytes), limitBytes);
    const [first, second] = [chunk(OWN_KEPT_BYTES), chunk(5000)];
    for (const one of [first, second, chunk(last), chunk(1)]) kept.add(one);
    assert.equal(kept.chunks, null);
    assert.equal(first.bytes.length, 0, "its memory is given back");
    assert.equal(memory.heldBytes, 0);
  }
});
