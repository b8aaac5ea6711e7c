import assert from "node:assert/strict";
import { FakeClock } from "../rig/fake_clock.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { copyAsCrashed } from "./crashed_copy.ts";
import { NumberedLines } from "./oracle.ts";
import { RecorderRig } from "./recorder_rig.ts";
import { StalledDisk } from "./stalled_disk.ts";

const START = "2026-11-22T10:00:00Z";

/** Longer than the margin by which gaps begin earlier, so that only what is meant covers what is missing. */
const STEP_MS = 2_500;
const STEPS = 5;

/** More than `BUFFER_LIMIT` in all the steps together. */
const LINES_PER_STEP = 100;

/** What can be spoilt. */
interface Spoilt {
  clock: FakeClock;
  disk: StalledDisk;
  proxy: TcpProxy;
  rig: RecorderRig;
}

/** What is wrong when the machine goes down. */
const FAULTS: [name: string, fault: (spoilt: Spoilt) => Promise<void> | void][] = [
  ["all is well", () => {}],
  ["the disk stalls and reading is held back", ({ disk }) => disk.stall()],
  ["the disk is full", ({ disk }) => disk.fail()],
  ["the connection is half-open and neither side knows", ({ proxy }) => proxy.halfOpen()],
  ["the connection is cut", async ({ proxy, rig }) => {
    await proxy.refuse();
    proxy.cut();
    await rig.untilEvent("session ended");
  }],
  ["the connection is cut and the disk is full", async ({ proxy, disk, rig }) => {
    disk.fail();
    await proxy.refuse();
    proxy.cut();
    await rig.untilEvent("session ended");
  }],
  ["the clock was set an hour ahead", ({ clock }) => clock.jump(3_600_000)],
];

for (const [name, fault] of FAULTS) {
  Deno.test(`Recorder that crashes while ${name} names every line that it did not keep`, async () => {
    await using server = await NatsServer.start();
    await using proxy = TcpProxy.start(server.port);
    await using publisher = await Publisher.connect({ port: server.port });
    const clock = new FakeClock(START);
    const lines = new NumberedLines(() => Date.parse(START) + clock.elapsed());
    const disk = new StalledDisk({ stalls: false });
    const env = { NATS_URL: `nats://127.0.0.1:${proxy.port}`, BUFFER_LIMIT: "64KiB" };
    const crashed = await Deno.makeTempDir({ prefix: "flightlog-crash-" });
    try {
      {
        await using rig = await RecorderRig.start({ clock, env, openFile: disk.open });
        await rig.untilEvent("recording");
        for (let step = 1; step <= STEPS; step++) {
          await lines.publish(publisher, LINES_PER_STEP);
          await rig.untilRecorded(step * LINES_PER_STEP);
          await clock.advanceAsync(STEP_MS);
        }
        await fault({ clock, disk, proxy, rig });
        for (let step = 1; step <= STEPS; step++) {
          await lines.publish(publisher, LINES_PER_STEP);
          await clock.advanceAsync(STEP_MS);
        }
        await copyAsCrashed(rig.directory, crashed);
        disk.release();
        proxy.resume();
      }
      await lines.publish(publisher, LINES_PER_STEP);
      clock.advance(STEP_MS);
      await using rig = await RecorderRig.start({ clock, env, directory: crashed });
      await rig.untilEvent("recording");
      const { kept } = await rig.judge(lines);
      assert.ok(kept >= STEPS * LINES_PER_STEP);
    } finally {
      await Deno.remove(crashed, { recursive: true });
    }
  });
}
