import assert from "node:assert/strict";
import { sleep } from "../../lib/clock.ts";
import { FakeClock } from "./fake_clock.ts";

Deno.test("FakeClock.advance() calls due timers in order, each at its own moment", () => {
  const clock = new FakeClock("2026-11-22T23:59:59Z");
  const calls: string[] = [];
  clock.after(20, () => calls.push(`b ${clock.elapsed()}`));
  clock.after(10, () => {
    calls.push(`a ${clock.elapsed()}`);
    clock.after(5, () => calls.push(`nested ${clock.elapsed()}`));
  });
  const cancel = clock.every(15, () => calls.push(`every ${clock.elapsed()}`));
  clock.advance(30);
  assert.deepEqual(calls, ["a 10", "every 15", "nested 15", "b 20", "every 30"]);
  cancel();
  assert.equal(clock.pending, 0);
  assert.equal(new Date(clock.now()).toISOString(), "2026-11-22T23:59:59.030Z");
});

Deno.test("FakeClock.advance() does not call a timer that was cancelled, nor one that is not due", () => {
  const clock = new FakeClock(0);
  const cancel = clock.after(1, () => assert.fail("cancelled"));
  clock.after(3, () => assert.fail("not due"));
  cancel();
  clock.advance(2);
  assert.equal(clock.pending, 1);
});

Deno.test("FakeClock.jump() moves the wall clock alone", () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  clock.after(1, () => assert.fail("no time has passed"));
  clock.jump(-86_400_000);
  assert.equal(new Date(clock.now()).toISOString(), "2026-11-21T12:00:00.000Z");
  assert.equal(clock.elapsed(), 0);
});

Deno.test("FakeClock.advanceAsync() lets promises settle between timers", async () => {
  const clock = new FakeClock(0);
  const moments: number[] = [];
  const walk = (async () => {
    for (let step = 0; step < 3; step++) {
      await sleep(clock, 10);
      moments.push(clock.elapsed());
    }
  })();
  await clock.advanceAsync(30);
  await walk;
  assert.deepEqual(moments, [10, 20, 30]);
});
