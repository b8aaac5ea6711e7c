import assert from "node:assert/strict";
import { join } from "node:path";
import { dayName, dayOf } from "../../lib/day.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, NumberedLines, untilRecorded } from "./oracle.ts";

/** What somebody may put where a file belongs. */
const KINDS: Record<string, (path: string) => unknown> = {
  "a directory": (path) => Deno.mkdirSync(join(path, "inside"), { recursive: true }),
  "a FIFO": (path) => new Deno.Command("mkfifo", { args: [path] }).outputSync(),
  "a symlink to a device": (path) => Deno.symlinkSync("/dev/null", path),
  "a symlink that leads nowhere": (path) => Deno.symlinkSync("nowhere", path),
  "a symlink to itself": (path) => Deno.symlinkSync(path, path),
};

for (const [kind, put] of Object.entries(KINDS)) {
  Deno.test(`Flightlog records although ${kind} has the name of each of its files, and says so`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-foreign-" });
    try {
      const today = dayName(dayOf(Date.now()));
      const names = [
        ...[".index", ".index.part", ".jsonl", ".jsonl.gz", ".jsonl.gz.part"].map((ending) => today + ending),
        ...["alive", "alive.kept", "gaps.jsonl", "gaps.reserve", "lost.jsonl", "removed.jsonl", "scrub"],
      ];
      for (const name of names) put(join(directory, name));
      await using server = await NatsServer.start();
      await using publisher = await Publisher.connect({ port: server.port });
      const env = { NATS_URL: server.url };
      await using flightlog = await FlightlogProcess.start({ logDirectory: directory, env });
      await flightlog.untilLog("recording");
      const lines = new NumberedLines();
      await lines.publish(publisher, 50);
      await untilRecorded(flightlog, 50);
      assert.equal((await checkOracle(flightlog, lines)).kept, 50);
      const { repaired } = await (await fetch(`${flightlog.url}/status`)).json();
      for (const name of names) {
        const what = repaired.find(({ file }: { file: string }) => file === name)?.what;
        assert.match(String(what), /^was a .*: kept as ".*\.damaged"$/, name);
        Deno.lstatSync(join(directory, `${name}.damaged`));
      }
      assert.equal((await flightlog.stop()).code, 0);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });

  Deno.test(`Flightlog names the lock in whose place ${kind} stands`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-foreign-" });
    try {
      put(join(directory, "lock"));
      const options = {
        logDirectory: directory,
        env: { NATS_URL: "nats://127.0.0.1:1" },
        untilListening: false,
      };
      await using flightlog = await FlightlogProcess.start(options);
      assert.equal((await flightlog.status).code, 2);
      assert.match(flightlog.log.lines.join("\n"), /Cannot start: Cannot lock \S+\/lock\S*: it is a /);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("Flightlog follows a symlink to a file", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-foreign-" });
  try {
    const file = `${dayName(dayOf(Date.now()))}.jsonl`;
    Deno.writeTextFileSync(join(directory, "elsewhere"), "");
    Deno.symlinkSync("elsewhere", join(directory, file));
    await using server = await NatsServer.start();
    await using publisher = await Publisher.connect({ port: server.port });
    const env = { NATS_URL: server.url };
    await using flightlog = await FlightlogProcess.start({ logDirectory: directory, env });
    await flightlog.untilLog("recording");
    const lines = new NumberedLines();
    await lines.publish(publisher, 50);
    await untilRecorded(flightlog, 50);
    assert.equal((await flightlog.stop()).code, 0);
    assert.equal(Deno.readTextFileSync(join(directory, "elsewhere")).split("\n").length, 51);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
