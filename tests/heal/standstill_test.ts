import assert from "node:assert/strict";
import { CATCH_UP_MS, Standstill } from "../../lib/heal/standstill.ts";
import { FakeClock } from "../rig/fake_clock.ts";

/** What it says after looks each two seconds, and then one after `pass`. */
function waitAfter(pass: (clock: FakeClock) => void): number {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  const standstill = new Standstill(clock, 2000);
  for (let i = 0; i < 3; i++) {
    clock.advance(2000);
    standstill.look();
  }
  pass(clock);
  standstill.look();
  return Math.max(0, standstill.waitMs);
}

Deno.test("Standstill waits for nothing as long as time goes on, also where a look comes a little late", () => {
  assert.equal(waitAfter((clock) => clock.advance(2000)), 0);
  assert.equal(waitAfter((clock) => clock.advance(6500)), 0);
});

Deno.test("Standstill waits after the program was frozen, and after the machine was suspended", () => {
  assert.equal(waitAfter((clock) => clock.skip(70_000)), CATCH_UP_MS);
  assert.equal(waitAfter((clock) => clock.jump(70_000)), CATCH_UP_MS);
});

Deno.test("Standstill takes a clock that is set back for no standstill", () => {
  assert.equal(waitAfter((clock) => clock.jump(-3_600_000)), 0);
});

Deno.test("Standstill does not count the time before it begins", () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  const standstill = new Standstill(clock, 2000);
  clock.skip(70_000);
  standstill.begin();
  standstill.look();
  assert.ok(standstill.waitMs <= 0);
});
