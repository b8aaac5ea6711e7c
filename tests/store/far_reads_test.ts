import assert from "node:assert/strict";
import { FarReads } from "../../lib/store/far_reads.ts";

const NEVER = new AbortController().signal;

Deno.test("FarReads.run() makes so many requests at a time, the next ones in their order", async () => {
  const reads = new FarReads(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, number) =>
    reads.run(() => {
      begun.push(number);
      return promise;
    }, NEVER)
  );
  await turn();
  assert.deepEqual([begun, reads.active, reads.waiting], [[0, 1], 2, 3]);
  ends[1]!.resolve();
  await turn();
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.all(all);
  assert.deepEqual([begun, reads.active, reads.waiting], [[0, 1, 2, 3, 4], 0, 0]);
});

Deno.test("FarReads.run() gives the next one its turn also when a request fails", async () => {
  const reads = new FarReads(1);
  const failing = reads.run(() => Promise.reject(new Error("no")), NEVER);
  const next = reads.run(() => Promise.resolve("yes"), NEVER);
  await assert.rejects(failing, { message: "no" });
  assert.equal(await next, "yes");
  assert.equal(reads.active, 0);
});

Deno.test("FarReads.run() lets go of whoever does not want to wait any more", async () => {
  const reads = new FarReads(1);
  const first = Promise.withResolvers<void>();
  const holding = reads.run(() => first.promise, NEVER);
  const leaving = new AbortController();
  const left = reads.run(() => Promise.resolve(), leaving.signal);
  const stays = reads.run(() => Promise.resolve("came"), NEVER);
  leaving.abort(new Error("gone"));
  await assert.rejects(left, { message: "gone" });
  await assert.rejects(reads.run(() => Promise.resolve(), leaving.signal), { message: "gone" });
  assert.equal(reads.waiting, 1);
  first.resolve();
  assert.equal(await stays, "came");
  await holding;
  assert.equal(reads.active, 0);
});

Deno.test("FarReads.tryRun() makes no request where another one would have to wait", async () => {
  const reads = new FarReads(1);
  const end = Promise.withResolvers<string>();
  const first = reads.tryRun(() => end.promise, NEVER);
  assert.equal(reads.tryRun(() => Promise.resolve(""), NEVER), null);
  end.resolve("done");
  assert.equal(await first, "done");
  assert.equal(await reads.tryRun(() => Promise.resolve("again"), NEVER), "again");
});

/** Lets promises settle. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
