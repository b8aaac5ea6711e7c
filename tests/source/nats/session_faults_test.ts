import assert from "node:assert/strict";
import { systemClock } from "../../../lib/clock.ts";
import type { Message } from "../../../lib/source/nats/frame_reader.ts";
import { parseServerUrl } from "../../../lib/source/nats/server_url.ts";
import {
  openSession,
  type Session,
  SessionError,
  type SessionOptions,
} from "../../../lib/source/nats/session.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { NatsServer } from "../../rig/nats_server.ts";
import { Publisher } from "../../rig/publisher.ts";
import { TcpProxy } from "../../rig/tcp_proxy.ts";
import { HandMadeServer, INFO, readUntil, writeAll } from "./hand_made_server.ts";

const START = Date.parse("2026-11-22T10:00:00Z");

function optionsFor(url: string, onMessage: (message: Message) => void = () => {}): SessionOptions {
  return {
    server: parseServerUrl(url),
    name: "flightlog-test",
    clock: systemClock,
    subscriptions: [{ subject: "logs.>", onMessage }],
  };
}

/** Plays a server until the session is confirmed, then goes on with `more`. */
function playSession(more: (connection: Deno.Conn) => Promise<unknown>): HandMadeServer {
  return new HandMadeServer(async (connection) => {
    await writeAll(connection, INFO);
    await readUntil(connection, "PING\r\n");
    await writeAll(connection, "PONG\r\n");
    await readUntil(connection, "PING\r\n");
    await writeAll(connection, "PONG\r\n");
    await more(connection);
  });
}

for (const websocket of [false, true]) {
  const over = websocket ? "WebSocket" : "TCP";

  Deno.test(`Session ends as disconnect when the server is killed, over ${over}`, async () => {
    await using server = await NatsServer.start({ websocket });
    const session = await openSession(optionsFor(websocket ? server.webSocketUrl : server.url));
    await server.kill();
    const { kind, message } = await session.ended;
    assert.equal(kind, "disconnect");
    assert.match(message, /^Connection lost: ./);
  });

  Deno.test(`Session ends as disconnect after 30 s when the server is frozen, over ${over}`, async () => {
    await using server = await NatsServer.start({ websocket });
    const clock = new FakeClock(START);
    const url = websocket ? server.webSocketUrl : server.url;
    const session = await openSession({ ...optionsFor(url), clock });
    server.freeze();
    let hasEnded = false;
    session.ended.then(() => hasEnded = true);
    await clock.advanceAsync(29_999);
    assert.deepEqual({ hasEnded, timers: clock.pending }, { hasEnded: false, timers: 1 });
    await clock.advanceAsync(1);
    // What the server sent before it froze may be read only now, and counts from then.
    for (let steps = 0; !hasEnded && steps < 10; steps++) await clock.advanceAsync(10_000);
    assert.ok(hasEnded && clock.now() - session.lastHeardMs >= 30_000);
    assert.deepEqual(await session.ended, {
      kind: "disconnect",
      message: "Connection lost: no sign of life for 30000 ms",
      lastGoodMs: 0,
      error: undefined,
    });
    assert.equal(clock.pending, 0);
    // A WebSocket's network goes when its server does.
    await server.kill();
  });
}

Deno.test("Session ends as disconnect when the server restarts, and a new one takes its place", async () => {
  await using server = await NatsServer.start();
  const session = await openSession(optionsFor(server.url));
  await server.restart();
  assert.equal((await session.ended).kind, "disconnect");
  const next = await openSession(optionsFor(server.url));
  await next.stop();
});

Deno.test("Session ends as disconnect when the connection is cut", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  const session = await openSession(optionsFor(`nats://127.0.0.1:${proxy.port}`));
  proxy.cut();
  assert.equal((await session.ended).kind, "disconnect");
});

Deno.test("Session goes on in lame-duck mode until the server closes it", async () => {
  await using server = await NatsServer.start();
  const received = Promise.withResolvers<string>();
  const session = await openSession(optionsFor(server.url, ({ subject }) => received.resolve(subject)));
  await using publisher = await Publisher.connect({ port: server.port });
  const over = server.lameDuck();
  await server.log.until((line) => line.includes("Entering lame duck mode"), "lame-duck mode");
  await publisher.publishAll([{ subject: "logs.a", payload: "still here" }]);
  assert.equal(await received.promise, "logs.a");
  assert.equal((await session.ended).kind, "disconnect");
  await over;
});

