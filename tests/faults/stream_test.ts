import assert from "node:assert/strict";
import { HandMadeServer, INFO, readUntil, writeAll } from "../source/nats/hand_made_server.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { numberedLine } from "../rig/fly_lines.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { ask, checkOracle, NumberedLines, untilRecorded, untilStatus, untilWritten } from "./oracle.ts";

/** What is done to a server, and what becomes of the lines that it was given meanwhile. */
const SERVER_FAULTS: [name: string, fault: (server: NatsServer) => Promise<void>][] = [
  ["restarted", (server) => server.restart()],
  ["killed and started again", async (server) => {
    await server.kill();
    await server.restart();
  }],
  ["replaced after lame-duck mode", async (server) => {
    await server.lameDuck();
    await server.restart();
  }],
];

for (const [name, fault] of SERVER_FAULTS) {
  Deno.test(`Flightlog records again by itself when the server is ${name}`, async () => {
    await using server = await NatsServer.start();
    await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
    const lines = new NumberedLines();
    await flightlog.untilLog("recording");
    const from = flightlog.log.count;
    {
      await using publisher = await Publisher.connect({ port: server.port });
      await lines.publish(publisher, 100);
      await untilRecorded(flightlog, 100);
      await lines.publish(publisher, 1000);
      await fault(server);
    }
    {
      await using publisher = await Publisher.connect({ port: server.port });
      await lines.publish(publisher, 100);
      await flightlog.untilLog("recording", from);
      await lines.publish(publisher, 100);
    }
    await untilStatus(flightlog, ({ counters }) => counters.recorded! >= 200, "the last lines");
    const { kept, causes } = await checkOracle(flightlog, lines);
    assert.ok(kept >= 200);
    assert.deepEqual(causes, ["disconnect", "start"]);
  });
}

Deno.test("Flightlog tries again while the server is away, says why, and names the whole time", async () => {
  await using server = await NatsServer.start();
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  await server.stop();
  for (let tries = 0; tries < 3; tries++) await flightlog.untilLog("session ended", flightlog.log.count);
  const response = await fetch(`${flightlog.url}/ready`);
  assert.equal(response.status, 503);
  const { reasons } = await response.json();
  assert.match(reasons.join(), /^There is no session with nats:\/\/127\.0\.0\.1:\d+: .*refused/i);
  await server.restart();
  await using publisher = await Publisher.connect({ port: server.port });
  await lines.publish(publisher, 10);
  await untilStatus(flightlog, ({ ready }) => ready, "a session");
  await lines.publish(publisher, 10);
  await untilRecorded(flightlog, 10);
  const { kept, causes } = await checkOracle(flightlog, lines);
  assert.equal(kept, 10);
  assert.deepEqual(causes, ["disconnect", "start"]);
});

Deno.test("Flightlog names each time that its connection was cut", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` },
  });
  const lines = new NumberedLines();
  let from = 0;
  for (let cut = 0; cut < 3; cut++) {
    await flightlog.untilLog("recording", from);
    from = flightlog.log.count;
    const publishing = lines.publish(publisher, 2000);
    await untilRecorded(flightlog, cut * 100 + 100);
    proxy.cut();
    await publishing;
  }
  await flightlog.untilLog("recording", from);
  const { counters } = await untilStatus(flightlog, () => true, "a status");
  await lines.publish(publisher, 100);
  await untilRecorded(flightlog, counters.recorded! + 100);
  const { kept, causes } = await checkOracle(flightlog, lines);
  assert.ok(kept >= 400);
  assert.deepEqual(causes, ["disconnect", "disconnect", "disconnect", "start"]);
});

Deno.test("Flightlog keeps every line of a connection that brings one byte at a time", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  await using publisher = await Publisher.connect({ port: server.port });
  proxy.slow(1);
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` },
  });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  await lines.publish(publisher, 50);
  await untilRecorded(flightlog, 50);
  const { kept, causes } = await checkOracle(flightlog, lines);
  assert.equal(kept, 50);
  assert.deepEqual(causes, ["start"]);
});

