import assert from "node:assert/strict";
import { FlightlogProcess } from "./flightlog_process.ts";

Deno.test("FlightlogProcess.start() returns the address that the program says it listens on", async () => {
  await using stub = await writeStub(`
    Deno.addSignalListener("SIGTERM", () => { say({ event: "stopped" }); Deno.exit(0); });
    Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => say({ event: "api listening", port }) },
      () => new Response(Deno.env.get("LOG_DIR")));
  `);
  await using flightlog = await FlightlogProcess.start({ module: stub.module });
  assert.equal(await (await fetch(flightlog.url)).text(), flightlog.logDirectory);
  const { success } = await flightlog.stop();
  assert.equal(success, true);
  assert.deepEqual(flightlog.events.map(({ event }) => event), ["api listening", "stopped"]);
});

Deno.test("FlightlogProcess.start() shows the log of a program that ends at once", async () => {
  await using stub = await writeStub(`console.error("Cannot start: no reason"); Deno.exit(2);`);
  await assert.rejects(FlightlogProcess.start({ module: stub.module }), /Cannot start: no reason/);
});

async function writeStub(code: string): Promise<AsyncDisposable & { module: string }> {
  const module = await Deno.makeTempFile({ prefix: "flightlog-stub-", suffix: ".ts" });
  const say = "const say = (line: object): void => console.log(JSON.stringify(line));\n";
  await Deno.writeTextFile(module, say + code);
  return { module, [Symbol.asyncDispose]: () => Deno.remove(module) };
}
