import assert from "node:assert/strict";
import { NatsServer } from "./nats_server.ts";
import { Publisher } from "./publisher.ts";

Deno.test("NatsServer.start() returns a server that takes clients on each loopback address", async () => {
  for (const host of ["127.0.0.1", "::1"] as const) {
    await using server = await NatsServer.start({ host });
    await using publisher = await Publisher.connect({ host, port: server.port });
    await publisher.publishAll([{ subject: "a", payload: "b" }]);
    assert.equal(
      server.url,
      host === "::1" ? `nats://[::1]:${server.port}` : `nats://127.0.0.1:${server.port}`,
    );
  }
});

Deno.test("NatsServer.start() takes a user and a password, odd characters included", async () => {
  await using server = await NatsServer.start({ user: "personal", password: `FlyV1 "q,\\$x #` });
  await using publisher = await Publisher.connect({
    port: server.port,
    user: "personal",
    password: `FlyV1 "q,\\$x #`,
  });
  await publisher.flush();
  await assert.rejects(Publisher.connect({ port: server.port }), /Authorization Violation/);
});

Deno.test("NatsServer.start() with tls makes a certificate that a client can trust", async () => {
  await using server = await NatsServer.start({ tls: true, websocket: true });
  const connection = await Deno.connect({ port: server.port });
  assert.match(await readText(connection), /^INFO .*"tls_required":true/);
  using encrypted = await Deno.startTls(connection, {
    hostname: "127.0.0.1",
    caCerts: [server.caCertificate],
  });
  await encrypted.handshake();
  await encrypted.write(new TextEncoder().encode("CONNECT {}\r\nPING\r\n"));
  assert.match(await readText(encrypted), /PONG/);
  assert.match(server.webSocketUrl, /^wss:\/\/127\.0\.0\.1:\d+$/);
});

Deno.test("NatsServer.restart() keeps the port, after stop, kill and freeze", async () => {
  await using server = await NatsServer.start({ websocket: true });
  const { url, webSocketUrl } = server;
  await server.stop();
  await assert.rejects(Deno.connect({ port: server.port }), Deno.errors.ConnectionRefused);
  await server.restart();
  await server.kill();
  await server.restart();
  server.freeze();
  await server.restart({ token: "secret" });
  await using publisher = await Publisher.connect({ port: server.port, token: "secret" });
  await publisher.flush();
  assert.deepEqual([server.url, server.webSocketUrl], [url, webSocketUrl]);
});

Deno.test("NatsServer.reload() puts out a client whose token became wrong", async () => {
  await using server = await NatsServer.start({ token: "old" });
  await using publisher = await Publisher.connect({ port: server.port, token: "old" });
  await server.reload({ token: "new" });
  await assert.rejects(publisher.flush());
  await using other = await Publisher.connect({ port: server.port, token: "new" });
  await other.flush();
});

Deno.test("NatsServer.lameDuck() tells the client and ends the server", async () => {
  await using server = await NatsServer.start();
  using connection = await Deno.connect({ port: server.port });
  await connection.write(new TextEncoder().encode('CONNECT {"protocol":1}\r\nPING\r\n'));
  let text = "";
  while (!text.includes("PONG")) text += await readText(connection);
  const ended = server.lameDuck();
  for (let part = await readText(connection); part !== ""; part = await readText(connection)) text += part;
  await ended;
  assert.match(text, /"ldm":true/);
});

Deno.test("NatsServer.start() shows the log of a server that does not start", async () => {
  await assert.rejects(NatsServer.start({ config: "nonsense {" }), /Parse error/);
});

async function readText(connection: Deno.Conn): Promise<string> {
  const chunk = new Uint8Array(64 * 1024);
  const length = await connection.read(chunk);
  return new TextDecoder().decode(chunk.subarray(0, length ?? 0));
}
