import assert from "node:assert/strict";
import { RETRY_MS, UNSYNCED_LIMIT_BYTES } from "../../../lib/archive/day/plain_writer.ts";
import { record, textOf } from "../archive_rig.ts";
import { createRandom } from "../../rig/random.ts";
import { Bench } from "../writer_bench.ts";

function fails(message: string): never {
  throw new Error(message);
}

Deno.test("PlainWriter writes what gathers during a write in one go, and syncs an interval later", async () => {
  const bench = new Bench();
  bench.append(0, 1);
  bench.append(1, 3);
  await bench.rest();
  assert.equal(bench.disk.text, textOf(0, 3));
  assert.deepEqual(bench.disk.log.filter((step) => step === "write").length, 1);
  assert.equal(bench.synced, 0);
  await bench.clock.advanceAsync(999);
  assert.equal(bench.synced, 0);
  await bench.clock.advanceAsync(1);
  await bench.rest();
  assert.equal(bench.synced, textOf(0, 3).length);
  assert.equal(bench.writer.idle, true);
  await bench.end(textOf(0, 3));
});

Deno.test("PlainWriter turns line ends between the tokens of a record into spaces", async () => {
  const bench = new Bench();
  bench.writer.append(new TextEncoder().encode('{"message":\r\n"a"}'), true, null);
  await bench.writer.sync();
  assert.equal(bench.disk.text, '{"message":  "a"}\n');
  await bench.writer.close();
});

Deno.test("PlainWriter writes the rest when the file takes only some bytes of a write", async () => {
  const bench = new Bench();
  bench.disk.plan = (step, bytes) => step === "write" ? Math.min(7, bytes.length) : undefined;
  bench.append(0, 20);
  await bench.writer.sync();
  await bench.end(textOf(0, 20));
});

Deno.test("PlainWriter cuts off what a full disk took of a write, and writes it again when there is room", async () => {
  const bench = new Bench();
  bench.append(0, 2);
  await bench.writer.sync();
  let isFull = true;
  let room = 10;
  bench.disk.plan = (step) => {
    if (step !== "write" || !isFull) return;
    if (room === 0) fails("No space left on device (os error 28)");
    const taken = room;
    room = 0;
    return taken;
  };
  bench.append(2, 4);
  await bench.rest();
  assert.deepEqual(bench.troubles, ["No space left on device (os error 28)"]);
  assert.equal(bench.committed, textOf(0, 2).length);
  bench.append(4, 6);
  await bench.clock.advanceAsync(RETRY_MS);
  assert.equal(bench.disk.text, textOf(0, 2), "cut to the last line");
  assert.equal(bench.troubles.length, 1);
  isFull = false;
  await bench.clock.advanceAsync(RETRY_MS);
  await bench.rest();
  assert.deepEqual(bench.troubles.slice(1), [null]);
  await bench.end(textOf(0, 6));
});

Deno.test("retry() tries again at once", async () => {
  const bench = new Bench();
  bench.disk.plan = (step) => step === "write" ? fails("full") : undefined;
  bench.append(0, 2);
  await bench.rest();
  bench.disk.plan = () => {};
  bench.writer.retry();
  await bench.rest();
  assert.deepEqual(bench.troubles, ["full", null]);
  await bench.end(textOf(0, 2));
});

Deno.test("PlainWriter writes what a failed sync may have lost again from memory, before anything vouches for it", async () => {
  const bench = new Bench();
  bench.append(0, 2);
  await bench.writer.sync();
  let failures = 3;
  bench.disk.plan = (step) => {
    if (step !== "sync" || failures-- <= 0) return;
    // As the kernel does: the pages are dropped, and the next sync would be content.
    bench.disk.bytes.fill(0, textOf(0, 2).length);
    fails("Input/output error (os error 5)");
  };
  bench.append(2, 4);
  const synced = bench.writer.sync();
  for (let second = 0; second < 4; second++) {
    await bench.rest();
    bench.append(4 + second, 5 + second);
    await bench.clock.advanceAsync(RETRY_MS);
  }
  await synced;
  assert.deepEqual(
    bench.troubles,
    ["Input/output error (os error 5)", null],
    "trouble ends with a sync that works",
  );
  await bench.writer.sync();
  await bench.end(textOf(0, 8));
});

Deno.test("PlainWriter starts no sync while what a failed one lost is being written again", async () => {
  const bench = new Bench({ syncIntervalMs: RETRY_MS + 500 });
  const failing = Promise.withResolvers<void>();
  const rewriting = Promise.withResolvers<void>();
  let hasFailed = false;
  bench.disk.plan = async (step) => {
    if (step === "sync" && !hasFailed) {
      await failing.promise;
      hasFailed = true;
      bench.disk.bytes.fill(0);
      fails("Input/output error (os error 5)");
    }
    if (step === "write" && hasFailed) await rewriting.promise;
  };
  bench.append(0, 3);
  await bench.rest();
  await bench.clock.advanceAsync(RETRY_MS + 500);
  bench.append(3, 4); // is written while the sync is under way, and has the next one planned
  await bench.rest();
  failing.resolve();
  await bench.rest();
  for (let second = 0; second < 5; second++) await bench.clock.advanceAsync(RETRY_MS);
  assert.equal(bench.synced, 0);
  rewriting.resolve();
  await bench.rest();
  await bench.writer.sync();
  await bench.end(textOf(0, 4));
});

