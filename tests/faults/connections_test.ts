import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { readAll } from "../routes/rig.ts";
import { checkOracle, NumberedLines, untilAnswered, untilRecorded } from "./oracle.ts";

/** How many files the program may have open: few, so that this process, with 1,024, can open more of them. */
const OPEN_FILES = 640;

/** More than the program can have open, on each of its ports. */
const CONNECTIONS = 450;

const LINES = 500;

/** What clients send that never ask anything. */
const OPENINGS: [name: string, text: string][] = [
  ["say nothing", ""],
  ["begin a header and do not end it", "GET /logs/today HTTP/1.1\r\nHost: localhost\r\nX-Slow: "],
  ["begin a body and do not end it", "POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"],
];

for (const [name, text] of OPENINGS) {
  Deno.test(`Flightlog records on while ${CONNECTIONS} clients ${name}, and answers others`, async () => {
    await using server = await NatsServer.start();
    await using flightlog = await FlightlogProcess.start({
      env: { NATS_URL: server.url, SEAL_AFTER: "0" },
      openFiles: OPEN_FILES,
    });
    await flightlog.untilLog("recording");
    const { port: metricsPort } = await flightlog.untilLog("metrics listening");
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const clients: Deno.TcpConn[] = [];
    try {
      for (const port of [flightlog.port, Number(metricsPort)]) {
        for (let i = 0; i < CONNECTIONS; i++) {
          const connection = await Deno.connect({ hostname: "127.0.0.1", port });
          clients.push(connection);
          if (text === "") continue;
          await connection.write(new TextEncoder().encode(text)).catch(() => {}); // it may be turned away already
        }
        await lines.publish(publisher, LINES);
        await untilAnswered(flightlog);
        await untilRecorded(flightlog, lines.count);
      }
      const { kept, causes } = await checkOracle(flightlog, lines);
      assert.equal(kept, lines.count);
      assert.deepEqual(causes, ["start"]);
    } finally {
      for (const connection of clients) connection.close();
    }
  });
}

Deno.test("Flightlog seals a day and records on while every connection it may have is one that does not read", async () => {
  await using server = await NatsServer.start();
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: server.url, SEAL_AFTER: "0", MAX_CONNECTIONS: "20" },
    openFiles: OPEN_FILES,
  });
  await flightlog.untilLog("recording");
  await using publisher = await Publisher.connect({ port: server.port });
  const lines = new NumberedLines(() => Date.now() - 86_400_000);
  await lines.publish(publisher, LINES);
  await untilRecorded(flightlog, LINES);
  const clients: Deno.TcpConn[] = [];
  const ask = new TextEncoder().encode("GET /tail HTTP/1.1\r\nHost: localhost\r\n\r\n");
  try {
    for (let i = 0; i < 20; i++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: flightlog.port });
      clients.push(connection);
      await connection.write(ask);
      await connection.read(new Uint8Array(16));
    }
    using beyond = await Deno.connect({ hostname: "127.0.0.1", port: flightlog.port });
    assert.equal(await readAll(beyond), "");
    await flightlog.untilLog("connections turned away");
    await flightlog.untilLog("day sealed");
  } finally {
    for (const connection of clients) connection.close();
  }
  const { kept } = await checkOracle(flightlog, lines);
  assert.equal(kept, LINES);
});
