import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { endSteadily } from "./end_steadily.ts";
import { GapTally } from "./gap_tally.ts";
import { killUnderLoad } from "./kill_under_load.ts";
import { checkOracle, NumberedLines, untilRecorded, untilWritten } from "./oracle.ts";

const tally = GapTally.ofFile();

Deno.test("Flightlog killed at 20 random moments under load keeps each line once or names the gap", async () => {
  await using server = await NatsServer.start();
  const { verdict, slowestReadyMs } = await killUnderLoad(server, { seed: 1, kills: 20 });
  assert.ok(verdict.missing > 0, "nothing was lost: the kills came at no interesting moment");
  assert.ok(verdict.kept > 0);
  assert.ok(slowestReadyMs < 5_000, `ready only after ${slowestReadyMs} ms`);
});

for (const [signal, cause] of [["SIGKILL", "crash"], ["SIGTERM", "stop"]] as const) {
  Deno.test(`Flightlog ended by ${signal} claims no more than 1.5 s beyond what was lost`, async () => {
    await using server = await NatsServer.start();
    // The heartbeat's mark is moved every five seconds only.
    const claims = await endSteadily(server, { signal, times: 3, runMs: 3_500 });
    assert.deepEqual(claims.map((claim) => claim.cause), [cause, cause, cause]);
    tally.add(claims);
    for (const { missing, excessMs } of claims) {
      assert.ok(missing > 0);
      assert.ok(excessMs <= 1_500, `${excessMs} ms too much`);
    }
  });
}

Deno.test("Flightlog killed before the mark of its heartbeat was moved first names the time since its start", async () => {
  await using server = await NatsServer.start();
  const directory = await Deno.makeTempDir({ prefix: "flightlog-kill-" });
  try {
    const lines = new NumberedLines();
    const options = { env: { NATS_URL: server.url }, logDirectory: directory };
    await using publisher = await Publisher.connect({ port: server.port });
    {
      await using first = await FlightlogProcess.start(options);
      await first.untilLog("recording");
      await lines.publish(publisher, 100);
      await untilRecorded(first, 100);
      await untilWritten(first);
      await first.kill();
    }
    await lines.publish(publisher, 100);
    await using second = await FlightlogProcess.start(options);
    await second.untilLog("recording");
    await lines.publish(publisher, 100);
    await untilRecorded(second, 100);
    const { kept, missing, causes } = await checkOracle(second, lines);
    assert.deepEqual({ kept, missing }, { kept: 200, missing: 100 });
    assert.deepEqual(causes, ["crash", "start"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Flightlog killed while a gap lasts goes on with that gap", async () => {
  await using server = await NatsServer.start();
  const directory = await Deno.makeTempDir({ prefix: "flightlog-kill-" });
  try {
    const lines = new NumberedLines();
    const options = { env: { NATS_URL: server.url }, logDirectory: directory };
    {
      await using first = await FlightlogProcess.start(options);
      await first.untilLog("recording");
      await using publisher = await Publisher.connect({ port: server.port });
      await lines.publish(publisher, 10);
      await untilRecorded(first, 10);
      await untilWritten(first);
      await server.kill();
      await first.untilLog("session ended");
      await first.kill();
    }
    await server.restart();
    await using publisher = await Publisher.connect({ port: server.port });
    await lines.publish(publisher, 10);
    await using second = await FlightlogProcess.start(options);
    await second.untilLog("recording");
    const { kept, missing } = await checkOracle(second, lines);
    assert.deepEqual({ kept, missing }, { kept: 10, missing: 10 });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
