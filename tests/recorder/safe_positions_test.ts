import assert from "node:assert/strict";
import { SafePositions } from "../../lib/recorder/safe_positions.ts";
import { RETRY_MS } from "../../lib/archive/day/plain_writer.ts";
import { record } from "../archive/archive_rig.ts";
import { TestDisk } from "../archive/writer_bench.ts";
import { RecorderRig } from "../faults/recorder_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { HandMadeSource } from "../source/hand_made_source.ts";

/** A recorder of lines that a hand-made source keeps until they are safe, on a disk that fails as it is told. */
async function recordHandMade() {
  const clock = new FakeClock("2026-11-22T10:00:30Z");
  const disk = new TestDisk();
  const source = new HandMadeSource(clock);
  const rig = await RecorderRig.start({
    clock,
    env: { NATS_URL: "nats://127.0.0.1:1" }, // nothing connects to it
    openFile: disk.open,
    source: () => source,
  });
  await rig.untilEvent("recording");
  let number = 0;
  return {
    ...{ clock, disk, source, rig },
    handOver(count: number): void {
      for (const end = number + count; number < end; number++) source.handOver(record(number));
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

function refuse(): never {
  throw new Error("No space left on device (os error 28)");
}

Deno.test("A source is told of a position after the sync that covers it, and not before", async () => {
  await using hand = await recordHandMade();
  const { clock, disk, source, rig } = hand;
  const slow = Promise.withResolvers<void>();
  disk.plan = (step) => step === "sync" ? slow.promise : undefined;
  hand.handOver(3);
  await rig.untilRecorded(3);
  await clock.advanceAsync(1000);
  assert.deepEqual(source.safe, [], "the lines are in the file, and not on the disk");
  hand.handOver(2);
  await rig.untilRecorded(5);
  assert.equal(disk.durable.length, 0);
  const durableAt: number[] = [];
  source.onSafe = () => durableAt.push(disk.durableText.split("\n").length - 1);
  disk.plan = () => {};
  slow.resolve();
  await clock.advanceAsync(1000);
  await rig.until(() => source.safe.includes(5), "position 5");
  assert.deepEqual(source.safe, [3, 5]);
  assert.ok(durableAt[0]! >= 3 && durableAt[1] === 5, `on the disk: ${durableAt}`);
});

Deno.test("A source is told nothing while the disk refuses the lines, and all when it takes them", async () => {
  await using hand = await recordHandMade();
  const { clock, disk, source, rig } = hand;
  disk.plan = (step) => step === "write" ? refuse() : undefined;
  hand.handOver(3);
  await rig.untilEvent("disk takes no lines");
  await clock.advanceAsync(5 * RETRY_MS);
  assert.deepEqual(source.safe, []);
  disk.plan = (step) => step === "sync" ? refuse() : undefined;
  await clock.advanceAsync(5 * RETRY_MS);
  assert.deepEqual(source.safe, []);
  disk.plan = () => {};
  await clock.advanceAsync(2 * RETRY_MS);
  await rig.until(() => source.safe.length > 0, "a position");
  assert.deepEqual(source.safe, [3]);
});

for (const step of ["write", "sync"] as const) {
  Deno.test(`A source is never told of lines that the archive could not ${step} until it was closed`, async () => {
    await using hand = await recordHandMade();
    const { clock, disk, source, rig } = hand;
    hand.handOver(2);
    await clock.advanceAsync(1000);
    await rig.until(() => source.safe.length > 0, "position 2");
    disk.plan = (now) => now === step ? refuse() : undefined;
    hand.handOver(3);
    await rig.until(() => disk.log.at(-1) === step, "the refusal");
    await clock.advanceAsync(1000);
    await rig.stop();
    await clock.advanceAsync(1000);
    assert.deepEqual(source.safe, [2]);
  });
}

Deno.test("A source is told, after its session, of what it handed over until it was stopped", async () => {
  await using hand = await recordHandMade();
  const { source, rig } = hand;
  hand.handOver(4);
  await rig.stop();
  assert.deepEqual(source.steps, ["stop", "safe 4"]);
});

Deno.test("A source is told of what it handed over before its session was lost", async () => {
  await using hand = await recordHandMade();
  const { source, rig } = hand;
  hand.handOver(4);
  source.end({ cause: "disconnect", kind: "disconnect", message: "Connection lost", needsHelp: false });
  await rig.until(() => source.safe.length > 0, "a position");
  assert.deepEqual(source.safe, [4]);
});

Deno.test("Recording goes on when a source throws as it is told of a position", async () => {
  await using hand = await recordHandMade();
  const { clock, source, rig } = hand;
  source.onSafe = () => {
    throw new Error("Cannot forget");
  };
  hand.handOver(1);
  await clock.advanceAsync(1000);
  const { reason } = await rig.untilEvent("source not told what is safe");
  assert.equal(reason, "Cannot forget");
  hand.handOver(1);
  await rig.untilRecorded(2);
});

Deno.test("SafePositions.look() tells of nothing that covers a message which was dropped", async () => {
  const safe: unknown[] = [];
  let position = 1;
  let hasDropped = false;
  const positions = new SafePositions({
    archive: { sync: () => Promise.resolve(true) },
    positions: { current: () => position, onSafe: (told) => safe.push(told) },
    hasDropped: () => hasDropped,
  });
  await positions.look();
  position = 2;
  hasDropped = true;
  await positions.look();
  await positions.finish();
  assert.deepEqual(safe, [1]);
});

Deno.test("SafePositions.look() has nothing synced where nothing has come since", async () => {
  let syncs = 0;
  let position: number | null = null;
  const positions = new SafePositions({
    archive: { sync: () => (syncs++, Promise.resolve(true)) },
    positions: { current: () => position, onSafe() {} },
    hasDropped: () => false,
  });
  await positions.look();
  assert.equal(syncs, 0);
  position = 1;
  await positions.look();
  await positions.look();
  assert.equal(syncs, 1);
});
