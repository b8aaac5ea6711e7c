import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, NumberedLines, untilRecorded } from "./oracle.ts";

/** Fly kills after this, unless it is told otherwise, in milliseconds. */
const KILL_TIMEOUT_MS = 5_000;

/** More than the kernel holds for readers that do not read: each download is under way for ever. */
const LINES = 60_000;

Deno.test("Flightlog stopped under load with downloads and followers open ends in time and loses nothing", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-shutdown-" });
  try {
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const options = { env: { NATS_URL: server.url }, logDirectory: directory };
    {
      await using flightlog = await FlightlogProcess.start(options);
      await flightlog.untilLog("recording");
      await lines.publish(publisher, LINES);
      await untilRecorded(flightlog, LINES);
      await using readers = new AsyncDisposableStack();
      for (const path of ["/logs/today", "/logs/today.jsonl.gz", "/tail", "/tail?tail=50000"]) {
        for (let i = 0; i < 5; i++) readers.use(await askAndNotRead(flightlog.port, path));
      }
      const publishing = lines.publish(publisher, 20_000);
      const startMs = performance.now();
      flightlog.signal("SIGTERM");
      await publishing;
      const { code } = await flightlog.status;
      const tookMs = performance.now() - startMs;
      assert.equal(code, 0);
      assert.ok(tookMs < KILL_TIMEOUT_MS, `it took ${tookMs} ms`);
    }
    await using again = await FlightlogProcess.start(options);
    await again.untilLog("recording");
    const { kept, causes } = await checkOracle(again, lines);
    assert.ok(kept >= LINES);
    assert.deepEqual(causes, ["start", "stop"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Asks and reads no more than the answer's first bytes. */
async function askAndNotRead(port: number, path: string): Promise<AsyncDisposable> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await connection.write(request);
  await connection.read(new Uint8Array(16));
  return {
    [Symbol.asyncDispose]() {
      connection.close();
      return Promise.resolve();
    },
  };
}
