import assert from "node:assert/strict";
import { Pace } from "../../../lib/heal/fly/pace.ts";
import { FakeClock } from "../../rig/fake_clock.ts";

Deno.test("Pace.turn() lets a burst through at once and then one each interval", async () => {
  const clock = new FakeClock(0);
  const pace = new Pace(clock, { burst: 3, intervalMs: 1000 });
  const turnsAtMs: number[] = [];
  for (let i = 0; i < 5; i++) void pace.turn().then(() => turnsAtMs.push(clock.elapsed()));
  await clock.advanceAsync(5000);
  assert.deepEqual(turnsAtMs, [0, 0, 0, 1000, 2000]);
});

Deno.test("Pace.turn() saves up no more than a burst", async () => {
  const clock = new FakeClock(0);
  const pace = new Pace(clock, { burst: 2, intervalMs: 1000 });
  await pace.turn();
  clock.advance(60_000);
  const turnsAtMs: number[] = [];
  for (let i = 0; i < 3; i++) void pace.turn().then(() => turnsAtMs.push(clock.elapsed()));
  await clock.advanceAsync(5000);
  assert.deepEqual(turnsAtMs, [60_000, 60_000, 61_000]);
});

Deno.test("Pace.turn() resolves at once when the signal aborts", async () => {
  const clock = new FakeClock(0);
  const pace = new Pace(clock, { burst: 1, intervalMs: 1000 });
  const controller = new AbortController();
  await pace.turn();
  const turn = pace.turn(controller.signal);
  controller.abort();
  await turn;
  assert.equal(clock.pending, 0);
});
