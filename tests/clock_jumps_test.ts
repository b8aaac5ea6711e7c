import assert from "node:assert/strict";
import { ClockJumps } from "../lib/clock_jumps.ts";
import { FakeClock } from "./rig/fake_clock.ts";

Deno.test("ClockJumps widens a span by what the clock jumped, and by nothing once that is forgotten", () => {
  const clock = new FakeClock(1_000_000);
  const jumps = new ClockJumps(clock);
  clock.advance(500);
  assert.equal(jumps.earliest(5000), 5000);
  assert.equal(jumps.latest(5000), 5000);
  clock.jump(3000);
  assert.equal(jumps.earliest(5000), 2000);
  assert.equal(jumps.latest(5000), 5000);
  clock.jump(-4000);
  assert.equal(jumps.earliest(5000), 5000);
  assert.equal(jumps.latest(5000), 9000);
  jumps.forget();
  assert.equal(jumps.earliest(5000), 5000);
  assert.equal(jumps.latest(5000), 5000);
});
