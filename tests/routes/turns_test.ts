import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Turns } from "../../routes/turns.ts";

Deno.test("Turns lets one go on in each turn of the event loop, in the order of the calls", async () => {
  const turns = new Turns();
  const went: number[] = [];
  const all = [0, 1, 2, 3].map((call) => turns.next().then(() => went.push(call)));
  assert.deepEqual(went, []);
  for (let passed = 1; went.length < 4; passed++) {
    await nextTurn();
    assert(went.length <= passed, `${went.length} went on in ${passed} turns`);
  }
  await Promise.all(all);
  assert.deepEqual(went, [0, 1, 2, 3]);
});
