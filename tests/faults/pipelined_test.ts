import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { MemoryCgroup, whyNoCgroup } from "../rig/memory_cgroup.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, NumberedLines, untilRecorded } from "./oracle.ts";

/** What a machine of 256 MB has for programs, in bytes. */
const MACHINE_BYTES = 210e6;

/** Clients of each port, and how many requests each of them sends ahead. */
const CLIENTS = 100;
const REQUESTS = 1000;

const LINES = 500;

for (const [path, name] of [["/health", "api listening"], ["/metrics", "metrics listening"]] as const) {
  Deno.test({
    name: `Flightlog records on while ${CLIENTS} clients ask ${REQUESTS} times for ${path} and read nothing`,
    ignore: whyNoCgroup !== null,
    async fn() {
      await using server = await NatsServer.start();
      using group = MemoryCgroup.create(MACHINE_BYTES);
      await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url }, cgroup: group });
      await flightlog.untilLog("recording");
      const { port } = await flightlog.untilLog(name);
      await using publisher = await Publisher.connect({ port: server.port });
      const lines = new NumberedLines();
      const requests = new TextEncoder().encode(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(REQUESTS),
      );
      const clients: Deno.TcpConn[] = [];
      try {
        for (let i = 0; i < CLIENTS; i++) {
          const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
          clients.push(connection);
          void connection.write(requests).catch(() => {}); // it may be turned away, or never be taken
        }
        await lines.publish(publisher, LINES);
        await untilRecorded(flightlog, lines.count);
      } finally {
        for (const connection of clients) connection.close();
      }
      const { kept, causes } = await checkOracle(flightlog, lines);
      assert.equal(kept, LINES);
      assert.deepEqual(causes, ["start"]);
      assert.equal(group.read().kills, 0);
    },
  });
}
