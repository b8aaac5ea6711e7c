import assert from "node:assert/strict";
import { ControlSocket } from "../../lib/nats/control_socket.ts";
import { TcpSocket } from "../../lib/nats/tcp_socket.ts";
import { HandMadeServer, INFO, writeAll } from "./hand_made_server.ts";

Deno.test("ControlSocket passes on control frames alone, and tells the session the rest", async () => {
  await using server = new HandMadeServer(async (connection) => {
    await writeAll(connection, `${INFO}MSG logs.a 7 2\r\nhi\r\n+OK\r\n-ERR 'Slow Consumer'\r\nPING\r\n`);
    connection.close();
  });
  const transport = await TcpSocket.connect({ hostname: "127.0.0.1", port: server.port, secure: false });
  const session: string[] = [];
  const client: string[] = [];
  const socket = new ControlSocket(transport, {
    onReceived: () => {},
    onMessage: (sid, message) => session.push(`${sid} ${message.subject}`),
    onServerError: (text) => session.push(text),
    onGarbage: (message) => session.push(message),
    onLost: (reason) => session.push(reason),
  });
  const closed = Promise.withResolvers<void>();
  socket.onclose = () => closed.resolve();
  socket.onmessage = ({ data }) => client.push(new TextDecoder().decode(data));
  await closed.promise;
  assert.deepEqual(session, ["7 logs.a", "-ERR 'Slow Consumer'", "the server has closed the connection"]);
  assert.deepEqual(client, [INFO, "+OK\r\n", "PING\r\n"]);
});
