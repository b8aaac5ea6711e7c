import assert from "node:assert/strict";
import { dayOf } from "../../../lib/day.ts";
import { readConfig } from "../../../lib/config/config.ts";
import { FlyHealer } from "../../../lib/heal/fly/fly_healer.ts";
import { FLY_KEEPS_MS } from "../../../lib/heal/heal_plan.ts";
import type { HealProgress } from "../../../lib/heal/fly/fly_slices.ts";
import { createRandom } from "../../rig/random.ts";
import { untilSo } from "../../rig/wait.ts";
import { GAP, GAP_MS, type HealRig, startHealRig } from "./fly_heal_rig.ts";

const HOUR_MS = 3_600_000;
const MANNERS = ([3, 6, 9] as const).flatMap((decimals) =>
  (["inclusive", "exclusive"] as const).map((cursor) => ({ decimals, cursor, token: "number" as const }))
);

/** Prints one line before the gap and one after, by which Fly is proven. */
function printAround(rig: HealRig, app = "web"): void {
  rig.print(-1000, `${app} before`, { app });
  rig.print(21_000, `${app} after`, { app });
}

for (const manners of MANNERS) {
  const { decimals, cursor } = manners;
  Deno.test(`a gap of 20 s is healed, repeats as often as they were printed, with ${decimals} decimals and an ${cursor} cursor`, async () => {
    await using rig = await startHealRig({ manners, apps: ["web", "api", "idle"] });
    const printed: string[] = [];
    for (let i = -50; i < 250; i++) {
      // Every tenth line is there three times; every other one is of another machine. Some came while the gap began.
      const message = `line ${String(i - i % 10).padStart(4, "0")}`;
      const more = { app: i % 3 === 0 ? "api" : "web", instance: i % 2 === 0 ? "m1" : "m2" };
      for (let times = i % 10 === 0 ? 3 : 1; times > 0; times--) {
        const isHere = i < 3 || i >= 200 || (i === 10 && times === 1);
        rig.print(i * 100 + 0.123456, message, { ...more, isHere });
        printed.push(message);
      }
    }
    const outcome = await rig.heal();
    assert.deepEqual({ ...outcome, lines: 0, found: 0 }, {
      ...{ source: "fly", lines: 0, state: "complete", reason: null, found: 0, isFinal: false },
    });
    assert.deepEqual((await rig.messages()).sort(), printed.sort());
    assert.equal(outcome.lines, rig.inserted.length);
    assert.equal((await rig.heal()).lines, 0);
    assert.deepEqual(await rig.heal(), { ...outcome, lines: 0 });
  });
}

Deno.test("what is brought back says that it is, and has the shape of the stream's lines", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.print(1000.5, "lost", { level: "error" });
  await rig.heal();
  assert.deepEqual(rig.inserted.map((line) => JSON.parse(line)), [{
    event: { provider: "app" },
    fly: { app: { instance: "0e286551c30586", name: "web" }, region: "fra" },
    log: { level: "error" },
    message: "lost",
    timestamp: "2026-11-22T10:00:01.000500000Z",
    flightlog: { healed: "fly", id: "row-2" },
  }]);
});

Deno.test("what is missing beside the gap proves nothing and is not brought back", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.print(-500, "not recorded", { isHere: false });
  rig.print(20_500, "not recorded either", { isHere: false });
  assert.deepEqual([(await rig.heal()).state, rig.inserted], ["complete", []]);
});

Deno.test("rows that hide their instance are the lines that are here with theirs", async () => {
  await using rig = await startHealRig({ manners: { nullInstances: true } });
  printAround(rig);
  rig.print(1000, "here", { isHere: true });
  rig.print(1000, "lost");
  const { state, lines } = await rig.heal();
  assert.deepEqual([state, lines], ["complete", 1]);
});

