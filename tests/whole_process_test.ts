import assert from "node:assert/strict";
import * as v from "valibot";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type DaysAnswer, daysSchema } from "../routes/wire/days.ts";
import { FlightlogProcess } from "./rig/flightlog_process.ts";
import { numberedLine } from "./rig/fly_lines.ts";
import { NatsServer, type NatsServerOptions } from "./rig/nats_server.ts";
import { Publisher } from "./rig/publisher.ts";
import { untilWritten } from "./faults/oracle.ts";
import { WAIT_LIMIT_MS } from "./rig/wait.ts";

const LINES = 2000;
const MILLION = 1_000_000;

interface Transport {
  name: string;
  server: NatsServerOptions;
  url(server: NatsServer): string;
}

const TRANSPORTS: Transport[] = [
  { name: "TCP", server: {}, url: (server) => server.url },
  { name: "TCP over IPv6", server: { host: "::1" }, url: (server) => `nats://[::1]:${server.port}` },
  { name: "TLS", server: { tls: true }, url: (server) => `tls://localhost:${server.port}` },
  { name: "WebSocket", server: { websocket: true }, url: (server) => server.webSocketUrl },
  {
    name: "WebSocket over TLS",
    server: { websocket: true, tls: true },
    url: (server) => server.webSocketUrl,
  },
];

async function readDays(flightlog: FlightlogProcess): Promise<DaysAnswer["days"]> {
  const response = await fetch(`${flightlog.url}/logs`);
  return v.parse(daysSchema, await response.json()).days;
}

/** Asks until the archive has so many lines, and all of them can be read. */
async function untilRecorded(flightlog: FlightlogProcess, lines: number): Promise<void> {
  const endMs = performance.now() + WAIT_LIMIT_MS;
  let recorded = 0;
  while (recorded < lines) {
    if (performance.now() > endMs) throw new Error(`Cannot wait for ${lines} lines: ${recorded} are there`);
    recorded = (await readDays(flightlog)).reduce((sum, day) => sum + day.lines, 0);
  }
  await untilWritten(flightlog);
}

for (const { name, server: options, url } of TRANSPORTS) {
  Deno.test(`Every line comes back byte for byte when it came over ${name}`, async () => {
    await using server = await NatsServer.start(options);
    const certificates = await Deno.makeTempDir();
    const env: Record<string, string> = { NATS_URL: url(server) };
    const caCertificate = options.tls ? server.caCertificate : undefined;
    if (caCertificate !== undefined) {
      env.DENO_CERT = join(certificates, "ca.pem");
      await Deno.writeTextFile(env.DENO_CERT, caCertificate);
    }
    await using flightlog = await FlightlogProcess.start({ env });
    await flightlog.untilLog("recording");
    await using publisher = await Publisher.connect({
      port: server.port,
      host: options.host,
      caCertificate,
    });
    const lines = Array.from(
      { length: LINES },
      (_, n) => numberedLine(n, { timestamp: new Date().toISOString() }),
    );
    await publisher.publishAll(lines);
    await publisher.flush();
    await untilRecorded(flightlog, LINES);
    const days = await readDays(flightlog);
    const texts = await Promise.all(
      days.toReversed().map(async ({ links }) => await (await fetch(flightlog.url + links.jsonl)).text()),
    );
    assert.equal(texts.join(""), lines.map(({ payload }) => `${payload}\n`).join(""));
    await Deno.remove(certificates, { recursive: true });
  });
}

/** The SHA-256 of a body and its length, read as it comes. */
async function digest(body: AsyncIterable<Uint8Array>): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of body) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}

/** What zcat makes of a body. */
async function zcatDigest(body: ReadableStream<Uint8Array>): Promise<{ sha256: string; bytes: number }> {
  await using zcat = new Deno.Command("zcat", { stdin: "piped", stdout: "piped" }).spawn();
  const [, result] = await Promise.all([body.pipeTo(zcat.stdin), digest(zcat.stdout)]);
  assert.equal((await zcat.status).code, 0);
  return result;
}

Deno.test("A million lines at full speed come back, every byte, in every form of download", async () => {
  await using server = await NatsServer.start({ maxPendingBytes: 2 ** 30, writeDeadlineMs: 60_000 });
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  await flightlog.untilLog("recording");
  await using publisher = await Publisher.connect({ port: server.port });
  const day = new Date().toISOString().slice(0, 10);
  const timestamp = `${day}T00:00:00.000000001Z`;
  const expected = createHash("sha256");
  let bytes = 0;
  function* lines(): Generator<{ subject: string; payload: string }> {
    for (let number = 0; number < MILLION; number++) {
      const line = numberedLine(number, { timestamp });
      expected.update(`${line.payload}\n`);
      bytes += line.payload.length + 1;
      yield line;
    }
  }
  await publisher.publishAll(lines());
  await publisher.flush();
  await untilRecorded(flightlog, MILLION);
  const whole = { sha256: expected.digest("hex"), bytes };
  const url = `${flightlog.url}/logs/${day}`;

  const plain = await fetch(url, { headers: { "Accept-Encoding": "identity" } });
  assert.deepEqual(await digest(plain.body!), whole, "plain");
  const encoded = await fetch(url);
  assert.equal(encoded.headers.get("Content-Encoding") ?? "gzip", "gzip");
  assert.deepEqual(await digest(encoded.body!), whole, "Content-Encoding: gzip");
  const file = await fetch(`${url}.jsonl.gz`);
  assert.deepEqual(await zcatDigest(file.body!), whole, ".jsonl.gz through zcat");

  let textLines = 0;
  const text = await fetch(`${url}.log`);
  for await (const piece of text.body!) for (const byte of piece) if (byte === 0x0a) textLines++;
  assert.equal(textLines, MILLION + 2, ".log: every line, what was before the start, and the start");
});
