import assert from "node:assert/strict";
import { Deadline } from "../lib/deadline.ts";
import { FakeClock } from "./rig/fake_clock.ts";

Deno.test("Deadline ends a request whose next step is late, and says which step that was", () => {
  const clock = new FakeClock(0);
  using deadline = new Deadline(clock);
  deadline.expect(30_000, "no answer");
  clock.advance(29_000);
  deadline.expect(10_000, "no more of the answer");
  clock.advance(9_999);
  assert.deepEqual([deadline.signal.aborted, deadline.missed], [false, null]);
  clock.advance(1);
  assert.deepEqual([deadline.signal.aborted, deadline.missed], [true, "no more of the answer within 10 s"]);
});

Deno.test("Deadline that is disposed of waits no longer, and nothing was missed", () => {
  const clock = new FakeClock(0);
  const deadline = new Deadline(clock);
  deadline.expect(30_000, "no answer");
  deadline[Symbol.dispose]();
  assert.deepEqual([deadline.signal.aborted, deadline.missed, clock.pending], [true, null, 0]);
});
