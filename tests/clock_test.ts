import assert from "node:assert/strict";
import { sleep, systemClock } from "../lib/clock.ts";
import { FakeClock } from "./rig/fake_clock.ts";

Deno.test("systemClock.after() calls once, later, unless it is cancelled", async () => {
  const called = Promise.withResolvers<void>();
  const cancel = systemClock.after(0, () => assert.fail("it was cancelled"));
  cancel();
  cancel();
  systemClock.after(0, called.resolve);
  await called.promise;
});

Deno.test("systemClock.every() calls again and again until it is cancelled", async () => {
  const third = Promise.withResolvers<void>();
  let calls = 0;
  const cancel = systemClock.every(1, () => ++calls === 3 && third.resolve());
  await third.promise;
  cancel();
});

Deno.test("systemClock.elapsed() does not go back", () => {
  const before = systemClock.elapsed();
  assert.ok(systemClock.elapsed() >= before);
});

Deno.test("sleep() waits its time", async () => {
  const clock = new FakeClock(0);
  let done = false;
  const sleeping = sleep(clock, 100).then(() => done = true);
  await clock.advanceAsync(99);
  assert.equal(done, false);
  clock.advance(1);
  await sleeping;
});

Deno.test("sleep() ends without an error when its signal is aborted, and leaves no timer", async () => {
  const clock = new FakeClock(0);
  const controller = new AbortController();
  const sleeping = sleep(clock, 100, controller.signal);
  controller.abort();
  await sleeping;
  await sleep(clock, 100, controller.signal);
  assert.equal(clock.pending, 0);
});
