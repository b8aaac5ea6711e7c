import assert from "node:assert/strict";
import { indexHeader, indexText, sealOf } from "../../lib/archive/day_index.ts";
import type { BlockEntry } from "../../lib/archive/format.ts";
import { IndexCache, REMEMBERED_BLOCKS_LIMIT } from "../../lib/archive/index_cache.ts";

const DAY = 20_779; // 2026-11-22

function blocks(count: number): BlockEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    rawOffset: i * 100,
    rawLength: 100,
    gzOffset: 10 + i * 40,
    gzLength: 40,
    lines: 2,
    first: "2026-11-22T00:00:00.000000000Z",
    last: "2026-11-22T10:00:00.000000000Z",
    untimed: 0,
    crc32: "0000beef",
    totalCrc32: "0000cafe",
    apps: ["api", "web"],
  }));
}

function indexOf(count: number) {
  const entries = blocks(count);
  const seal = sealOf(entries);
  return { entries, seal, text: indexText({ header: indexHeader(DAY, 0, 0), blocks: entries, seal }) };
}

Deno.test("IndexCache.get() reads an index once", async () => {
  const cache = new IndexCache();
  const { entries, seal, text } = indexOf(700);
  let reads = 0;
  const read = () => {
    reads++;
    return Promise.resolve(text);
  };
  const [first, second] = await Promise.all([cache.get(DAY, seal, read), cache.get(DAY, seal, read)]);
  assert.deepEqual(first, entries);
  assert.equal(first, second);
  assert.equal(first[0]!.apps, first[699]!.apps);
  assert.equal(reads, 1);
});

Deno.test("IndexCache.get() forgets what was asked for longest ago when there is too much", async () => {
  const cache = new IndexCache();
  const size = Math.ceil(REMEMBERED_BLOCKS_LIMIT / 2.5);
  const { seal, text } = indexOf(size);
  const reads: number[] = [];
  const ask = (number: number) =>
    cache.get(DAY + number, seal, () => {
      reads.push(number);
      return Promise.resolve(text.replace("2026-11-22", ["2026-11-22", "2026-11-23", "2026-11-24"][number]!));
    });
  for (const number of [0, 1, 0, 2, 0, 1]) await ask(number);
  assert.deepEqual(reads, [0, 1, 2, 1]);
});

Deno.test("IndexCache.get() goes on remembering after it has forgotten what was still being read", async () => {
  const cache = new IndexCache();
  const large = indexOf(REMEMBERED_BLOCKS_LIMIT);
  const small = indexOf(2);
  const slow = Promise.withResolvers<string>();
  const waiting = cache.get(DAY, large.seal, () => slow.promise);
  const read = (text: string) => () => Promise.resolve(text.replace("2026-11-22", "2026-11-23"));
  await cache.get(DAY + 1, large.seal, read(large.text));
  await cache.get(DAY + 1, small.seal, read(small.text)); // too much: the oldest go, the waiting one first
  slow.resolve(large.text);
  assert.equal((await waiting).length, REMEMBERED_BLOCKS_LIMIT);

  await cache.get(DAY, small.seal, () => Promise.resolve(small.text));
  const again = await cache.get(DAY, small.seal, () => Promise.reject(new Error("It was forgotten")));
  assert.equal(again.length, 2);
});

Deno.test("IndexCache.get() does not remember what failed", async () => {
  const cache = new IndexCache();
  const { entries, seal, text } = indexOf(2);
  await assert.rejects(cache.get(DAY, seal, () => Promise.reject(new Error("Cannot read"))), /Cannot read/);
  assert.deepEqual(await cache.get(DAY, seal, () => Promise.resolve(text)), entries);
});

const DAMAGE: [what: string, change: (text: string) => string][] = [
  ["a block is missing", (text) => text.replace(/\n.*"rawOffset":100,.*/, "")],
  ["a block is no JSON", (text) => text.replace('"rawOffset":100', '"rawOffset":')],
  ["a number is none", (text) => text.replace('"gzLength":40', '"gzLength":"40"')],
  ["it is of another version", (text) => text.replace('"version":1', '"version":2')],
  ["it is of another day", (text) => text.replace("2026-11-22", "2026-11-21")],
  ["its end is missing", (text) => text.slice(0, -1)],
  ["it is empty", () => ""],
];

for (const [what, change] of DAMAGE) {
  Deno.test(`IndexCache.get() refuses an index when ${what}`, async () => {
    const { seal, text } = indexOf(3);
    await assert.rejects(new IndexCache().get(DAY, seal, () => Promise.resolve(change(text))));
  });
}

Deno.test("IndexCache.get() says how to mend an index that is damaged, and refuses the one of another file", async () => {
  const { seal, text } = indexOf(3);
  const damaged = text.replace('"rawOffset":100', '"rawOffset":');
  await assert.rejects(new IndexCache().get(DAY, seal, () => Promise.resolve(damaged)), {
    message: 'Cannot use "2026-11-22.index": Cannot read line 3: it is no index entry; ' +
      "remove it and restart, and it is made again from the gzip file",
  });
  await assert.rejects(new IndexCache().get(DAY, seal, () => Promise.resolve(indexOf(2).text)), {
    message: 'Cannot use "2026-11-22.index": it is of another gzip file',
  });
});
