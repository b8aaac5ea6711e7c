import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { type Fault, FlyApiServer, TEST_TOKEN } from "./fly_api.ts";
import { untilSo } from "./wait.ts";

const START_MS = Date.UTC(2026, 10, 22, 10);
const START_NS = BigInt(START_MS) * 1_000_000n;
const LOGS = "/api/v1/apps/web/logs";

Deno.test("FlyApiServer answers a page of logs", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.store.add({ app: "web", atNs: START_NS - 1n, message: "a" }, {
    app: "web",
    atNs: START_NS,
    message: "b",
  });
  const { status, body } = await get(server, `${LOGS}?next_token=${START_NS - 1n}&region=&instance=`);
  assert.equal(status, 200);
  assert.deepEqual([body.data.length, body.data[0].attributes.message, body.meta.next_token], [
    1,
    "b",
    `${START_NS}`,
  ]);
  assert.equal((await get(server, LOGS)).body.data.length, 2);
});

Deno.test("FlyApiServer answers 401 to Bearer, to a wrong token and to none, for logs", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  for (const authorization of [`Bearer ${TEST_TOKEN}`, TEST_TOKEN, "FlyV1 wrong", ""]) {
    assert.equal((await get(server, LOGS, authorization)).status, 401);
  }
});

Deno.test("FlyApiServer answers 404 to a wrong token and 401 for an unknown app when told so", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  assert.equal((await get(server, "/api/v1/apps/gone/logs")).status, 404);
  server.refuseWith = { token: 404, app: 401 };
  assert.equal((await get(server, LOGS, "FlyV1 wrong")).status, 404);
  assert.equal((await get(server, "/api/v1/apps/gone/logs")).status, 401);
});

for (const status of [401, 429] as const) {
  Deno.test(`FlyApiServer answers ${status} to whoever pages too fast, until time has passed`, async () => {
    const clock = new FakeClock(START_MS);
    await using server = FlyApiServer.start({ clock });
    server.logsLimit = { status, burst: 2, intervalMs: 500 };
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await get(server, LOGS)).status);
    clock.advance(500);
    for (let i = 0; i < 2; i++) statuses.push((await get(server, LOGS)).status);
    assert.deepEqual(statuses, [200, 200, status, 200, status]);
  });
}

Deno.test("FlyApiServer.fail() lets the next requests meet a status and the one after succeed", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.fail({ status: 502 });
  server.fail({ status: 503, retryAfter: "7" });
  const first = await get(server, LOGS);
  const second = await get(server, LOGS);
  const third = await get(server, LOGS);
  assert.deepEqual([first.status, second.status, third.status], [502, 503, 200]);
  assert.equal(second.retryAfter, "7");
});

Deno.test('FlyApiServer.fail("die") breaks the connection in the middle of a page', async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.fail("die");
  const response = await fetch(server.url + LOGS, { headers: { authorization: `FlyV1 ${TEST_TOKEN}` } });
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
});

Deno.test('FlyApiServer.fail("hold") holds the answer until release()', async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.fail("hold");
  const held = get(server, LOGS);
  await untilSo(() => server.holding === 1, "the held answer");
  assert.equal((await get(server, LOGS)).status, 200);
  server.release();
  assert.equal((await held).status, 200);
});

Deno.test('FlyApiServer.fail("html") answers with something that is no JSON', async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.fail("html" satisfies Fault);
  const response = await fetch(server.url + LOGS);
  assert.equal(await response.text(), "<html></html>");
});

Deno.test("FlyApiServer answers 400 to a token that is no number", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  assert.equal((await get(server, `${LOGS}?next_token=abc`)).status, 400);
});

Deno.test("FlyApiServer lists the apps of the organisation, and says of each whether it exists", async () => {
  await using server = FlyApiServer.start({
    clock: new FakeClock(START_MS),
    org: "acme",
    apps: ["web", "api"],
  });
  const { body } = await get(server, "/v1/apps?org_slug=acme");
  assert.equal(body.total_apps, 2);
  assert.deepEqual(body.apps[0], {
    id: "id-of-web",
    name: "web",
    machine_count: 1,
    volume_count: 0,
    network: "default",
  });
  assert.equal((await get(server, "/v1/apps/api")).body.name, "api");
  assert.equal((await get(server, "/v1/apps/gone")).status, 404);
});

Deno.test("FlyApiServer does not know other organisations and other paths", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  assert.equal((await get(server, "/v1/apps?org_slug=other")).status, 404);
  assert.equal((await get(server, "/v2")).status, 404);
});

Deno.test("FlyApiServer answers 401 on the machines API to a token that may not list apps", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.mayListApps = false;
  assert.equal((await get(server, "/v1/apps/web")).status, 401);
  assert.equal((await get(server, "/v1/apps?org_slug=personal")).status, 401);
  assert.equal((await get(server, LOGS)).status, 200);
});

Deno.test("FlyApiServer refuses logs to a token that may list apps but not read", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.mayReadLogs = false;
  assert.equal((await get(server, LOGS)).status, 401);
  assert.equal((await get(server, "/v1/apps/web")).status, 200);
});

Deno.test("FlyApiServer takes three requests at once on the machines API, and one a second", async () => {
  const clock = new FakeClock(START_MS);
  await using server = FlyApiServer.start({ clock });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await get(server, "/v1/apps/web")).status);
  clock.advance(1000);
  for (let i = 0; i < 2; i++) statuses.push((await get(server, "/v1/apps/web")).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 200, 429]);
});

Deno.test("FlyApiServer.failAfter() lets all requests meet a status from one on, until it recovers", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  server.failAfter(1, { status: 503 });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await get(server, LOGS)).status);
  server.recover();
  statuses.push((await get(server, LOGS)).status);
  assert.deepEqual(statuses, [200, 503, 503, 200]);
});

Deno.test("FlyApiServer refuses the logs of some apps, which exist, when told so", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS), apps: ["web", "api"] });
  server.refuseLogsOf.add("web");
  const paths = [LOGS, "/v1/apps/web", "/api/v1/apps/api/logs"];
  const statuses = [];
  for (const path of paths) statuses.push((await get(server, path)).status);
  assert.deepEqual(statuses, [401, 200, 200]);
});

Deno.test("FlyApiServer.requests has the requests in their order", async () => {
  await using server = FlyApiServer.start({ clock: new FakeClock(START_MS) });
  await get(server, "/v1/apps/web");
  await get(server, `${LOGS}?next_token=1`);
  assert.deepEqual(server.requests, ["/v1/apps/web", `${LOGS}?next_token=1`]);
});

interface Answer {
  status: number;
  retryAfter: string | null;
  // deno-lint-ignore no-explicit-any -- the shapes differ by route
  body: any;
}

async function get(
  server: FlyApiServer,
  path: string,
  authorization = `FlyV1 ${TEST_TOKEN}`,
): Promise<Answer> {
  const response = await fetch(server.url + path, { headers: authorization === "" ? {} : { authorization } });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: await response.json(),
  };
}
