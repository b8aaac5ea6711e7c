import assert from "node:assert/strict";
import {
  ANSWER_LIMIT_BYTES,
  FlyApi,
  type FlyApiOptions,
  type FlyApiRequest,
  REQUEST_TIMEOUT_MS,
} from "../../../lib/heal/fly/fly_api.ts";
import { FlyApiError, type FlyApiFailure } from "../../../lib/heal/fly/fly_api_error.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import { untilSo } from "../../rig/wait.ts";
import { WaitsClock } from "../../rig/waits.ts";

const PATH = "/v1/apps/web";

Deno.test("FlyApi.get() puts the word back before the token, whichever it had", async () => {
  const clock = new FakeClock(0);
  await using server = FlyApiServer.start({ clock });
  for (const token of [TEST_TOKEN, `FlyV1 ${TEST_TOKEN}`, `Bearer ${TEST_TOKEN}`, ` ${TEST_TOKEN}\n`]) {
    const api = new FlyApi({ url: server.url, token, clock });
    assert.match(await api.get("/api/v1/apps/web/logs"), /^\{"data":\[\]/);
  }
});

Deno.test("FlyApi.get() sends the query without what is empty, after the path of the URL", async () => {
  const clock = new FakeClock(0);
  await using server = FlyApiServer.start({ clock });
  const api = new FlyApi({ url: `${server.url}/v1//`, token: TEST_TOKEN, clock });
  await api.get("/apps", { query: { org_slug: "personal", region: "" } });
  assert.deepEqual(server.requests, ["/v1/apps?org_slug=personal"]);
});

for (const status of [500, 502, 503]) {
  Deno.test(`FlyApi.get() asks three times more when answered ${status}`, async () => {
    await using rig = start();
    rig.server.fail({ status }, 3);
    assert.match(await rig.run(), /"name":"web"/);
    assert.equal(rig.server.requests.length, 4);
  });
}

Deno.test("FlyApi.get() gives up when what is down stays down", async () => {
  await using rig = start();
  rig.server.fail({ status: 502 }, 4);
  const url = `${rig.server.url}${PATH}`;
  await assertFails(rig.run(), "down", `Cannot ask Fly's API for "${url}": answered 502; try again later`);
  assert.equal(rig.server.requests.length, 4);
});

Deno.test("FlyApi.get() waits 64 ms, twice as long each time, and at most 4 s", async () => {
  await using rig = start({ random: () => 0 });
  rig.server.fail({ status: 429 }, 8);
  assert.match(await rig.run(), /"name":"web"/);
  assert.deepEqual(rig.waitsMs, [64, 128, 256, 512, 1024, 2048, 4096, 4096]);
});

Deno.test("FlyApi.get() takes up to a half off each wait", async () => {
  await using rig = start({ random: () => 0.5 });
  rig.server.fail({ status: 429 }, 2);
  await rig.run();
  assert.deepEqual(rig.waitsMs, [48, 96]);
});

Deno.test("FlyApi.get() gives up after nine errors", async () => {
  await using rig = start();
  rig.server.fail({ status: 429 }, 9);
  await assertFails(rig.run(), "busy", /answered 429, too many requests; try again later$/);
  assert.equal(rig.server.requests.length, 9);
});

Deno.test("FlyApi.get() waits as long as Retry-After says, in seconds or as a date, up to a minute", async () => {
  await using rig = start({ random: () => 0 });
  rig.server.fail({ status: 429, retryAfter: "7" });
  rig.server.fail({ status: 503, retryAfter: new Date(7000 + 5000).toUTCString() });
  rig.server.fail({ status: 429, retryAfter: "86400" });
  rig.server.fail({ status: 429, retryAfter: "soon" });
  await rig.run();
  assert.deepEqual(rig.waitsMs, [7000, 5000, 60_000, 512]);
});

Deno.test("FlyApi.get() takes 401 for a refusal at first, and for too fast when paging", async () => {
  await using rig = start();
  rig.server.fail({ status: 401 });
  await assertFails(rig.run(), "refused", /answered 401; check that the token is right and may read this/);
  rig.server.fail({ status: 401 }, 2);
  assert.match(await rig.run({ isPaging: true }), /"name":"web"/);
  rig.server.fail({ status: 401 }, 9);
  await assertFails(rig.run({ isPaging: true }), "busy", /answered 401, too many requests; try again later$/);
});

for (
  const [status, failure, message] of [
    [403, "refused", /answered 403; check that the token is right/],
    [404, "missing", /answered 404: it does not exist, or the token may not see it$/],
    [400, "answer", /answered 400, which is no answer of this API; check its URL$/],
    [302, "answer", /answered 302, which is no answer of this API; check its URL$/],
  ] as [number, FlyApiFailure, RegExp][]
) {
  Deno.test(`FlyApi.get() asks once when answered ${status}`, async () => {
    await using rig = start();
    rig.server.fail({ status });
    await assertFails(rig.run(), failure, message, status);
    assert.equal(rig.server.requests.length, 1);
  });
}

Deno.test("FlyApi.get() asks again when an answer breaks off in the middle", async () => {
  await using rig = start();
  rig.server.fail("die", 3);
  assert.match(await rig.run(), /"name":"web"/);
  assert.equal(rig.server.requests.length, 4);
});

Deno.test("FlyApi.get() asks again when there is no answer in time", async () => {
  await using rig = start();
  rig.server.fail("hold");
  const answer = rig.run();
  await rig.timeOut();
  assert.match(await answer, /"name":"web"/);
  assert.equal(rig.server.requests.length, 2);
});

Deno.test("FlyApi.get() gives up when there is never an answer in time", async () => {
  await using rig = start();
  rig.server.fail("hold", 4);
  const isDown = assertFails(rig.run(), "down", /: no answer within 30 s; try again later$/);
  for (let i = 0; i < 4; i++) await rig.timeOut();
  await isDown;
});

Deno.test("FlyApi.get() gives up when nobody listens", async () => {
  const rig = start();
  await rig[Symbol.asyncDispose]();
  await assertFails(rig.run(), "down", /try again later$/);
});

Deno.test("FlyApi.get() ends with the signal's reason, also while it waits", async () => {
  await using rig = start();
  const controller = new AbortController();
  rig.server.fail({ status: 429 });
  let waits = 0;
  // Back-off asks for a number once for each wait.
  const random = () => waits++;
  const api = new FlyApi({ url: rig.server.url, token: TEST_TOKEN, clock: rig.clock, random });
  const isStopped = assert.rejects(api.get(PATH, { signal: controller.signal }), { message: "stop" });
  await untilSo(() => rig.server.requests.length === 1 && waits > 0, "the wait");
  controller.abort(new Error("stop"));
  await isStopped;
  assert.equal(rig.clock.pending, 0);
});

Deno.test("FlyApi.get() ends with the signal's reason while an answer is held back", async () => {
  await using rig = start();
  const controller = new AbortController();
  rig.server.fail("hold");
  const isStopped = assert.rejects(rig.api.get(PATH, { signal: controller.signal }), { message: "stop" });
  await untilSo(() => rig.server.holding === 1, "the held answer");
  controller.abort(new Error("stop"));
  await isStopped;
  assert.equal(rig.clock.pending, 0);
});

Deno.test("FlyApi.get() asks no faster than it may", async () => {
  await using rig = start({ pace: { burst: 3, intervalMs: 1000 } });
  for (let i = 0; i < 6; i++) assert.match(await rig.run(), /"name":"web"/);
  assert.deepEqual([rig.server.requests.length, rig.clock.elapsed()], [6, 3000]);
});

Deno.test("FlyApi.get() does not read an answer that is too long", async () => {
  const clock = new FakeClock(0);
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    let chunks = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (chunks++ > ANSWER_LIMIT_BYTES / chunk.length) controller.close();
          else controller.enqueue(chunk);
        },
      }),
    );
  });
  const api = new FlyApi({ url: `http://127.0.0.1:${server.addr.port}`, token: TEST_TOKEN, clock });
  await assertFails(api.get(PATH), "answer", /the answer has more than 16777216 bytes$/);
  await server.shutdown();
});

