import assert from "node:assert/strict";
import { NatsServer } from "./nats_server.ts";
import { Publisher } from "./publisher.ts";

Deno.test("Publisher publishes bytes as they are, in order, larger than a batch too", async () => {
  await using server = await NatsServer.start();
  using subscriber = await Deno.connect({ port: server.port });
  await subscriber.write(new TextEncoder().encode('CONNECT {"verbose":false}\r\nSUB a.> 1\r\nPING\r\n'));
  await readUntil(subscriber, "PONG\r\n");
  const large = "é".repeat(200_000);
  await using publisher = await Publisher.connect({ port: server.port });
  await publisher.publishAll([
    { subject: "a.1", payload: "" },
    { subject: "a.2", payload: Uint8Array.of(0, 13, 10, 255) },
    { subject: "a.3", payload: large },
    { subject: "a.4", payload: "end" },
  ]);
  const received = await readUntil(subscriber, "end\r\n");
  assert.equal(
    received,
    `MSG a.1 1 0\r\n\r\nMSG a.2 1 4\r\n\0\r\n\xff\r\nMSG a.3 1 400000\r\n${
      "Ã©".repeat(200_000)
    }\r\nMSG a.4 1 3\r\nend\r\n`,
  );
});

Deno.test("Publisher.connect() encrypts when it is given an authority", async () => {
  await using server = await NatsServer.start({ tls: true });
  const { port, caCertificate } = server;
  await using publisher = await Publisher.connect({ port, caCertificate });
  await publisher.publishAll([{ subject: "a", payload: "b" }]);
  await using other = await NatsServer.start({ tls: true });
  await assert.rejects(Publisher.connect({ port, caCertificate: other.caCertificate }));
  await assert.rejects(Publisher.connect({ port }));
});

// As Latin-1, a character a byte, so that nothing is lost in decoding.
async function readUntil(connection: Deno.Conn, end: string): Promise<string> {
  const chunk = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.endsWith(end)) {
    const length = await connection.read(chunk);
    if (length === null) throw new Error(`Cannot read until "${end}": the connection has ended`);
    text += String.fromCharCode(...chunk.subarray(0, length));
  }
  return text;
}
