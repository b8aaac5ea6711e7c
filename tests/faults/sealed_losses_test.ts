import assert from "node:assert/strict";
import { join } from "node:path";
import * as v from "valibot";
import { DAY_MS, dayName, dayOf } from "../../lib/day.ts";
import { statusSchema } from "../../routes/wire/status.ts";
import { openArchive, type TestDirectory } from "../archive/archive_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { runVerify } from "../rig/verify_process.ts";
import { ask, checkOracle, NumberedLines, untilRecorded } from "./oracle.ts";

/** So many lines are more than two blocks. */
const LINES = 15_000;

/** What happens to the gzip file of a sealed day, and what is lost by it. */
const LOSSES: [what: string, spoil: (path: string) => void, lost: "all" | "some" | "none"][] = [
  ["removed", (path) => Deno.removeSync(path), "all"],
  ["emptied", (path) => Deno.truncateSync(path, 0), "all"],
  ["cut in two", (path) => Deno.truncateSync(path, Deno.statSync(path).size / 2), "some"],
  ["cut by four bytes", (path) => Deno.truncateSync(path, Deno.statSync(path).size - 4), "none"],
];

for (const [what, spoil, lost] of LOSSES) {
  Deno.test(`Flightlog whose sealed day has its gzip file ${what} names what it does not have any more`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-sealed-losses-" });
    try {
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      const lines = new NumberedLines();
      const options = { env: { NATS_URL: server.url, SYNC_INTERVAL: "10ms" }, logDirectory: directory };
      const day = dayName(dayOf(Date.now() - DAY_MS));
      {
        await using flightlog = await FlightlogProcess.start(options);
        await flightlog.untilLog("recording");
        await lines.publish(publisher, LINES, DAY_MS);
        await untilRecorded(flightlog, LINES);
        await flightlog.stop();
      }
      {
        const clock = new FakeClock(new Date(Date.now() + 2 * DAY_MS).toISOString());
        await using opened = await openArchive({ path: directory } as TestDirectory, { clock });
        await opened.seal();
      }
      assert.equal(await runVerify(directory), 0);
      spoil(join(directory, `${day}.jsonl.gz`));
      assert.equal(await runVerify(directory), 1);

      let first = 0;
      for (let start = 1; start <= 2; start++) {
        await using again = await FlightlogProcess.start(options);
        await again.untilLog("recording");
        const { missing, causes } = await checkOracle(again, lines);
        if (lost === "all") assert.equal(missing, LINES);
        else if (lost === "none") assert.equal(missing, 0);
        else assert.ok(missing > 0 && missing < LINES, `${missing} of ${LINES}`);
        // What is lost may be told in two gaps next to each other; the second start finds nothing new.
        const gaps = causes.filter((cause) => cause === "disk").length;
        if (start === 1) first = gaps;
        assert.equal(gaps, first);
        assert.equal(gaps > 0, lost !== "none");
        const { repaired } = v.parse(statusSchema, await (await ask(again, "/status")).json());
        const isTold = repaired.some(({ file }) => file === `${day}.jsonl.gz`);
        assert.equal(isTold, start === 1, JSON.stringify(repaired));
        assert.equal((await again.stop()).code, 0);
      }
      assert.equal(await runVerify(directory), 0);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
