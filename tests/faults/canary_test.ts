import assert from "node:assert/strict";
import { join } from "node:path";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, NumberedLines, untilStatus } from "./oracle.ts";
import { canMount, SmallVolume } from "./small_volume.ts";

const needed = canMount ? "" : " (ignored: this needs the right to mount a tmpfs)";

const MACHINE = { FLY_APP_NAME: "flightlog", FLY_REGION: "fra", FLY_MACHINE_ID: "7811e63a1d2e08" };
const TOKEN = "tests-only";

Deno.test({
  name: `Flightlog on Fly measures the way of its canaries, and ends a stream that brings none back${needed}`,
  ignore: !canMount,
  async fn() {
    await using volume = await SmallVolume.mount(4 * 1024 * 1024);
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    await using flightlog = await FlightlogProcess.start({
      env: {
        ...MACHINE,
        NATS_URL: server.url,
        HOST: "127.0.0.1",
        API_TOKEN: TOKEN,
        CANARY_INTERVAL: "500ms",
      },
      logDirectory: join(volume.directory, "logs"),
    });
    const asked = { url: flightlog.url, token: TOKEN, untilLog: flightlog.untilLog.bind(flightlog) };
    const lines = new NumberedLines();
    const { port } = await flightlog.untilLog("metrics listening");
    await flightlog.untilLog("recording");

    await relayCanary(flightlog, publisher, 0);
    await lines.publish(publisher, 10);
    const session = flightlog.log.count;
    const { kind, reason } = await flightlog.untilLog("session ended", session);
    assert.equal(kind, "stall");
    assert.equal(reason, "Stream stalled: two canaries in a row did not come back");
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(metrics, /^flightlog_canary_round_trip_seconds_count 1$/m);

    const from = flightlog.log.count;
    await flightlog.untilLog("recording", from);
    // From now on each comes back: no other gap is to begin while the oracle looks.
    using _relay = relayCanaries(flightlog, publisher, from);
    const { counters } = await untilStatus(asked, ({ ready }) => ready, "a session");
    await lines.publish(publisher, 10);
    await untilStatus(asked, (status) => status.counters.recorded! >= counters.recorded! + 10, "lines");
    const { kept, causes } = await checkOracle(asked, lines);
    assert.equal(kept, 20);
    assert.ok(causes.includes("stall"));
  },
});

Deno.test("Flightlog on Fly does not record on the root disk", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-canary-" });
  try {
    const logDirectory = join(directory, "logs");
    await using flightlog = await FlightlogProcess.start({
      env: { ...MACHINE, NATS_URL: "nats://127.0.0.1:1" },
      logDirectory,
      untilListening: false,
    });
    const { code } = await flightlog.status;
    await flightlog.log.ended();
    assert.equal(code, 2);
    assert.match(
      flightlog.log.lines.join("\n"),
      /^Cannot start: ".*\/logs" is not on a volume and would be lost with the next deploy: mount one there$/m,
    );
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Relays each canary after line `from`, until it is disposed of. */
function relayCanaries(flightlog: FlightlogProcess, publisher: Publisher, from: number): Disposable {
  let isOver = false;
  async function relayAll(): Promise<void> {
    for (let next = from; !isOver;) next = await relayCanary(flightlog, publisher, next);
  }
  relayAll().catch(() => {}); // the program has ended
  return { [Symbol.dispose]: () => isOver = true };
}

/**
 * Does what Fly does with a line of stdout: carries the next canary after line `from` back on the stream. Returns the place
 * after it.
 */
async function relayCanary(flightlog: FlightlogProcess, publisher: Publisher, from: number): Promise<number> {
  const message = await flightlog.log.until((line) => line.includes('"event":"canary"'), "a canary", from);
  await publisher.publishAll([{
    subject: `logs.${MACHINE.FLY_APP_NAME}.${MACHINE.FLY_REGION}.${MACHINE.FLY_MACHINE_ID}`,
    payload: JSON.stringify({
      event: { provider: "app" },
      fly: { app: { instance: MACHINE.FLY_MACHINE_ID, name: MACHINE.FLY_APP_NAME }, region: "fra" },
      host: "0ad1",
      log: { level: "info" },
      message,
      timestamp: new Date().toISOString(),
    }),
  }]);
  return flightlog.log.lines.indexOf(message, from) + 1;
}
