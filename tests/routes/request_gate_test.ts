import assert from "node:assert/strict";
import { silentLogger } from "../../lib/logger.ts";
import { systemClock } from "../../lib/clock.ts";
import { serve } from "../../routes/serve.ts";
import { within } from "../rig/wait.ts";
import { readAll } from "./rig.ts";

/** An app that answers with the path it is asked for, and knows how many answers were under way at a time. */
class CountingApp {
  asked: string[] = [];
  most = 0;
  #underWay = 0;
  readonly #body: (path: string) => string;

  constructor(body: (path: string) => string = (path) => path) {
    this.#body = body;
  }

  async fetch(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    this.asked.push(path);
    this.most = Math.max(this.most, ++this.#underWay);
    await Promise.resolve();
    this.#underWay--;
    return new Response(this.#body(path));
  }
}

async function listen(app: CountingApp) {
  const server = await serve(app, {
    ...{ hostname: "127.0.0.1", port: 0, maxConnections: 10, event: "listening" },
    ...{ clock: systemClock, logger: silentLogger },
  });
  return {
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function requests(count: number): string {
  const request = (i: number) =>
    `GET /${i} HTTP/1.1\r\nHost: localhost\r\n${i === count - 1 ? "Connection: close\r\n" : ""}\r\n`;
  return Array.from({ length: count }, (_, i) => request(i)).join("");
}

const encoder = new TextEncoder();

for (const pieceBytes of [1, 7, 100, 1_000_000]) {
  Deno.test(`RequestGate answers requests sent ahead one at a time and in order, in pieces of ${pieceBytes} bytes`, async () => {
    const app = new CountingApp();
    await using server = await listen(app);
    using connection = await server.connect();
    connection.setNoDelay();
    const answer = readAll(connection);
    const bytes = encoder.encode(requests(50));
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      await connection.write(bytes.subarray(at, at + pieceBytes));
    }
    const bodies = (await within(answer, "all answers")).split("HTTP/1.1 200 OK\r\n").slice(1)
      .map((text) => text.split("\r\n\r\n")[1]!);
    assert.deepEqual(bodies, Array.from({ length: 50 }, (_, i) => `/${i}`));
    assert.equal(app.most, 1);
  });
}

Deno.test("RequestGate begins no request of a client that does not take the answer before it", async () => {
  const app = new CountingApp(() => "x".repeat(32 * 1024 * 1024));
  await using server = await listen(app);
  {
    using stalled = await server.connect();
    await stalled.write(encoder.encode(requests(300)));
    // Another client's answers are time for it: each takes turns of the event loop.
    for (let i = 0; i < 20; i++) {
      using other = await server.connect();
      await other.write(
        encoder.encode("HEAD /other HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
      );
      await within(readAll(other), "an answer");
    }
  }
  assert.deepEqual(app.asked.filter((path) => path !== "/other"), ["/0"]);
});

Deno.test("RequestGate passes on a body that is sent with a request", async () => {
  const app = new CountingApp();
  await using server = await listen(app);
  using connection = await server.connect();
  const body = "a\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
  await connection.write(encoder.encode(
    `GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
      "GET /c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  ));
  await within(readAll(connection), "the answers");
  assert.deepEqual(app.asked, ["/a", "/c"]);
});

Deno.test("RequestGate answers a client that has sent all it will", async () => {
  const app = new CountingApp();
  await using server = await listen(app);
  using connection = await server.connect();
  await connection.write(encoder.encode("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await connection.closeWrite();
  assert.match(await within(readAll(connection), "the answer"), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\/a$/);
});
