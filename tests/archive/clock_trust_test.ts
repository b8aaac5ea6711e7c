import assert from "node:assert/strict";
import { ClockTrust, JUMP_MS, STEADY_MS } from "../../lib/archive/clock_trust.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const START = "2026-11-22T12:00:00Z";

Deno.test("ClockTrust trusts a clock for the next day from the start, and for any after an hour", () => {
  const clock = new FakeClock(START);
  const trust = new ClockTrust(clock);
  assert.equal(trust.trust, "next");
  clock.advance(STEADY_MS - 1);
  trust.look();
  assert.equal(trust.trust, "next");
  clock.advance(1);
  assert.equal(trust.trust, "any");
});

for (const jumpMs of [JUMP_MS + 1, -JUMP_MS - 1]) {
  Deno.test(`ClockTrust trusts a clock that jumps by ${jumpMs} ms not at all for an hour`, () => {
    const clock = new FakeClock(START);
    const trust = new ClockTrust(clock);
    clock.advance(STEADY_MS);
    clock.jump(jumpMs);
    trust.look();
    assert.equal(trust.trust, "none");
    clock.advance(STEADY_MS);
    trust.look();
    assert.equal(trust.trust, "any");
  });
}

Deno.test("ClockTrust overlooks a clock that is set right by some seconds, and adds up many such", () => {
  const clock = new FakeClock(START);
  const trust = new ClockTrust(clock);
  clock.advance(STEADY_MS);
  for (let time = 0; time < 6; time++) {
    clock.jump(JUMP_MS / 6);
    trust.look();
    assert.equal(trust.trust, "any");
  }
  clock.jump(1);
  trust.look();
  assert.equal(trust.trust, "none");
});

Deno.test("ClockTrust trusts no clock that most lines contradict", () => {
  const clock = new FakeClock(START);
  const trust = new ClockTrust(clock);
  clock.advance(STEADY_MS);
  trust.lines = 4;
  trust.strays = 2;
  assert.equal(trust.trust, "any");
  trust.strays = 3;
  assert.equal(trust.trust, "none");
});
