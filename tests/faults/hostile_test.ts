import assert from "node:assert/strict";
import * as v from "valibot";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { parseFileName } from "../../lib/archive/format.ts";
import { recoverPayload } from "../../lib/line/envelope.ts";
import { daysSchema } from "../../routes/wire/days.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { hostileMessages } from "./hostile_lines.ts";
import { ask, untilStatus, untilWritten } from "./oracle.ts";

const COUNT = 100_000;
const LINE_FEED = 0x0a;

Deno.test("Flightlog keeps 100,000 hostile messages, one line each, recoverable byte for byte", async () => {
  const parent = await Deno.makeTempDir({ prefix: "flightlog-hostile-" });
  const sent = new Map<string, number>();
  let empty = 0;
  function* countMessages() {
    for (const message of hostileMessages({ seed: 1, count: COUNT, nowMs: Date.now() })) {
      if (message.payload.length === 0) empty++;
      else add(sent, message.payload, 1);
      yield message;
    }
  }
  try {
    await using server = await NatsServer.start({ config: "max_control_line: 16KB" });
    await using publisher = await Publisher.connect({ port: server.port });
    await using flightlog = await FlightlogProcess.start({
      env: { NATS_URL: server.url },
      logDirectory: join(parent, "logs"),
    });
    await flightlog.untilLog("recording");
    await publisher.publishAll(countMessages());
    const { counters } = await untilStatus(
      flightlog,
      (status) => status.counters.received === COUNT && status.counters.recorded === COUNT - empty,
      "every message",
    );
    assert.equal(counters.empty, empty);
    assert.ok(counters.rejected! > 0);

    await untilWritten(flightlog);
    const { days } = v.parse(daysSchema, await (await ask(flightlog, "/logs")).json());
    let lines = 0;
    for (const { links } of days) {
      const text = new Uint8Array(await (await ask(flightlog, links.jsonl)).arrayBuffer());
      for (const line of splitLines(text)) {
        lines++;
        take(sent, line);
      }
    }
    assert.equal(lines, COUNT - empty);
    const left = [...sent].filter(([, count]) => count !== 0);
    assert.deepEqual(left, []);

    assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["logs"]);
    for (const { name, isFile } of Deno.readDirSync(flightlog.logDirectory)) {
      assert.ok(isFile);
      assert.ok(
        parseFileName(name) !== null ||
          ["alive", "alive.kept", "gaps.jsonl", "gaps.reserve", "lock", "scrub"].includes(name),
        `a file that no part of Flightlog names: ${JSON.stringify(name)}`,
      );
    }
    assert.equal((await flightlog.stop()).code, 0);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

/** Takes away the message that a line stands for: an envelope's payload, or the line's own bytes. */
function take(sent: Map<string, number>, line: Uint8Array): void {
  const isEnvelope = Buffer.from(line).includes('"flightlog":{"rejected":"');
  const payload = isEnvelope ? recoverPayload(line) : null;
  add(sent, payload ?? line, -1);
}

/** Counts by bytes; a line feed between the tokens of a record is a space in its line. */
function add(counts: Map<string, number>, bytes: Uint8Array, by: number): void {
  const key = Buffer.from(bytes).toString("latin1").replaceAll(/[\r\n]/g, " ");
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function* splitLines(text: Uint8Array): Generator<Uint8Array, void> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(LINE_FEED, start);
    assert.notEqual(end, -1);
    yield text.subarray(start, end);
    start = end + 1;
  }
}