Deno.test("FlyApi does not repeat a token or URL that it cannot use", () => {
  const clock = new FakeClock(0);
  for (const token of ["", "FlyV1 ", "secret\nsecret", "secret secret", "secr\u00e9t"]) {
    assert.throws(() => new FlyApi({ url: "https://api.fly.io", token, clock }), {
      name: "TypeError",
      message: "Cannot use the token for Fly's API: it is empty or has characters that no token has",
    });
  }
  for (
    const url of [
      "secret",
      "ftp://secret",
      "https://secret@host",
      "https://host/?secret",
      "https://host/#secret",
    ]
  ) {
    assert.throws(() => new FlyApi({ url, token: TEST_TOKEN, clock }), (error: Error) => {
      return error instanceof TypeError && !error.message.includes("secret");
    });
  }
});

Deno.test("FlyApi.get() shows the token in no error", async () => {
  await using rig = start();
  const messages: string[] = [];
  for (const status of [400, 401, 404]) {
    rig.server.fail({ status });
    messages.push(await rig.run().then(() => "", (error) => `${error.message}${error.stack}${error.cause}`));
  }
  assert.ok(messages.every((message) => message !== "" && !message.includes("fm2_")));
});

interface Rig extends AsyncDisposable {
  server: FlyApiServer;
  /** The clock beneath, by which limits go. */
  clock: FakeClock;
  api: FlyApi;
  waitsMs: readonly number[];
  run(request?: FlyApiRequest): Promise<string>;
  /** Lets the limit of the request pass whose answer is held back. */
  timeOut(): Promise<void>;
}

function start(options: Partial<FlyApiOptions> = {}): Rig {
  const clock = new FakeClock(0);
  const waits = new WaitsClock(clock, REQUEST_TIMEOUT_MS);
  const server = FlyApiServer.start({ clock });
  server.machinesLimit = null;
  const api = new FlyApi({ url: server.url, token: TEST_TOKEN, clock: waits, ...options });
  return {
    server,
    clock,
    api,
    waitsMs: waits.waitsMs,
    run: (request) => api.get(PATH, request),
    async timeOut() {
      await untilSo(() => server.holding === 1, "the held answer");
      clock.advance(REQUEST_TIMEOUT_MS);
      server.release();
      await untilSo(() => server.holding === 0, "the late answer");
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function assertFails(
  promise: Promise<unknown>,
  failure: FlyApiFailure,
  message: string | RegExp,
  status?: number,
): Promise<void> {
  const error = await promise.then(() => undefined, (error) => error);
  assert.ok(error instanceof FlyApiError, `${error}`);
  assert.equal(error.failure, failure);
  if (status !== undefined) assert.equal(error.status, status);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
}
