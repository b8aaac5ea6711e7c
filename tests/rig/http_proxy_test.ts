import assert from "node:assert/strict";
import { HttpProxy } from "./http_proxy.ts";
import { untilSo } from "./wait.ts";

/** A server that answers with what it was asked and sent, behind a proxy. */
async function withProxy(run: (proxy: HttpProxy) => Promise<void>): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = await request.text();
    const { host } = new URL(request.url);
    // In chunks, for its length is not known to who sends a stream.
    if (request.method === "POST") return new Response(new Blob([`got ${body}`]).stream());
    return new Response(`${request.method} ${host} ${body}`, { headers: { etag: '"1"' } });
  });
  {
    await using proxy = HttpProxy.start(server.addr.port);
    await run(proxy);
  }
  await server.shutdown();
}

async function ask(proxy: HttpProxy, init: RequestInit = {}): Promise<string> {
  return await (await fetch(`${proxy.url}/a?b`, init)).text();
}

Deno.test("HttpProxy passes requests and answers on as they are, several on a connection", async () => {
  await withProxy(async (proxy) => {
    const host = new URL(proxy.url).host;
    assert.equal(await ask(proxy), `GET ${host} `);
    assert.equal(await ask(proxy, { method: "PUT", body: "some text" }), `PUT ${host} some text`);
    assert.equal(await ask(proxy, { method: "POST", body: "more" }), "got more");
    assert.equal(await ask(proxy, { method: "HEAD" }), "");
    assert.deepEqual(proxy.requests, ["GET /a?b", "PUT /a?b", "POST /a?b", "HEAD /a?b"]);
  });
});

Deno.test("HttpProxy spoils the requests that were picked, and no others", async () => {
  await withProxy(async (proxy) => {
    const host = new URL(proxy.url).host;
    const isPut = (request: string) => request.startsWith("PUT");
    proxy.fail({ kind: "answer", status: 503, body: "no" }, { times: 2, matches: isPut });
    assert.equal(await ask(proxy), `GET ${host} `);
    assert.equal(await ask(proxy, { method: "PUT" }), "no");
    assert.equal(await ask(proxy, { method: "PUT" }), "no");
    assert.equal(await ask(proxy, { method: "PUT" }), `PUT ${host} `);
  });
});

Deno.test("HttpProxy changes one bit of what is sent, or of what is answered", async () => {
  await withProxy(async (proxy) => {
    proxy.fail({ kind: "flipRequest", at: 1 });
    assert.match(await ask(proxy, { method: "PUT", body: "abc" }), / acc$/);
    proxy.fail({ kind: "flipAnswer", at: 0 });
    assert.match(await ask(proxy, { method: "PUT", body: "abc" }), /^QUT .* abc$/);
  });
});

Deno.test("HttpProxy shortens an answer, and changes its headers", async () => {
  await withProxy(async (proxy) => {
    proxy.fail({ kind: "shortenAnswer", to: 2 });
    assert.equal(await ask(proxy), "GE");
    proxy.fail({ kind: "header", name: "ETag", value: '"2"' });
    const response = await fetch(proxy.url);
    await response.body?.cancel();
    assert.equal(response.headers.get("etag"), '"2"');
  });
});

Deno.test("HttpProxy cuts a request or an answer", async () => {
  await withProxy(async (proxy) => {
    for (const after of [0, 20, Infinity]) {
      proxy.fail({ kind: "cutRequest", after });
      await assert.rejects(ask(proxy, { method: "PUT", body: "abc" }), TypeError, `after ${after}`);
    }
    for (const after of [0, 20]) {
      proxy.fail({ kind: "cutAnswer", after });
      await assert.rejects(ask(proxy), TypeError, `after ${after}`);
    }
    assert.equal(await ask(proxy, { method: "POST", body: "well again" }), "got well again");
  });
});

Deno.test("HttpProxy holds a request, or stops an answer, until the client goes", async () => {
  await withProxy(async (proxy) => {
    for (const fault of [{ kind: "hold" }, { kind: "stallAnswer", after: 20 }] as const) {
      const controller = new AbortController();
      proxy.fail(fault);
      const answer = assert.rejects(ask(proxy, { signal: controller.signal }), { name: "AbortError" });
      await untilSo(() => proxy.holding === 1, "the held request");
      controller.abort();
      await answer;
      await untilSo(() => proxy.holding === 0, "the end of the connection");
    }
  });
});
