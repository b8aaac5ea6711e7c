import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { MemoryCgroup, whyNoCgroup } from "../rig/memory_cgroup.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { untilRecorded, untilWritten } from "./oracle.ts";

/** What a machine of 256 MB has for programs, in bytes. */
const MACHINE_BYTES = 210e6;

/** What nats-server takes at the most, unless it is told otherwise, in bytes. */
const PAYLOAD_BYTES = 1024 * 1024;

const head =
  '{"fly":{"app":{"instance":"i1","name":"big"},"region":"fra"},"log":{"level":"info"},"message":"';
const tail = '","timestamp":"2026-11-27T02:40:00Z"}';

/** A message as large as can be, and how many of them come one after the other. */
const FLOODS: [name: string, payload: Uint8Array, count: number][] = [
  [
    "records",
    new TextEncoder().encode(head + "v".repeat(PAYLOAD_BYTES - head.length - tail.length) + tail),
    400,
  ],
  ["NUL bytes", new Uint8Array(PAYLOAD_BYTES), 200],
  ["quotes", new Uint8Array(PAYLOAD_BYTES).fill(0x22), 200],
  ["bytes that are no UTF-8", new Uint8Array(PAYLOAD_BYTES).fill(0xff), 200],
];

for (const [name, payload, count] of FLOODS) {
  Deno.test({
    name: `Flightlog records ${count} messages of 1 MiB of ${name} at once on a small machine`,
    ignore: whyNoCgroup !== null,
    async fn() {
      await using server = await NatsServer.start();
      using group = MemoryCgroup.create(MACHINE_BYTES);
      await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url }, cgroup: group });
      await flightlog.untilLog("recording");
      await using publisher = await Publisher.connect({ port: server.port });
      for (let i = 0; i < count; i++) await publisher.publish("logs.big.fra.i1", payload);
      await publisher.flush();
      await untilRecorded(flightlog, count);
      await untilWritten(flightlog);
      const { kills } = group.read();
      assert.equal(kills, 0);
    },
  });
}
