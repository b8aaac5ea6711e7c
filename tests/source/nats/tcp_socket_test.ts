import assert from "node:assert/strict";
import { TcpSocket, WRITE_LIMIT_BYTES } from "../../../lib/source/nats/tcp_socket.ts";
import { HandMadeServer, INFO, writeAll } from "./hand_made_server.ts";
import { NatsServer } from "../../rig/nats_server.ts";
import { TcpProxy } from "../../rig/tcp_proxy.ts";
import { within } from "../../rig/wait.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** What a socket receives, until it has `text` in it; and how it ends. */
function listen(socket: TcpSocket): {
  closed: Promise<string>;
  until(text: string): Promise<string>;
  received(): string;
} {
  let received = "";
  const waiting: { text: string; resolve: (received: string) => void }[] = [];
  const closed = Promise.withResolvers<string>();
  const events: string[] = [];
  socket.onopen = () => events.push("open");
  socket.onerror = ({ message }) => events.push(`error ${message}`);
  socket.onclose = ({ code, wasClean }) => {
    events.push(`close ${code} ${wasClean}`);
    closed.resolve(events.join(", "));
  };
  socket.onmessage = ({ data }) => {
    received += decoder.decode(data);
    for (const { text, resolve } of waiting) if (received.includes(text)) resolve(received);
  };
  return {
    closed: closed.promise,
    received: () => received,
    until: (text) =>
      received.includes(text)
        ? Promise.resolve(received)
        : within(new Promise((resolve) => waiting.push({ text, resolve })), JSON.stringify(text)),
  };
}

Deno.test("TcpSocket gives what a server sends, and sends what it is given", async () => {
  await using server = await NatsServer.start();
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const { until, closed } = listen(socket);
  assert.match(await until("\r\n"), /^INFO \{.*\}\s*\r\n$/);
  socket.send(encoder.encode("CONNECT {}\r\nPING\r\n").buffer);
  await until("PONG\r\n");
  socket.close();
  assert.equal(await closed, "open, close 1000 true");
});

Deno.test("TcpSocket encrypts when the server demands it, asked to or not", async () => {
  await using server = await NatsServer.start({ tls: true });
  for (const secure of [true, false]) {
    const socket = await TcpSocket.connect({
      hostname: "localhost",
      port: server.port,
      secure,
      caCertificates: [server.caCertificate],
    });
    assert.equal(socket.encrypted, true);
    const { until, closed } = listen(socket);
    assert.match(await until("\r\n"), /^INFO /);
    socket.send(encoder.encode("CONNECT {}\r\nPING\r\n").buffer);
    await until("PONG\r\n");
    socket.close();
    assert.equal(await closed, "open, close 1000 true");
  }
});

Deno.test("TcpSocket.connect() refuses a server whose certificate is not trusted", async () => {
  await using server = await NatsServer.start({ tls: true });
  await assert.rejects(
    TcpSocket.connect({ hostname: "localhost", port: server.port, secure: true }),
    /certificate/i,
  );
});

Deno.test("TcpSocket.connect() refuses a server without TLS when it is to be secure", async () => {
  await using server = await NatsServer.start();
  await assert.rejects(
    TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: true }),
    /the server offers no TLS/,
  );
});

Deno.test("TcpSocket.connect() rejects when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(
    TcpSocket.connect({ hostname: "127.0.0.1", port, secure: false }),
    Deno.errors.ConnectionRefused,
  );
});

Deno.test("TcpSocket.connect() rejects when the server hangs up before its INFO", async () => {
  await using server = new HandMadeServer((connection) => connection.close());
  await assert.rejects(TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false }));
});

Deno.test("TcpSocket.connect() rejects when what answers is no NATS server", async () => {
  for (const greeting of ["220 mail.example.com ESMTP\r\n", "INFO {]}\r\n"]) {
    await using server = new HandMadeServer((connection) => writeAll(connection, greeting));
    await assert.rejects(
      TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false }),
      SyntaxError,
    );
  }
});

Deno.test("TcpSocket.connect() rejects with the signal's reason when aborted, before and during", async () => {
  const reason = new Error("enough");
  const greeted = Promise.withResolvers<void>();
  const controller = new AbortController();
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, "INFO ");
    greeted.resolve();
  });
  const options = { hostname: "127.0.0.1", port: server.port, secure: false, signal: controller.signal };
  const connecting = TcpSocket.connect(options);
  connecting.catch(() => {});
  await greeted.promise;
  controller.abort(reason);
  await assert.rejects(connecting, reason);
  await assert.rejects(TcpSocket.connect(options), reason);
});

