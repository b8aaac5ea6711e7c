import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { MemoryCgroup, whyNoCgroup } from "../rig/memory_cgroup.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import type { ReadCounts, ReadJob } from "../rig/reading_clients.ts";
import { checkOracle, NumberedLines } from "./oracle.ts";

/** What a machine of 256 MB has for programs, in bytes. */
const SMALL_MACHINE_BYTES = 210_000_000;

/** Enough that 64 pages of 9,000 lines each take more memory than there is. */
const LINES = 200_000;

/** Lines that are published together, and while others read. */
const BATCH = 10_000;
const BATCHES_WHILE_READING = 12;

const STALLED_CLIENTS = 64;

Deno.test({
  name: "On a small machine four searches, downloads and 64 clients that do not read cost no line " +
    "(needs the right to make a memory cgroup)",
  ignore: whyNoCgroup !== null,
  async fn() {
    using group = MemoryCgroup.create(SMALL_MACHINE_BYTES);
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    await using flightlog = await FlightlogProcess.start({
      cgroup: group,
      env: { NATS_URL: `nats://127.0.0.1:${server.port}`, MAX_DISK_PERCENT: "0" },
    });
    await flightlog.untilLog("recording");
    const lines = new NumberedLines();
    while (lines.count < LINES) await lines.publish(publisher, BATCH);

    const search = "/search?q=nowhere-to-be-found";
    const loops = [[search], [search, "/search?format=text&q=1"], ["/logs/today.jsonl"], [
      "/search?tail=50000",
    ]];
    await using clients = await readingClients({
      port: flightlog.port,
      loops,
      stalled: { path: "/search?limit=9000", clients: STALLED_CLIENTS },
    });
    for (let batch = 0; batch < BATCHES_WHILE_READING; batch++) {
      const before = await clients.count();
      await lines.publish(publisher, BATCH);
      while ((await clients.count()).bytes < before.bytes + 20e6) assert.equal(group.read().kills, 0);
    }
    const { answers } = await clients.leave();
    assert.ok(answers["200"]! > 0, JSON.stringify(answers));
    const verdict = await checkOracle(flightlog, lines);
    assert.equal(verdict.missing, 0);
    assert.equal(group.read().kills, 0);
    await flightlog.stop();
  },
});

interface ReadingClients extends AsyncDisposable {
  count(): Promise<ReadCounts>;
  leave(): Promise<ReadCounts>;
}

async function readingClients(job: ReadJob): Promise<ReadingClients> {
  const worker = new Worker(import.meta.resolve("../rig/reading_clients.ts"), { type: "module" });
  const ask = (message?: ReadJob | "count" | "leave"): Promise<ReadCounts> => {
    const answered = new Promise<ReadCounts>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    if (message !== undefined) worker.postMessage(message);
    return answered;
  };
  await ask();
  await ask(job);
  return {
    count: () => ask("count"),
    leave: () => ask("leave"),
    [Symbol.asyncDispose]() {
      worker.terminate();
      return Promise.resolve();
    },
  };
}
