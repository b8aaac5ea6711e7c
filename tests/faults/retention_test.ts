import assert from "node:assert/strict";
import * as v from "valibot";
import { Archive } from "../../lib/archive/archive.ts";
import { DAY_MS, dayName, dayOf, dayStartMs } from "../../lib/day.ts";
import { silentLogger } from "../../lib/logger.ts";
import { daysSchema } from "../../routes/wire/days.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { canFalsifyTime, FALSE_TIME_NEEDED, falseTime } from "../rig/false_time.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { numberedLine } from "../rig/fly_lines.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { ask, NumberedLines, untilRecorded, untilWritten } from "./oracle.ts";

const HOUR_MS = 3_600_000;

/** Makes an archive with a sealed day for each of the six before today, and returns their names, newest first. */
async function sealSixDays(directory: string): Promise<string[]> {
  const today = dayOf(Date.now());
  const clock = new FakeClock(dayStartMs(today - 6));
  const options = { syncIntervalMs: 1, sealAfterMs: HOUR_MS, retentionDays: null, maxDiskPercent: null };
  const archive = await Archive.open({ directory, clock, logger: silentLogger, ...options });
  for (let day = today - 6; day < today; day++) {
    const { payload } = numberedLine(day, { timestamp: `${dayName(day)}T12:00:00.000Z` });
    const time = { seconds: dayStartMs(day) / 1000 + 43_200, nanoseconds: 0 };
    archive.append(day, new TextEncoder().encode(payload), false, time);
    await archive.sync();
    clock.skip(DAY_MS);
  }
  clock.skip(2 * HOUR_MS);
  await archive.maintain();
  await archive.close();
  return [1, 2, 3, 4, 5, 6].map((ago) => dayName(today - ago));
}

async function sealedDays(flightlog: FlightlogProcess): Promise<string[]> {
  const { days } = v.parse(daysSchema, await (await ask(flightlog, "/logs")).json());
  return days.filter(({ sealed }) => sealed).map(({ day }) => day);
}

Deno.test({
  name: `Flightlog removes no day because its clock is 60 days ahead${FALSE_TIME_NEEDED}`,
  ignore: !canFalsifyTime,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-ahead-" });
    try {
      const sealed = await sealSixDays(directory);
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      const lines = new NumberedLines();
      const env = { NATS_URL: server.url, RETENTION_DAYS: "3", MAX_DISK_PERCENT: "0" };
      {
        await using ahead = await FlightlogProcess.start({
          env: { ...env, ...falseTime("+60d x20") },
          logDirectory: directory,
        });
        await ahead.untilLog("recording");
        await lines.publish(publisher, 100);
        await untilRecorded(ahead, 100);
        await untilWritten(ahead);
        await ahead.untilLog("old days stay for now");
        assert.deepEqual(await sealedDays(ahead), sealed);
        assert.equal((await ahead.stop()).code, 0);
      }
      await using flightlog = await FlightlogProcess.start({ env, logDirectory: directory });
      assert.deepEqual(await sealedDays(flightlog), sealed);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
