import assert from "node:assert/strict";
import { systemClock } from "../../../lib/clock.ts";
import type { Message } from "../../../lib/source/nats/frame_reader.ts";
import { parseServerUrl } from "../../../lib/source/nats/server_url.ts";
import { openSession, SessionError, type SessionOptions } from "../../../lib/source/nats/session.ts";
import { NatsServer } from "../../rig/nats_server.ts";
import { Publisher } from "../../rig/publisher.ts";
import { TcpProxy } from "../../rig/tcp_proxy.ts";
import { within } from "../../rig/wait.ts";

/** Collects messages as text, and lets a test wait for their number. */
function collect(): {
  lines: string[];
  onMessage(message: Message): void;
  until(count: number): Promise<void>;
} {
  const lines: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const decoder = new TextDecoder();
  return {
    lines,
    onMessage(message) {
      lines.push(`${message.subject} ${decoder.decode(message.payload)}`);
      for (const { count, resolve } of waiting) if (count <= lines.length) resolve();
    },
    until: (count) =>
      lines.length >= count
        ? Promise.resolve()
        : within(new Promise((resolve) => waiting.push({ count, resolve })), `${count} messages`),
  };
}

function optionsFor(url: string, onMessage: (message: Message) => void = () => {}): SessionOptions {
  return {
    server: parseServerUrl(url),
    name: "flightlog-test",
    clock: systemClock,
    subscriptions: [{ subject: "logs.>", onMessage }],
  };
}

for (
  const [name, serverOptions] of [
    ["TCP", {}],
    ["TCP on an IPv6 address", { host: "::1" }],
    ["TLS", { tls: true }],
    ["WebSocket", { websocket: true }],
    ["WebSocket on an IPv6 address", { websocket: true, host: "::1" }],
    ["WebSocket with TLS", { websocket: true, tls: true }],
  ] as const
) {
  Deno.test(`openSession() delivers messages in order over ${name}`, async () => {
    const { websocket, tls, host } = { websocket: false, tls: false, host: undefined, ...serverOptions };
    // The publisher speaks no TLS.
    const config = tls ? "allow_non_tls: true" : undefined;
    await using server = await NatsServer.start({ ...serverOptions, config });
    const { lines, onMessage, until } = collect();
    const session = await openSession({
      ...optionsFor(websocket ? server.webSocketUrl : server.url, onMessage),
      caCertificates: tls ? [server.caCertificate] : undefined,
    });
    assert.equal(session.canPause, !websocket);
    await using publisher = await Publisher.connect({ host, port: server.port });
    await publisher.publishAll([
      { subject: "logs.a", payload: "1" },
      { subject: "other", payload: "x" },
      { subject: "logs.b", payload: "" },
      { subject: "logs.a", payload: "3" },
    ]);
    await until(3);
    assert.deepEqual(lines, ["logs.a 1", "logs.b ", "logs.a 3"]);
    const { kind } = await session.stop();
    assert.equal(kind, "stop");
  });
}

Deno.test("openSession() gives each message to the subscription that it belongs to", async () => {
  await using server = await NatsServer.start();
  const all = collect(), own = collect();
  const session = await openSession({
    ...optionsFor(server.url),
    subscriptions: [
      { subject: "logs.*.fra", onMessage: all.onMessage },
      { subject: "logs.me.>", queue: "q", onMessage: own.onMessage },
    ],
  });
  await using publisher = await Publisher.connect({ port: server.port });
  await publisher.publishAll([
    { subject: "logs.me.ams", payload: "1" },
    { subject: "logs.you.fra", payload: "2" },
    { subject: "logs.me.fra", payload: "3" },
  ]);
  await session.stop();
  assert.deepEqual(all.lines, ["logs.you.fra 2", "logs.me.fra 3"]);
  assert.deepEqual(own.lines, ["logs.me.ams 1", "logs.me.fra 3"]);
});

Deno.test("openSession() shares the messages of a queue among its members", async () => {
  await using server = await NatsServer.start();
  const one = collect(), two = collect();
  const options = optionsFor(server.url);
  const sessions = await Promise.all(
    [one, two].map(({ onMessage }) =>
      openSession({ ...options, subscriptions: [{ subject: "logs.>", queue: "q", onMessage }] })
    ),
  );
  await using publisher = await Publisher.connect({ port: server.port });
  const numbers = Array.from({ length: 200 }, (_, number) => `logs.a ${number}`);
  await publisher.publishAll(numbers.map((text) => ({ subject: "logs.a", payload: text.slice(7) })));
  await Promise.all(sessions.map((session) => session.stop()));
  assert.deepEqual([...one.lines, ...two.lines].sort(), numbers.toSorted());
});

Deno.test("openSession() delivers a message of 1 MiB, and empty ones, byte for byte", async () => {
  await using server = await NatsServer.start();
  const payloads: Uint8Array[] = [];
  const session = await openSession(
    optionsFor(server.url, (message) => payloads.push(message.payload.slice())),
  );
  await using publisher = await Publisher.connect({ port: server.port });
  const large = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => index * 7);
  await publisher.publishAll([new Uint8Array(0), large, new Uint8Array(0), large].map((payload) => ({
    subject: "logs.a",
    payload,
  })));
  await session.stop();
  assert.deepEqual(payloads.map((payload) => payload.length), [0, large.length, 0, large.length]);
  assert.ok(payloads[1]!.every((byte, index) => byte === large[index]));
  assert.ok(payloads[3]!.every((byte, index) => byte === large[index]));
});

