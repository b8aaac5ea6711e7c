import assert from "node:assert/strict";
import { indexHeader, indexText, sealOf } from "../../../lib/archive/blocks/day_index.ts";
import type { BlockEntry } from "../../../lib/archive/format.ts";
import { IndexCache, REMEMBERED_BLOCKS_LIMIT } from "../../../lib/archive/read/index_cache.ts";

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
    gzCrc32: "0000babe",
    apps: ["api", "web"],
  }));
}

/** For an index that nobody expects to be damaged, and for damage that cannot be mended. */
function cannotMend(damage: Error): Promise<string> {
  return Promise.reject(damage);
}

function indexOf(count: number, day = DAY) {
  const entries = blocks(count);
  const seal = sealOf(entries);
  return { entries, seal, text: indexText({ header: indexHeader(day, 0, 0), blocks: entries, seal }) };
}

Deno.test("IndexCache.get() reads an index once", async () => {
  const cache = new IndexCache();
  const { entries, seal, text } = indexOf(700);
  let reads = 0;
  const read = () => {
    reads++;
    return Promise.resolve(text);
  };
  const [first, second] = await Promise.all([
    cache.get(DAY, seal, read, cannotMend),
    cache.get(DAY, seal, read, cannotMend),
  ]);
  assert.deepEqual(first, entries);
  assert.equal(first, second);
  assert.equal(first[0]!.apps, first[699]!.apps);
  assert.equal(reads, 1);
});

Deno.test("IndexCache.get() forgets what was asked for longest ago when there is too much", async () => {
  const cache = new IndexCache();
  const size = Math.ceil(REMEMBERED_BLOCKS_LIMIT / 2.5);
  const { seal } = indexOf(size);
  const reads: number[] = [];
  const ask = (number: number) =>
    cache.get(DAY + number, seal, () => {
      reads.push(number);
      return Promise.resolve(indexOf(size, DAY + number).text);
    }, cannotMend);
  for (const number of [0, 1, 0, 2, 0, 1]) await ask(number);
  assert.deepEqual(reads, [0, 1, 2, 1]);
});

Deno.test("IndexCache.get() goes on remembering after it has forgotten what was still being read", async () => {
  const cache = new IndexCache();
  const large = indexOf(REMEMBERED_BLOCKS_LIMIT);
  const small = indexOf(2);
  const slow = Promise.withResolvers<string>();
  const waiting = cache.get(DAY, large.seal, () => slow.promise, cannotMend);
  const read = (count: number) => () => Promise.resolve(indexOf(count, DAY + 1).text);
  await cache.get(DAY + 1, large.seal, read(REMEMBERED_BLOCKS_LIMIT), cannotMend);
  await cache.get(DAY + 1, small.seal, read(2), cannotMend); // too much: the oldest go, the waiting one first
  slow.resolve(large.text);
  assert.equal((await waiting).length, REMEMBERED_BLOCKS_LIMIT);

  await cache.get(DAY, small.seal, () => Promise.resolve(small.text), cannotMend);
  const again = await cache.get(
    DAY,
    small.seal,
    () => Promise.reject(new Error("It was forgotten")),
    cannotMend,
  );
  assert.equal(again.length, 2);
});

Deno.test("IndexCache.get() does not remember what failed", async () => {
  const cache = new IndexCache();
  const { entries, seal, text } = indexOf(2);
  const fail = () => Promise.reject(new Error("Cannot read"));
  await assert.rejects(cache.get(DAY, seal, fail, cannotMend), /Cannot read/);
  assert.deepEqual(await cache.get(DAY, seal, () => Promise.resolve(text), cannotMend), entries);
});

const DAMAGE: [what: string, change: (text: string) => string][] = [
  ["a block is missing", (text) => text.replace(/\n.*"rawOffset":100,.*/, "")],
  ["a block is no JSON", (text) => text.replace('"rawOffset":100', '"rawOffset":')],
  ["a number is none", (text) => text.replace('"gzLength":40', '"gzLength":"40"')],
  ["it is of another version", (text) => text.replace('"version":2', '"version":3')],
  ["a letter of an app's name is another", (text) => text.replace('"api"', '"apj"')],
  ["a line has lost its checksum", (text) => text.replace(/,"check":"........"/, "")],
  ["it is of another day", (text) => text.replace("2026-11-22", "2026-11-21")],
  ["its end is missing", (text) => text.slice(0, -1)],
  ["it is empty", () => ""],
];

for (const [what, change] of DAMAGE) {
  Deno.test(`IndexCache.get() refuses an index when ${what}`, async () => {
    const { seal, text } = indexOf(3);
    await assert.rejects(new IndexCache().get(DAY, seal, () => Promise.resolve(change(text)), cannotMend));
  });
}

Deno.test("IndexCache.get() says what is damaged, and refuses the index of another file", async () => {
  const { seal, text } = indexOf(3);
  const damaged = text.replace('"rawOffset":100', '"rawOffset":101');
  await assert.rejects(new IndexCache().get(DAY, seal, () => Promise.resolve(damaged), cannotMend), {
    message: 'Cannot use "2026-11-22.index": Cannot read line 3: its checksum is wrong',
  });
  const other = () => Promise.resolve(indexOf(2).text);
  await assert.rejects(new IndexCache().get(DAY, seal, other, cannotMend), {
    message: 'Cannot use "2026-11-22.index": it is of another gzip file',
  });
});

Deno.test("IndexCache.get() has a damaged index mended once, for all who ask meanwhile", async () => {
  const { entries, seal, text } = indexOf(3);
  const cache = new IndexCache();
  let mended = 0;
  const ask = () =>
    cache.get(DAY, seal, () => Promise.resolve(text.replace("api", "apj")), () => {
      mended++;
      return Promise.resolve(text);
    });
  for (const blocks of await Promise.all([ask(), ask()])) assert.deepEqual(blocks, entries);
  assert.deepEqual(await ask(), entries);
  assert.equal(mended, 1);
});

Deno.test("IndexCache.get() reads an index of version 1", async () => {
  const seal = '{"sealed":true,"rawBytes":100,"gzBytes":60,"lines":2,"first":null,"last":null,"untimed":2,' +
    '"crc32":"0000beef"}';
  const text = '{"flightlog":"index","version":1,"day":"2026-11-22","rawFrom":0,"gzFrom":0}\n' +
    '{"rawOffset":0,"rawLength":100,"gzOffset":10,"gzLength":40,"lines":2,"first":null,"last":null,"untimed":2,' +
    `"crc32":"0000beef","totalCrc32":"0000beef","apps":["web"]}\n${seal}\n`;
  const [block] = await new IndexCache().get(DAY, JSON.parse(seal), () => Promise.resolve(text), cannotMend);
  assert.deepEqual(block?.apps, ["web"]);
  assert.equal(block?.gzCrc32, null);
});