Deno.test("more lines than a page in one instant are all brought back", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  for (let i = 0; i < 280; i++) rig.print(7000, `${i % 50}`, { instance: `m${i % 4}` });
  const { state, lines } = await rig.heal();
  assert.deepEqual([state, lines], ["complete", 280]);
});

Deno.test("an instant that cannot be had whole is brought back as far as it can, and said", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  for (let i = 0; i < 130; i++) rig.print(7000, `${i}`);
  const { state, lines, reason } = await rig.heal();
  assert.deepEqual([state, lines], ["incomplete", 100]);
  assert.match(
    reason!,
    /^Not proven to be all: "web": moments that may have more lines than were returned: 1$/,
  );
});

Deno.test("lines that come late to Fly's store are brought back when it is asked again", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.print(1000, "in time");
  rig.print(2000, "late", { appearsMs: rig.clock.now() + 60_000 });
  const first = await rig.heal();
  rig.clock.advance(13 * 60_000);
  const second = await rig.heal();
  const third = await rig.heal();
  assert.deepEqual([first, second, third].map(({ lines, found }) => [lines, found]), [[1, 1], [1, 2], [
    0,
    2,
  ]]);
});

Deno.test("a store that has not caught up with what was recorded after the gap proves nothing yet", async () => {
  await using rig = await startHealRig();
  rig.print(-1000, "before");
  rig.print(1000, "lost");
  rig.print(21_000, "after", { appearsMs: rig.clock.now() + 60_000 });
  const { state, lines, reason, isFinal } = await rig.heal();
  assert.deepEqual([state, lines, isFinal], ["incomplete", 1, false]);
  assert.equal(reason, 'Not proven to be all: "web": 1 of 1 lines in the 5 s after the gap are not there');
  rig.clock.advance(60_000);
  assert.equal((await rig.heal()).state, "complete");
});

Deno.test("where little is printed, lines farther from the gap prove that Fly has all", async () => {
  await using rig = await startHealRig();
  rig.print(-50_000, "before");
  rig.print(1000, "lost");
  const { state, lines } = await rig.heal();
  assert.deepEqual([state, lines], ["complete", 1]);
  assert.match(rig.logRequests[0]!, new RegExp(`next_token=${BigInt(GAP_MS - 60_000) * 1_000_000n - 1n}$`));
});

Deno.test("where nothing is here to compare with, lines come back and nothing is proven", async () => {
  await using rig = await startHealRig();
  rig.print(1000, "lost");
  const { state, lines, reason } = await rig.heal();
  assert.deepEqual([state, lines], ["incomplete", 1]);
  assert.equal(reason, "Not proven to be all: no line is here within 5 s of the gap to compare with");
});

Deno.test("an app that is gone is no reason against Fly if it has no lines around the gap", async () => {
  await using rig = await startHealRig({ apps: ["web"] });
  printAround(rig);
  rig.print(-2 * HOUR_MS, "old", { app: "gone", isThere: false });
  rig.print(1000, "lost");
  await block(rig);
  for (const status of [401, 404] as const) {
    rig.server.refuseWith.app = status;
    assert.deepEqual([(await rig.heal()).state, rig.inserted.length], ["complete", 1]);
  }
  assert.ok(rig.logRequests.some((request) => request.includes("/gone/")));
});

Deno.test("an app that is gone and had lines half an hour before the gap leaves it unproven", async () => {
  await using rig = await startHealRig({ apps: ["web"] });
  printAround(rig);
  rig.print(-HOUR_MS / 2, "old", { app: "gone", isThere: false });
  await block(rig);
  const { state, reason } = await rig.heal();
  assert.equal(state, "incomplete");
  assert.equal(reason, 'App "gone" had lines within an hour of it, and is gone, and its logs with it');
});

Deno.test("an app that is gone and has lines around the gap leaves it unproven", async () => {
  await using rig = await startHealRig({ apps: ["web"] });
  printAround(rig);
  printAround(rig, "gone");
  await block(rig);
  const { state, reason } = await rig.heal();
  assert.equal(state, "incomplete");
  assert.equal(reason, 'Not proven to be all: "gone": the app is gone, and its logs with it');
});

