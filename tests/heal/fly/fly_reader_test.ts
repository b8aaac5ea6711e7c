import assert from "node:assert/strict";
import { FlyApi, REQUEST_TIMEOUT_MS } from "../../../lib/heal/fly/fly_api.ts";
import { FlyApps, MACHINES_PACE } from "../../../lib/heal/fly/fly_apps.ts";
import type { FlyPiece } from "../../../lib/heal/fly/fly_piece.ts";
import { FlyReader, type FlyReaderOptions } from "../../../lib/heal/fly/fly_reader.ts";
import { WantedRows } from "../../../lib/heal/fly/wanted_rows.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import type { StoreManners } from "../../rig/fly_log_store.ts";
import { WaitsClock } from "../../rig/waits.ts";

const START_MS = Date.UTC(2026, 10, 22, 10);
const SPAN = { sinceMs: START_MS, untilMs: START_MS + 10_000 };

Deno.test("FlyReader.read() has the rows of all apps in the order of time, and the form of each", async () => {
  await using rig = start(["web", "api", "idle"], { decimals: 3 });
  rig.add("web", 1000, "a");
  rig.add("web", 3000, "c", null);
  rig.add("api", 2000, "b");
  const piece = await rig.reader().read(SPAN);
  assert.deepEqual(messagesIn(piece), ["a", "b", "c"]);
  assert.deepEqual([...piece.forms], [
    ["web", { decimals: 3, hasInstance: false }],
    ["api", { decimals: 3, hasInstance: true }],
    ["idle", { decimals: 9, hasInstance: true }],
  ]);
});

Deno.test("FlyReader.read() reads of each app only as far as the rows fit, and goes on from there", async () => {
  await using rig = start(["web", "api"], { pageRows: 2 });
  for (let i = 0; i < 10; i++) rig.add(i % 2 === 0 ? "web" : "api", i * 1000, `${i}`);
  const reader = rig.reader({ limits: { rows: 3 } });
  const messages: string[] = [];
  for (let sinceMs = SPAN.sinceMs; sinceMs < SPAN.untilMs;) {
    const piece = await reader.read({ ...SPAN, sinceMs });
    assert.ok(piece.size <= 3);
    messages.push(...messagesIn(piece));
    sinceMs = piece.untilMs;
  }
  assert.deepEqual(messages, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

Deno.test("FlyReader.read() does not ask again for an app of which it knows that it is silent", async () => {
  await using rig = start(["web"]);
  rig.add("web", 25_000, "later");
  const reader = rig.reader();
  const sizes = [];
  for (let i = 0; i < 3; i++) {
    const piece = await reader.read({ sinceMs: START_MS + i * 10_000, untilMs: START_MS + (i + 1) * 10_000 });
    sizes.push([piece.size, rig.server.requests.length]);
  }
  assert.deepEqual(sizes.slice(0, 2), [[0, 1], [0, 1]]);
  assert.equal(sizes[2]![0], 1);
});

Deno.test("FlyReader.read() asks again where a piece was cut before rows that it has seen", async () => {
  await using rig = start(["web", "api"]);
  rig.add("web", 8000, "w");
  rig.add("web", 12_000, "later");
  for (let i = 1; i <= 4; i++) rig.add("api", i * 1000, `${i}`);
  const reader = rig.reader({ limits: { rows: 3 } });
  const first = await reader.read(SPAN);
  const second = await reader.read({ ...SPAN, sinceMs: first.untilMs });
  assert.deepEqual([...messagesIn(first), ...messagesIn(second)], ["1", "2", "3", "4", "w"]);
});

Deno.test("FlyReader.read() leaves an app that is gone, and one that the token may not read, and goes on", async () => {
  await using rig = start(["secret", "web"]);
  rig.add("web", 1000, "a");
  rig.server.refuseLogsOf.add("secret");
  const reader = rig.reader({ names: ["gone", "secret", "web"] });
  for (let times = 0; times < 2; times++) assert.deepEqual(messagesIn(await reader.read(SPAN)), ["a"]);
  assert.deepEqual([[...reader.gone], [...reader.faults.keys()], reader.answered], [["gone"], ["secret"], 1]);
  assert.equal(rig.server.requests.filter((request) => request.includes("/gone/")).length, 1);
});

Deno.test("FlyReader.read() waits when the first request of an app is answered 401 for being too fast", async () => {
  await using rig = start(["web"]);
  rig.add("web", 1000, "a");
  rig.server.fail({ status: 401 });
  const reader = rig.reader();
  assert.deepEqual(messagesIn(await reader.read(SPAN)), ["a"]);
  assert.deepEqual([reader.gone.size, reader.faults.size], [0, 0]);
});

Deno.test("FlyReader.read() gives up after three apps when the token is refused", async () => {
  await using rig = start([]);
  rig.server.mayReadLogs = rig.server.mayListApps = false;
  const reader = rig.reader({ names: ["a", "b", "c", "d"] });
  await assert.rejects(reader.read(SPAN), { name: "FlyApiError", failure: "refused" });
  assert.deepEqual([...reader.faults.keys()], ["a", "b"]);
});

Deno.test("FlyReader.read() goes on without an app whose answers make no sense", async () => {
  await using rig = start(["api", "web"]);
  rig.add("web", 1000, "a");
  rig.server.fail("html");
  const reader = rig.reader();
  assert.deepEqual(messagesIn(await reader.read(SPAN)), ["a"]);
  assert.match(reader.faults.get("api")!, /^Cannot read logs from Fly: the answer is no page of logs/);
});

Deno.test("FlyReader.read() throws when the API is down", async () => {
  await using rig = start(["web"]);
  rig.server.failAfter(0, { status: 502 });
  await assert.rejects(rig.reader().read(SPAN), { name: "FlyApiError", failure: "down" });
});

Deno.test("FlyReader.read() goes on without an app that has more rows in a millisecond than fit", async () => {
  await using rig = start(["api", "web"]);
  for (let i = 0; i < 5; i++) rig.add("api", 0, `${i}`);
  rig.add("web", 0, "a");
  const reader = rig.reader({ limits: { rows: 3 } });
  assert.deepEqual(messagesIn(await reader.read(SPAN)), ["a"]);
  assert.match(reader.faults.get("api")!, /are within a millisecond$/);
});

interface Rig extends AsyncDisposable {
  server: FlyApiServer;
  reader(options?: Partial<FlyReaderOptions>): FlyReader;
  add(app: string, offsetMs: number, message: string, instance?: string | null): void;
}

function start(names: string[], manners: Partial<StoreManners> = {}): Rig {
  const clock = new FakeClock(START_MS + 60_000);
  const waits = new WaitsClock(clock, REQUEST_TIMEOUT_MS);
  const server = FlyApiServer.start({ clock, manners, apps: names });
  const access = { url: server.url, token: TEST_TOKEN, clock: waits };
  const rules = { subject: "logs.>", ownApp: null, excludeApps: [], includeApps: [], excludeText: [] };
  return {
    server,
    reader: (options = {}) =>
      new FlyReader({
        logs: new FlyApi(access),
        apps: new FlyApps(new FlyApi({ ...access, pace: MACHINES_PACE })),
        wanted: new WantedRows(rules),
        names,
        ...options,
      }),
    add: (app, offsetMs, message, instance = "m1") =>
      server.store.add({ app, atNs: BigInt(START_MS + offsetMs) * 1_000_000n, message, instance }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function messagesIn(piece: FlyPiece): string[] {
  return piece.sorted().map(({ line }) => JSON.parse(new TextDecoder().decode(line)).message);
}