Deno.test("PlainWriter keeps every line when writes, syncs and opening fail at random", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = createRandom(seed);
    const bench = new Bench({ syncIntervalMs: 50 });
    bench.disk.plan = (step, bytes) => {
      const dice = random();
      if (dice < 0.15) {
        if (step === "sync") bench.disk.bytes.fill(0, bench.disk.durable.length);
        fails(`${step} failed`);
      }
      if (step === "write" && dice < 0.4) return Math.max(1, Math.floor(random() * bytes.length));
    };
    let number = 0;
    for (let round = 0; round < 40; round++) {
      const end = number + Math.floor(random() * 5);
      bench.append(number, end, Math.floor(random() * 10));
      number = end;
      await bench.clock.advanceAsync(random() * 400);
      if (random() < 0.1) bench.writer.retry();
    }
    bench.disk.plan = () => {};
    for (let second = 0; second < 3; second++) await bench.clock.advanceAsync(RETRY_MS);
    await bench.writer.sync();
    assert.equal(bench.writer.trouble, null);
    const numbers = [...bench.disk.text.matchAll(/"line (\d+)/g)].map(([, found]) => Number(found));
    assert.deepEqual(numbers, Array.from({ length: number }, (_, index) => index), `seed ${seed}`);
    assert.equal(bench.lines, number);
    await bench.end(bench.disk.text);
  }
});

Deno.test("PlainWriter goes on writing during a slow sync, up to a limit, and then holds back", async () => {
  const bench = new Bench();
  const slow = Promise.withResolvers<void>();
  bench.disk.plan = (step) => step === "sync" ? slow.promise : undefined;
  const lineBytes = 1024 * 1024;
  const padding = lineBytes - record(0).length - 1;
  for (let number = 0; number < 24; number++) {
    bench.append(number, number + 1, padding);
    await bench.rest();
  }
  assert.equal(bench.synced, 0);
  assert.ok(bench.committed > UNSYNCED_LIMIT_BYTES);
  assert.ok(bench.committed <= UNSYNCED_LIMIT_BYTES + 2 * lineBytes);
  const numberBytes = 1; // two-digit numbers make their lines one byte longer
  assert.equal(bench.committed + bench.waiting, 24 * lineBytes + 14 * numberBytes);
  slow.resolve();
  await bench.writer.sync();
  assert.equal(bench.waiting, 0);
  assert.equal(await bench.writer.close(), 0);
  assert.equal(bench.disk.durable.length, 24 * lineBytes + 14 * numberBytes);
});

Deno.test("close() gives the number of lines that a failing file did not take, and leaves nothing open", async () => {
  const bench = new Bench();
  bench.append(0, 3);
  await bench.writer.sync();
  bench.disk.plan = (step) => step === "write" ? fails("full") : undefined;
  bench.append(3, 7);
  await bench.rest();
  const synced = bench.writer.sync();
  assert.equal(await bench.writer.close(), 4);
  assert.equal(await synced, false);
  assert.equal(bench.disk.openFiles, 0);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("close() ends the wait for a sync that fails, and tries it once more", async () => {
  const bench = new Bench();
  let failures = 1;
  bench.disk.plan = (step) => step === "sync" && failures-- > 0 ? fails("Input/output error") : undefined;
  bench.append(0, 3);
  const synced = bench.writer.sync();
  await bench.rest();
  assert.deepEqual(bench.troubles, ["Input/output error"]);
  await bench.end(textOf(0, 3));
  assert.equal(await synced, true);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("sync() tells whether everything appended is on the disk when the writer was closed before the call", async () => {
  const whole = new Bench();
  whole.append(0, 3);
  await whole.end(textOf(0, 3));
  assert.equal(await whole.writer.sync(), true);
  const cut = new Bench();
  cut.disk.plan = (step) => step === "write" ? fails("full") : undefined;
  cut.append(0, 3);
  assert.equal(await cut.writer.close(), 3);
  assert.equal(await cut.writer.sync(), false);
});

Deno.test("sync() resolves to false when the lines are in the file and the last sync has failed", async () => {
  const bench = new Bench();
  bench.disk.plan = (step) => step === "sync" ? fails("Input/output error") : undefined;
  bench.append(0, 3);
  const synced = bench.writer.sync();
  assert.equal(await bench.writer.close(), 0, "nothing waits to be written");
  assert.equal(await synced, false);
  assert.equal(bench.synced, 0);
});

Deno.test("sync() waits while the file fails, and resolves to true when it works again", async () => {
  const bench = new Bench();
  bench.disk.plan = (step) => step === "sync" ? fails("Input/output error") : undefined;
  bench.append(0, 3);
  let result: boolean | null = null;
  const synced = bench.writer.sync().then((isSynced) => result = isSynced);
  await bench.clock.advanceAsync(3 * RETRY_MS);
  assert.equal(result, null);
  bench.disk.plan = () => {};
  await bench.clock.advanceAsync(RETRY_MS);
  await bench.rest();
  assert.equal(await synced, true);
  await bench.end(textOf(0, 3));
});

Deno.test("PlainWriter continues a file at its length, and cuts off what stands behind it", async () => {
  const bench = new Bench({ from: 1000, size: 10 });
  bench.disk.bytes = new TextEncoder().encode("123456789\ngarbage");
  bench.append(0, 1);
  await bench.writer.sync();
  assert.equal(bench.disk.text, "123456789\n" + textOf(0, 1));
  assert.equal(bench.committed, 1010 + textOf(0, 1).length);
  await bench.writer.close();
});

Deno.test("PlainWriter keeps the lines until they are synced, and not the room beside them", async () => {
  const bench = new Bench();
  const slow = Promise.withResolvers<void>();
  bench.disk.plan = (step) => step === "sync" ? slow.promise : undefined;
  const before = Deno.memoryUsage().external;
  for (let number = 0; number < 150; number++) {
    bench.append(number, number + 1);
    await bench.rest();
  }
  assert.ok(
    Deno.memoryUsage().external - before < 75 * 64 * 1024,
    "some hundred bytes for each of 150 lines",
  );
  slow.resolve();
  await bench.end(textOf(0, 150));
});