Deno.test("a token that is refused is said, with what to do, after a few requests", async () => {
  for (const status of [401, 404] as const) {
    await using rig = await startHealRig({ token: "fm2_wrong", apps: [] });
    rig.server.refuseWith.token = status;
    for (const app of ["a", "b", "c", "d", "e"]) printAround(rig, app);
    await block(rig);
    const { state, lines, reason, isFinal } = await rig.heal();
    assert.deepEqual([state, lines, isFinal], ["nothing", 0, false]);
    assert.match(
      reason!,
      /^The token is refused, .*: make another with "fly tokens create readonly ORG"; Fly does not say/,
    );
    assert.equal(rig.logRequests.length, 3);
  }
});

Deno.test("a token that may not read logs is said, with what to do", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.server.mayReadLogs = false;
  const { state, reason } = await rig.heal();
  assert.equal(state, "nothing");
  assert.match(reason!, /"web": The token may not read the logs of "web", which exists: make another/);
});

Deno.test("apps whose logs the token may read are healed when it may not read those of others", async () => {
  await using rig = await startHealRig({ apps: ["api", "web"] });
  printAround(rig);
  printAround(rig, "api");
  rig.print(1000, "lost");
  rig.server.refuseLogsOf.add("api");
  const { state, lines, reason } = await rig.heal();
  assert.deepEqual([state, lines], ["incomplete", 1]);
  assert.match(reason!, /^Not proven to be all: "api": The token may not read the logs of "api"/);
});

Deno.test("an app that nobody has seen may be left out when Fly does not list the apps, and this is said", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.print(1000, "lost");
  await block(rig);
  rig.server.mayListApps = false;
  const { state, lines, reason } = await rig.heal();
  assert.deepEqual([state, lines], ["incomplete", 1]);
  assert.match(
    reason!,
    /^Fly does not say which apps "personal" has, so one may be left out: Cannot ask Fly's API/,
  );
});

Deno.test("a few answers of 502 and a connection that breaks do no harm", async () => {
  await using rig = await startHealRig({ manners: { pageRows: 10 } });
  printAround(rig);
  for (let i = 0; i < 100; i++) rig.print(i * 100, `${i}`);
  rig.server.fail({ status: 502 }, 2);
  rig.server.fail("die", 1);
  const { state, lines } = await rig.heal();
  assert.deepEqual([state, lines], ["complete", 100]);
});

Deno.test("an API that stays down is said, and all comes back when it is there again", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.print(1000, "lost");
  rig.server.fail({ status: 503 }, 1000);
  const { state, lines, reason, isFinal } = await rig.heal();
  assert.deepEqual([state, lines, isFinal], ["nothing", 0, false]);
  assert.match(reason!, /answered 503; try again later/);
  rig.server.recover();
  const { state: after, lines: brought } = await rig.heal();
  assert.deepEqual([after, brought], ["complete", 1]);
});

for (const status of [401, 429] as const) {
  Deno.test(`asking too fast, which is answered ${status}, only takes longer`, async () => {
    await using rig = await startHealRig({ manners: { pageRows: 5 }, apps: ["api", "web"] });
    for (const app of ["api", "web"]) {
      printAround(rig, app);
      for (let i = 0; i < 50; i++) rig.print(i * 100, `${i}`, { app });
    }
    rig.server.logsLimit = { status, burst: 1, intervalMs: 700 };
    const { state, lines } = await rig.heal();
    assert.deepEqual([state, lines], ["complete", 100]);
  });
}

Deno.test("FlyHealer.of() is there only when the configuration says so", async () => {
  await using rig = await startHealRig();
  const env = { NATS_URL: "nats://127.0.0.1", ACCESS_TOKEN: "fm2_a" };
  assert.equal(FlyHealer.of(readConfig(env), rig.archive, rig.clock), null);
  const healer = FlyHealer.of(readConfig({ ...env, HEAL_FROM_FLY: "on" }), rig.archive, rig.clock);
  assert.equal(healer?.oldestMs, rig.clock.now() - FLY_KEEPS_MS);
});

