import assert from "node:assert/strict";
import {
  MemoryBudget,
  NoRoom,
  readingBytes,
  ROOM_WAIT_MS,
  STALLED_MS,
  WAITING_LIMIT,
} from "../../lib/machine/memory_budget.ts";
import { FakeClock } from "../rig/fake_clock.ts";

function budgetOf(limitBytes: number): { memory: MemoryBudget; clock: FakeClock } {
  const clock = new FakeClock("2026-11-24T12:00:00Z");
  return { memory: new MemoryBudget({ limitBytes, clock }), clock };
}

Deno.test("readingBytes() leaves recording its own part of the machine", () => {
  assert.equal(readingBytes(210_000_000), 16_777_216); // a third of 50 MB is less than the least
  assert.equal(readingBytes(430_000_000), 90_000_000);
  assert.equal(readingBytes(64e9), 192 * 1024 * 1024);
});

Deno.test("MemoryBudget gives room in the order in which it was asked for", async () => {
  const { memory, clock } = budgetOf(100);
  const first = await memory.take(80);
  const order: string[] = [];
  const large = memory.take(60).then((hold) => (order.push("large"), hold));
  const small = memory.take(10).then((hold) => (order.push("small"), hold));
  assert.equal(memory.waiting, 2);
  assert.equal(memory.tryTake(1), null, "it went past those who wait");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  for (const hold of [await large, await small]) hold[Symbol.dispose]();
  assert.deepEqual(order, ["large", "small"]);
  assert.equal(memory.heldBytes, 0);
  assert.equal(clock.pending, 0);
});

Deno.test("MemoryBudget gives who wants more than there is all that there is", async () => {
  const { memory } = budgetOf(100);
  using _hold = await memory.take(1000);
  assert.equal(memory.heldBytes, 100);
  assert.equal(memory.tryTake(101), null);
});

Deno.test("MemoryBudget gives for what can be done without only while two thirds of the room are free for others", () => {
  const { memory } = budgetOf(100);
  using _first = memory.trySpare(30)!;
  assert.equal(memory.trySpare(20), null);
  assert.notEqual(memory.tryTake(20), null);
});

Deno.test("MemoryBudget sends away who waits too long, and lets those behind pass", async () => {
  const { memory, clock } = budgetOf(100);
  using _hold = await memory.take(50);
  const late = assert.rejects(memory.take(60), NoRoom);
  clock.advance(ROOM_WAIT_MS - 1);
  const behind = memory.take(40);
  clock.advance(1);
  await late;
  (await behind)[Symbol.dispose]();
  assert.equal(clock.pending, 0);
});

Deno.test("MemoryBudget forgets a client that has gone while it waited", async () => {
  const { memory, clock } = budgetOf(100);
  using _hold = await memory.take(100);
  const gone = new AbortController();
  const waiting = assert.rejects(memory.take(10, gone.signal), NoRoom);
  gone.abort();
  await waiting;
  await assert.rejects(memory.take(10, gone.signal), NoRoom);
  assert.equal(memory.waiting, 0);
  assert.equal(clock.pending, 0);
});

Deno.test("MemoryBudget lets only so many wait", async () => {
  const { memory, clock } = budgetOf(100);
  using _hold = await memory.take(100);
  const waiting = Array.from({ length: WAITING_LIMIT }, () => assert.rejects(memory.take(1), NoRoom));
  await assert.rejects(memory.take(1), NoRoom);
  clock.advance(ROOM_WAIT_MS);
  await Promise.all(waiting);
});

Deno.test("MemoryBudget takes the place of a client that has stalled, but only for somebody who waits", async () => {
  const { memory, clock } = budgetOf(100);
  const lost: string[] = [];
  const holds = ["first", "second", "awake"].map((name) => {
    const hold = memory.tryTake(33)!;
    hold.await(() => {
      lost.push(name);
      hold[Symbol.dispose]();
    });
    clock.advance(1);
    return hold;
  });
  holds[2]!.resume();
  clock.advance(STALLED_MS);
  assert.deepEqual(lost, []);
  (await memory.take(33))[Symbol.dispose]();
  assert.deepEqual(lost, ["first"]);
});

Deno.test("MemoryBudget takes the place of a client that stalls while others wait", async () => {
  const { memory, clock } = budgetOf(100);
  const hold = memory.tryTake(100)!;
  hold.await(() => hold[Symbol.dispose]());
  const next = memory.take(10);
  clock.advance(STALLED_MS - 1);
  assert.equal(memory.waiting, 1);
  clock.advance(501);
  (await next)[Symbol.dispose]();
});
