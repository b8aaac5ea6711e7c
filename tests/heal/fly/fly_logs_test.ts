import assert from "node:assert/strict";
import { FlyApi, REQUEST_TIMEOUT_MS } from "../../../lib/heal/fly/fly_api.ts";
import { FlyApiError, type FlyApiFailure } from "../../../lib/heal/fly/fly_api_error.ts";
import { FlyLogs, type FlyLogsOptions } from "../../../lib/heal/fly/fly_logs.ts";
import { missing, Multiset } from "../../../lib/line/multiset.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import { type StoredLine, type StoreManners, timestampText } from "../../rig/fly_log_store.ts";
import { untilSo } from "../../rig/wait.ts";
import { WaitsClock } from "../../rig/waits.ts";

const START_MS = Date.UTC(2026, 10, 22, 10);
const START_NS = BigInt(START_MS) * 1_000_000n;
const SPAN = { sinceMs: START_MS, untilMs: START_MS + 10_000 };
const MS_NS = 1_000_000n;

/** All pairs of what nobody knows about cursors. */
const CURSORS = (["inclusive", "exclusive"] as const).flatMap((cursor) =>
  (["string", "number"] as const).flatMap((token) =>
    (["same", "now", "null"] as const).map((emptyToken) => ({ cursor, token, emptyToken }))
  )
);

for (const manners of CURSORS) {
  const { cursor, token, emptyToken } = manners;
  Deno.test(`FlyLogs.rows() yields each row once when the cursor is ${cursor}, a ${token}, and ${emptyToken} at the end`, async () => {
    await using rig = start(manners);
    // 250 rows, of which each but the first is at the moment of another: pages of 100 end within a moment.
    for (let i = 0; i < 250; i++) rig.add(BigInt(Math.ceil(i / 2)) * MS_NS, `${i}`);
    const rows = await rig.read();
    assert.deepEqual(rows, Array.from({ length: 250 }, (_, i) => `${i}`));
    assert.equal(rig.logs.doubt, null);
  });
}

Deno.test("FlyLogs.rows() keeps to the span, its start in it and its end not", async () => {
  await using rig = start();
  for (const ms of [-1, 0, 9999, 10_000, 10_001]) rig.add(BigInt(ms) * MS_NS, `${ms}`);
  rig.add(10_000n * MS_NS - 1n, "last");
  assert.deepEqual(await rig.read(), ["0", "9999", "last"]);
});

Deno.test("FlyLogs.rows() stops at the first page that reaches the end of the span", async () => {
  await using rig = start();
  for (let i = 0; i < 1000; i++) rig.add(BigInt(i) * 100n * MS_NS, `${i}`);
  assert.equal((await rig.read()).length, 100);
  assert.equal(rig.server.requests.length, 2);
});

Deno.test("FlyLogs.rows() asks for what follows the row that it knows", async () => {
  await using rig = start({ pageRows: 2 });
  rig.add(7n, "a");
  rig.add(8n, "b");
  await rig.read();
  assert.deepEqual(rig.server.requests.slice(0, 2), [
    `/api/v1/apps/web/logs?next_token=${START_NS - 1n}`,
    `/api/v1/apps/web/logs?next_token=${START_NS + 7n}`,
  ]);
});

Deno.test("FlyLogs.rows() yields nothing when there is nothing", async () => {
  for (const manners of CURSORS) {
    await using rig = start(manners);
    assert.deepEqual(await rig.read(), []);
    assert.deepEqual([rig.logs.pages, rig.logs.decimals, rig.logs.form], [1, null, {
      decimals: 9,
      hasInstance: true,
    }]);
  }
});

for (const ids of ["lasting", "fresh"] as const) {
  Deno.test(`FlyLogs.rows() keeps repeats where pages overlap and ids are ${ids}`, async () => {
    await using rig = start({ ids, pageRows: 4 });
    for (const message of "aab") rig.add(6n, message);
    for (const message of "bbb") rig.add(7n, message);
    for (const message of "bba") rig.add(8n, message);
    assert.equal((await rig.read()).join(""), "aabbbbbba");
    assert.equal(rig.logs.doubt, null);
  });
}

for (const decimals of [3, 6, 9] as const) {
  Deno.test(`FlyLogs finds out that timestamps have ${decimals} decimals`, async () => {
    await using rig = start({ decimals });
    rig.add(123_456_789n, "a");
    await rig.read();
    assert.deepEqual([rig.logs.decimals, rig.logs.form], [decimals, { decimals, hasInstance: true }]);
  });
}

