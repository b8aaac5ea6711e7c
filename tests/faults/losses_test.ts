import assert from "node:assert/strict";
import * as v from "valibot";
import { join } from "node:path";
import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { statusSchema } from "../../routes/wire/status.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { runVerify } from "../rig/verify_process.ts";
import { untilSo } from "../rig/wait.ts";
import { ask, checkOracle, NumberedLines, untilRecorded } from "./oracle.ts";

/** What happens to a file of an archive while nothing runs: what is left of its bytes, null for nothing at all. */
const LOSSES: Record<string, (bytes: Uint8Array) => Uint8Array | null> = {
  removed: () => null,
  emptied: () => new Uint8Array(),
  "cut in two": (bytes) => bytes.subarray(0, bytes.length / 2),
};

const LEDGER = /^gaps\.jsonl$/;
const DAYS = /^\d{4}-\d\d-\d\d\.jsonl$/;

for (const file of [LEDGER, DAYS]) {
  for (const [loss, leave] of Object.entries(LOSSES)) {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const what = file === LEDGER ? "ledger" : "day";
      Deno.test(`Flightlog ended by ${signal} and then its ${what} ${loss} names what it does not have any more`, () =>
        tryLoss(signal, (directory) => {
          for (const { name } of Deno.readDirSync(directory)) {
            const path = join(directory, name);
            const left = file.test(name) ? leave(Deno.readFileSync(path)) : undefined;
            if (left === null) Deno.removeSync(path);
            else if (left !== undefined) Deno.writeFileSync(path, left);
          }
          return file;
        }));
    }
  }
}

/** Lines that are recorded, others that are in a known gap, and others that are recorded; then `spoil`, and the oracle. */
async function tryLoss(signal: Deno.Signal, spoil: (directory: string) => RegExp): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-losses-" });
  try {
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    const options = { env: { NATS_URL: server.url, SYNC_INTERVAL: "10ms" }, logDirectory: directory };
    const recordSome = async (count: number, end: Deno.Signal) => {
      await using flightlog = await FlightlogProcess.start(options);
      await flightlog.untilLog("recording");
      await lines.publish(publisher, count);
      await untilRecorded(flightlog, count);
      if (end === "SIGKILL") await untilSo(() => isNoted(directory), "the note of all that is on the disk");
      flightlog.signal(end);
      await flightlog.status;
    };
    await recordSome(500, "SIGTERM");
    await lines.publish(publisher, 100); // nobody records them
    await recordSome(500, signal);
    assert.equal(await runVerify(directory), 0);

    const file = spoil(directory);
    assert.equal(await runVerify(directory), 1);
    {
      await using again = await FlightlogProcess.start(options);
      await again.untilLog("recording");
      await lines.publish(publisher, 10);
      await untilRecorded(again, 10);
      const { missing, causes } = await checkOracle(again, lines);
      assert.ok(missing >= 100);
      assert.ok(causes.includes("disk"));
      const { repaired } = v.parse(statusSchema, await (await ask(again, "/status")).json());
      assert.ok(
        repaired.some((one) => file.test(one.file) && /: .* (was|were) /.test(one.what)),
        JSON.stringify(repaired),
      );
      assert.equal((await again.stop()).code, 0);
    }
    assert.equal(await runVerify(directory), 0);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Whether the note says that all of each day's file is on the disk. */
function isNoted(directory: string): boolean {
  const note = new HeartbeatFiles(directory).readNote();
  if (note === null || note === "damaged") return false;
  const sizes = [...Deno.readDirSync(directory)].filter(({ name }) => DAYS.test(name))
    .map(({ name }) => Deno.statSync(join(directory, name)).size);
  const synced = note.days.reduce((sum, { synced }) => sum + synced, 0);
  return synced === sizes.reduce((sum, size) => sum + size, 0);
}