Deno.test("Session lives on when pings are answered, and knows their time", async () => {
  await using server = playSession(async (connection) => {
    await readUntil(connection, "PING\r\n");
    await writeAll(connection, "PONG\r\nMSG logs.a 1 0\r\n\r\n");
    await readUntil(connection, "PING\r\n");
    await writeAll(connection, "+OK\r\nPING\r\nMSG logs.a 1 0\r\n\r\n");
    await readUntil(connection, "PONG\r\n");
  });
  const clock = new FakeClock(START);
  let heard = Promise.withResolvers<void>();
  const session = await openSession({
    ...optionsFor(`nats://127.0.0.1:${server.port}`, () => heard.resolve()),
    clock,
  });
  clock.advance(10_000);
  await heard.promise;
  heard = Promise.withResolvers();
  await clock.advanceAsync(10_000);
  await heard.promise;
  await server.served;
  assert.equal(session.roundTripMs, 0);
  session.end("stall", "Enough");
  assert.equal((await session.ended).lastGoodMs, 10_000);
});

Deno.test("Session does not take its own pause for the server's death", async () => {
  await using server = await NatsServer.start();
  const clock = new FakeClock(START);
  const session = await openSession({ ...optionsFor(server.url), clock });
  session.pause();
  await clock.advanceAsync(120_000);
  session.resume();
  const { kind } = await session.stop();
  assert.equal(kind, "stop");
});

Deno.test("Session.stop() does not wait for ever when the server is frozen", async () => {
  await using server = await NatsServer.start();
  const clock = new FakeClock(START);
  const session = await openSession({ ...optionsFor(server.url), clock });
  server.freeze();
  const stopping = session.stop();
  clock.advance(2_000);
  assert.deepEqual(await stopping, {
    kind: "stop",
    message: "Stopped",
    lastGoodMs: 0,
    error: undefined,
  });
  assert.equal(clock.pending, 0);
});

Deno.test("Session ends when the password is changed under it, and the next is refused", async () => {
  await using server = await NatsServer.start({ user: "personal", password: "old" });
  const options = {
    ...optionsFor(server.url),
    server: parseServerUrl(server.url, { user: "personal", password: "old" }),
  };
  const session = await openSession(options);
  await server.reload({ password: "new" });
  await session.ended;
  await assert.rejects(
    openSession(options),
    (error: unknown) => error instanceof SessionError && error.kind === "refused",
  );
});

Deno.test("Session ends as denied when a permission is taken away under it", async () => {
  const permissions = (subject: string) =>
    `authorization { users: [{ user: a, password: b, permissions: { subscribe: "${subject}" } }] }`;
  await using server = await NatsServer.start({ config: permissions("logs.>") });
  const address = parseServerUrl(server.url, { user: "a", password: "b" });
  const session = await openSession({ ...optionsFor(server.url), server: address });
  await server.reload({ config: permissions("other.>") });
  const { kind, message } = await session.ended;
  assert.equal(kind, "denied");
  assert.match(message, /Permissions Violation for Subscription to/);
});

for (
  const [text, kind] of [
    ["'Slow Consumer'", "disconnect"],
    ["'Stale Connection'", "disconnect"],
    ["'User Authentication Expired'", "refused"],
    ["'Unknown Protocol Operation'", "protocol"],
  ] as const
) {
  Deno.test(`Session ends as ${kind} when the server says ${text}`, async () => {
    await using server = playSession((connection) => writeAll(connection, `-ERR ${text}\r\n`));
    const session = await openSession(optionsFor(`nats://127.0.0.1:${server.port}`));
    const end = await session.ended;
    assert.equal(end.kind, kind);
    assert.equal(end.message, `The server says "${text.slice(1, -1)}"`);
  });
}

for (
  const [name, bytes] of [
    ["garbage", "garbage of logs.a\r\n"],
    ["a broken message", "MSG logs.a 1 3\r\ngarbage\r\n"],
    ["an INFO that is none", "INFO {]\r\n"],
  ] as const
) {
  Deno.test(`Session ends as protocol at ${name}, and takes nothing after it`, async () => {
    await using server = playSession((connection) =>
      writeAll(connection, `MSG logs.a 1 1\r\n1\r\n${bytes}MSG logs.a 1 1\r\n2\r\n`)
    );
    let received = "";
    const session = await openSession(
      optionsFor(
        `nats://127.0.0.1:${server.port}`,
        (message) => received += new TextDecoder().decode(message.payload),
      ),
    );
    const { kind, message } = await session.ended;
    assert.equal(kind, "protocol");
    assert.match(message, /^Cannot read what the server sends: /);
    assert.doesNotMatch(message, /logs/);
    assert.equal(received, "1");
  });
}

