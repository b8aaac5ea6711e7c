import assert from "node:assert/strict";
import * as v from "valibot";
import { statusSchema } from "../../routes/wire/status.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { canFreeze, FrozenVolume } from "./frozen_volume.ts";
import { ask, checkOracle, NumberedLines } from "./oracle.ts";

const needed = canFreeze ? "" : " (ignored: this needs the right to mount and freeze an ext4)";

/** Each line has some 230 bytes: 5.8 MB a second. */
const LINES_PER_SECOND = 25_000;

Deno.test({
  name:
    `Flightlog loses nothing while its disk takes nothing for 20 s at 5.8 MB/s, against real deadlines${needed}`,
  ignore: !canFreeze,
  async fn() {
    await using volume = await FrozenVolume.mount();
    await using server = await NatsServer.start(); // its write_deadline is 10 s
    await using publisher = await Publisher.connect({ port: server.port });
    const lines = new NumberedLines();
    await using flightlog = await FlightlogProcess.start({
      // These lines deflate to a 20th and Fly's to a fifth: 8 MiB hold as many of these as 32 MiB of those.
      env: { NATS_URL: server.url, BUFFER_LIMIT: "8MiB", MAX_DISK_PERCENT: "0" },
      logDirectory: volume.directory,
    });
    await flightlog.untilLog("recording");
    await lines.publishEvenly(publisher, LINES_PER_SECOND, 1);
    await volume.freeze();
    await lines.publishEvenly(publisher, LINES_PER_SECOND, 20);
    const { held, ready } = v.parse(statusSchema, await (await ask(flightlog, "/status")).json());
    assert.ok(held!.lines > 400_000, `${held?.lines} lines are held`);
    assert.equal(held!.reason, null);
    assert.equal(ready, true);
    await volume.thaw();
    const { kept, missing, causes } = await checkOracle(flightlog, lines);
    assert.deepEqual({ kept, missing, causes }, { kept: lines.count, missing: 0, causes: ["start"] });
  },
});
