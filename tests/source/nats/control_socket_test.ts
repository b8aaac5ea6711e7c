import assert from "node:assert/strict";
import { ControlSocket } from "../../../lib/source/nats/control_socket.ts";
import { TcpSocket } from "../../../lib/source/nats/tcp_socket.ts";
import { HandMadeServer, INFO, readUntil, writeAll } from "./hand_made_server.ts";

Deno.test("ControlSocket passes on the greeting alone, and tells the session the rest", async () => {
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, `${INFO}MSG logs.a 7 2\r\nhi\r\n+OK\r\n-ERR 'Slow Consumer'\r\nPING\r\n`);
    connection.close();
  });
  const transport = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const session: string[] = [];
  const client: string[] = [];
  const socket = new ControlSocket(transport, {
    onReceived: () => {},
    onMessage: (sid, message) => session.push(`${sid} ${message.subject}`) > 0,
    onServerError: (text) => session.push(text),
    onGarbage: (message) => session.push(message),
    onNoise: (message) => session.push(message),
    onLost: (reason) => session.push(reason),
  });
  const closed = Promise.withResolvers<void>();
  socket.onclose = () => closed.resolve();
  socket.onmessage = ({ data }) => client.push(new TextDecoder().decode(data));
  await closed.promise;
  assert.deepEqual(session, ["7 logs.a", "-ERR 'Slow Consumer'", "the server has closed the connection"]);
  assert.deepEqual(client, [INFO]);
});

Deno.test("ControlSocket passes on as many PONGs as were asked for, and answers a PING itself", async () => {
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, `${INFO}PONG\r\n`);
    await readUntil(connection, "PING\r\nSUB logs.> 1\r\nPING\r\n");
    await writeAll(connection, `PING\r\n${"PONG\r\n".repeat(3)}${INFO}`);
    await readUntil(connection, "PONG\r\n");
    connection.close();
  });
  const transport = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const client: string[] = [];
  const socket = new ControlSocket(transport, {
    onReceived: () => {},
    onMessage: () => false,
    onServerError: () => {},
    onGarbage: () => {},
    onNoise: () => {},
    onLost: () => {},
  });
  const closed = Promise.withResolvers<void>();
  socket.onclose = () => closed.resolve();
  socket.onmessage = ({ data }) => client.push(new TextDecoder().decode(data));
  socket.send(new TextEncoder().encode("PING\r\nSUB logs.> 1\r\nPING\r\n").buffer);
  await closed.promise;
  assert.deepEqual(client, [INFO, "PONG\r\n", "PONG\r\n"]);
});

for (
  const [info, limit] of [
    ['INFO {"version":"2.9.10","max_payload":100}', 100],
    ['INFO {"version":"2.9.10"}', 1_048_576],
    ['INFO {"version":"2.9.10","max_payload":1e12}', 67_108_864],
  ] as const
) {
  Deno.test(`ControlSocket takes no payload above ${limit} bytes after ${info}`, async () => {
    await using server = new HandMadeServer(async (connection) => {
      await writeAll(connection, `${info}\r\nMSG logs.a 7 ${limit + 1}\r\n`);
      connection.close();
    });
    const transport = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
    const garbage = Promise.withResolvers<string>();
    const socket = new ControlSocket(transport, {
      onReceived: () => {},
      onMessage: () => true,
      onServerError: () => {},
      onGarbage: garbage.resolve,
      onNoise: () => {},
      onLost: () => {},
    });
    socket.onmessage = () => {};
    assert.equal(
      await garbage.promise,
      `Cannot read what the server sends: a payload is longer than ${limit} bytes`,
    );
    socket.close();
    await socket.closed;
  });
}
