import assert from "node:assert/strict";
import { FakeClock } from "../rig/fake_clock.ts";
import { type FlyLine, numberedLine } from "../rig/fly_lines.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { NumberedLines } from "./oracle.ts";
import { RecorderRig } from "./recorder_rig.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

for (
  const [name, jumpMs] of [
    ["an hour ahead", HOUR_MS],
    ["an hour back", -HOUR_MS],
    ["a day ahead", DAY_MS],
    ["a day back", -DAY_MS],
  ] as const
) {
  Deno.test(`Recorder keeps and names all lines when its clock jumps ${name}`, async () => {
    await using server = await NatsServer.start();
    const startMs = Date.parse("2026-11-22T10:00:00Z");
    const clock = new FakeClock(startMs);
    // The machines that print the lines have clocks of their own, which do not jump.
    const lines = new NumberedLines(() => startMs + clock.elapsed());
    await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
    await rig.untilEvent("recording");
    {
      await using publisher = await Publisher.connect({ port: server.port });
      await lines.publish(publisher, 10);
      await rig.untilRecorded(10);
      clock.advance(5_000);
      clock.jump(jumpMs);
      await lines.publish(publisher, 10);
      await rig.untilRecorded(20);
    }
    await server.stop();
    await rig.untilEvent("session ended");
    clock.advance(10);
    [...lines.take(10)]; // printed, and carried by no server
    const from = rig.events.length;
    await server.restart();
    await rig.until(() => rig.recorder.status().state === "waiting", "the wait");
    clock.advance(20_000);
    await rig.untilEvent("recording", from);
    await using publisher = await Publisher.connect({ port: server.port });
    await lines.publish(publisher, 10);
    await rig.untilRecorded(30);
    const { kept, missing } = await rig.judge(lines);
    assert.deepEqual({ kept, missing }, { kept: 30, missing: 10 });
  });
}

Deno.test("Recorder parts the lines at midnight by their own time, also from one year to the next", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock("2026-12-31T23:59:58Z");
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  const before = at(0, "2026-12-31T23:59:59.999999999Z");
  const on = at(1, "2027-01-01T00:00:00Z");
  const elsewhere = at(2, "2027-01-01T00:59:59.9+01:00");
  const after = at(3, "2027-01-01T00:00:00.000000001Z");
  await publisher.publishAll([before, on]);
  await rig.untilRecorded(2);
  clock.advance(3_000);
  await publisher.publishAll([elsewhere, after]);
  await rig.untilRecorded(4);
  assert.deepEqual([...await rig.texts()], [
    ["2026-12-31", `${before.payload}\n${elsewhere.payload}\n`],
    ["2027-01-01", `${on.payload}\n${after.payload}\n`],
  ]);
});

Deno.test("Recorder seals a day an hour after its end and still keeps what comes later for it", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock("2026-11-22T23:59:59Z");
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  const first = at(0, "2026-11-22T23:59:59Z");
  const late = at(1, "2026-11-22T12:00:00Z");
  const latest = at(2, "2026-11-22T13:00:00Z");
  await publisher.publishAll([first]);
  await rig.untilRecorded(1);
  await rig.archive.sync();
  clock.skip(HOUR_MS + 2_000);
  await rig.archive.maintain();
  assert.equal(rig.archive.days()[0]!.sealed, true);
  await publisher.publishAll([late]);
  await rig.untilRecorded(2);
  await rig.archive.sync();
  clock.skip(HOUR_MS);
  await rig.archive.maintain();
  assert.equal(rig.archive.days()[0]!.sealed, true);
  await publisher.publishAll([latest]);
  await rig.untilRecorded(3);
  assert.deepEqual([...await rig.texts()], [
    ["2026-11-22", `${first.payload}\n${late.payload}\n${latest.payload}\n`],
  ]);
});

function at(number: number, timestamp: string): FlyLine {
  return numberedLine(number, { timestamp });
}
