import assert from "node:assert/strict";
import * as v from "valibot";
import { join } from "node:path";
import { statusSchema } from "../../routes/wire/status.ts";
import { daysSchema } from "../../routes/wire/days.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { ask, checkOracle, NumberedLines, untilRecorded, untilStatus, untilWritten } from "./oracle.ts";
import { RecorderRig } from "./recorder_rig.ts";
import { canMount, SmallVolume } from "./small_volume.ts";
import { StalledDisk } from "./stalled_disk.ts";

const MIB = 1024 * 1024;
const needed = canMount ? "" : " (ignored: this needs the right to mount a tmpfs)";

Deno.test({
  name: `Flightlog records on when a full disk has room again, and names what it could not hold${needed}`,
  ignore: !canMount,
  async fn() {
    await using volume = await SmallVolume.mount(4 * MIB);
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const options = {
      env: { NATS_URL: server.url, BUFFER_LIMIT: "256KiB", MAX_DISK_PERCENT: "0" },
      logDirectory: volume.directory,
    };
    {
      await using flightlog = await FlightlogProcess.start(options);
      await flightlog.untilLog("recording");
      await lines.publish(publisher, 1000);
      await untilRecorded(flightlog, 1000);
      await untilWritten(flightlog);
      await volume.fill();

      await lines.publish(publisher, 1000);
      await flightlog.untilLog("disk takes no lines");
      await lines.publish(publisher, 3000);
      const { reasons } = await untilStatus(
        flightlog,
        ({ counters }) => counters.dropped! > 0,
        "dropped lines",
      );
      assert.match(reasons.join(), /^The disk takes no lines: No space left on device/);
      const ready = await fetch(`${flightlog.url}/ready`);
      assert.equal(ready.status, 503);
      assert.deepEqual((await ready.json()).reasons, reasons);
      assert.ok((await (await ask(flightlog, "/logs/today")).text()).includes("line=999"));

      await volume.free();
      await untilStatus(flightlog, ({ ready }) => ready, "the end of the trouble");
      const { counters } = await untilStatus(flightlog, () => true, "a status");
      await lines.publish(publisher, 100);
      await untilRecorded(flightlog, counters.recorded! + 100);
      const { kept, missing, causes } = await checkOracle(flightlog, lines);
      assert.ok(kept >= 1100 && missing > 0);
      assert.deepEqual(causes, ["disk", "start"]);
      assert.equal((await flightlog.stop()).code, 0);
    }
    await using again = await FlightlogProcess.start(options);
    await again.untilLog("recording");
    const { causes } = await checkOracle(again, lines);
    assert.deepEqual(causes, ["disk", "start", "stop"]);
  },
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test({
    name: `Flightlog ended by ${signal} while the disk is full names what it held${needed}`,
    ignore: !canMount,
    async fn() {
      await using volume = await SmallVolume.mount(4 * MIB);
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      const lines = new NumberedLines();
      const options = {
        env: { NATS_URL: server.url, MAX_DISK_PERCENT: "0" },
        logDirectory: volume.directory,
      };
      {
        await using flightlog = await FlightlogProcess.start(options);
        await flightlog.untilLog("recording");
        await lines.publish(publisher, 1000);
        await untilRecorded(flightlog, 1000);
        await untilWritten(flightlog);
        await volume.fill();
        await lines.publish(publisher, 2000);
        await flightlog.untilLog("disk takes no lines");
        await untilRecorded(flightlog, 3000);
        flightlog.signal(signal);
        await flightlog.status;
      }
      await volume.free();
      await using again = await FlightlogProcess.start(options);
      await again.untilLog("recording");
      const { kept, missing } = await checkOracle(again, lines);
      assert.ok(kept >= 1000 && missing > 0, `${kept} kept, ${missing} missing`);
    },
  });
}

Deno.test({
  name: `Flightlog says of each answer how many of its lines wait for a full disk${needed}`,
  ignore: !canMount,
  async fn() {
    await using volume = await SmallVolume.mount(4 * MIB);
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    await using flightlog = await FlightlogProcess.start({
      env: { NATS_URL: server.url, MAX_DISK_PERCENT: "0" },
      logDirectory: volume.directory,
    });
    await flightlog.untilLog("recording");
    await lines.publish(publisher, 10);
    await untilRecorded(flightlog, 10);
    await untilWritten(flightlog);
    // Whole milliseconds: the gap of the first start ends before this one, the lines to come begin in it or later.
    const since = new Date().toISOString();
    await volume.fill();
    await lines.publish(publisher, 5700);
    await flightlog.untilLog("disk takes no lines");
    await untilRecorded(flightlog, 5710);
    const until = new Date().toISOString();

    // The first few may have found room in the last page of the file, which is there already.
    const readable = (await (await ask(flightlog, "/logs/today")).text()).split("\n").length - 1;
    assert.ok(readable < 100, `${readable} lines`);
    const count = 5710 - readable;
    const search = await ask(flightlog, `/search?since=${since}`);
    assert.equal(search.headers.get("log-coverage"), `partial; held=${count}`);
    assert.equal((await search.text()).split("\n").length - 1 < 5700, true);
    const before = await ask(flightlog, `/search?since=2026-01-01&until=2026-01-02`);
    await before.body?.cancel();
    assert.doesNotMatch(before.headers.get("log-coverage")!, /held/);
    const today = await ask(flightlog, `/logs/today?since=${since}&until=${until}`);
    await today.body?.cancel();
    assert.equal(today.headers.get("log-coverage"), `partial; held=${count}`);
    const whole = await ask(flightlog, "/logs/today");
    await whole.body?.cancel();
    assert.match(whole.headers.get("log-coverage")!, new RegExp(`; held=${count}$`));
    const { days: [day] } = v.parse(daysSchema, await (await ask(flightlog, "/logs")).json());
    assert.equal(day?.held, count);
    const { held } = v.parse(statusSchema, await (await ask(flightlog, "/status")).json());
    assert.equal(held?.lines, count);
    assert.equal(held?.reason, "No space left on device (os error 28)");
    assert.ok(since <= held.since && held.since <= until);
    assert.match(
      await (await fetch(`${flightlog.url}/`)).text(),
      new RegExp(`${count.toLocaleString("en-US")} wait`),
    );

    await volume.free();
    await flightlog.untilLog("disk takes lines again");
    await untilWritten(flightlog);
    const after = await ask(flightlog, `/search?since=${since}`);
    assert.equal(after.headers.get("log-coverage"), "complete");
    assert.equal((await after.text()).split("\n").length - 1, 5700);
    assert.equal(v.parse(statusSchema, await (await ask(flightlog, "/status")).json()).held, null);
  },
});

Deno.test({
  name: `Flightlog starts on a full disk, says so, and records when there is room${needed}`,
  ignore: !canMount,
  async fn() {
    await using volume = await SmallVolume.mount(4 * MIB);
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const options = {
      env: { NATS_URL: server.url, MAX_DISK_PERCENT: "0" },
      logDirectory: volume.directory,
    };
    {
      await using first = await FlightlogProcess.start(options);
      await first.untilLog("recording");
      await lines.publish(publisher, 100);
      await untilRecorded(first, 100);
      await first.stop();
    }
    await volume.fill();
    await using flightlog = await FlightlogProcess.start(options);
    await flightlog.untilLog("recording");
    await lines.publish(publisher, 2000);
    await flightlog.untilLog("disk takes no lines");
    await volume.free();
    await flightlog.untilLog("disk takes lines again");
    await untilRecorded(flightlog, 2000);
    const { kept } = await checkOracle(flightlog, lines);
    assert.equal(kept, 2100);
  },
});

Deno.test({
  name: `Flightlog does not start on a volume that is read-only${needed}`,
  ignore: !canMount,
  async fn() {
    await using volume = await SmallVolume.mount(MIB, "ro");
    await using flightlog = await FlightlogProcess.start({
      env: { NATS_URL: "nats://127.0.0.1:1" },
      logDirectory: join(volume.directory, "logs"),
      untilListening: false,
    });
    const { code } = await flightlog.status;
    await flightlog.log.ended();
    assert.equal(code, 2);
    assert.match(flightlog.log.lines.join("\n"), /^Cannot start: .*Read-only file system/m);
  },
});

Deno.test("Recorder begins the gap of a full disk with the first line that is in no file", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock("2026-11-22T10:00:00Z");
  const lines = new NumberedLines(() => clock.now());
  const disk = new StalledDisk({ stalls: false });
  const env = { NATS_URL: server.url, BUFFER_LIMIT: "64KiB" };
  await using rig = await RecorderRig.start({ clock, env, openFile: disk.open });
  await rig.untilEvent("recording");
  await lines.publish(publisher, 100);
  await rig.untilRecorded(100);
  await clock.advanceAsync(100);
  disk.fail();
  // Half a minute of lines fits into memory before the first is dropped.
  for (let received = 200; rig.recorder.status().counters.dropped === 0; received += 100) {
    await lines.publish(publisher, 100);
    await rig.until(() => rig.recorder.status().counters.received >= received, `${received} lines`);
    await clock.advanceAsync(10_000);
  }
  const { kept, claims } = await rig.judge(lines);
  assert.equal(kept, 100);
  assert.deepEqual(claims.map(({ cause }) => cause), ["start"]);
  assert.deepEqual(rig.gaps.open.map(({ cause, sinceMs }) => [cause, new Date(sinceMs).toISOString()]), [
    ["disk", "2026-11-22T09:59:59.000Z"],
  ]);
  disk.release();
});

Deno.test("Flightlog records today although a directory has taken its name, and says so", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-taken-" });
  try {
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const file = `${new Date().toISOString().slice(0, 10)}.jsonl`;
    await Deno.mkdir(join(directory, file, "inside"), { recursive: true });
    await using flightlog = await FlightlogProcess.start({
      env: { NATS_URL: server.url },
      logDirectory: directory,
    });
    await flightlog.untilLog("recording");
    await lines.publish(publisher, 100);
    await untilRecorded(flightlog, 100);
    const { kept } = await checkOracle(flightlog, lines);
    assert.equal(kept, 100);
    const { repaired, ready } = v.parse(statusSchema, await (await ask(flightlog, "/status")).json());
    assert.equal(ready, true);
    assert.deepEqual(repaired, [{ file, what: `was a directory: kept as "${file}.damaged"` }]);
    assert.equal((await Deno.stat(join(directory, `${file}.damaged`, "inside"))).isDirectory, true);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
