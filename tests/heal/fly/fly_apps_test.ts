import assert from "node:assert/strict";
import { FlyApi } from "../../../lib/heal/fly/fly_api.ts";
import { FlyApiError } from "../../../lib/heal/fly/fly_api_error.ts";
import { appPathPart, FlyApps, MACHINES_PACE } from "../../../lib/heal/fly/fly_apps.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import { WaitsClock } from "../../rig/waits.ts";

Deno.test("FlyApps.list() returns the apps of the organisation by name", async () => {
  await using rig = start(["web", "api"]);
  assert.deepEqual(await rig.apps.list("personal"), { names: ["api", "web"], isWhole: true });
});

Deno.test("FlyApps.list() says when the API has not named all", async () => {
  await using rig = startWith('{"total_apps":2,"apps":[{"name":"web"}]}');
  assert.deepEqual(await rig.apps.list("personal"), { names: ["web"], isWhole: false });
});

Deno.test("FlyApps.list() throws when the answer is no list", async () => {
  for (const text of ["{}", "<html>", '{"apps":[{}]}']) {
    await using rig = startWith(text);
    await assert.rejects(
      rig.apps.list("personal"),
      (error) =>
        error instanceof FlyApiError && error.failure === "answer" &&
        /check the API's URL/.test(error.message),
    );
  }
});

Deno.test("FlyApps.list() throws when the organisation is unknown", async () => {
  await using rig = start(["web"]);
  await assert.rejects(
    rig.apps.list("other"),
    (error) => error instanceof FlyApiError && error.failure === "missing",
  );
});

Deno.test("FlyApps.state() tells an app that exists from one that is gone and from a token that may not", async () => {
  await using rig = start(["web"]);
  assert.deepEqual([await rig.apps.state("web"), await rig.apps.state("gone")], ["exists", "gone"]);
  rig.server.mayListApps = false;
  assert.equal(await rig.apps.state("web"), "refused");
});

Deno.test("FlyApps.state() takes an app for gone whose name would lead elsewhere, without asking", async () => {
  await using rig = start(["web"]);
  assert.deepEqual([await rig.apps.state(".."), await rig.apps.state("")], ["gone", "gone"]);
  assert.deepEqual(rig.server.requests, []);
});

Deno.test("FlyApps.state() throws when the API is down", async () => {
  await using rig = start(["web"]);
  rig.server.fail({ status: 502 }, 4);
  await assert.rejects(
    rig.apps.state("web"),
    (error) => error instanceof FlyApiError && error.failure === "down",
  );
});

Deno.test("FlyApps.state() ends with the signal's reason", async () => {
  await using rig = start(["web"]);
  await assert.rejects(rig.apps.state("web", AbortSignal.abort(new Error("stop"))), { message: "stop" });
});

Deno.test("FlyApps asks so slowly that the machines API never refuses", async () => {
  await using rig = start(["web"]);
  for (let i = 0; i < 6; i++) await rig.apps.state("web");
  assert.deepEqual([rig.server.requests.length, rig.waitsMs], [6, [1000, 1000, 1000]]);
});

Deno.test("FlyApps.explain() says why logs cannot be had, and what to do", async () => {
  await using rig = start(["web"]);
  assert.deepEqual(await rig.apps.explain("gone"), {
    cause: "gone",
    reason: 'App "gone" is gone, and its logs with it',
  });
  assert.deepEqual(await rig.apps.explain("web"), {
    cause: "forbidden",
    reason:
      'The token may not read the logs of "web", which exists: make another with "fly tokens create readonly ORG"',
  });
  rig.server.mayListApps = false;
  assert.deepEqual(await rig.apps.explain("web"), {
    cause: "refused",
    reason:
      'The token is refused, so nobody knows whether "web" exists: make another with "fly tokens create readonly ORG"',
  });
});

Deno.test("appPathPart() makes one part of a path of any name that an app can have", () => {
  assert.deepEqual(["web-1", "a/b?c", "\u00e9", "\ud800", ".", "..", ""].map(appPathPart), [
    "web-1",
    "a%2Fb%3Fc",
    "%C3%A9",
    "%EF%BF%BD",
    null,
    null,
    null,
  ]);
});

function start(
  names: string[],
): AsyncDisposable & { server: FlyApiServer; apps: FlyApps; waitsMs: readonly number[] } {
  const clock = new FakeClock("2026-11-22T10:00:00Z");
  const waits = new WaitsClock(clock, 30_000);
  const server = FlyApiServer.start({ clock, apps: names });
  const api = new FlyApi({ url: server.url, token: TEST_TOKEN, clock: waits, pace: MACHINES_PACE });
  return {
    server,
    apps: new FlyApps(api),
    waitsMs: waits.waitsMs,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** An API that answers everything with `text`. */
function startWith(text: string): AsyncDisposable & { apps: FlyApps } {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => new Response(text));
  const url = `http://127.0.0.1:${server.addr.port}`;
  const apps = new FlyApps(new FlyApi({ url, token: TEST_TOKEN, clock: new FakeClock(0) }));
  return { apps, [Symbol.asyncDispose]: () => server.shutdown() };
}
