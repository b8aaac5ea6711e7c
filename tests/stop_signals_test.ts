import assert from "node:assert/strict";
import { FlightlogProcess } from "./rig/flightlog_process.ts";

/** A program whose whole business is to stop, by the body of a function; `limit` is its limit in milliseconds. */
async function startStub(stop: string, limit = 4000): Promise<FlightlogProcess> {
  const file = new URL("../lib/stop_signals.ts", import.meta.url);
  const clock = new URL("../lib/clock.ts", import.meta.url);
  const module = await Deno.makeTempFile({ prefix: "flightlog-stub-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      module,
      `import { stopOnSignals } from ${JSON.stringify(file)};
       import { systemClock } from ${JSON.stringify(clock)};
       const log = (level, event, details) => console.log(JSON.stringify({ level, event, ...details }));
       const clock = { ...systemClock, after: (_, callback) => systemClock.after(${limit}, callback) };
       stopOnSignals({ clock, logger: { log }, stop: async () => { ${stop} } });
       setInterval(() => {}, 1000);
       log("info", "api listening", { port: 1 });`,
    );
    return await FlightlogProcess.start({ module, args: ["--no-check"] });
  } finally {
    await Deno.remove(module);
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`stopOnSignals() ends the process with 0 at ${signal} once all is stopped`, async () => {
    await using stub = await startStub("");
    stub.signal(signal);
    const { code } = await stub.status;
    await stub.log.ended();
    assert.equal(code, 0);
    assert.deepEqual(stub.events.map(({ event }) => event), ["api listening", "stopping", "stopped"]);
  });
}

Deno.test("stopOnSignals() ends the process with 0 when its time is over", async () => {
  await using stub = await startStub("await new Promise(() => {});", 1);
  stub.signal("SIGTERM");
  const { code } = await stub.status;
  await stub.log.ended();
  assert.equal(code, 0);
  assert.equal(stub.events.at(-1)?.event, "stopped with answers under way");
});

Deno.test("stopOnSignals() ends the process with 1 and the reason when stopping fails", async () => {
  await using stub = await startStub(`throw new Error("no reason");`);
  stub.signal("SIGTERM");
  const { code } = await stub.status;
  await stub.log.ended();
  assert.equal(code, 1);
  assert.equal(stub.events.at(-1)?.reason, "Error: no reason");
});

Deno.test("stopOnSignals() ends the process with 1 at the second signal", async () => {
  await using stub = await startStub("await new Promise(() => {});");
  stub.signal("SIGTERM");
  await stub.untilLog("stopping");
  stub.signal("SIGINT");
  const { code } = await stub.status;
  assert.equal(code, 1);
});