Deno.test("FlyLogs finds out that rows do not know their instance", async () => {
  await using rig = start();
  rig.add(1n, "a");
  rig.add(2n, "b", { instance: null });
  await rig.read();
  assert.deepEqual(rig.logs.form, { decimals: 9, hasInstance: false });
});

for (const cursor of ["inclusive", "exclusive"] as const) {
  Deno.test(`FlyLogs.rows() splits a nanosecond with more than a page by instance when the cursor is ${cursor}`, async () => {
    await using rig = start({ cursor });
    const expected: string[] = [];
    rig.add(5n, "before");
    for (let i = 0; i < 180; i++) rig.add(7n, `${i}`, { instance: `m${i % 2}` });
    rig.add(8n, "next");
    rig.add(9n, "after");
    for (let i = 0; i < 180; i++) expected.push(`${i}`);
    const rows = await rig.read();
    assert.deepEqual([rows[0], rows.slice(-2)], ["before", ["next", "after"]]);
    assert.deepEqual(rows.slice(1, -2).sort(), expected.sort());
    assert.deepEqual([rig.logs.doubt, rig.logs.cursor], [null, cursor]);
  });

  Deno.test(`FlyLogs.rows() goes on after a nanosecond that cannot be had whole when the cursor is ${cursor}`, async () => {
    await using rig = start({ cursor });
    for (let i = 0; i < 101; i++) rig.add(7n, "repeat");
    rig.add(8n, "next");
    const rows = await rig.read();
    assert.deepEqual([rows.length, rows.at(-1)], [101, "next"]);
    assert.equal(rig.logs.doubt, "moments that may have more lines than were returned: 1");
  });

  for (const decimals of [3, 6] as const) {
    Deno.test(`FlyLogs.rows() pages within what ${decimals} decimals show as one moment when the cursor is ${cursor}`, async () => {
      await using rig = start({ cursor, decimals });
      const expected: string[] = [];
      for (let i = 0; i < 350; i++) {
        rig.add(BigInt(100 + Math.floor(i / 3)), `${i % 5}`);
        expected.push(`${i % 5}`);
      }
      rig.add(2n * MS_NS, "after");
      assert.deepEqual(await rig.read(), [...expected, "after"]);
      assert.equal(rig.logs.doubt, null);
    });
  }
}

Deno.test("FlyLogs.rows() splits by instances that it was told of", async () => {
  await using rig = start({}, { instances: ["m1", "m2"] });
  for (let i = 0; i < 100; i++) rig.add(7n, "a", { instance: "m1" });
  for (let i = 0; i < 50; i++) rig.add(7n, "b", { instance: "m2" });
  const rows = await rig.read();
  assert.equal(rows.filter((message) => message === "b").length, 50);
});

Deno.test("FlyLogs doubts when an instance turns up after a moment was split", async () => {
  await using rig = start();
  for (let i = 0; i < 100; i++) rig.add(7n, "a", { instance: i < 50 ? "m1" : "m2" });
  rig.add(8n, "b", { instance: "m3" });
  assert.equal((await rig.read()).length, 101);
  assert.equal(rig.logs.doubt, "moments that may have more lines than were returned: 1");
});

Deno.test("FlyLogs doubts when a crowded moment has rows that no instance has", async () => {
  await using rig = start();
  for (let i = 0; i < 101; i++) rig.add(7n, `${i}`, { instance: null });
  assert.equal((await rig.read()).length, 100);
  assert.equal(rig.logs.unsureMoments, 1);
});

Deno.test("FlyLogs.rows() splits rows that hide their instance by those that it was told of", async () => {
  await using rig = start({ nullInstances: true }, { instances: ["m0", "m1"] });
  for (let i = 0; i < 180; i++) rig.add(7n, `${i % 3}`, { instance: `m${i % 2}` });
  assert.equal((await rig.read()).length, 180);
  assert.deepEqual([rig.logs.doubt, rig.logs.form.hasInstance], [null, false]);
});

Deno.test("FlyLogs.rows() pages within a shown moment by content, and doubts, when ids do not last", async () => {
  await using rig = start({ decimals: 3, ids: "fresh" });
  for (let i = 0; i < 250; i++) rig.add(BigInt(i), `${i}`);
  assert.equal((await rig.read()).length, 250);
  assert.notEqual(rig.logs.doubt, null);
});

