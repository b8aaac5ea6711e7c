import assert from "node:assert/strict";
import { join } from "node:path";
import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { parseDayName } from "../../lib/day.ts";
import { GAP_MARGIN_MS } from "../../lib/recorder/known_good.ts";
import { type FoundGap, NumberedLines } from "../faults/oracle.ts";
import { RecorderRig } from "../faults/recorder_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { numberedLine } from "../rig/fly_lines.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { HandMadeSource } from "../source/hand_made_source.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";

const START = "2026-11-22T10:00:00Z";
// A clock without fractions is up to a millisecond late, so a gap that ends now ends with the next one.
const START_MS = Date.parse(START);

Deno.test("Recorder names the time before its first session, and nothing else, when all is well", async () => {
  await using server = await NatsServer.start();
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  assert.deepEqual(rig.foundGaps(), [{ since: START_MS, until: START_MS + 1, cause: "start" }]);
  assert.equal(rig.recorder.readiness().ready, true);
});

Deno.test("Recorder notices a half-open connection within 30 s and begins the gap before it", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  const lines = new NumberedLines(() => clock.now());
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
  await rig.untilEvent("recording");
  await lines.publish(publisher, 10);
  await rig.untilRecorded(10);
  clock.advance(3_000);
  proxy.halfOpen();
  await lines.publish(publisher, 10);
  clock.advance(27_000);
  const { kind, reason } = await rig.untilEvent("session ended");
  assert.equal(kind, "disconnect");
  assert.equal(reason, "Connection lost: no sign of life for 30000 ms");
  await lines.publish(publisher, 10);
  proxy.resume();
  clock.advance(250);
  await rig.untilEvent("recording", rig.events.length);
  await lines.publish(publisher, 10);
  await rig.untilRecorded(20);
  const { kept, missing } = await rig.judge(lines);
  assert.deepEqual({ kept, missing }, { kept: 20, missing: 20 });
  assert.deepEqual(gapOf(rig, "disconnect"), {
    since: START_MS - GAP_MARGIN_MS,
    until: START_MS + 30_251,
    cause: "disconnect",
  });
});

Deno.test("Recorder notices a frozen server within 30 s", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  const lines = new NumberedLines(() => clock.now());
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  await lines.publish(publisher, 10);
  await rig.untilRecorded(10);
  server.freeze();
  clock.advance(30_000);
  await rig.untilEvent("session ended");
  server.thaw();
  await lines.publish(publisher, 10);
  clock.advance(250);
  await rig.untilEvent("recording", 4);
  const { kept, missing } = await rig.judge(lines);
  assert.deepEqual({ kept, missing }, { kept: 10, missing: 10 });
});

Deno.test("Recorder ends a session that answers but brings no line for STALL_AFTER", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url, STALL_AFTER: "4s" } });
  await rig.untilEvent("recording");
  clock.advance(2_000);
  const { subject, payload } = numberedLine(0, { timestamp: "2026-11-22T10:00:02Z" });
  await publisher.publishAll([{ subject, payload }]);
  await rig.untilRecorded(1);
  clock.advance(2_000);
  assert.equal(rig.recorder.status().state, "recording");
  clock.advance(4_000);
  const { kind, reason } = await rig.untilEvent("session ended");
  assert.equal(kind, "stall");
  assert.equal(reason, "Stream stalled: no line within 4000 ms");
  assert.deepEqual(gapOf(rig, "stall"), { since: START_MS + 1_000, until: Infinity, cause: "stall" });
});

Deno.test("Recorder begins the gap of a stream that never brought a line where the session began", async () => {
  await using server = await NatsServer.start();
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url, STALL_AFTER: "25s" } });
  await rig.untilEvent("recording");
  clock.advance(10_000); // a PING goes out, and its answer says nothing about the stream
  clock.advance(15_000);
  await rig.untilEvent("session ended");
  assert.deepEqual(gapOf(rig, "stall"), {
    since: START_MS - GAP_MARGIN_MS,
    until: Infinity,
    cause: "stall",
  });
});