Deno.test("one span is healed at a time", async () => {
  await using rig = await startHealRig();
  const first = rig.heal();
  await rig.archive.sync();
  await assert.rejects(rig.heal(), { message: "Cannot heal two spans from Fly at once: wait for the first" });
  await first;
});

Deno.test("what Fly no longer keeps is not asked for", async () => {
  await using rig = await startHealRig({ nowMs: GAP.untilMs + FLY_KEEPS_MS });
  assert.deepEqual(await rig.heal(), {
    ...{ source: "fly", lines: 0, state: "nothing", found: 0, isFinal: true },
    reason: "Fly no longer has it: it keeps logs for about seven days",
  });
  assert.deepEqual(rig.server.requests, []);
});

Deno.test("of a gap that Fly no longer keeps in part, the rest is brought back", async () => {
  await using rig = await startHealRig({ nowMs: GAP_MS + 10_000 + FLY_KEEPS_MS });
  rig.print(5000, "too old");
  rig.print(15_000, "lost");
  printAround(rig);
  const { state, lines, reason } = await rig.heal();
  assert.deepEqual([state, lines], ["incomplete", 1]);
  assert.match(
    reason!,
    /^Fly no longer has all of what was before 2026-11-22T10:00:10\.\d+Z: it keeps about seven days$/,
  );
});

Deno.test("what was done while Fly still had it is no reason against it later", async () => {
  await using rig = await startHealRig({ nowMs: GAP_MS + 10_000 + FLY_KEEPS_MS });
  printAround(rig);
  rig.print(15_000, "lost");
  const { state, lines } = await rig.heal({ fromMs: GAP_MS + 15_000 });
  assert.deepEqual([state, lines], ["complete", 1]);
});

Deno.test("what is not recorded on purpose is neither asked for nor brought back, nor held against Fly", async () => {
  await using rig = await startHealRig({
    apps: ["web", "noisy", "flightlog", "api"],
    wanted: { excludeApps: ["noi*"], excludeText: ["GET /health"], subject: "logs.*.fra.>" },
  });
  for (const app of ["web", "noisy", "flightlog", "api"]) {
    rig.print(-1000, "before", { app, isHere: app === "web" });
    rig.print(1000, "lost", { app });
    rig.print(1000, "GET /health", { app });
    rig.print(1000, "elsewhere", { app, region: "sjc" });
  }
  // It was recorded when it was not left out yet, and Fly has lost it since.
  rig.print(-500, "GET /health", { isThere: false });
  const { state, lines } = await rig.heal();
  assert.deepEqual([state, lines], ["complete", 2]);
  assert.deepEqual(rig.inserted.map((line) => JSON.parse(line).message), ["lost", "lost"]);
  assert.ok(!rig.logRequests.some((request) => /noisy|flightlog/.test(request)));
});

Deno.test("when no app is recorded there is nobody to ask for", async () => {
  await using rig = await startHealRig({ wanted: { includeApps: ["other"] } });
  const { state, reason, isFinal } = await rig.heal();
  assert.deepEqual([state, isFinal], ["nothing", true]);
  assert.equal(reason, "No app of the organisation is recorded here");
});

Deno.test("a gap over midnight is healed in both days", async () => {
  const midnightMs = Date.UTC(2026, 10, 23);
  await using rig = await startHealRig({ nowMs: midnightMs + 130_000 });
  const at = (ms: number) => midnightMs - GAP_MS + ms;
  rig.print(at(-11_000), "before", { isHere: true });
  for (const ms of [-5000, -0.000001, 0, 5000]) rig.print(at(ms), `${ms}`, { isHere: false });
  rig.print(at(11_000), "after", { isHere: true });
  const span = { sinceMs: midnightMs - 10_000, untilMs: midnightMs + 10_000 };
  const { state, lines } = await rig.heal({}, span);
  assert.deepEqual([state, lines], ["complete", 4]);
  assert.deepEqual(await rig.messages(midnightMs - 1), ["before", "-5000", "-0.000001"]);
  assert.deepEqual(await rig.messages(midnightMs), ["0", "5000", "after"]);
});

