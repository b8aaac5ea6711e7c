import assert from "node:assert/strict";
import { FakeClock } from "../rig/fake_clock.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { NumberedLines } from "./oracle.ts";
import { RecorderRig } from "./recorder_rig.ts";
import { StalledDisk } from "./stalled_disk.ts";

const MIB = 1024 * 1024;
const START = "2026-11-22T10:00:00Z";

Deno.test("Recorder holds the server back while its buffer is full, takes no more memory, and loses nothing", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  const lines = new NumberedLines(() => clock.now());
  const disk = new StalledDisk();
  await using rig = await RecorderRig.start({
    clock,
    env: { NATS_URL: server.url, BUFFER_LIMIT: "1MiB" },
    openFile: disk.open,
  });
  await rig.untilEvent("recording");
  await lines.publish(publisher, 100_000);
  await rig.until(() => rig.archive.waitingBytes >= MIB, "a full buffer");
  clock.advance(20_000); // whoever does not read hears no answer: that is no lost connection
  assert.ok(rig.archive.waitingBytes < 6 * MIB, `${rig.archive.waitingBytes} bytes wait`);
  disk.release();
  await rig.untilRecorded(100_000);
  const { kept, causes } = await rig.judge(lines);
  assert.equal(kept, 100_000);
  assert.deepEqual(causes, ["start"]);
});

Deno.test("Recorder drops and names what it cannot hold where the server cannot be held back", async () => {
  await using server = await NatsServer.start({ websocket: true });
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  const lines = new NumberedLines(() => clock.now());
  const disk = new StalledDisk();
  await using rig = await RecorderRig.start({
    clock,
    env: { NATS_URL: server.webSocketUrl, BUFFER_LIMIT: "1MiB" },
    openFile: disk.open,
  });
  await rig.untilEvent("recording");
  clock.advance(5_000);
  await lines.publish(publisher, 20_000);
  await rig.until(() => rig.recorder.status().counters.received === 20_000, "all messages");
  assert.ok(rig.archive.waitingBytes < 2 * MIB);
  assert.equal(rig.recorder.readiness().ready, false);
  clock.advance(1_000);
  disk.release();
  await rig.until(() => rig.archive.waitingBytes === 0, "an empty buffer");
  clock.advance(1_000);
  await lines.publish(publisher, 100);
  await rig.until(() => rig.recorder.status().counters.received === 20_100, "the last messages");
  await rig.until(() => rig.archive.waitingBytes === 0, "an empty buffer");
  assert.equal(rig.recorder.readiness().ready, true);
  const { dropped } = rig.recorder.status().counters;
  const { missing, causes } = await rig.judge(lines);
  assert.ok(dropped > 0);
  assert.equal(missing, dropped);
  assert.deepEqual(causes, ["overflow", "start"]);
});
