import assert from "node:assert/strict";
import { canFalsifyTime, FALSE_TIME_NEEDED, FalseClock } from "../rig/false_time.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { checkOracle, NumberedLines, untilLastReadable, untilStatus } from "./oracle.ts";
import { SteadyLines } from "./steady_lines.ts";

const HOUR = 3600;

Deno.test({
  name: `Flightlog names the lines of a cut just after its clock was set back by an hour${FALSE_TIME_NEEDED}`,
  ignore: !canFalsifyTime,
  async fn() {
    await using server = await NatsServer.start();
    await using proxy = TcpProxy.start(server.port);
    await using publisher = await Publisher.connect({ port: server.port });
    using clock = new FalseClock(HOUR);
    const lines = new NumberedLines();
    const env = { ...clock.env, NATS_URL: `nats://127.0.0.1:${proxy.port}` };
    await using flightlog = await FlightlogProcess.start({ env });
    await flightlog.untilLog("recording");
    await using steady = new SteadyLines(publisher, lines);
    await steady.for(2_000);
    clock.set(0);
    await steady.for(3_000);
    await proxy.refuse();
    proxy.cut();
    await steady.for(2_000);
    proxy.resume();
    await untilStatus(flightlog, ({ ready }) => ready, "the next session");
    await steady.for(500);
    await steady.pause();
    await untilLastReadable(flightlog, lines);
    const { missing, claims } = await checkOracle(flightlog, lines);
    assert.ok(missing > 0);
    const cut = claims.filter(({ cause }) => cause === "disconnect");
    assert.deepEqual(cut.map((claim) => claim.missing), [missing]);
    assert.ok(cut[0]!.excessMs <= 1_500, `${cut[0]!.excessMs} ms too much`);
  },
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  for (
    const [name, first, second] of [
      ["an hour ahead, and started again with the right one", HOUR, 0],
      ["right, and started again with one that is an hour behind", 0, -HOUR],
    ] as const
  ) {
    Deno.test({
      name:
        `Flightlog ended by ${signal} while its clock is ${name}, names what it missed${FALSE_TIME_NEEDED}`,
      ignore: !canFalsifyTime,
      async fn() {
        await using server = await NatsServer.start();
        await using publisher = await Publisher.connect({ port: server.port });
        using clock = new FalseClock(first);
        const directory = await Deno.makeTempDir({ prefix: "flightlog-clock-" });
        try {
          const lines = new NumberedLines();
          const options = { env: { ...clock.env, NATS_URL: server.url }, logDirectory: directory };
          await using steady = new SteadyLines(publisher, lines);
          await steady.pause();
          {
            await using flightlog = await FlightlogProcess.start(options);
            await flightlog.untilLog("recording");
            steady.resume();
            await steady.for(1_500);
            flightlog.signal(signal);
            await flightlog.status;
          }
          clock.set(second);
          await steady.for(1_000);
          await using flightlog = await FlightlogProcess.start(options);
          await flightlog.untilLog("recording");
          await steady.for(500);
          await steady.pause();
          await untilLastReadable(flightlog, lines);
          clock.set(0); // a span is asked for that is not in the future
          const { missing, claims } = await checkOracle(flightlog, lines);
          assert.ok(missing > 0);
          const ended = claims.filter(({ cause }) => cause === "crash" || cause === "stop");
          assert.deepEqual(ended.map((claim) => claim.missing), [missing]);
          assert.ok(ended[0]!.excessMs <= 1_500, `${ended[0]!.excessMs} ms too much`);
        } finally {
          await Deno.remove(directory, { recursive: true });
        }
      },
    });
  }
}
