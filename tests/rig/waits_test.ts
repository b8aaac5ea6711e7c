import assert from "node:assert/strict";
import { sleep } from "../../lib/clock.ts";
import { FakeClock } from "./fake_clock.ts";
import { WaitsClock } from "./waits.ts";

Deno.test("WaitsClock ends waits at their moments, without being moved", async () => {
  const beneath = new FakeClock(0);
  const clock = new WaitsClock(beneath, 30_000);
  await sleep(clock, 700);
  await sleep(clock, 50);
  assert.deepEqual([clock.waitsMs, clock.elapsed(), clock.now()], [[700, 50], 750, 750]);
});

Deno.test("WaitsClock leaves limits and intervals to whoever moves the clock", async () => {
  const beneath = new FakeClock(0);
  const clock = new WaitsClock(beneath, 30_000);
  const ended: string[] = [];
  clock.after(30_000, () => ended.push("limit"));
  const cancel = clock.every(20_000, () => ended.push("interval"));
  await sleep(clock, 1000);
  assert.deepEqual(ended, []);
  beneath.advance(29_000);
  assert.deepEqual(ended, ["interval", "limit"]);
  cancel();
});

Deno.test("WaitsClock does not move for a wait that was cancelled", async () => {
  const beneath = new FakeClock(0);
  const clock = new WaitsClock(beneath, 30_000);
  clock.after(5000, () => assert.fail())();
  await sleep(clock, 10);
  assert.deepEqual([clock.elapsed(), beneath.pending], [10, 0]);
});