Deno.test("Recorder tries a refused token again every 15 s, and never shows it", async () => {
  const env = { ORG: "personal", ACCESS_TOKEN: "FlyV1 fm2_s3cr3t,fm2_0ther" };
  await using server = await NatsServer.start({ user: "personal", password: "revoked" });
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { ...env, NATS_URL: server.url } });
  const ended = await rig.untilEvent("session ended");
  assert.equal(ended.kind, "refused");
  assert.match(String(ended.reason), /^Cannot open a session with "nats:\/\/127\.0\.0\.1:\d+": /);
  assert.match(
    rig.recorder.readiness().reasons.join(),
    /^There is no session with .*: waiting\. Cannot open /,
  );
  await server.reload({ password: "fm2_s3cr3t,fm2_0ther" });
  clock.advance(14_999);
  assert.equal(rig.recorder.status().state, "waiting");
  clock.advance(1);
  await rig.untilEvent("recording");
  const shown = JSON.stringify([rig.events, rig.recorder.status(), rig.recorder.readiness()]);
  assert.doesNotMatch(shown, /s3cr3t|0ther/);
  assert.deepEqual(rig.foundGaps().map(({ cause }) => cause), ["start", "refused"]);
});

Deno.test("Recorder calls a denied subscription refused, and records once it is allowed", async () => {
  const allow = (subject: string) =>
    `authorization { users: [{ user: a, password: b, permissions: { subscribe: "${subject}" } }] }`;
  await using server = await NatsServer.start({ config: allow("other.>") });
  const clock = new FakeClock(START);
  const url = new URL(server.url);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: `nats://a:b@${url.host}` } });
  const { kind } = await rig.untilEvent("session ended");
  assert.equal(kind, "denied");
  assert.deepEqual(rig.gaps.open.map(({ cause }) => cause), ["start", "refused"]);
  await server.reload({ config: allow("logs.>") });
  clock.advance(250);
  await rig.untilEvent("recording");
  assert.equal(rig.gaps.open.length, 0);
});

Deno.test("Recorder waits longer after each failure and starts over after a minute of health", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  await proxy.refuse();
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
  for (const longestMs of [250, 500, 1000, 2000]) {
    const from = rig.events.length;
    await rig.until(() => rig.recorder.status().state === "waiting", "the wait");
    clock.advance(longestMs);
    await rig.untilEvent("session ended", from);
  }
  proxy.resume();
  await rig.until(() => rig.recorder.status().state === "waiting", "the wait");
  clock.advance(4_000);
  await rig.untilEvent("recording");
  for (let second = 0; second < 60; second += 10) {
    clock.advance(10_000); // a line between two PINGs is heard, too
    await publisher.publishAll([numberedLine(second)]);
    await rig.untilRecorded(second / 10 + 1);
  }
  proxy.cut();
  await rig.until(() => rig.recorder.status().state === "waiting", "the end");
  const from = rig.events.length;
  clock.advance(250);
  await rig.untilEvent("recording", from);
});

Deno.test("Recorder does not move the mark past what the server has confirmed", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
  await rig.untilEvent("recording");
  const heartbeatFiles = new HeartbeatFiles(rig.directory);
  await rig.until(() => heartbeatFiles.read() === START_MS - GAP_MARGIN_MS, "the mark at the beginning");
  proxy.halfOpen();
  await clock.advanceAsync(9_999); // the mark is due, but nobody knows what the server holds
  await rig.gaps.flush();
  assert.equal(heartbeatFiles.read(), START_MS - GAP_MARGIN_MS);
  proxy.resume();
});

Deno.test("Recorder moves the mark as lines come and are synced", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  const heartbeatFiles = new HeartbeatFiles(rig.directory);
  await rig.until(() => heartbeatFiles.read() === START_MS - GAP_MARGIN_MS, "the mark at the beginning");
  clock.advance(4_000);
  // One line was on its way for two seconds: others may be so late, too.
  await publisher.publishAll([
    numberedLine(0, { timestamp: "2026-11-22T10:00:02Z" }),
    numberedLine(1, { timestamp: "2026-11-22T10:00:04Z" }),
  ]);
  await rig.untilRecorded(2);
  clock.advance(1_000);
  await rig.until(() => heartbeatFiles.read() === START_MS + 4_000 - 2_000 - GAP_MARGIN_MS, "the mark");
});

