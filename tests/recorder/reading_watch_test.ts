import assert from "node:assert/strict";
import { KnownGood } from "../../lib/recorder/known_good.ts";
import { ReadingWatch, UNREAD_MS } from "../../lib/recorder/reading_watch.ts";
import { FakeClock } from "../rig/fake_clock.ts";

/** A session that has begun at 0 s. */
class ReadingRig {
  readonly clock = new FakeClock("2026-11-22T12:00:00Z");
  readonly knownGood = new KnownGood(this.clock);
  readonly watch = new ReadingWatch(this.clock, this.knownGood);

  get isDoubting(): boolean {
    return this.knownGood.isDoubting;
  }
}

Deno.test("ReadingWatch doubts lines after a look that comes late", () => {
  const rig = new ReadingRig();
  rig.clock.advance(UNREAD_MS);
  rig.watch.look(false);
  assert.equal(rig.isDoubting, false);
  rig.clock.advance(UNREAD_MS + 1);
  rig.watch.look(false);
  assert.equal(rig.isDoubting, true);
});

Deno.test("ReadingWatch doubts the first line after a pause, though no look has come before it", () => {
  const rig = new ReadingRig();
  rig.clock.advance(8_000);
  rig.watch.noteLine(rig.clock.elapsed());
  assert.equal(rig.isDoubting, true);
});

Deno.test("ReadingWatch doubts no line of a stream that is read while looks come late", () => {
  const rig = new ReadingRig();
  for (let line = 0; line < 10; line++) {
    rig.clock.advance(UNREAD_MS / 2);
    rig.watch.noteLine(rig.clock.elapsed());
  }
  rig.watch.look(false);
  assert.equal(rig.isDoubting, false);
});

Deno.test("ReadingWatch trusts lines again after an answer to what was asked after the pause, and not before it", () => {
  const rig = new ReadingRig();
  rig.clock.advance(8_000);
  rig.watch.look(false);
  rig.watch.noteAnswer(7_999);
  assert.equal(rig.isDoubting, true);
  rig.watch.noteAnswer(8_000);
  assert.equal(rig.isDoubting, false);
});

Deno.test("ReadingWatch doubts lines while the source is held back, until an answer to what was asked after that", () => {
  const rig = new ReadingRig();
  rig.watch.look(true);
  rig.clock.advance(100);
  rig.watch.look(true);
  rig.clock.advance(100);
  rig.watch.look(false);
  rig.watch.noteAnswer(99);
  assert.equal(rig.isDoubting, true);
  rig.watch.noteAnswer(100);
  assert.equal(rig.isDoubting, false);
});

Deno.test("ReadingWatch.begin() trusts the lines of a new session", () => {
  const rig = new ReadingRig();
  rig.clock.advance(8_000);
  rig.watch.look(false);
  rig.watch.begin();
  rig.watch.noteLine(rig.clock.elapsed());
  assert.equal(rig.isDoubting, false);
});
