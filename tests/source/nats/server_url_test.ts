import assert from "node:assert/strict";
import { parseServerUrl } from "../../../lib/source/nats/server_url.ts";

Deno.test("parseServerUrl() takes a host apart from its port when it is an IPv6 address", () => {
  assert.deepEqual(parseServerUrl("nats://[fdaa::3]:4223"), {
    scheme: "nats",
    hostname: "fdaa::3",
    port: 4223,
    path: "/",
    credentials: undefined,
    redacted: "nats://[fdaa::3]:4223",
  });
});

Deno.test("parseServerUrl() knows the usual port of each scheme", () => {
  assert.equal(parseServerUrl("nats://[::1]").port, 4222);
  assert.equal(parseServerUrl("tls://nats.example.com/").port, 4222);
  assert.equal(parseServerUrl("ws://nats.example.com").port, 80);
  assert.equal(parseServerUrl("WSS://nats.example.com").port, 443);
});

Deno.test("parseServerUrl() keeps path and query when the scheme is WebSocket's", () => {
  const { hostname, port, path } = parseServerUrl("wss://nats.example.com:8443/stream?a=@b#c");
  assert.deepEqual({ hostname, port, path }, {
    hostname: "nats.example.com",
    port: 8443,
    path: "/stream?a=@b",
  });
});

Deno.test("parseServerUrl() decodes credentials, and leaves them out of the redacted text", () => {
  const server = parseServerUrl("tls://my%20org:FlyV1%20fm2_a%2Cb%40c%25d:e%2F@[::1]:4223");
  assert.deepEqual(server.credentials, { user: "my org", password: "FlyV1 fm2_a,b@c%d:e/" });
  assert.equal(server.redacted, "tls://[::1]:4223");
});

Deno.test("parseServerUrl() takes raw characters in credentials where nothing else can be meant", () => {
  const { credentials, hostname } = parseServerUrl("nats://org:FlyV1 fm2_a,b@c/d==@localhost:4222");
  assert.deepEqual(credentials, { user: "org", password: "FlyV1 fm2_a,b@c/d==" });
  assert.equal(hostname, "localhost");
});

Deno.test("parseServerUrl() takes a single credential for a token", () => {
  assert.deepEqual(parseServerUrl("nats://s3cret@localhost").credentials, { token: "s3cret" });
});

Deno.test("parseServerUrl() takes credentials beside the address as they are, unless it has its own", () => {
  const beside = { user: "personal", password: "50%25, @x y" };
  assert.deepEqual(parseServerUrl("nats://localhost", beside).credentials, beside);
  assert.deepEqual(parseServerUrl("nats://a:b@localhost", beside).credentials, { user: "a", password: "b" });
});

for (
  const [text, reason] of [
    ["localhost:4222", "no scheme"],
    ["", "no scheme"],
    ["http://u:s3cret@localhost", 'the scheme is "http"'],
    ["nats://u:s3cret@", "no host and port"],
    ["nats://u:s3cret", "no host and port"],
    ["nats://u:s3cret@fdaa::3:4223", "an IPv6 address stands in brackets"],
    ["nats://u:s3cret@[fdaa::3:4223", "no host and port"],
    ["nats://u:s3cret@[fdaa:::3]:4223", "the host is not a name or an IP address"],
    ["nats://u:s3cret@host:0", "the port is not between 1 and 65535"],
    ["nats://u:s3cret@host:65536", "the port is not between 1 and 65535"],
    ["nats://u:s3cret@host:port", "no host and port"],
    ["nats://u:s3cret@host/logs", "no host and port"],
    ["nats://u:s3cret%@host", 'the credentials are not percent-encoded, "%" itself is written "%25"'],
    ["nats://u:s3cret@a,b", "no host and port"],
    ["nats://u:s3cret@a%00b", "the host is not a name"],
  ] as const
) {
  Deno.test(`parseServerUrl() says what is wrong with "${text}", and no secret`, () => {
    assert.throws(() => parseServerUrl(text), (error: unknown) => {
      assert.ok(error instanceof TypeError);
      assert.ok(error.message.includes(reason), error.message);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  });
}
