import assert from "node:assert/strict";
import { join } from "node:path";
import * as v from "valibot";
import { daysSchema } from "../../routes/wire/days.ts";
import { statusSchema } from "../../routes/wire/status.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { untilSo } from "../rig/wait.ts";
import { runVerify } from "../rig/verify_process.ts";
import { ask, checkOracle, NumberedLines, untilRecorded } from "./oracle.ts";

const DAY_FILE = /^\d{4}-\d\d-\d\d\.jsonl$/;

/** The path of the one hot day's file. */
function dayFile(directory: string): string {
  const [name] = [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) =>
    DAY_FILE.test(name)
  );
  return join(directory, name!);
}

/** What somebody does to the directory of a running recorder, and loses nothing by it. */
const REMOVALS: Record<string, (directory: string) => void> = {
  "the day's file is removed": (directory) => Deno.removeSync(dayFile(directory)),
  "all of LOG_DIR is emptied": (directory) => {
    for (const { name } of Deno.readDirSync(directory)) Deno.removeSync(join(directory, name));
  },
  "LOG_DIR is removed": (directory) => Deno.removeSync(directory, { recursive: true }),
  "a link takes the place of the day's file": (directory) => {
    const path = dayFile(directory);
    Deno.removeSync(path);
    Deno.symlinkSync("/dev/null", path);
  },
};

for (const [what, meddle] of Object.entries(REMOVALS)) {
  Deno.test(`Flightlog loses no line when ${what} while it records, and says so`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-meddled-" });
    try {
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      const lines = new NumberedLines();
      const options = { env: { NATS_URL: server.url, SYNC_INTERVAL: "50ms" }, logDirectory: directory };
      {
        await using flightlog = await FlightlogProcess.start(options);
        await flightlog.untilLog("recording");
        await lines.publish(publisher, 10_000); // enough for blocks
        await untilRecorded(flightlog, 10_000);
        await untilBlock(flightlog);
        meddle(directory);
        await lines.publish(publisher, 1000);
        await flightlog.untilLog("archive repaired");
        await untilRecorded(flightlog, 11_000);
        const { kept } = await checkOracle(flightlog, lines);
        assert.equal(kept, 11_000);
        const { repaired, ready } = v.parse(statusSchema, await (await ask(flightlog, "/status")).json());
        assert.equal(ready, true);
        assert.match(repaired[0]!.what, /while it was written: put back from the open file$/);
        assert.match(repaired[0]!.file, DAY_FILE);
        // The ledger and the heartbeat are written again with the next heartbeat.
        await untilSo(
          () => [/^gaps\.jsonl$/, /^alive$/, /^alive\.kept$/].every((name) => hasFile(directory, name)),
          "all",
        );
        await flightlog.kill();
      }
      assert.equal(await runVerify(directory), 0);
      await using again = await FlightlogProcess.start(options);
      await again.untilLog("recording");
      const { kept, causes } = await checkOracle(again, lines);
      assert.equal(kept, 11_000);
      assert.ok(!causes.includes("disk"), causes.join());
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** Waits until the recorder knows of a gzip block: then the text of the first megabyte lies in two files. */
async function untilBlock(flightlog: FlightlogProcess): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (performance.now() < endMs) {
    const { days: [day] } = v.parse(daysSchema, await (await ask(flightlog, "/logs")).json());
    if (day !== undefined && day.gzBytes > 1000) return;
  }
  throw new Error("Cannot wait for a block: 30 s have passed");
}

for (const [what, share] of [["emptied", 0], ["cut in two", 0.5]] as const) {
  Deno.test(`Flightlog whose day's file is ${what} while it records names what is lost`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-meddled-" });
    try {
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      const lines = new NumberedLines();
      const options = { env: { NATS_URL: server.url, SYNC_INTERVAL: "50ms" }, logDirectory: directory };
      const recorded = { kept: 0, missing: 0 };
      {
        await using flightlog = await FlightlogProcess.start(options);
        await flightlog.untilLog("recording");
        await lines.publish(publisher, 8000);
        await untilRecorded(flightlog, 8000);
        await untilBlock(flightlog);
        const path = dayFile(directory);
        Deno.truncateSync(path, Math.floor(Deno.statSync(path).size * share));
        await lines.publish(publisher, 1000);
        await flightlog.untilLog("archive repaired");
        await untilRecorded(flightlog, 9000);
        const { kept, missing, causes, told } = await checkOracle(flightlog, lines);
        Object.assign(recorded, { kept, missing });
        // A block is a megabyte of some 1.6 MB, and is put back; the last thousand lines came afterwards.
        assert.ok(kept > 5000 && missing > 100, `${kept} kept, ${missing} missing`);
        assert.ok(causes.includes("disk"), causes.join());
        assert.equal(told, 1);
        const { repaired } = v.parse(statusSchema, await (await ask(flightlog, "/status")).json());
        assert.match(
          repaired[0]!.what,
          /^was cut or changed while it was written: (\d+ bytes are put back from blocks|what was not synced is written again), \d+ bytes of lines are lost$/,
        );
        await flightlog.kill();
      }
      assert.equal(await runVerify(directory), 0);
      await using again = await FlightlogProcess.start(options);
      await again.untilLog("recording");
      const { kept, missing } = await checkOracle(again, lines);
      assert.deepEqual({ kept, missing }, recorded);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("Flightlog ends when its lock was removed and another one records in LOG_DIR, which goes on", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-meddled-" });
  try {
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const options = { env: { NATS_URL: server.url }, logDirectory: directory };
    await using first = await FlightlogProcess.start(options);
    await first.untilLog("recording");
    await lines.publish(publisher, 100);
    await untilRecorded(first, 100);
    Deno.removeSync(join(directory, "lock"));
    await using second = await FlightlogProcess.start(options);
    await second.untilLog("recording");
    const { code } = await first.status;
    await first.log.ended();
    assert.equal(code, 2);
    const message =
      /^Cannot go on recording in ".*": the file "lock" was removed, and another Flightlog records there now$/;
    assert.equal(first.log.lines.filter((line) => message.test(line)).length, 1);
    await lines.publish(publisher, 100);
    await untilRecorded(second, 100);
    const { kept } = await checkOracle(second, lines);
    assert.equal(kept, 200);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Flightlog makes its lock again, and a second one does not start", async () => {
  await using first = await FlightlogProcess.start({ env: { NATS_URL: "nats://127.0.0.1:1" } });
  Deno.removeSync(join(first.logDirectory, "lock"));
  await untilSo(() => hasFile(first.logDirectory, /^lock$/), "the lock");
  await using second = await FlightlogProcess.start({
    env: { NATS_URL: "nats://127.0.0.1:1" },
    logDirectory: first.logDirectory,
    untilListening: false,
  });
  assert.equal((await second.status).code, 2);
});

function hasFile(directory: string, wanted: RegExp): boolean {
  return [...Deno.readDirSync(directory)].some(({ name }) => wanted.test(name));
}