Deno.test("openSession() reads a connection that gives one byte at a time", async () => {
  await using server = await NatsServer.start();
  await using proxy = TcpProxy.start(server.port);
  proxy.slow(1);
  const { lines, onMessage, until } = collect();
  const session = await openSession(optionsFor(`nats://127.0.0.1:${proxy.port}`, onMessage));
  await using publisher = await Publisher.connect({ port: server.port });
  await publisher.publishAll([{ subject: "logs.a", payload: "one" }, { subject: "logs.b", payload: "" }]);
  await until(2);
  assert.deepEqual(lines, ["logs.a one", "logs.b "]);
  await session.stop();
});

Deno.test("openSession() authenticates with odd characters, in the address and beside it", async () => {
  const credentials = { user: "my org", password: `FlyV1 fm2_a,b@c%25 "d"\\é:/` };
  await using server = await NatsServer.start(credentials);
  const encoded = `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}`;
  for (
    const address of [
      parseServerUrl(server.url, credentials),
      parseServerUrl(server.url.replace("//", `//${encoded}@`)),
    ]
  ) {
    const session = await openSession({ ...optionsFor(server.url), server: address });
    await session.stop();
  }
});

Deno.test("openSession() authenticates with a token", async () => {
  await using server = await NatsServer.start({ token: "s3cret, and more" });
  const session = await openSession({
    ...optionsFor(server.url),
    server: parseServerUrl(server.url, { token: "s3cret, and more" }),
  });
  await session.stop();
});

for (const websocket of [false, true]) {
  Deno.test(`openSession() rejects as refused when the password is wrong, over ${websocket ? "WebSocket" : "TCP"}`, async () => {
    await using server = await NatsServer.start({ user: "personal", password: "right", websocket });
    const url = websocket ? server.webSocketUrl : server.url;
    const address = parseServerUrl(url, { user: "personal", password: "wr0ng" });
    await assert.rejects(openSession({ ...optionsFor(url), server: address }), (error: unknown) => {
      assert.ok(error instanceof SessionError);
      assert.equal(error.kind, "refused");
      assert.equal(
        error.message,
        `Cannot open a session with "${url}": The server says "Authorization Violation"`,
      );
      return true;
    });
  });
}

Deno.test("openSession() rejects as denied when one subscription is not allowed", async () => {
  await using server = await NatsServer.start({
    config: `authorization { users: [{ user: a, password: b, permissions: { subscribe: "logs.>" } }] }`,
  });
  const options = optionsFor(server.url);
  const subscriptions = [...options.subscriptions, { subject: "secret.>", onMessage: () => {} }];
  const address = parseServerUrl(server.url, { user: "a", password: "b" });
  await assert.rejects(openSession({ ...options, server: address, subscriptions }), (error: unknown) => {
    assert.ok(error instanceof SessionError);
    assert.equal(error.kind, "denied");
    assert.match(error.message, /Permissions Violation for Subscription to/);
    return true;
  });
});

for (const scheme of ["nats", "tls", "ws", "wss"]) {
  Deno.test(`openSession() rejects as unreachable when nobody listens at ${scheme}:`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await assert.rejects(openSession(optionsFor(`${scheme}://127.0.0.1:${port}`)), (error: unknown) => {
      assert.ok(error instanceof SessionError);
      assert.equal(error.kind, "unreachable");
      assert.match(
        error.message,
        new RegExp(`^Cannot open a session with "${scheme}://127.0.0.1:${port}": .`),
      );
      return true;
    });
  });
}

Deno.test("openSession() rejects before it connects when a subscription cannot be one", async () => {
  const options = optionsFor("nats://127.0.0.1:1");
  const onMessage = () => {};
  for (
    const subscriptions of [
      [],
      [{ subject: "", onMessage }],
      [{ subject: "logs.>\r\nPUB a 0", onMessage }],
      [{ subject: "logs.>", queue: "a b", onMessage }],
    ]
  ) {
    await assert.rejects(openSession({ ...options, subscriptions }), TypeError);
  }
});

Deno.test("Session.stop() delivers everything that was published before", async () => {
  await using server = await NatsServer.start();
  let count = 0;
  const session = await openSession(optionsFor(server.url, () => count++));
  await using publisher = await Publisher.connect({ port: server.port });
  const messages = Array.from(
    { length: 50_000 },
    (_, number) => ({ subject: "logs.a", payload: `${number}` }),
  );
  await publisher.publishAll(messages);
  await session.stop();
  assert.equal(count, 50_000);
});

Deno.test("Session.stop() gives the first end when it is called again, or after another end", async () => {
  await using server = await NatsServer.start();
  const session = await openSession(optionsFor(server.url));
  session.end("stall", "Nothing came");
  session.end("disconnect", "Something else");
  const end = await session.stop();
  assert.deepEqual({ kind: end.kind, message: end.message }, { kind: "stall", message: "Nothing came" });
  assert.equal(await session.stop(), end);
  assert.equal(await session.ended, end);
});

Deno.test("Session.pause() holds back what is published, resume() delivers all of it", async () => {
  await using server = await NatsServer.start();
  let received = 0;
  const session = await openSession(optionsFor(server.url, (message) => received += message.payload.length));
  session.pause();
  await using publisher = await Publisher.connect({ port: server.port });
  const payload = new Uint8Array(64 * 1024);
  // Fewer bytes than the server lets wait for a client before it drops it.
  await publisher.publishAll(Array.from({ length: 500 }, () => ({ subject: "logs.a", payload })));
  assert.equal(received, 0);
  session.resume();
  await session.stop();
  assert.equal(received, 500 * payload.length);
});
