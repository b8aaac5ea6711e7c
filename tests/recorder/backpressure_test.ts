import assert from "node:assert/strict";
import { Backpressure, OVERSHOOT_BYTES } from "../../lib/recorder/backpressure.ts";

const LIMIT_BYTES = 1000;

/** An archive of which only the numbers count, a source that may be paused, and what was done, in order. */
class BackpressureRig {
  readonly steps: string[] = [];
  readonly archive: { waitingBytes: number; trouble: string | null } = { waitingBytes: 0, trouble: null };
  readonly backpressure = new Backpressure({
    archive: this.archive,
    limitBytes: LIMIT_BYTES,
    onDropping: (cause) => this.steps.push(`dropping for ${cause}`),
    onTaking: () => this.steps.push("taking"),
  });

  constructor(canPause = true) {
    this.backpressure.begin({
      canPause,
      pause: () => this.steps.push("pause"),
      resume: () => this.steps.push("resume"),
    });
  }

  /** A line is handed to the archive, of which so much waits then. */
  append(waitingBytes: number): void {
    this.archive.waitingBytes = waitingBytes;
    this.backpressure.noteAppended();
  }

  /** The archive has written until so much waits. */
  drain(waitingBytes: number): void {
    this.archive.waitingBytes = waitingBytes;
    this.backpressure.follow();
  }
}

Deno.test("Backpressure pauses the source at the limit and lets it go on when half is written", () => {
  const rig = new BackpressureRig();
  rig.append(999);
  assert.deepEqual(rig.steps, []);
  rig.append(1000);
  assert.deepEqual(rig.steps, ["pause"]);
  rig.drain(501);
  assert.deepEqual(rig.steps, ["pause"]);
  rig.drain(500);
  assert.deepEqual(rig.steps, ["pause", "resume"]);
});

Deno.test("Backpressure.hasRoom() has room for what a paused source had under way, and no more", () => {
  const rig = new BackpressureRig();
  rig.append(1000);
  rig.append(LIMIT_BYTES + OVERSHOOT_BYTES - 1);
  assert.equal(rig.backpressure.hasRoom(), true);
  rig.append(LIMIT_BYTES + OVERSHOOT_BYTES);
  assert.equal(rig.backpressure.hasRoom(), false);
});

Deno.test("Backpressure.hasRoom() asks and does nothing else", () => {
  const rig = new BackpressureRig();
  rig.archive.waitingBytes = 2000;
  assert.equal(rig.backpressure.hasRoom(), false);
  assert.equal(rig.backpressure.isPaused, false);
  assert.equal(rig.backpressure.isDropping, false);
  assert.deepEqual(rig.steps, []);
});

Deno.test("Backpressure drops at the limit where the source cannot be paused, until half is written", () => {
  const rig = new BackpressureRig(false);
  rig.append(1000);
  assert.equal(rig.backpressure.hasRoom(), false);
  rig.backpressure.noteDropped();
  rig.backpressure.noteDropped();
  rig.drain(501);
  assert.equal(rig.backpressure.hasRoom(), true);
  assert.equal(rig.backpressure.isDropping, true);
  rig.drain(500);
  assert.equal(rig.backpressure.isDropping, false);
  assert.deepEqual(rig.steps, ["dropping for overflow", "taking"]);
});

Deno.test("Backpressure reads on while the disk fails, and says that lines are dropped for the disk", () => {
  const rig = new BackpressureRig();
  rig.append(1000);
  rig.archive.trouble = "No space left on device";
  rig.backpressure.follow();
  assert.equal(rig.backpressure.hasRoom(), false);
  rig.backpressure.noteDropped();
  rig.archive.trouble = null;
  rig.backpressure.follow();
  assert.deepEqual(rig.steps, ["pause", "resume", "dropping for disk", "pause"]);
});

Deno.test("Backpressure.begin() pauses the next session at once while too much waits", () => {
  const rig = new BackpressureRig(false);
  rig.append(1000);
  rig.backpressure.end();
  rig.backpressure.begin({ canPause: true, pause: () => rig.steps.push("pause"), resume: () => {} });
  assert.deepEqual(rig.steps, ["pause"]);
});
