import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, NumberedLines, untilLastReadable } from "./oracle.ts";

/** Fast enough that what the system keeps for a process, some megabytes, is full within seconds. */
const LINES_PER_SECOND = 20_000;

/** How long lines go on after the server has put the recorder out, in seconds. */
const LOST_SECONDS = 4;

Deno.test("Flightlog that was frozen until the server evicted it names all that it missed as one gap", async () => {
  await using server = await NatsServer.start({ maxPendingBytes: 1024 * 1024, writeDeadlineMs: 300 });
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  await lines.publishEvenly(publisher, 1_000, 2);
  const from = flightlog.log.count;
  let isEvicted = false;
  const evicted = server.log.until((line) => line.includes("Slow Consumer"), "the eviction")
    .then(() => isEvicted = true);
  flightlog.signal("SIGSTOP");
  while (!isEvicted) await lines.publishEvenly(publisher, LINES_PER_SECOND, 0.5);
  await evicted;
  await lines.publishEvenly(publisher, 1_000, LOST_SECONDS);
  flightlog.signal("SIGCONT");
  await lines.publishEvenly(publisher, 1_000, 1);
  await flightlog.untilLog("recording", from);
  await lines.publishEvenly(publisher, 1_000, 1);
  await untilLastReadable(flightlog, lines);
  const { missing, causes, claims } = await checkOracle(flightlog, lines);
  assert.ok(missing >= LOST_SECONDS * 1_000, `${missing} lines are missing`);
  assert.deepEqual(causes, ["disconnect", "start"]);
  const { lostMs, excessMs } = claims.find(({ cause }) => cause === "disconnect")!;
  assert.ok(excessMs <= 2_500, `the gap claims ${excessMs} ms more than the ${lostMs} ms that were lost`);
});

Deno.test("Flightlog that was frozen, and not evicted, names nothing", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  await lines.publishEvenly(publisher, 1_000, 1);
  flightlog.signal("SIGSTOP");
  await lines.publishEvenly(publisher, 1_000, 3);
  flightlog.signal("SIGCONT");
  await lines.publishEvenly(publisher, 1_000, 1);
  await untilLastReadable(flightlog, lines);
  const { missing, causes } = await checkOracle(flightlog, lines);
  assert.deepEqual({ missing, causes }, { missing: 0, causes: ["start"] });
});
