import assert from "node:assert/strict";
import { MemoryBudget } from "../../lib/machine/memory_budget.ts";
import { AHEAD_CHUNK_BYTES, AHEAD_CHUNKS_LIMIT, ReadAhead } from "../../lib/store/read_ahead.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const KIB = 1024;
const SIZE = 10_000 * KIB;

/** Reads ahead in bytes that are the KiB that they stand in, modulo 251. */
function start({ limitBytes = 100 * 1024 * KIB, free = Infinity } = {}) {
  const memory = new MemoryBudget({ limitBytes, clock: new FakeClock(0) });
  const asked: [number, number][] = [];
  const aborted: number[] = [];
  const places = { free };
  const ahead = new ReadAhead({
    size: SIZE,
    memory,
    tryRead: ({ start, end }, signal) => {
      if (places.free-- <= 0) return null;
      asked.push([start / KIB, end / KIB]);
      signal.addEventListener("abort", () => aborted.push(start / KIB));
      return Promise.resolve(bytesOf(start, end));
    },
  });
  const follow = (start: number, end: number) => ahead.follow({ start: start * KIB, end: end * KIB });
  /** Where in the read, in KiB, something is there already. */
  const there = (start: number, end: number) =>
    follow(start, end).map(({ range }) => [range.start / KIB, range.end / KIB]);
  return { ahead, asked, aborted, memory, places, follow, there };
}

function bytesOf(start: number, end: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: end - start }, (_, at) => Math.floor((start + at) / KIB) % 251);
}

Deno.test("ReadAhead reads nothing ahead of whoever reads here and there, or two parts only", () => {
  const { asked, there, memory } = start();
  for (
    const [from, to] of [[0, 100], [100, 250], [5000, 5100], [5100, 5200], [10, 20], [300, 310]] as const
  ) {
    assert.deepEqual(there(from, to), []);
  }
  assert.deepEqual([asked, memory.heldBytes], [[], 0]);
});

Deno.test("ReadAhead reads more and more ahead of whoever goes on", async () => {
  const { ahead, asked, follow, there, memory } = start();
  there(0, 100);
  there(100, 250);
  there(250, 400);
  assert.deepEqual(asked, [[400, 912]]);
  assert.deepEqual(there(400, 600), [[400, 600]]);
  assert.deepEqual(asked.slice(1), [[912, 1424]]);
  const parts = follow(600, 1000);
  assert.deepEqual(parts.map(({ range }) => [range.start / KIB, range.end / KIB]), [[600, 912], [912, 1000]]);
  for (const { range, bytes } of parts) assert.deepEqual(await bytes, bytesOf(range.start, range.end));
  assert.deepEqual(
    asked.slice(2),
    [[1424, 1936], [1936, 2448]],
    "one in place of what was passed, and one more",
  );
  there(1000, 1100);
  there(1100, 1200);
  assert.equal(ahead.chunks, AHEAD_CHUNKS_LIMIT);
  assert.equal(memory.heldBytes, AHEAD_CHUNKS_LIMIT * AHEAD_CHUNK_BYTES);
  ahead[Symbol.dispose]();
  assert.equal(memory.heldBytes, 0);
});

Deno.test("ReadAhead reads ahead of whoever goes backward, too, as far as the beginning", async () => {
  const { asked, follow, there } = start();
  there(900, 1000);
  there(800, 900);
  there(700, 800);
  assert.deepEqual(asked, [[188, 700]]);
  const [part] = follow(600, 700);
  assert.deepEqual(await part!.bytes, bytesOf(600 * KIB, 700 * KIB));
  assert.deepEqual(asked.slice(1), [[0, 188]]);
  assert.deepEqual(there(100, 600), [[100, 188], [188, 600]]);
  assert.equal(asked.length, 2, "there is nothing before the beginning");
});

Deno.test("ReadAhead reads ahead as far as the end", () => {
  const { asked, there } = start();
  there(9500, 9600);
  there(9600, 9700);
  there(9700, 9800);
  assert.deepEqual(asked, [[9800, 10_000]]);
  assert.deepEqual(there(9800, 10_000), [[9800, 10_000]]);
  assert.equal(asked.length, 1);
});

Deno.test("ReadAhead stays with whoever leaves out a part of what is there", () => {
  const { asked, aborted, there } = start();
  there(0, 100);
  there(100, 200);
  there(200, 300);
  assert.deepEqual(there(500, 600), [[500, 600]]);
  assert.deepEqual(there(600, 700), [[600, 700]]);
  assert.deepEqual([asked.length, aborted], [2, []]);
});

Deno.test("ReadAhead gives up what was read ahead of whoever goes elsewhere, or turns", () => {
  for (const [from, to] of [[5000, 5100], [100, 200]] as const) {
    const { aborted, memory, there } = start();
    there(0, 100);
    there(100, 200);
    there(200, 300);
    assert.deepEqual(there(from, to), []);
    assert.deepEqual([aborted, memory.heldBytes], [[300], 0]);
  }
});

Deno.test("ReadAhead reads ahead only where there is room in memory, and a request can be made at once", () => {
  const small = start({ limitBytes: 3 * AHEAD_CHUNK_BYTES });
  for (let at = 0; at < 1000; at += 100) small.there(at, at + 100);
  assert.equal(small.ahead.chunks, 1, "a third of the memory");

  const busy = start({ free: 0 });
  for (let at = 0; at < 1000; at += 100) assert.deepEqual(busy.there(at, at + 100), []);
  assert.deepEqual([busy.ahead.chunks, busy.memory.heldBytes], [0, 0]);
});

Deno.test("ReadAhead forgets what could not be read, and what is behind it", async () => {
  const memory = new MemoryBudget({ limitBytes: 100 * 1024 * KIB, clock: new FakeClock(0) });
  const answers: PromiseWithResolvers<Uint8Array<ArrayBuffer>>[] = [];
  const ahead = new ReadAhead({
    size: SIZE,
    memory,
    tryRead: () => {
      const answer = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
      answers.push(answer);
      return answer.promise;
    },
  });
  for (let at = 0; at < 500; at += 100) ahead.follow({ start: at * KIB, end: (at + 100) * KIB });
  assert.deepEqual([answers.length, ahead.chunks], [3, 3]);
  answers[1]!.reject(new Error("away"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual([ahead.chunks, memory.heldBytes], [1, AHEAD_CHUNK_BYTES]);
  ahead[Symbol.dispose]();
  for (const { resolve } of answers) resolve(new Uint8Array());
});