Deno.test("a gap that begins or ends beside midnight has its overlap in the other day", async () => {
  const midnightMs = Date.UTC(2026, 10, 23);
  await using rig = await startHealRig({ nowMs: midnightMs + 130_000 });
  rig.print(midnightMs - GAP_MS - 1000, "before", { isHere: true });
  rig.print(midnightMs - GAP_MS + 2000, "lost", { isHere: false });
  const { state, lines } = await rig.heal({}, { sinceMs: midnightMs + 1000, untilMs: midnightMs + 4000 });
  assert.deepEqual([state, lines], ["complete", 1]);
});

Deno.test("seven days come back hour by hour, the oldest first, whoever was silent asked for seldom", async () => {
  const startMs = GAP_MS + 7 * 24 * HOUR_MS - HOUR_MS;
  await using rig = await startHealRig({ nowMs: startMs + 120_000, apps: ["web", "cron", "idle"] });
  const printed: string[] = [];
  for (let hour = 0; hour < 167; hour++) {
    for (const app of hour % 24 === 5 ? ["cron", "web"] : ["web"]) {
      printed.push(`${hour} ${app}`);
      rig.print((hour + 0.5) * HOUR_MS, `${hour} ${app}`, { app, isHere: false });
    }
  }
  for (const app of ["web", "cron"]) rig.print(startMs + 1000 - GAP_MS, "first", { app, isHere: true });
  const progress: HealProgress[] = [];
  const outcome = await rig.heal({ onProgress: (done) => void progress.push(done) }, {
    sinceMs: GAP_MS,
    untilMs: startMs,
  });
  assert.deepEqual([outcome.state, outcome.lines, outcome.found], [
    "complete",
    printed.length,
    printed.length,
  ]);
  assert.deepEqual(
    progress.map(({ doneUntilMs }) => doneUntilMs),
    Array.from({ length: 167 }, (_, hour) => GAP_MS + (hour + 1) * HOUR_MS),
  );
  assert.deepEqual(progress.at(-1), { doneUntilMs: startMs, lines: printed.length, doubt: null });
  const inserted = rig.inserted.map((line) => JSON.parse(line).message);
  assert.deepEqual(inserted, printed);
  assert.ok(rig.logRequests.filter((request) => request.includes("/cron/")).length < 30);
});

Deno.test("a heal that was ended in the middle goes on where it was, and nothing comes twice", async () => {
  await using rig = await startHealRig({ nowMs: GAP_MS + 10 * HOUR_MS, manners: { pageRows: 10 } });
  const span = { sinceMs: GAP_MS, untilMs: GAP_MS + 8 * HOUR_MS };
  printAround(rig);
  const printed: string[] = [];
  for (let i = 0; i < 480; i++) {
    printed.push(`${i % 7}`);
    rig.print(i * 60_000, `${i % 7}`, { isHere: false });
  }
  rig.print(8 * HOUR_MS + 1000, "after", { isHere: true });
  const abort = new AbortController();
  let done: HealProgress | undefined;
  const ended = rig.heal({
    signal: abort.signal,
    onProgress(progress) {
      done = progress;
      if (progress.lines === 180) rig.server.fail("hold");
    },
  }, span);
  ended.catch(() => {});
  await untilSo(() => rig.server.holding === 1, "a request in the middle of a slice");
  abort.abort(new Error("stop"));
  rig.server.release();
  await assert.rejects(ended, { message: "stop" });
  assert.deepEqual(done, { doneUntilMs: GAP_MS + 3 * HOUR_MS, lines: 180, doubt: null });
  const { state, lines } = await rig.heal({ fromMs: done!.doneUntilMs, doubt: done!.doubt }, span);
  assert.deepEqual([state, lines], ["complete", 300]);
  assert.deepEqual(rig.inserted.map((line) => JSON.parse(line).message), printed);
  // Even if it is done from the beginning, everything is here already.
  assert.deepEqual([(await rig.heal({}, span)).lines, rig.inserted.length], [0, 480]);
});