Deno.test("TcpSocket.connect() puts an INFO together that comes in pieces", async () => {
  await using server = await NatsServer.start({ config: `server_name: "${"x".repeat(9000)}"` });
  await using proxy = TcpProxy.start(server.port);
  proxy.slow(1);
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: proxy.port, secure: false });
  const { until, closed } = listen(socket);
  assert.match(await until("\r\n"), /^INFO .*x{9000}/);
  socket.destroy();
  assert.equal(await closed, "open, close 1000 true");
});

Deno.test("TcpSocket reports a lost connection once, as an error and a close", async () => {
  await using server = await NatsServer.start();
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const { until, closed } = listen(socket);
  await until("\r\n");
  await server.kill();
  assert.match(await closed, /^open, error [^,]+, close 1006 false$/);
  socket.close();
  socket.destroy();
  socket.send(new Uint8Array(1));
});

Deno.test("TcpSocket.pause() keeps what comes, resume() gives it", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, INFO);
    await connection.read(new Uint8Array(4));
    await writeAll(connection, "MORE\r\n");
    await connection.read(new Uint8Array(4));
    asked.resolve();
  });
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const { until, received, closed } = listen(socket);
  await until("\r\n");
  socket.pause();
  socket.send(encoder.encode("go\r\n"));
  socket.send(encoder.encode("go\r\n"));
  await asked.promise;
  assert.equal(received(), INFO);
  socket.resume();
  await until("MORE");
  socket.destroy();
  assert.equal(await closed, "open, close 1000 true");
});

Deno.test("TcpSocket.pause() holds the server back", async () => {
  const total = 64 * 1024 * 1024;
  let written = 0;
  const paused = Promise.withResolvers<void>();
  const stuck = Promise.withResolvers<void>();
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, INFO);
    await paused.promise;
    const chunk = new Uint8Array(1024 * 1024);
    while (written < total) {
      const writing = connection.write(chunk);
      // The kernel takes a write at once or not before somebody reads.
      const count = await Promise.race([writing, stuckAfter(writing)]);
      written += count ?? await writing;
    }
    connection.close();
  });
  async function stuckAfter(writing: Promise<number>): Promise<undefined> {
    const turns = new MessageChannel();
    let settled = false;
    writing.then(() => settled = true, () => settled = true);
    for (let turn = 0; turn < 1000 && !settled; turn++) {
      await new Promise((resolve) => {
        turns.port2.onmessage = resolve;
        turns.port1.postMessage(0);
      });
    }
    turns.port1.close();
    turns.port2.close();
    if (!settled) stuck.resolve();
    return undefined;
  }
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  let received = 0;
  const closed = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => void (received += data.length);
  socket.onclose = () => closed.resolve();
  socket.pause();
  paused.resolve();
  await stuck.promise;
  assert.equal(received, 0);
  assert.ok(written < total);
  socket.resume();
  await closed.promise;
  assert.equal(received, INFO.length + written);
});

Deno.test("TcpSocket.close() writes what is queued before it closes", async () => {
  const length = WRITE_LIMIT_BYTES;
  let taken = 0;
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, INFO);
    const chunk = new Uint8Array(64 * 1024);
    for (let count = await connection.read(chunk); count !== null; count = await connection.read(chunk)) {
      taken += count;
    }
  });
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const { until, closed } = listen(socket);
  await until("\r\n");
  socket.send(new Uint8Array(length));
  assert.equal(socket.bufferedAmount, length);
  socket.close();
  assert.equal(await closed, "open, close 1000 true");
  assert.equal(socket.bufferedAmount, 0);
  await server.served;
  assert.equal(taken, length);
});

Deno.test("TcpSocket.send() counts the connection as lost when the server does not take enough", async () => {
  await using server = new HandMadeServer((connection) => writeAll(connection, INFO));
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const { until, closed } = listen(socket);
  await until("\r\n");
  const half = new Uint8Array(WRITE_LIMIT_BYTES / 2);
  for (let count = 0; count < 3; count++) socket.send(half);
  assert.equal(
    await closed,
    "open, error more than 65536 bytes wait to be written: the server takes less than it asks for, close 1006 false",
  );
});

Deno.test("TcpSocket.destroy() ends a socket that was never read", async () => {
  await using server = await NatsServer.start();
  const socket = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const closed = Promise.withResolvers<boolean>();
  socket.onclose = ({ wasClean }) => closed.resolve(wasClean);
  socket.destroy();
  assert.equal(await closed.promise, true);
});