Deno.test("FlyLogs.rows() doubts when the token is no finer than a crowded timestamp", async () => {
  await using rig = start({ decimals: 3, tokenPrecision: "shown" });
  for (let i = 0; i < 150; i++) rig.add(BigInt(i), `${i}`);
  rig.add(MS_NS, "after");
  const rows = await rig.read();
  assert.deepEqual([rows.length, rows.at(-1)], [101, "after"]);
  assert.notEqual(rig.logs.doubt, null);
});

Deno.test("FlyLogs.rows() has a line that was late when it is read again", async () => {
  await using rig = start();
  rig.add(1n, "a");
  rig.add(2n, "late", { appearsMs: rig.clock.now() + 60_000 });
  rig.add(3n, "c");
  assert.deepEqual(await rig.read(), ["a", "c"]);
  rig.clock.advance(60_000);
  assert.deepEqual(await rig.read(), ["a", "late", "c"]);
});

Deno.test("FlyLogs.rows() yields a row that appears at a page's last moment between two pages", async () => {
  await using rig = start({ pageRows: 2 });
  rig.add(1n, "a");
  rig.add(2n, "b");
  const rows = rig.create().rows();
  const seen = [(await rows.next()).value?.message, (await rows.next()).value?.message];
  rig.add(2n, "b");
  rig.add(3n, "c");
  for await (const { message } of rows) seen.push(message);
  assert.deepEqual(seen, ["a", "b", "b", "c"]);
});

Deno.test("FlyLogs.rows() has only what Fly still keeps", async () => {
  await using rig = start();
  rig.add(0n, "old");
  rig.add(9000n * MS_NS, "kept");
  rig.clock.jump(7 * 86_400_000 - 60_000 + 5000);
  assert.deepEqual(await rig.read(), ["kept"]);
});

for (const status of [401, 429] as const) {
  Deno.test(`FlyLogs.rows() slows down when paging fast is answered ${status}`, async () => {
    await using rig = start({ pageRows: 10 });
    rig.server.logsLimit = { status, burst: 3, intervalMs: 500 };
    for (let i = 0; i < 100; i++) rig.add(BigInt(i), `${i}`);
    assert.equal((await rig.read()).length, 100);
    assert.ok(rig.waitsMs.length > 0);
  });
}

Deno.test("FlyLogs.rows() goes on where it was when a page dies, is late, or is answered 502", async () => {
  await using rig = start({ pageRows: 10 });
  for (let i = 0; i < 50; i++) rig.add(BigInt(i), `${i}`);
  const rows = rig.create().rows();
  const seen = [(await rows.next()).value?.message];
  rig.server.fail("die", 2);
  rig.server.fail({ status: 502 });
  for await (const { message } of rows) seen.push(message);
  assert.deepEqual(seen, Array.from({ length: 50 }, (_, i) => `${i}`));
});

Deno.test("FlyLogs.rows() goes on where it was when an answer does not come in time", async () => {
  await using rig = start();
  rig.add(1n, "a");
  rig.server.fail("hold");
  const rows = rig.read();
  await untilSo(() => rig.server.holding === 1, "the held answer");
  rig.clock.advance(REQUEST_TIMEOUT_MS);
  rig.server.release();
  assert.deepEqual(await rows, ["a"]);
});

Deno.test("FlyLogs.rows() throws when the token is wrong, the app is gone, the API down, or the answer no page", async () => {
  await using rig = start();
  rig.server.mayReadLogs = false;
  await assertFails(rig.read(), "refused");
  rig.server.mayReadLogs = true;
  await assertFails(rig.read({ app: "gone" }), "missing");
  rig.server.fail({ status: 503 }, 4);
  await assertFails(rig.read(), "down");
  rig.server.fail("html");
  await assertFails(rig.read(), "answer");
});

Deno.test("FlyLogs refuses an app's name that would lead elsewhere", async () => {
  await using rig = start();
  assert.throws(() => rig.create({ app: ".." }), {
    message: 'Cannot read logs from Fly: no app is called ".."',
  });
});

Deno.test("FlyLogs.nextMs is the moment of the first row after the span, if there was one to be seen", async () => {
  await using rig = start({ pageRows: 2 });
  rig.add(1n, "a");
  await rig.read();
  assert.equal(rig.logs.nextMs, null);
  rig.add(10_007n * MS_NS + 5n, "next");
  rig.add(10_009n * MS_NS, "later");
  assert.deepEqual(await rig.read(), ["a"]);
  assert.equal(rig.logs.nextMs, START_MS + 10_007);
});