Deno.test("a heal that goes on does not forget what was doubtful before", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  const { state, reason } = await rig.heal({ fromMs: GAP_MS + 10_000, doubt: '"api": it was down' });
  assert.deepEqual([state, reason], ["incomplete", '"api": it was down']);
});

Deno.test("nothing is brought back from an organisation that has none of the lines that are here", async () => {
  await using rig = await startHealRig();
  for (let i = 0; i < 3; i++) {
    rig.print(-1000 - i, `here ${i}`, { isThere: false });
    rig.print(-1000 - i, `there ${i}`, { isHere: false });
  }
  rig.print(1000, "foreign");
  const { state, lines, reason, isFinal } = await rig.heal();
  assert.deepEqual([state, lines, isFinal, rig.inserted], ["nothing", 0, false, []]);
  assert.equal(
    reason,
    "None of the 3 lines that are here from before the gap is among those that Fly has of that time: " +
      "check that the token is of this organisation",
  );
});

Deno.test("a sealed day is healed at its times, and stays sealed", async () => {
  await using rig = await startHealRig({ nowMs: GAP_MS + 48 * HOUR_MS });
  for (let second = -1; second < 22; second++) {
    rig.print(second * 1000, `${second}`, { isHere: second < 3 || second > 17 });
  }
  await rig.archive.sync();
  rig.clock.skip(2 * HOUR_MS);
  await rig.archive.maintain();
  const { state, lines } = await rig.heal();
  assert.deepEqual([state, lines], ["complete", 15]);
  assert.deepEqual(await rig.messages(), Array.from({ length: 23 }, (_, i) => `${i - 1}`));
  assert.equal(rig.archive.day(dayOf(GAP_MS))?.sealed, true);
});

Deno.test("an API that goes down in the middle of a slice leaves it whole up to a moment, and the rest comes later", async () => {
  await using rig = await startHealRig({
    limits: { rows: 20 },
    manners: { pageRows: 10 },
    apps: ["api", "web"],
  });
  for (const app of ["api", "web"]) {
    printAround(rig, app);
    for (let i = 0; i < 100; i++) rig.print(i * 200, `${i}`, { app });
  }
  let done: HealProgress | undefined;
  const requests = rig.server.requests.length;
  rig.server.failAfter(requests + 25, { status: 503 });
  const first = await rig.heal({ onProgress: (progress) => void (done = progress) });
  assert.deepEqual([first.state, first.isFinal], ["incomplete", false]);
  assert.match(first.reason!, /answered 503; try again later/);
  assert.ok(first.lines > 0 && first.lines < 200, `${first.lines}`);
  // Of both apps there is all before the moment, and nothing after it.
  const expected = 2 * Math.ceil((done!.doneUntilMs - GAP_MS) / 200);
  assert.deepEqual([first.lines, done!.lines], [expected, expected]);
  rig.server.recover();
  const second = await rig.heal({ fromMs: done!.doneUntilMs });
  assert.deepEqual([second.state, first.lines + second.lines], ["complete", 200]);
});

Deno.test("a slice ends sooner when more lines are missing than are inserted at once", async () => {
  await using rig = await startHealRig({ limits: { rows: 30, sliceLines: 50 } });
  printAround(rig);
  for (let i = 0; i < 200; i++) rig.print(i * 100, `${i}`);
  assert.equal((await rig.heal()).state, "complete");
  assert.ok(rig.insertions.length >= 3);
  assert.ok(rig.insertions.every((lines) => lines <= 80), `${rig.insertions}`);
  assert.equal(rig.inserted.length, 200);
});

