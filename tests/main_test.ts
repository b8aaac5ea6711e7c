import assert from "node:assert/strict";
import { join } from "node:path";
import { FlightlogProcess } from "./rig/flightlog_process.ts";
import { NatsServer } from "./rig/nats_server.ts";

const NOWHERE = "nats://127.0.0.1:1";

/** Environments that cannot be run with, and what is printed on standard error. */
const FAULTS: [name: string, env: Record<string, string>, said: RegExp[]][] = [
  ["there is neither a token nor a server", {}, [
    /^ {2}ACCESS_TOKEN: is not set, and Fly's log stream needs one/m,
  ]],
  [
    "several variables are wrong at once",
    { NATS_URL: NOWHERE, BUFFER_LIMIT: "much", SEAL_AFTER: "soon", PORT: "99999" },
    [/^ {2}BUFFER_LIMIT: "much" is not /m, /^ {2}SEAL_AFTER: "soon" is not /m, /^ {2}PORT: "99999" is not /m],
  ],
];

for (const [name, env, said] of FAULTS) {
  Deno.test(`Flightlog ends with 2 and one message when ${name}`, async () => {
    await using flightlog = await FlightlogProcess.start({ env, untilListening: false });
    const { code } = await flightlog.status;
    await flightlog.log.ended();
    assert.equal(code, 2);
    const text = flightlog.log.lines.join("\n");
    for (const words of said) assert.match(text, words);
    assert.equal(text.match(/Cannot run with this environment:/g)?.length, 1);
    assert.doesNotMatch(text, /^ *at /m);
  });
}

Deno.test("Flightlog makes LOG_DIR when it is not there", async () => {
  const parent = await Deno.makeTempDir({ prefix: "flightlog-main-" });
  try {
    const logDirectory = join(parent, "not", "there", "yet");
    await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: NOWHERE }, logDirectory });
    assert.equal((await Deno.stat(logDirectory)).isDirectory, true);
    assert.equal(await (await fetch(`${flightlog.url}/health`)).text(), "ok\n");
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("Flightlog ends with 2 when LOG_DIR is a file", async () => {
  const file = await Deno.makeTempFile({ prefix: "flightlog-main-" });
  try {
    await using flightlog = await FlightlogProcess.start({
      env: { NATS_URL: NOWHERE },
      logDirectory: file,
      untilListening: false,
    });
    const { code } = await flightlog.status;
    await flightlog.log.ended();
    assert.equal(code, 2);
    assert.match(flightlog.log.lines.join("\n"), /^Cannot start: ./m);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("Flightlog ends with 2 when another one records in LOG_DIR, which goes on", async () => {
  await using first = await FlightlogProcess.start({ env: { NATS_URL: NOWHERE } });
  await using second = await FlightlogProcess.start({
    env: { NATS_URL: NOWHERE },
    logDirectory: first.logDirectory,
    untilListening: false,
  });
  const { code } = await second.status;
  await second.log.ended();
  assert.equal(code, 2);
  assert.match(
    second.log.lines.join("\n"),
    /^Cannot start: Cannot record in ".*": another Flightlog is recording there; stop it first$/m,
  );
  assert.equal(await (await fetch(`${first.url}/health`)).text(), "ok\n");
});

Deno.test("Flightlog ends with 2 when its port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using flightlog = await FlightlogProcess.start({
    env: { NATS_URL: NOWHERE, PORT: String(listener.addr.port) },
    untilListening: false,
  });
  const { code } = await flightlog.status;
  await flightlog.log.ended();
  assert.equal(code, 2);
  assert.match(
    flightlog.log.lines.join("\n"),
    /^Cannot start: Cannot listen on port \d+ of 127.0.0.1: something listens there already/m,
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`Flightlog ends with 0 at ${signal}, while recording and while it has no server`, async () => {
    await using server = await NatsServer.start();
    for (const url of [server.url, NOWHERE]) {
      await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: url } });
      await flightlog.untilLog(url === NOWHERE ? "session ended" : "recording");
      flightlog.signal(signal);
      const { code } = await flightlog.status;
      await flightlog.log.ended();
      assert.equal(code, 0);
      assert.equal(flightlog.events.at(-1)?.event, "stopped");
    }
  });
}

Deno.test("Flightlog ends at once at the second signal", async () => {
  await using server = await NatsServer.start();
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  await flightlog.untilLog("recording");
  server.freeze(); // stopping in order would wait for it
  flightlog.signal("SIGTERM");
  await flightlog.untilLog("stopping");
  flightlog.signal("SIGTERM");
  const { code } = await flightlog.status;
  assert.equal(code, 1);
  assert.ok(!flightlog.events.some(({ event }) => event === "stopped"));
});
