import assert from "node:assert/strict";
import { TcpProxy } from "./tcp_proxy.ts";

Deno.test("TcpProxy passes bytes on both ways, one byte at a time too", async () => {
  await using echo = startEcho("");
  await using proxy = TcpProxy.start(echo.port);
  using client = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(client, "quick"), "quick");
  proxy.slow();
  assert.equal(await exchange(client, "slowly"), "slowly");
  assert.equal(proxy.passedBytes, 2 * "quickslowly".length);
});

Deno.test("TcpProxy.cut() ends the connections that are open and takes new ones", async () => {
  await using echo = startEcho("");
  await using proxy = TcpProxy.start(echo.port);
  using first = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(first, "a"), "a");
  proxy.cut();
  await assertEnded(first);
  using second = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(second, "b"), "b");
  assert.deepEqual([proxy.accepted, proxy.connections], [2, 1]);
});

Deno.test("TcpProxy.halfOpen() holds bytes back until resume()", async () => {
  await using echo = startEcho("");
  await using proxy = TcpProxy.start(echo.port);
  using client = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(client, "a"), "a");
  proxy.halfOpen();
  let answered = false;
  const answer = exchange(client, "b").finally(() => answered = true);
  using direct = await Deno.connect({ port: echo.port });
  for (let round = 0; round < 10; round++) assert.equal(await exchange(direct, "c"), "c");
  assert.equal(answered, false);
  proxy.resume();
  assert.equal(await answer, "b");
});

Deno.test("TcpProxy.halfOpen() hides from each side that the other has gone, until cut()", async () => {
  await using echo = startEcho("");
  await using proxy = TcpProxy.start(echo.port);
  using client = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(client, "a"), "a");
  proxy.halfOpen();
  let ended = false;
  const end = assertEnded(client).finally(() => ended = true);
  echo.closeAll();
  using direct = await Deno.connect({ port: echo.port });
  for (let round = 0; round < 10; round++) assert.equal(await exchange(direct, "c"), "c");
  assert.equal(ended, false);
  proxy.cut();
  await end;
});

Deno.test("TcpProxy.refuse() refuses new connections until resume()", async () => {
  await using echo = startEcho("");
  await using proxy = TcpProxy.start(echo.port);
  using open = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(open, "a"), "a");
  await proxy.refuse();
  await assert.rejects(Deno.connect({ port: proxy.port }), Deno.errors.ConnectionRefused);
  assert.equal(await exchange(open, "still"), "still");
  proxy.resume();
  using client = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(client, "b"), "b");
});

Deno.test("TcpProxy.retarget() sends new connections elsewhere", async () => {
  await using first = startEcho("1:");
  await using second = startEcho("2:");
  await using proxy = TcpProxy.start(first.port);
  using old = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(old, "a", 3), "1:a");
  proxy.retarget(second.port);
  using next = await Deno.connect({ port: proxy.port });
  assert.equal(await exchange(next, "a", 3), "2:a");
  assert.equal(await exchange(old, "a", 3), "1:a");
});

interface Echo extends AsyncDisposable {
  port: number;
  closeAll(): void;
}

// Answers each piece that it reads with the prefix and the piece.
function startEcho(prefix: string): Echo {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sockets = new Set<Deno.TcpConn>();
  const tasks: Promise<void>[] = [];

  async function serve(socket: Deno.TcpConn): Promise<void> {
    const chunk = new Uint8Array(1024);
    try {
      for (let length = await socket.read(chunk); length !== null; length = await socket.read(chunk)) {
        await socket.write(
          new TextEncoder().encode(prefix + new TextDecoder().decode(chunk.subarray(0, length))),
        );
      }
    } catch {
      // Closed while reading, by closeAll or the other side.
    }
    if (sockets.delete(socket)) socket.close();
  }

  function closeAll(): void {
    for (const socket of sockets) socket.close();
    sockets.clear();
  }

  const accepting = (async () => {
    try {
      for await (const socket of listener) {
        sockets.add(socket);
        tasks.push(serve(socket));
      }
    } catch {
      // The listener was closed.
    }
  })();

  return {
    port: listener.addr.port,
    closeAll,
    async [Symbol.asyncDispose]() {
      listener.close();
      closeAll();
      await accepting;
      await Promise.all(tasks);
    },
  };
}

async function exchange(client: Deno.TcpConn, text: string, length = text.length): Promise<string> {
  await client.write(new TextEncoder().encode(text));
  return await read(client, length);
}

async function read(client: Deno.TcpConn, length: number): Promise<string> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await client.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, filled));
}

async function assertEnded(client: Deno.TcpConn): Promise<void> {
  const end = await client.read(new Uint8Array(1)).catch((error) => error);
  assert.ok(end === null || end instanceof Deno.errors.ConnectionReset, String(end));
}
