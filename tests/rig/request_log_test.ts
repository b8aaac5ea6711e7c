import assert from "node:assert/strict";
import { RequestLog } from "./request_log.ts";
import { TcpProxy } from "./tcp_proxy.ts";

Deno.test("RequestLog knows every request that went through a proxy, of kept connections too", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => new Response(`${new URL(request.url).pathname}\n`.repeat(10_000)),
  );
  const log = new RequestLog();
  await using proxy = TcpProxy.start(server.addr.port, { toTarget: () => log.filter() });
  for (const path of ["/a", "/b?since=1h", "/c"]) {
    const answer = await fetch(`http://127.0.0.1:${proxy.port}${path}`);
    assert.equal((await answer.text()).split("\n").length, 10_001);
  }
  assert.deepEqual(log.requests, ["GET /a", "GET /b?since=1h", "GET /c"]);
});

Deno.test("RequestLog knows a request whose line comes in pieces", () => {
  const log = new RequestLog();
  const filter = log.filter();
  for (const byte of new TextEncoder().encode("GET /digest HTTP/1.1\r\nHost: a\r\n\r\n")) {
    assert.deepEqual(filter.pass(Uint8Array.of(byte)), Uint8Array.of(byte));
  }
  assert.deepEqual(log.requests, ["GET /digest"]);
});