Deno.test("Flightlog names what the server threw away when it evicted it as a slow consumer", async () => {
  await using server = await NatsServer.start({ maxPendingBytes: 1024 * 1024, writeDeadlineMs: 300 });
  await using proxy = TcpProxy.start(server.port);
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` },
  });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  const from = flightlog.log.count;
  await lines.publish(publisher, 100);
  await untilRecorded(flightlog, 100);
  proxy.halfOpen();
  const evicted = server.log.until((line) => line.includes("Slow Consumer"), "the eviction");
  let isEvicted = false;
  evicted.finally(() => isEvicted = true);
  while (!isEvicted) await lines.publish(publisher, 5_000);
  await evicted;
  proxy.resume();
  await flightlog.untilLog("recording", from);
  const { counters } = await untilStatus(flightlog, () => true, "a status");
  await lines.publish(publisher, 100);
  await untilRecorded(flightlog, counters.recorded! + 100);
  const { kept, missing, causes } = await checkOracle(flightlog, lines);
  assert.ok(kept >= 200);
  assert.ok(missing > 0, "the server threw nothing away");
  assert.deepEqual(causes, ["disconnect", "start"]);
});

Deno.test("Flightlog ends a session at the first garbage and records the next one", async () => {
  await using server = await NatsServer.start();
  const lines = new NumberedLines();
  const [first] = lines.take(1);
  const recording = Promise.withResolvers<void>();
  await using garbage = new HandMadeServer(async (connection) => {
    await writeAll(connection, INFO);
    await readUntil(connection, "PING\r\n");
    await writeAll(connection, "PONG\r\n");
    await readUntil(connection, "PING\r\n");
    await writeAll(connection, "PONG\r\n");
    await recording.promise;
    const { subject, payload } = first!;
    await writeAll(connection, `MSG ${subject} 1 ${payload.length}\r\n${payload}\r\n\0garbage\r\n`);
  });
  await using proxy = TcpProxy.start(garbage.port);
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: `nats://127.0.0.1:${proxy.port}` },
  });
  await flightlog.untilLog("recording");
  const from = flightlog.log.count;
  proxy.retarget(server.port);
  recording.resolve();
  const { kind } = await flightlog.untilLog("session ended");
  assert.equal(kind, "protocol");
  await using publisher = await Publisher.connect({ port: server.port });
  await flightlog.untilLog("recording", from);
  await lines.publish(publisher, 10);
  await untilRecorded(flightlog, 11);
  const { kept, causes } = await checkOracle(flightlog, lines);
  assert.equal(kept, 11);
  assert.deepEqual(causes, ["disconnect", "start"]);
});

Deno.test("Flightlog keeps a message of 1 MiB and counts one of 0 bytes", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  await flightlog.untilLog("recording");
  const { subject, payload } = numberedLine(0, { timestamp: new Date().toISOString() });
  const long = payload.replace("line=0", "x".repeat(1024 * 1024 - payload.length + "line=0".length));
  await publisher.publishAll([
    { subject, payload: "" },
    { subject, payload: long },
  ]);
  await untilRecorded(flightlog, 1);
  const { counters } = await untilStatus(flightlog, () => true, "a status");
  assert.equal(counters.empty, 1);
  assert.equal(long.length, 1024 * 1024);
  await untilWritten(flightlog);
  const text = await (await ask(flightlog, "/logs/today")).text();
  assert.ok(text === `${long}\n`, "the line is another one");
});

Deno.test("Flightlog shows a refused token nowhere", async () => {
  const token = "fm2_s3cr3t,fm2_0ther";
  await using server = await NatsServer.start({ user: "personal", password: "another" });
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: server.url, ACCESS_TOKEN: `FlyV1 ${token}`, ORG: "personal" },
  });
  const { kind } = await flightlog.untilLog("session ended");
  assert.equal(kind, "refused");
  const status = await (await ask(flightlog, "/status")).text();
  assert.match(status, /"lastError":\{"at":"[^"]+","message":"Cannot open a session with /);
  const { code } = await flightlog.stop();
  assert.equal(code, 0);
  assert.doesNotMatch(status + flightlog.log.lines.join("\n"), /s3cr3t|0ther/);
});
