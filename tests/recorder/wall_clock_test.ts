import assert from "node:assert/strict";
import { WallClock } from "../../lib/recorder/wall_clock.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const START_MS = 1_000_000;

Deno.test("WallClock.between() tells the readings in force, of a step the one before and the one after", () => {
  const clock = new FakeClock(START_MS);
  const wall = new WallClock(clock);
  clock.advance(10);
  wall.look();
  clock.jump(60_000);
  clock.advance(10);
  wall.look();
  clock.advance(10);
  assert.deepEqual(wall.between(0, 5), [{ lowMs: START_MS, highMs: START_MS + 1 }]);
  assert.deepEqual(wall.between(15, 16).map(({ lowMs }) => lowMs), [START_MS, START_MS + 60_000]);
  assert.deepEqual(wall.between(21, 30).map(({ lowMs }) => lowMs), [START_MS + 60_000]);
  assert.equal(wall.offsetMs, START_MS + 60_000);
});

Deno.test("WallClock takes what drifts by little for one reading", () => {
  const clock = new FakeClock(START_MS);
  const wall = new WallClock(clock);
  clock.advance(10);
  clock.jump(-30);
  assert.deepEqual(wall.between(0, 10), [{ lowMs: START_MS - 30, highMs: START_MS + 1 }]);
});

Deno.test("WallClock remembers a bounded number of readings and forgets none that was in force", () => {
  const clock = new FakeClock(START_MS);
  const wall = new WallClock(clock);
  for (let i = 0; i < 100; i++) {
    clock.advance(10);
    clock.jump(1000);
    wall.look();
  }
  const all = wall.between(0, 1000);
  assert.ok(all.length <= 32);
  assert.equal(all[0]?.lowMs, START_MS);
  assert.equal(all.at(-1)?.lowMs, START_MS + 100_000);
});
