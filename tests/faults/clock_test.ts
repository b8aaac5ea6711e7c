import assert from "node:assert/strict";
import { FakeClock } from "../rig/fake_clock.ts";
import { type FlyLine, numberedLine } from "../rig/fly_lines.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { copyAsCrashed } from "./crashed_copy.ts";
import { GapTally } from "./gap_tally.ts";
import { NumberedLines } from "./oracle.ts";
import { RecorderRig } from "./recorder_rig.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const tally = GapTally.ofFile();

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

Deno.test("Recorder names the lines of a cut just after its clock was set back, where they are and nowhere else", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const startMs = Date.parse("2026-11-22T10:00:00Z");
  const clock = new FakeClock(startMs + HOUR_MS);
  const lines = new NumberedLines(() => startMs + clock.elapsed());
  await using proxy = TcpProxy.start(server.port);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
  await rig.untilEvent("recording");
  await publishFor(5_000, { clock, lines, publisher, rig });
  clock.jump(-HOUR_MS);
  await publishFor(3_000, { clock, lines, publisher, rig });
  await cutFor(2_000, { clock, lines, publisher, rig, proxy });
  await publishFor(1_000, { clock, lines, publisher, rig });
  const { missing, claims } = await rig.judge(lines);
  assert.ok(missing >= 20);
  const cut = claims.filter(({ cause }) => cause === "disconnect");
  assert.deepEqual(cut.map((claim) => claim.missing), [missing]);
  tally.add(cut);
  assert.ok(cut[0]!.excessMs <= 1_500, `${cut[0]!.excessMs} ms too much`);
});

for (const outageMs of [12_000, 60_000]) {
  Deno.test(`Recorder names one gap for an outage of ${outageMs / 1000} s, and little more than that`, async () => {
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    await using proxy = TcpProxy.start(server.port);
    const clock = new FakeClock("2026-11-22T10:00:00Z");
    const lines = new NumberedLines(() => clock.now());
    await using rig = await RecorderRig.start({
      clock,
      env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` },
    });
    await rig.untilEvent("recording");
    const way = { clock, lines, publisher, rig };
    await publishFor(5_000, way);
    await cutFor(outageMs, { ...way, proxy });
    await publishFor(1_000, way);
    const { missing, claims } = await rig.judge(lines);
    const cut = claims.filter(({ cause }) => cause === "disconnect");
    assert.deepEqual(cut.map((claim) => claim.missing), [missing]);
    assert.ok(cut[0]!.lostMs >= outageMs - 100, `${cut[0]!.lostMs} ms were lost`);
    tally.add(cut);
  });
}

for (
  const [name, firstMs, secondMs] of [
    ["whose clock was an hour ahead, under the right one", HOUR_MS, 0],
    ["whose clock was right, under one that is an hour behind", 0, -HOUR_MS],
    ["whose clock was an hour behind, under the right one", -HOUR_MS, 0],
    ["whose clock was right, under one that is an hour ahead", 0, HOUR_MS],
  ] as const
) {
  Deno.test(`Recorder started again after a crash ${name}, names every line that it missed`, async () => {
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const startMs = Date.parse("2026-11-22T10:00:00Z");
    const clock = new FakeClock(startMs + firstMs);
    const lines = new NumberedLines(() => startMs + clock.elapsed());
    const env = { NATS_URL: server.url };
    const crashed = await Deno.makeTempDir({ prefix: "flightlog-clock-" });
    try {
      {
        await using rig = await RecorderRig.start({ clock, env });
        await rig.untilEvent("recording");
        await publishFor(20_000, { clock, lines, publisher, rig });
        await rig.archive.sync();
        await copyAsCrashed(rig.directory, crashed);
      }
      for (let second = 0; second < 10; second++) {
        await lines.publish(publisher, 10);
        clock.advance(1_000);
      }
      clock.jump(secondMs - firstMs);
      await using rig = await RecorderRig.start({ clock, env, directory: crashed });
      await rig.untilEvent("recording");
      await publishFor(1_000, { clock, lines, publisher, rig });
      const { kept, missing } = await rig.judge(lines);
      assert.deepEqual({ kept, missing }, { kept: 210, missing: 100 });
      assert.deepEqual(rig.gaps.open, []);
    } finally {
      await Deno.remove(crashed, { recursive: true });
    }
  });
}

for (const lateMs of [50_000, 90_000, 500_000]) {
  for (const [name, isAll] of [["all", true], ["half", false]] as const) {
    Deno.test(`Recorder names ${name} the lines of a cut at their own times when they come ${lateMs / 1000} s late`, async () => {
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      await using proxy = TcpProxy.start(server.port);
      const clock = new FakeClock("2026-11-22T10:00:00Z");
      const lines = new NumberedLines(() => clock.now());
      await using rig = await RecorderRig.start({
        clock,
        env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` },
      });
      await rig.untilEvent("recording");
      const way = { clock, lines, publisher, rig, lateMs, isAll };
      await publishFor(5_000, way);
      await cutFor(3_400, { ...way, proxy });
      const { missing, claims } = await rig.judge(lines);
      assert.ok(missing >= (isAll ? 34 : 68));
      const claimed = claims.filter(({ cause }) => cause === "disconnect");
      const late = claimed.map((claim) => claim.missing > 0);
      tally.add(claimed);
      assert.deepEqual(late, [true, !isAll]); // by the watch no line is missing where all were late
      for (const { excessMs, missing } of claimed) {
        if (missing > 0) assert.ok(excessMs <= 1_500, `${excessMs} ms too much`);
      }
    });
  }
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

/** What lines go through. */
interface Way {
  clock: FakeClock;
  lines: NumberedLines;
  publisher: Publisher;
  rig: RecorderRig;
  /** How late lines come. Default: not at all. */
  lateMs?: number;
  /** Whether no line comes in time. */
  isAll?: boolean;
}

/** Lets `ms` pass, with a line every 100 ms, or one late and one in time, and has them recorded. */
async function publishFor(ms: number, way: Way): Promise<void> {
  const { clock, rig } = way;
  for (let passed = 0; passed < ms; passed += 100) {
    const count = rig.recorder.status().counters.recorded + await publishOnce(way);
    await rig.untilRecorded(count);
    await clock.advanceAsync(100);
  }
}

/** Cuts the connection for at least so long; lines go on as in {@linkcode publishFor}, and none of them arrives. */
async function cutFor(ms: number, way: Way & { proxy: TcpProxy }): Promise<void> {
  const { clock, rig, proxy } = way;
  await proxy.refuse();
  proxy.cut();
  await rig.untilEvent("session ended");
  for (let passed = 0;; passed += 100) {
    if (passed >= ms) proxy.resume();
    await rig.until(() => rig.recorder.status().state !== "connecting", "the end of a try");
    if (rig.recorder.status().state === "recording") return;
    await publishOnce(way);
    await clock.advanceAsync(100);
  }
}

/** Publishes what is printed at one moment; returns how many lines. */
async function publishOnce({ lines, publisher, lateMs = 0, isAll = false }: Way): Promise<number> {
  await lines.publish(publisher, 1, lateMs);
  if (isAll || lateMs === 0) return 1;
  await lines.publish(publisher, 1);
  return 2;
}
