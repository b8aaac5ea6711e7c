import assert from "node:assert/strict";
import { HandMadeServer, INFO, readUntil, writeAll } from "../source/nats/hand_made_server.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { MemoryCgroup, whyNoCgroup } from "../rig/memory_cgroup.ts";

/** What the process needs by itself, and some: a flood that is kept takes many times as much. */
const MACHINE_BYTES = 300_000_000;

/** So much is sent to each session, unless it hangs up before, in bytes. */
const FLOOD_BYTES = 300_000_000;

for (const line of ["PONG\r\n", "+OK\r\n", "PING\r\n"]) {
  Deno.test({
    name:
      `Flightlog ends a session in which nothing comes but ${line.trim()}, in ${MACHINE_BYTES / 1e6} MB ` +
      "(needs the right to make a memory cgroup)",
    ignore: whyNoCgroup !== null,
    async fn() {
      using group = MemoryCgroup.create(MACHINE_BYTES);
      const flooded = Promise.withResolvers<void>();
      await using server = new HandMadeServer(async (connection) => {
        await writeAll(connection, INFO);
        for (let pings = 0; pings < 2; pings++) {
          await readUntil(connection, "PING\r\n");
          await writeAll(connection, "PONG\r\n");
        }
        const piece = line.repeat(10_000);
        try {
          for (let sent = 0; sent < FLOOD_BYTES; sent += piece.length) await writeAll(connection, piece);
        } catch {
          // The session hung up, as it should.
        }
        flooded.resolve();
      });
      await using flightlog = await FlightlogProcess.start({
        cgroup: group,
        env: { NATS_URL: `nats://127.0.0.1:${server.port}` },
      });
      await flooded.promise;
      assert.equal(await (await fetch(`${flightlog.url}/health`)).text(), "ok\n");
      const { reason } = await flightlog.untilLog("session ended");
      assert.match(String(reason), /nothing but noise|does not read/);
      assert.equal(group.read().kills, 0);
      await flightlog.stop();
    },
  });
}
