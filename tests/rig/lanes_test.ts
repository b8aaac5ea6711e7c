import assert from "node:assert/strict";
import { inLanes } from "./lanes.ts";

Deno.test("inLanes() does everything once, and as many at once as there are lanes", async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await inLanes([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    done.push(item);
  });
  assert.deepEqual(done.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(most, 3);
});

Deno.test("inLanes() begins nothing after a failure, waits for what runs, and throws it", async () => {
  const gate = Promise.withResolvers<void>();
  const begun: number[] = [];
  let isOver = false;
  const all = inLanes([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("first");
    await gate.promise;
    throw new Error("second");
  }).finally(() => isOver = true);
  all.catch(() => {});
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assert.equal(isOver, false);
  gate.resolve();
  await assert.rejects(all, /^Error: first$/);
  assert.deepEqual(begun, [1, 2]);
});