Deno.test("FlyLogs.rows() takes a short page for the last one when longer ones are known", async () => {
  await using rig = start();
  for (let i = 0; i < 3; i++) rig.add(7n, "trace");
  await rig.read();
  assert.notEqual(rig.logs.doubt, null);
  assert.deepEqual(await rig.read({ longestPage: 100 }), ["trace", "trace", "trace"]);
  assert.deepEqual([rig.logs.doubt, rig.logs.longestPage], [null, 100]);
});

Deno.test("FlyLogs.rows() takes 401 to its first page for too fast when the app was answered before", async () => {
  await using rig = start();
  rig.add(1n, "a");
  rig.server.fail({ status: 401 });
  assert.deepEqual(await rig.read({ wasAnswered: true }), ["a"]);
  rig.server.fail({ status: 401 });
  await assertFails(rig.read(), "refused");
});

Deno.test("FlyLogs.rows() ends with the signal's reason", async () => {
  await using rig = start();
  await assert.rejects(rig.read({ signal: AbortSignal.abort(new Error("stop")) }), { message: "stop" });
});

Deno.test("FlyLogs.rows() leaves out rows that cannot be read, and doubts", async () => {
  const bad = '{"id":"1","attributes":{"timestamp":"2026-11-22T10:00:01Z"}}';
  const good = '{"id":"2","attributes":{"timestamp":"2026-11-22T10:00:02Z","message":"m"}}';
  const { messages, doubt } = await readFrom(() => `{"data":[${bad},${good}],"meta":{"next_token":null}}`);
  assert.deepEqual([messages, doubt], [["m"], "there were rows that could not be read"]);
});

Deno.test("FlyLogs.rows() sorts a page that is not in the order of time", async () => {
  const rowAt = (second: number) =>
    `{"attributes":{"timestamp":"2026-11-22T10:00:0${second}Z","message":"${second}"}}`;
  const { messages } = await readFrom(() => `{"data":[${[rowAt(3), rowAt(1), rowAt(2)]}],"meta":{}}`);
  assert.deepEqual(messages, ["1", "2", "3"]);
});

Deno.test("FlyLogs.rows() follows the token over pages without rows as long as it leads on", async () => {
  const { messages, pages } = await readFrom((token) => {
    const nextNs = token + 3_000_000_000n;
    if (token < START_NS + 4_000_000_000n) return `{"data":[],"meta":{"next_token":"${nextNs}"}}`;
    const row = '{"attributes":{"timestamp":"2026-11-22T10:00:07Z","message":"m"}}';
    return `{"data":[${token < START_NS + 7_000_000_000n ? row : ""}],"meta":{"next_token":"${token}"}}`;
  });
  assert.deepEqual([messages, pages], [["m"], 4]);
});

Deno.test("FlyLogs.rows() ends when a source answers the same page to every question", async () => {
  const rows = ["1", "2", "2"].map((second) =>
    `{"id":"${second}","attributes":{"timestamp":"2026-11-22T10:00:0${second}Z","message":"${second}"}}`
  );
  const { messages } = await readFrom(() => `{"data":[${rows}],"meta":{"next_token":"5"}}`);
  assert.deepEqual(messages, ["1", "2", "2"]);
});

Deno.test("FlyLogs.rows() throws when a source has a full page for every moment", async () => {
  const endless = readFrom((token) => {
    const timestamp = timestampText(token + 1n, 9);
    const row = `{"attributes":{"timestamp":"${timestamp}","message":"m"}}`;
    return `{"data":[${row},${row}],"meta":{"next_token":"${token + 1n}"}}`;
  });
  await assertFails(endless, "answer");
});

Deno.test("FlyLogs.rows() holds a page at a time, of however many", async () => {
  await using rig = start({ pageRows: 10 });
  for (let i = 0; i < 100; i++) rig.add(BigInt(i), `${i}`);
  for await (const { message } of rig.create().rows()) if (message === "25") break;
  assert.equal(rig.server.requests.length, 3);
});

