import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { FlyLogStore, type StoredLine, type StoreManners, timestampText } from "./fly_log_store.ts";

const START_MS = Date.UTC(2026, 10, 22, 10);
const START_NS = BigInt(START_MS) * 1_000_000n;
const SECOND_NS = 1_000_000_000n;

Deno.test("FlyLogStore.page() returns the newest 100 of the last 24 hours without a token", () => {
  const { store } = create();
  store.add(line(-86_401n * SECOND_NS, "older"));
  for (let i = 1; i <= 101; i++) store.add(line(BigInt(i - 200) * SECOND_NS, `${i}`));
  const { messages } = read(store, null);
  assert.deepEqual([messages.length, messages[0], messages.at(-1)], [100, "2", "101"]);
});

Deno.test("FlyLogStore.page() pages forward, oldest first, to an empty page that has the same token", () => {
  const { store } = create();
  for (let i = 250; i >= 1; i--) store.add(line(BigInt(i), `${i}`));
  const first = read(store, START_NS);
  const second = read(store, first.token!);
  const third = read(store, second.token!);
  const fourth = read(store, third.token!);
  assert.deepEqual(
    [first, second, third, fourth].map(({ messages, token }) => [messages.length, messages[0], token]),
    [[100, "1", START_NS + 100n], [100, "101", START_NS + 200n], [50, "201", START_NS + 250n], [
      0,
      undefined,
      START_NS + 250n,
    ]],
  );
});

Deno.test("FlyLogStore.page() repeats the row of the token when the cursor is inclusive", () => {
  const { store } = create({ cursor: "inclusive" });
  store.add(line(1n, "a"), line(2n, "b"), line(3n, "c"));
  assert.deepEqual(read(store, START_NS + 2n).messages, ["b", "c"]);
});

Deno.test("FlyLogStore.page() leaves out the rest of a moment in which a page ended when the cursor is exclusive", () => {
  const { store } = create({ pageRows: 2 });
  store.add(line(1n, "a"), line(2n, "b"), line(2n, "c"), line(3n, "d"));
  const first = read(store, START_NS);
  assert.deepEqual([first.messages, read(store, first.token!).messages], [["a", "b"], ["d"]]);
});

Deno.test("FlyLogStore.page() returns the same rows for ever when more than a page lies in one nanosecond", () => {
  const { store } = create({ cursor: "inclusive" });
  for (let i = 0; i < 101; i++) store.add(line(1n, `${i}`));
  const first = read(store, START_NS);
  const second = read(store, first.token!);
  assert.deepEqual(second.messages, first.messages);
});

Deno.test("FlyLogStore.page() writes the token as a string or as a number above 2^53", () => {
  const { store } = create();
  store.add(line(123_456_789n, "a"));
  const query = { app: "web", nextToken: START_NS, region: null, instance: null };
  assert.match(store.page(query), /"next_token":"1795341600123456789"\}/);
  store.manners.token = "number";
  assert.match(store.page(query), /"next_token":1795341600123456789\}/);
});

Deno.test("FlyLogStore.page() writes the token as exactly as the timestamps when told so", () => {
  const { store } = create({ decimals: 3, tokenPrecision: "shown" });
  store.add(line(123_456_789n, "a"));
  assert.equal(read(store, START_NS).token, START_NS + 123_000_000n);
});

Deno.test("FlyLogStore.page() has the token that was chosen when there are no rows", () => {
  const { store, clock } = create({ emptyToken: "now" });
  assert.equal(read(store, 5n).token, BigInt(clock.now()) * 1_000_000n);
  store.manners.emptyToken = "null";
  assert.equal(read(store, 5n).token, null);
});

Deno.test("FlyLogStore.page() has only the rows of a region or an instance", () => {
  const { store } = create();
  store.add(
    line(1n, "a", { instance: "m1", region: "fra" }),
    line(2n, "b", { instance: "m2", region: "sjc" }),
    line(3n, "c", { instance: null }),
  );
  assert.deepEqual(read(store, START_NS, { instance: "m2" }).messages, ["b"]);
  assert.deepEqual(read(store, START_NS, { region: "fra" }).messages, ["a", "c"]);
});

Deno.test("FlyLogStore.page() has nothing that is older than seven days", () => {
  const { store, clock } = create();
  store.add(line(0n, "a"), line(SECOND_NS, "b"));
  clock.jump(7 * 86_400_000 - 10_000);
  assert.deepEqual(read(store, START_NS - SECOND_NS).messages, ["a", "b"]);
  clock.jump(500);
  assert.deepEqual(read(store, START_NS - SECOND_NS).messages, ["b"]);
});

Deno.test("FlyLogStore.page() has a late row only from its time on", () => {
  const { store, clock } = create();
  store.add(line(1n, "a"), line(2n, "late", { appearsMs: clock.now() + 1000 }), line(3n, "c"));
  assert.deepEqual(read(store, START_NS).messages, ["a", "c"]);
  clock.advance(1000);
  assert.deepEqual(read(store, START_NS).messages, ["a", "late", "c"]);
});

Deno.test("FlyLogStore.page() writes all members of a row, null instances too", () => {
  const { store } = create({ decimals: 6 });
  store.add(line(123_456_789n, "m", { instance: null, meta: { error: { code: 2 } } }));
  const query = { app: "web", nextToken: START_NS, region: null, instance: null };
  assert.deepEqual(JSON.parse(store.page(query)).data, [{
    id: "row-0",
    type: "log",
    attributes: {
      timestamp: "2026-11-22T10:00:00.123456Z",
      message: "m",
      level: "info",
      instance: null,
      region: "fra",
      meta: { instance: null, region: "fra", event: { provider: "app" }, error: { code: 2 } },
    },
  }]);
  store.manners.nullInstances = true;
  store.add(line(999_999_999n, "n", { instance: "m1" }));
  assert.equal(JSON.parse(store.page({ ...query, instance: "m1" })).data[0].attributes.instance, null);
});

Deno.test("FlyLogStore.page() has other ids each time when they do not last", () => {
  const { store } = create();
  store.add(line(1n, "a"));
  const id = () =>
    JSON.parse(store.page({ app: "web", nextToken: START_NS, region: null, instance: null })).data[0].id;
  assert.equal(id(), id());
  store.manners.ids = "fresh";
  assert.notEqual(id(), id());
});

Deno.test("timestampText() cuts off what is finer", () => {
  const atNs = START_NS + 999_999_999n;
  assert.deepEqual([3, 6, 9].map((decimals) => timestampText(atNs, decimals as 3 | 6 | 9)), [
    "2026-11-22T10:00:00.999Z",
    "2026-11-22T10:00:00.999999Z",
    "2026-11-22T10:00:00.999999999Z",
  ]);
});

function create(manners: Partial<StoreManners> = {}): { store: FlyLogStore; clock: FakeClock } {
  const clock = new FakeClock(START_MS + 10_000);
  const store = new FlyLogStore(clock);
  Object.assign(store.manners, manners);
  return { store, clock };
}

function line(offsetNs: bigint, message: string, more: Partial<StoredLine> = {}): StoredLine {
  return { app: "web", atNs: START_NS + offsetNs, message, ...more };
}

function read(
  store: FlyLogStore,
  nextToken: bigint | null,
  only: { region?: string; instance?: string } = {},
): { messages: string[]; token: bigint | null } {
  const { region = null, instance = null } = only;
  const { data, meta } = JSON.parse(store.page({ app: "web", nextToken, region, instance }));
  return {
    messages: data.map((row: { attributes: { message: string } }) => row.attributes.message),
    token: meta.next_token === null ? null : BigInt(meta.next_token),
  };
}