Deno.test("Recorder begins a gap where it was even if a line claims to be from the future", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  clock.advance(1_000);
  await publisher.publishAll([
    numberedLine(0, { timestamp: "2026-11-22T10:00:31Z" }),
    numberedLine(1, { timestamp: "2026-11-23T10:00:31Z" }),
    numberedLine(2, { timestamp: "0001-01-01T00:00:00Z" }),
  ]);
  await rig.untilRecorded(3);
  await server.kill();
  await rig.untilEvent("session ended");
  assert.equal(gapOf(rig, "disconnect")?.since, START_MS);
});

Deno.test("Recorder sends no canary where the source brings none back", async () => {
  const clock = new FakeClock(START);
  const fly = { FLY_APP_NAME: "flightlog", FLY_REGION: "sjc", FLY_MACHINE_ID: "e784", API_TOKEN: "secret" };
  const env = { ...fly, NATS_URL: "nats://127.0.0.1:1" }; // nothing connects to it
  for (const hasEcho of [false, true]) {
    const source = new HandMadeSource(clock, { hasEcho });
    await using rig = await RecorderRig.start({ clock, env, source: () => source });
    await rig.untilEvent("recording");
    assert.equal(rig.printed.length, hasEcho ? 1 : 0);
    assert.equal(rig.recorder.status().canary === null, !hasEcho);
    if (!hasEcho) continue;
    source.echo(rig.printed[0]!);
    assert.equal(rig.recorder.status().canary?.everReturned, true);
  }
});

Deno.test("Recorder tries again when a source fails in a way that it has no word for", async () => {
  const clock = new FakeClock(START);
  const source = new HandMadeSource(clock);
  source.fault = new TypeError("Cannot read properties of undefined");
  const env = { NATS_URL: "nats://127.0.0.1:1" }; // nothing connects to it
  await using rig = await RecorderRig.start({ clock, env, source: () => source });
  const { kind, reason } = await rig.untilEvent("session ended");
  assert.deepEqual([kind, reason], ["fault", "Cannot read properties of undefined"]);
  source.fault = null;
  clock.advance(250);
  await rig.untilEvent("recording");
});

Deno.test("Recorder.stop() ends a session that is confirmed in the same moment", async () => {
  await using server = await NatsServer.start();
  const clock = new FakeClock(START);
  const opened = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  await using rig = await RecorderRig.start({
    clock,
    env: { NATS_URL: server.url },
    source: (stream) => ({
      ...{ name: stream.name, details: stream.details, hasEcho: stream.hasEcho },
      async open(listener) {
        const session = await stream.open(listener, new AbortController().signal);
        opened.resolve();
        await goOn.promise;
        return session;
      },
    }),
  });
  await opened.promise;
  const stopping = rig.stop();
  goOn.resolve();
  assert.equal(await stopping, 0);
  assert.deepEqual(rig.foundGaps(), [{ since: START_MS, until: Infinity, cause: "start" }]);
});

Deno.test("Recorder.stop() ends while the disk fails, and leaves the mark where it was", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({
    clock,
    env: { NATS_URL: server.url },
    openFile: () => Promise.reject(new Error("No space left on device (os error 28)")),
  });
  await rig.untilEvent("recording");
  const heartbeatFiles = new HeartbeatFiles(rig.directory);
  await rig.until(() => heartbeatFiles.read() === START_MS - GAP_MARGIN_MS, "the mark at the beginning");
  clock.advance(3_000);
  await publisher.publishAll([numberedLine(0, { timestamp: "2026-11-22T10:00:03Z" })]);
  await rig.untilEvent("disk takes no lines");
  assert.match(rig.recorder.readiness().reasons.join(), /^The disk takes no lines: No space left/);
  clock.advance(2_000); // the mark is due, and waits for the disk
  assert.equal(await rig.stop(), 1);
  assert.equal(heartbeatFiles.read(), START_MS - GAP_MARGIN_MS);
});