Deno.test("Session ends as callback when a callback throws, and calls it no more", async () => {
  await using server = await NatsServer.start();
  const thrown = new RangeError("a line of somebody's log");
  let calls = 0;
  const session = await openSession(optionsFor(server.url, () => {
    calls++;
    throw thrown;
  }));
  await using publisher = await Publisher.connect({ port: server.port });
  await publisher.publishAll([{ subject: "logs.a", payload: "1" }, { subject: "logs.a", payload: "2" }]);
  const { kind, message, error } = await session.ended;
  assert.equal(kind, "callback");
  assert.equal(message, 'Cannot take a message: the callback threw "RangeError"');
  assert.equal(error, thrown);
  assert.equal(calls, 1);
});

Deno.test("Session.end() lets no message through any more when a callback calls it", async () => {
  await using server = playSession((connection) =>
    writeAll(connection, "MSG logs.a 1 0\r\n\r\nMSG logs.a 1 0\r\n\r\n")
  );
  let calls = 0;
  const session: Session = await openSession(optionsFor(`nats://127.0.0.1:${server.port}`, () => {
    calls++;
    session.end("stall", "Enough");
  }));
  assert.equal((await session.ended).kind, "stall");
  assert.equal(calls, 1);
});

for (
  const [name, greeting] of [
    ["a server that says nothing", ""],
    ["a server that greets and says nothing more", INFO],
  ] as const
) {
  Deno.test(`openSession() gives up ${name} after its time`, async () => {
    const greeted = Promise.withResolvers<void>();
    await using server = new HandMadeServer(async (connection) => {
      await writeAll(connection, greeting);
      if (greeting !== "") await readUntil(connection, "PING\r\n");
      greeted.resolve();
    });
    const clock = new FakeClock(START);
    const opening = openSession({
      ...optionsFor(`nats://127.0.0.1:${server.port}`),
      clock,
      connectTimeoutMs: 5_000,
    });
    opening.catch(() => {});
    await greeted.promise;
    clock.advance(5_000);
    await assert.rejects(opening, (error: unknown) => {
      assert.ok(error instanceof SessionError);
      assert.equal(error.kind, "unreachable");
      assert.match(error.message, /: no answer within 5000 ms$/);
      return true;
    });
    assert.equal(clock.pending, 0);
  });
}

Deno.test("openSession() gives up a WebSocket that greets as none after its time", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = new HandMadeServer(async (connection) => {
    await readUntil(connection, "\r\n\r\n");
    asked.resolve();
  });
  const clock = new FakeClock(START);
  const opening = openSession({ ...optionsFor(`ws://127.0.0.1:${server.port}`), clock });
  opening.catch(() => {});
  await asked.promise;
  clock.advance(10_000);
  await assert.rejects(opening, /: no answer within 10000 ms$/);
});

Deno.test("openSession() rejects with the signal's reason when aborted", async () => {
  const reason = new Error("shutting down");
  const controller = new AbortController();
  const greeted = Promise.withResolvers<void>();
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, INFO);
    await readUntil(connection, "PING\r\n");
    greeted.resolve();
  });
  const options = optionsFor(`nats://127.0.0.1:${server.port}`);
  const opening = openSession(options, controller.signal);
  opening.catch(() => {});
  await greeted.promise;
  controller.abort(reason);
  await assert.rejects(opening, reason);
  await assert.rejects(openSession(options, controller.signal), reason);
});

Deno.test("openSession() rejects as protocol when what answers is no NATS server", async () => {
  await using server = new HandMadeServer((connection) => writeAll(connection, "220 ESMTP\r\n"));
  await assert.rejects(openSession(optionsFor(`nats://127.0.0.1:${server.port}`)), (error: unknown) => {
    assert.ok(error instanceof SessionError);
    assert.equal(error.kind, "protocol");
    return true;
  });
});

Deno.test("openSession() rejects as protocol when the server's version is none", async () => {
  await using server = new HandMadeServer((connection) => writeAll(connection, 'INFO {"version":"new"}\r\n'));
  await assert.rejects(openSession(optionsFor(`nats://127.0.0.1:${server.port}`)), (error: unknown) => {
    assert.ok(error instanceof SessionError);
    assert.equal(error.kind, "protocol");
    return true;
  });
});