for (let seed = 1; seed <= 24; seed++) {
  const isCrowded = seed % 2 === 0;
  const what = isCrowded
    ? "no row twice, and none too few without a doubt, in crowded moments"
    : "each row once";
  Deno.test(`FlyLogs.rows() yields ${what}, in any manners (seed ${seed})`, async () => {
    const random = createRandom(seed);
    const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)]!;
    const decimals = pick(3, 6, 9);
    await using rig = start({
      cursor: pick("inclusive", "exclusive"),
      token: pick("string", "number"),
      emptyToken: pick("same", "now", "null"),
      tokenPrecision: isCrowded ? pick("exact", "shown") : "exact",
      ids: isCrowded ? pick("lasting", "fresh") : "lasting",
      decimals,
      pageRows: pick(5, 7, 20),
    });
    const unit = BigInt(10 ** (9 - decimals));
    const expected: string[] = [];
    let atNs = -20n;
    for (let i = 0; i < 300; i++) {
      // Most moments are next to each other, and some seconds apart. Without crowds none has more than two rows.
      const isNext = isCrowded ? random() < 0.3 : i % 2 === 0 || random() < 0.3;
      if (isNext) atNs += pick(1n, 1n, 2n, 1000n, MS_NS, 100n * MS_NS);
      const message = pick("a", "b", "c");
      rig.add(atNs, message, { instance: pick("m1", "m2", null) });
      if (atNs >= 0n && atNs < 10_000n * MS_NS) expected.push(`${atNs / unit * unit} ${message}`);
    }
    const rows: string[] = [];
    let lastNs = 0n;
    for await (const row of rig.create().rows()) {
      assert.ok(row.atNs >= lastNs);
      lastNs = row.atNs;
      rows.push(`${row.atNs - START_NS} ${row.message}`);
    }
    const ours = new Multiset();
    for (const row of rows) ours.add(row);
    const lost = [...missing(expected, ours, (row) => row)];
    assert.deepEqual([ours.size, rig.logs.doubt === null ? lost : []], [0, []]);
    if (!isCrowded) assert.equal(rig.logs.doubt, null);
  });
}

interface Rig extends AsyncDisposable {
  server: FlyApiServer;
  clock: FakeClock;
  waitsMs: readonly number[];
  /** The last that was created. */
  readonly logs: FlyLogs;
  add(offsetNs: bigint, message: string, more?: Partial<StoredLine>): void;
  create(options?: Partial<FlyLogsOptions>): FlyLogs;
  /** The messages of all rows. */
  read(options?: Partial<FlyLogsOptions>): Promise<string[]>;
}

function start(manners: Partial<StoreManners> = {}, usual: Partial<FlyLogsOptions> = {}): Rig {
  const clock = new FakeClock(START_MS + 60_000);
  const waits = new WaitsClock(clock, REQUEST_TIMEOUT_MS);
  const server = FlyApiServer.start({ clock, manners });
  const api = new FlyApi({ url: server.url, token: TEST_TOKEN, clock: waits });
  let logs: FlyLogs;
  const create = (options: Partial<FlyLogsOptions> = {}) => {
    return logs = new FlyLogs({ api, app: "web", span: SPAN, ...usual, ...options });
  };
  return {
    server,
    clock,
    waitsMs: waits.waitsMs,
    get logs() {
      return logs;
    },
    add: (offsetNs, message, more = {}) =>
      server.store.add({ app: "web", atNs: START_NS + offsetNs, message, ...more }),
    create,
    read: (options) => messagesOf(create(options)),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Reads from an API that answers by the token. */
async function readFrom(
  answer: (token: bigint) => string,
): Promise<{ messages: string[]; doubt: string | null; pages: number }> {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    return new Response(answer(BigInt(new URL(url).searchParams.get("next_token")!)));
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const api = new FlyApi({ url, token: TEST_TOKEN, clock: new FakeClock(START_MS) });
  const logs = new FlyLogs({ api, app: "web", span: SPAN });
  const messages = await messagesOf(logs);
  return { messages, doubt: logs.doubt, pages: logs.pages };
}

async function messagesOf(logs: FlyLogs): Promise<string[]> {
  const messages: string[] = [];
  for await (const { message } of logs.rows()) messages.push(message);
  return messages;
}

async function assertFails(promise: Promise<unknown>, failure: FlyApiFailure): Promise<void> {
  const error = await promise.then(() => undefined, (error) => error);
  assert.ok(error instanceof FlyApiError, `${error}`);
  assert.equal(error.failure, failure);
}

/** Mulberry32: the same numbers from 0 to below 1 for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