Deno.test("Recorder begins a crash's gap at the mark, and not in the future of a clock that was set back", async () => {
  await using server = await NatsServer.start();
  const directory = await Deno.makeTempDir({ prefix: "flightlog-recorder-" });
  try {
    await new HeartbeatFiles(directory).move(START_MS + 3_600_000);
    const clock = new FakeClock(START);
    await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url }, directory });
    await rig.untilEvent("recording");
    assert.deepEqual(rig.foundGaps(), [{ since: START_MS, until: START_MS + 1, cause: "crash" }]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

for (
  const [name, missingBytes, since] of [
    ["note, where the archive has what that rests on", 0, "2026-11-22T09:59:58.000Z"],
    ["mark, where it has not", 1, "2026-11-22T09:59:55.000Z"],
  ] as const
) {
  Deno.test(`Recorder begins a crash's gap at the ${name}`, async () => {
    await using server = await NatsServer.start();
    const directory = await Deno.makeTempDir({ prefix: "flightlog-recorder-" });
    try {
      const line = numberedLine(0, { timestamp: "2026-11-22T09:59:00Z" }).payload + "\n";
      await Deno.writeTextFile(join(directory, "2026-11-22.jsonl"), line);
      const heartbeatFiles = new HeartbeatFiles(directory);
      await heartbeatFiles.move(START_MS - 5_000);
      const days = [{ day: parseDayName("2026-11-22")!, bytes: line.length + missingBytes, synced: 0 }];
      await heartbeatFiles.note({ sinceMs: START_MS - 2_000, lastGap: 0, days });
      const clock = new FakeClock(START);
      await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url }, directory });
      await rig.untilEvent("recording");
      assert.equal(gapOf(rig, "crash")?.since, Date.parse(since));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** The moment of the note; 0 where there is none. */
function notedMs({ heartbeatFiles }: RecorderRig): number {
  const note = heartbeatFiles.readNote();
  return note === null || note === "damaged" ? 0 : note.sinceMs;
}

Deno.test("Recorder notes, several times a second, up to when everything is in the files", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url } });
  await rig.untilEvent("recording");
  clock.advance(4_000);
  await publisher.publishAll([numberedLine(0, { timestamp: "2026-11-22T10:00:04Z" })]);
  await rig.untilRecorded(1);
  await rig.until(() => {
    clock.advance(100);
    return notedMs(rig) === START_MS + 4_000 - GAP_MARGIN_MS;
  }, "the note");
});

Deno.test("Recorder asks a server that is silent whether there was anything, and notes that there was not", async () => {
  await using server = await NatsServer.start();
  const clock = new FakeClock(START);
  await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url }, askAfterMs: 400 });
  await rig.untilEvent("recording");
  await rig.until(() => {
    clock.advance(100);
    return notedMs(rig) >= START_MS + 400 - GAP_MARGIN_MS;
  }, "the note");
});

Deno.test("Recorder takes the end of the last gap for the beginning of the next when the mark is lost", async () => {
  await using server = await NatsServer.start();
  const directory = await Deno.makeTempDir({ prefix: "flightlog-recorder-" });
  try {
    const clock = new FakeClock("2026-11-22T10:01:00Z");
    await Deno.writeTextFile(
      join(directory, "gaps.jsonl"),
      '{"id":1,"since":"2026-11-22T10:00:00.000Z","until":"2026-11-22T10:00:05.000Z","cause":"start","state":"lost"}\n',
    );
    await using rig = await RecorderRig.start({ clock, env: { NATS_URL: server.url }, directory });
    await rig.untilEvent("recording");
    assert.deepEqual(gapOf(rig, "crash"), {
      since: START_MS + 5_000,
      until: START_MS + 60_001,
      cause: "crash",
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Recorder goes on after a stop without a crash, and with its gap", async () => {
  await using server = await NatsServer.start();
  const directory = await Deno.makeTempDir({ prefix: "flightlog-recorder-" });
  try {
    const clock = new FakeClock(START);
    const options = { clock, env: { NATS_URL: server.url }, directory };
    {
      await using first = await RecorderRig.start(options);
      await first.untilEvent("recording");
      clock.advance(2_000);
    }
    clock.advance(60_000);
    await using second = await RecorderRig.start(options);
    await second.untilEvent("recording");
    assert.deepEqual(second.foundGaps().slice(1), [
      { since: START_MS + 2_000 - GAP_MARGIN_MS, until: START_MS + 62_001, cause: "stop" },
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

function gapOf(rig: RecorderRig, cause: string): FoundGap | undefined {
  return rig.foundGaps().find((gap) => gap.cause === cause);
}