Deno.test("lines that cannot be inserted end it, and what was told to be done is done", async () => {
  await using rig = await startHealRig({ nowMs: GAP_MS + 10 * HOUR_MS });
  const span = { sinceMs: GAP_MS, untilMs: GAP_MS + 3 * HOUR_MS };
  for (let hour = 0; hour < 3; hour++) rig.print(hour * HOUR_MS, `${hour}`, { isHere: false });
  const progress: HealProgress[] = [];
  rig.beforeInsert = () => {
    if (rig.inserted.length === 1) throw new Error("No room on the disk");
  };
  await assert.rejects(rig.heal({ onProgress: (done) => void progress.push(done) }, span), {
    message: "No room on the disk",
  });
  assert.deepEqual(progress, [{ doneUntilMs: GAP_MS + HOUR_MS, lines: 1, doubt: null }]);
  assert.deepEqual(rig.leftFiles(), []);
});

Deno.test("nothing is brought back for a day that was removed, and this is said", async () => {
  await using rig = await startHealRig();
  printAround(rig);
  rig.print(1000, "lost");
  rig.removed = true;
  const { state, lines, reason } = await rig.heal();
  assert.deepEqual([state, lines], ["nothing", 0]);
  assert.match(reason!, /2026-11-22 was removed to make room, so nothing of it was brought back$/);
});

for (let seed = 1; seed <= 12; seed++) {
  Deno.test(`every line is here as often as it was printed, whatever is missing and however Fly answers (seed ${seed})`, async () => {
    const random = createRandom(seed);
    const choose = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)]!;
    await using rig = await startHealRig({
      manners: {
        decimals: choose<3 | 6 | 9>(3, 6, 9),
        cursor: choose("inclusive", "exclusive"),
        token: choose("string", "number"),
        emptyToken: choose("same", "now", "null"),
        pageRows: choose(20, 33, 100),
      },
      apps: ["a", "b", "c"],
      limits: { rows: choose(30, 100, 20_000), sliceLines: choose(40, 200_000) },
      nowMs: GAP_MS + 3 * HOUR_MS,
    });
    const span = { sinceMs: GAP_MS, untilMs: GAP_MS + choose(20_000, 2 * HOUR_MS) };
    const lengthMs = span.untilMs - span.sinceMs;
    const expected = ["before", "after"];
    rig.print(-1000, "before", { app: "a" });
    rig.print(lengthMs + 1000, "after", { app: "b", isHere: true });
    const offsets = Array.from({ length: 600 }, () => Math.floor(random() * (lengthMs + 10_000)) - 5000);
    for (const [i, wholeMs] of offsets.sort((a, b) => a - b).entries()) {
      const offsetMs = wholeMs + choose(0, 0.25, 0.250001);
      const message = choose("x", "y", `${i}`);
      const more = { app: choose("a", "b", "c"), instance: choose("m1", "m2") };
      for (let times = choose(1, 1, 1, 3); times > 0; times--) {
        const isInGap = offsetMs >= 0 && offsetMs < lengthMs;
        rig.print(offsetMs, message, { ...more, isHere: !isInGap || random() < 0.3 });
        expected.push(message);
      }
    }
    const { state, reason } = await rig.heal({}, span);
    assert.equal(state, "complete", `${reason}`);
    assert.deepEqual((await rig.messages()).sort(), expected.sort());
  });
}

/** Has blocks made, whose index knows the apps, by filling one. */
async function block(rig: HealRig): Promise<void> {
  const filler = "x".repeat(1000);
  for (let i = 0; i < 1100; i++) rig.print(-HOUR_MS, filler, { isThere: false });
  await rig.archive.sync();
  await rig.archive.maintain();
}
