import assert from "node:assert/strict";
import { watchForStall } from "../../lib/recorder/stall_watch.ts";
import { FakeClock } from "../rig/fake_clock.ts";

function watched() {
  const clock = new FakeClock("2026-11-22T10:00:00Z");
  const stream = { received: 0, stalls: [] as number[] };
  const cancel = watchForStall({
    clock,
    stallAfterMs: 4000,
    countReceived: () => stream.received,
    onStall: (silentMs) => stream.stalls.push(silentMs),
  });
  return { clock, stream, cancel };
}

Deno.test("watchForStall() tells once of a stream on which nothing came between two looks", () => {
  const { clock, stream } = watched();
  clock.advance(2000);
  stream.received++;
  clock.advance(5999);
  assert.deepEqual(stream.stalls, []);
  clock.advance(1);
  assert.deepEqual(stream.stalls, [4000]);
  clock.advance(60_000);
  assert.deepEqual(stream.stalls, [4000]);
  assert.equal(clock.pending, 0);
});

Deno.test("watchForStall() tells nothing once it is cancelled", () => {
  const { clock, stream, cancel } = watched();
  clock.advance(3999);
  cancel();
  clock.advance(60_000);
  assert.deepEqual(stream.stalls, []);
});
