import assert from "node:assert/strict";
import { dayOf } from "../../../lib/day.ts";
import { FlyApi } from "../../../lib/heal/fly/fly_api.ts";
import { FlyApps, MACHINES_PACE } from "../../../lib/heal/fly/fly_apps.ts";
import { APPS_LIMIT, KnownApps } from "../../../lib/heal/fly/known_apps.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { NOON, openArchive, type TestArchive, TestDirectory } from "../../archive/archive_rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import { WaitsClock } from "../../rig/waits.ts";

const DAYS_MS = 86_400_000;
const EVERY = () => true;

Deno.test("KnownApps.find() has the apps that exist and those that the last eight days have seen", async () => {
  await using rig = await start(["web", "api"]);
  await seal(rig.test, "gone", Date.parse(NOON) - 7 * DAYS_MS);
  await seal(rig.test, "long-gone", Date.parse(NOON) - 12 * DAYS_MS);
  assert.deepEqual(await rig.known.find(EVERY), { names: ["api", "gone", "web"], doubt: null });
});

Deno.test("KnownApps.find() leaves out what is not wanted", async () => {
  await using rig = await start(["web", "api"]);
  assert.deepEqual((await rig.known.find((app) => app !== "api")).names, ["web"]);
});

Deno.test("KnownApps.find() has what was seen when Fly does not say what exists, and doubts", async () => {
  await using rig = await start(["web"]);
  await seal(rig.test, "seen", Date.parse(NOON) - 2 * DAYS_MS);
  rig.server.mayListApps = false;
  const { names, doubt } = await rig.known.find(EVERY);
  assert.deepEqual(names, ["seen"]);
  assert.match(doubt!, /^Fly does not say which apps "personal" has, so one may be left out: .*answered 401/);
});

Deno.test("KnownApps.find() asks for a limited number of apps, and says so", async () => {
  await using rig = await start(Array.from({ length: APPS_LIMIT + 1 }, (_, i) => `app-${i}`));
  const { names, doubt } = await rig.known.find(EVERY);
  assert.deepEqual([names.length, doubt], [5000, "there are 5001 apps, of which 5000 are asked for"]);
});

async function start(apps: string[]): Promise<
  AsyncDisposable & { test: TestArchive; server: FlyApiServer; known: KnownApps }
> {
  const directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  const test = await openArchive(directory, { clock });
  const server = FlyApiServer.start({ clock, apps });
  const waits = new WaitsClock(clock, 30_000);
  const api = new FlyApi({ url: server.url, token: TEST_TOKEN, clock: waits, pace: MACHINES_PACE });
  const known = new KnownApps({ apps: new FlyApps(api), archive: test.archive, org: "personal", clock });
  return {
    test,
    server,
    known,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

/** Records a line of an app on a day that is over, and seals that. */
async function seal({ archive, clock }: TestArchive, app: string, atMs: number): Promise<void> {
  const timestamp = new Date(atMs).toISOString();
  const line = `{"fly":{"app":{"name":"${app}"}},"message":"m","timestamp":"${timestamp}"}`;
  archive.append(dayOf(atMs), new TextEncoder().encode(line), false, parseTimestamp(timestamp));
  await archive.sync();
  clock.skip(2 * 3_600_000);
  await archive.maintain();
}
