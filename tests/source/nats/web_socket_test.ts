import assert from "node:assert/strict";
import { openWebSocket } from "../../../lib/source/nats/web_socket.ts";
import { NatsServer } from "../../rig/nats_server.ts";

const decoder = new TextDecoder();

Deno.test("openWebSocket() gives what came before anyone listened, and sends", async () => {
  await using server = await NatsServer.start({ websocket: true });
  const socket = await openWebSocket({ url: server.webSocketUrl });
  await server.log.until((line) => line.includes("Server is ready"), "its readiness");
  const answered = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<boolean>();
  let received = "";
  socket.onclose = ({ wasClean }) => closed.resolve(wasClean);
  socket.onmessage = ({ data }) => {
    received += decoder.decode(data);
    if (received.includes("PONG")) answered.resolve();
  };
  socket.send(new TextEncoder().encode("CONNECT {}\r\nPING\r\n").buffer);
  await answered.promise;
  assert.match(received, /^INFO /);
  assert.equal(socket.encrypted, false);
  socket.close();
  assert.equal(await closed.promise, true);
  assert.equal(socket.bufferedAmount, 0);
});

Deno.test("openWebSocket() refuses a server whose certificate is not trusted", async () => {
  await using server = await NatsServer.start({ websocket: true, tls: true });
  await assert.rejects(openWebSocket({ url: server.webSocketUrl }), Error);
});

Deno.test("OpenWebSocket counts the connection as lost when the server sends text", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => socket.send("INFO {}\r\n");
    return response;
  });
  const socket = await openWebSocket({ url: `ws://127.0.0.1:${server.addr.port}` });
  const lost = Promise.withResolvers<string>();
  socket.onclose = ({ reason }) => lost.resolve(reason);
  socket.onmessage = () => {};
  assert.equal(await lost.promise, "the server sends text in place of bytes");
});
