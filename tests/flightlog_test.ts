import assert from "node:assert/strict";
import { ArchiveLock } from "../lib/archive/lock.ts";
import { readConfig } from "../lib/config/config.ts";
import { Flightlog } from "../lib/flightlog.ts";
import { silentLogger } from "../lib/logger.ts";
import { DAY, dayText, record, TestDirectory } from "./archive/archive_rig.ts";
import { TestDisk } from "./archive/writer_bench.ts";
import { openPlainFile } from "../lib/archive/day/plain_file.ts";
import { FakeClock } from "./rig/fake_clock.ts";
import { within } from "./rig/wait.ts";
import { HandMadeSource } from "./source/hand_made_source.ts";

const START_MS = Date.parse("2026-11-22T10:00:30Z");
/** When it is stopped. */
const STOP_MS = START_MS + 60;

/** A recorder that has got three lines, of which the disk has none yet, 60 ms after its start. */
async function recordThree(directory: TestDirectory, disk: TestDisk | null = null) {
  const clock = new FakeClock(START_MS);
  const source = new HandMadeSource(clock);
  const flightlog = await Flightlog.open({
    ...{ instance: "this one", resolve: () => Promise.reject(new Error("no name is looked up here")) },
    config: readConfig({ NATS_URL: "nats://127.0.0.1:1", LOG_DIR: directory.path, SYNC_INTERVAL: "1m" }),
    openFile: disk?.open ?? (async (path) => {
      const file = await openPlainFile(path);
      return {
        ...file,
        syncData: async () => {
          await file.syncData();
          source.steps.push("lines synced");
        },
      };
    }),
    ...{ source, clock, logger: silentLogger, print: () => {} },
  });
  assert.equal(source.steps.length, 0);
  flightlog.start();
  const recording = () => flightlog.recorder.status().state === "recording";
  while (!recording()) await clock.advanceAsync(0);
  for (let number = 0; number < 3; number++) source.handOver(record(number));
  await clock.advanceAsync(60);
  return { flightlog, source, clock };
}

Deno.test("Flightlog.open() asks the source for nothing before start()", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(START_MS);
  const source = new HandMadeSource(clock);
  source.fault = new Error("Cannot open");
  const flightlog = await Flightlog.open({
    ...{ instance: "this one", resolve: () => Promise.reject(new Error("no name is looked up here")) },
    config: readConfig({ NATS_URL: "nats://127.0.0.1:1", LOG_DIR: directory.path }),
    ...{ source, clock, logger: silentLogger, print: () => {} },
  });
  await clock.advanceAsync(1000);
  assert.equal(flightlog.recorder.status().lastError, null);
  assert.equal(await flightlog.stop(), 0);
});

Deno.test("Flightlog.stop() keeps every line, tells the source and moves the heartbeat before it ends readers and the lock", async () => {
  using directory = new TestDirectory();
  const { flightlog, source } = await recordThree(directory);
  const answering = Promise.withResolvers<void>();
  const stopping = flightlog.stop(() => {
    source.steps.push("shut down around");
    return answering.promise;
  });
  const left = (async () => {
    while (flightlog.heartbeatFiles.read() !== STOP_MS) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  await within(left, "the heartbeat");
  assert.deepEqual(source.steps, ["shut down around", "stop", "lines synced", "safe 3"]);
  const stop = flightlog.ledger.latest();
  assert.deepEqual([stop?.cause, stop?.untilMs], ["stop", null]);
  assert.match(directory.text("gaps.jsonl"), /"cause":"stop"/);
  // Whoever still answers can read.
  assert.equal((await dayText(flightlog.archive)).split("\n").length - 1, 3);
  assert.throws(() => ArchiveLock.take(directory.path), /another Flightlog is recording there/);
  answering.resolve();
  assert.equal(await stopping, 0);
  ArchiveLock.take(directory.path).release();
});

Deno.test("Flightlog.stop() has followers get the last lines before their streams end", async () => {
  using directory = new TestDirectory();
  const { flightlog, source } = await recordThree(directory);
  const reader = flightlog.followers.follow({
    filter: { apps: [], regions: [], instances: [], levels: [] },
    style: "jsonl",
    isEvents: false,
    context: { kind: "tail", lines: 10, since: null, withinBytes: null },
    gapNotice: () => null,
    heldNotice: () => null,
  }).getReader();
  // Whoever has got what was there follows; one that is still being prepared would end without a line.
  let text = new TextDecoder().decode((await reader.read()).value);
  const ended = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += new TextDecoder().decode(read.value);
    }
  })();
  source.handOver(record(3));
  await flightlog.stop();
  await ended;
  assert.ok(text.endsWith(record(3) + "\n"));
});

for (
  const [name, step, unwritten] of [
    ["not written", "write", 3],
    ["written, and the last sync fails", "sync", 0],
  ] as const
) {
  Deno.test(`Flightlog.stop() leaves the heartbeat where it was when lines are ${name}`, async () => {
    using directory = new TestDirectory();
    const disk = new TestDisk();
    disk.plan = (now) => {
      if (now === step) throw new Error("Input/output error (os error 5)");
    };
    const { flightlog, source } = await recordThree(directory, disk);
    assert.equal(await flightlog.stop(), unwritten);
    assert.ok(flightlog.heartbeatFiles.read()! <= START_MS);
    assert.deepEqual(source.safe, []);
  });
}

Deno.test("Flightlog.stop() keeps every line when what is around it cannot be shut down, and says so", async () => {
  using directory = new TestDirectory();
  const { flightlog, source } = await recordThree(directory);
  await assert.rejects(
    flightlog.stop(() => Promise.reject(new Error("Cannot close the server"))),
    /Cannot close the server/,
  );
  assert.deepEqual(source.safe, [3]);
  assert.equal(flightlog.heartbeatFiles.read(), STOP_MS);
  assert.equal(flightlog.archive.day(DAY)?.lines, 3);
  ArchiveLock.take(directory.path).release();
});
