import assert from "node:assert/strict";
import { SERVE_TIMES, type ServeTimes } from "../../routes/serve.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { within } from "../rig/wait.ts";
import { createParts, ListedDays, NOW_MS, readAll, serve, type ServedApi } from "./rig.ts";

/** Short enough to be waited for; each test shortens what it is about. */
const LONG_MS = 60_000;
const LONG: ServeTimes = {
  ...{ headersMs: LONG_MS, requestMs: LONG_MS, keepAliveMs: LONG_MS, stallMs: LONG_MS },
  checkMs: 10,
};

async function send(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}

/** Sends `text` and returns what comes until the server closes, which it has to do by itself. */
async function untilClosed(api: ServedApi, text: string): Promise<string> {
  using connection = await api.connect();
  if (text !== "") await send(connection, text);
  return await readAll(connection);
}

for (
  const [what, text] of [
    ["says nothing", ""],
    ["does not end its first line", "GET /health HT"],
    ["does not end its headers", "GET /health HTTP/1.1\r\nHost: localhost\r\n"],
  ] as const
) {
  Deno.test(`serve() closes a connection that ${what}`, async () => {
    const times = { ...LONG, headersMs: 50 };
    await using api = serve(createParts(), { times });
    assert.match(await untilClosed(api, text), /^(HTTP\/1\.1 408 |$)/);
  });
}

Deno.test("serve() does not wait for a body that never ends", async () => {
  await using api = serve(createParts(), { times: LONG });
  const text = "POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc";
  assert.match(await untilClosed(api, text), /^HTTP\/1\.1 405 /);
});

Deno.test("serve() closes a connection on which nothing more is asked", async () => {
  await using api = serve(createParts(), { times: { ...LONG, keepAliveMs: 50, headersMs: 100 } });
  const answer = await untilClosed(api, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

Deno.test("serve() refuses headers that are too large with 431", async () => {
  await using api = serve(createParts());
  const answer = await untilClosed(
    api,
    `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 431 /);
});

Deno.test("serve() cuts off a client that takes nothing of its answer, and closes what it read from", async () => {
  const clock = new FakeClock(NOW_MS);
  const archive = new ListedDays({ "2026-11-22": { text: "x".repeat(16 * 1024 * 1024) + "\n" } });
  archive.pieceBytes = 1024 * 1024;
  await using api = serve(createParts({ archive }), { clock });
  using connection = await api.connect();
  await send(connection, "GET /logs/today HTTP/1.1\r\nHost: localhost\r\n\r\n");
  // While the kernel still takes some of it, the wait begins anew each time: each answer here is time for that.
  for (let i = 0; i < 100; i++) await (await api.ask("/health")).text();
  clock.advance(SERVE_TIMES.stallMs - 1);
  assert.equal(archive.closed, 0);
  clock.advance(1);
  await archive.allClosed();
});

Deno.test("serve() sends a follower what comes, however long that takes to come", async () => {
  let push: (text: string) => void = () => {};
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => push = (text) => controller.enqueue(new TextEncoder().encode(text)),
  });
  const parts = createParts({ followers: { follow: () => stream } });
  await using api = serve(parts, {
    times: { ...LONG, headersMs: 20, requestMs: 20, keepAliveMs: 20, stallMs: 20 },
  });
  const answer = await api.ask("/tail");
  const reader = answer.body!.getReader();
  for (const text of ["one\n", "two\n"]) {
    // Several of those times pass.
    for (let i = 0; i < 10; i++) assert.equal(await (await api.ask("/health")).text(), "ok\n");
    push(text);
    assert.equal(new TextDecoder().decode((await reader.read()).value), text);
  }
  await reader.cancel();
});

Deno.test("serve() turns away what is beyond its limit, and has who asked nothing make room", async () => {
  const said: string[] = [];
  const logger = { log: (_level: string, event: string) => void said.push(event) };
  await using api = serve(createParts(), { maxConnections: 2, logger, times: LONG });
  using oldest = await api.connect();
  using other = await api.connect();
  using beyond = await api.connect();
  assert.equal(await readAll(oldest), "");
  await send(beyond, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  assert.match(await readAll(beyond), /^HTTP\/1\.1 200 /);
  await send(other, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  assert.match(await readAll(other), /^HTTP\/1\.1 200 /);
  assert.equal(said.filter((event) => event === "connections turned away").length, 1);
});

Deno.test("serve() turns away whoever comes while all its connections are answered", async () => {
  await using api = serve(createParts(), { maxConnections: 2, times: LONG });
  const tails = [await api.ask("/tail"), await api.ask("/tail")];
  using beyond = await api.connect();
  assert.equal(await readAll(beyond), "");
  for (const tail of tails) await tail.body?.cancel();
});

Deno.test("serve() tells the length of an answer that it has whole, and not of a stream", async () => {
  await using api = serve(createParts());
  const health = await api.ask("/health");
  assert.equal(health.headers.get("Content-Length"), "3");
  await health.text();
  const tail = await api.ask("/tail");
  assert.equal(tail.headers.get("Content-Length"), null);
  await tail.body?.cancel();
});

Deno.test("serve() says which port is taken, and what to do", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const api = serve(createParts(), { port });
  await assert.rejects(api.ask("/health"), {
    message:
      `Cannot listen on port ${port} of 127.0.0.1: something listens there already; stop it, or choose another port`,
  });
});

Deno.test("serve() does not wait for connections that wait themselves when it shuts down", async () => {
  const text = `${"x".repeat(99)}\n`.repeat(20_000) + "the end\n";
  const archive = new ListedDays({ "2026-11-21": { text } });
  archive.pieceBytes = 100_000;
  const api = serve(createParts({ archive }), { times: { ...SERVE_TIMES, keepAliveMs: 86_400_000 } });
  await api.connect().then((connection) => connection.close());
  using quiet = await api.connect();
  using asked = await api.connect();
  await asked.write(new TextEncoder().encode("GET /logs/2026-11-21 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  for (let end = ""; !end.includes("the end\n");) {
    const length = await asked.read(buffer) ?? assert.fail("the answer broke off");
    end = (end + decoder.decode(buffer.subarray(0, length))).slice(-100);
  }
  await (await api.ask("/logs/2026-11-21")).text();
  await within(Promise.resolve(api[Symbol.asyncDispose]()), "the end of the server");
  assert.equal(await quiet.read(buffer), null);
});
