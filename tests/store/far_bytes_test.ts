import assert from "node:assert/strict";
import { MemoryBudget } from "../../lib/machine/memory_budget.ts";
import { ATTEMPTS_LIMIT } from "../../lib/store/bucket_connection.ts";
import type { Bucket } from "../../lib/store/bucket.ts";
import { FarBytes } from "../../lib/store/far_bytes.ts";
import { FarReads } from "../../lib/store/far_reads.ts";
import { AHEAD_CHUNK_BYTES } from "../../lib/store/read_ahead.ts";
import type { StoredObject } from "../../lib/store/stored_object.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { s3Test } from "../rig/s3_case.ts";
import { untilSo } from "../rig/wait.ts";
import { assertFails, startBucket, variedBytes } from "./bucket_rig.ts";

const KIB = 1024;
const BYTES = variedBytes(5000 * KIB);

function farBytes(bucket: Bucket, object: StoredObject, limitBytes = 100_000 * KIB) {
  const reads = new FarReads();
  const memory = new MemoryBudget({ limitBytes, clock: new FakeClock(0) });
  const bytes = new FarBytes({ bucket, object, name: "2026-11-22.jsonl.gz", reads, memory });
  return { bytes, reads, memory };
}

s3Test("FarBytes.read() reads from any place, several reads at a time", async (given) => {
  await using rig = startBucket(given);
  const object = await rig.bucket.put("a", BYTES);
  const { bytes, reads } = farBytes(rig.bucket, object);
  assert.equal(await bytes.size(), BYTES.length);
  const ranges = [[5000, 100_000], [0, 2], [3, 0], [BYTES.length - 4, 4], [4000 * KIB, 7]] as const;
  const read = await Promise.all(ranges.map(([offset, length]) => bytes.read(offset, length)));
  for (const [number, [offset, length]] of ranges.entries()) {
    assert.deepEqual(read[number], BYTES.slice(offset, offset + length));
  }
  bytes[Symbol.dispose]();
  assert.equal(reads.active, 0);
});

s3Test("FarBytes.read() says as a file does that there are fewer bytes, and asks nobody", async (given) => {
  await using rig = startBucket(given);
  const object = await rig.bucket.put("a", BYTES.slice(0, 8));
  const { bytes } = farBytes(rig.bucket, object);
  await assert.rejects(bytes.read(6, 10), {
    message: 'Cannot read 10 bytes at 6 of "2026-11-22.jsonl.gz": it ends after 2 of them',
  });
  assert.equal(rig.proxy.requests.length, 1);
});

s3Test("FarBytes.read() reads more at once than one request can", async (given) => {
  await using rig = startBucket(given);
  const all = variedBytes(18_000 * KIB);
  const object = await rig.bucket.put("a", all);
  const { bytes } = farBytes(rig.bucket, object);
  assert.deepEqual(await bytes.read(1, all.length - 1), all.slice(1));
  assert.equal(rig.proxy.requests.length, 4);
});

for (const isForward of [true, false]) {
  s3Test(`FarBytes reads ahead of a reader who goes ${isForward ? "forward" : "backward"}`, async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const object = await bucket.put("a", BYTES);
    const { bytes, reads, memory } = farBytes(bucket, object);
    const starts = Array.from({ length: 50 }, (_, number) => number * 100 * KIB);
    for (const start of isForward ? starts : starts.toReversed()) {
      assert.deepEqual(await bytes.read(start, 100 * KIB), BYTES.slice(start, start + 100 * KIB));
    }
    // Three reads as they were asked for, and then chunks.
    const chunks = Math.ceil((BYTES.length - 300 * KIB) / AHEAD_CHUNK_BYTES);
    assert.equal(proxy.requests.length - 1, 3 + chunks);
    assert.deepEqual([reads.active, memory.heldBytes], [0, 0]);
  });
}

s3Test("FarBytes does without reading ahead where memory is short", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy } = rig;
  const object = await bucket.put("a", BYTES);
  const { bytes, memory } = farBytes(bucket, object, KIB);
  for (let start = 0; start < 1000 * KIB; start += 100 * KIB) {
    assert.deepEqual(await bytes.read(start, 100 * KIB), BYTES.slice(start, start + 100 * KIB));
  }
  assert.deepEqual([proxy.requests.length, memory.heldBytes], [11, 0]);
});

s3Test(
  "FarBytes.read() fails where the object is another one now, and gives no byte of it",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket } = rig;
    const object = await bucket.put("a", BYTES);
    const { bytes, reads, memory } = farBytes(bucket, object);
    for (let at = 0; at < 3; at++) await bytes.read(at * 100 * KIB, 100 * KIB);
    await untilSo(() => reads.active === 0, "what is read ahead");
    assert.equal(memory.heldBytes, AHEAD_CHUNK_BYTES);
    await bucket.put("a", variedBytes(BYTES.length, 2));
    assert.deepEqual(
      await bytes.read(300 * KIB, 100 * KIB),
      BYTES.slice(300 * KIB, 400 * KIB),
      "it was there already",
    );
    await assertFails(bytes.read(2000 * KIB, 10), "changed", /it is not the object that was meant$/);
    bytes[Symbol.dispose]();
    assert.equal(memory.heldBytes, 0);
  },
);

s3Test(
  "FarBytes reads on after the bucket was away, also where it was read ahead meanwhile",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const object = await bucket.put("a", BYTES);
    const { bytes, reads, memory } = farBytes(bucket, object);
    for (let at = 0; at < 2; at++) await bytes.read(at * 100 * KIB, 100 * KIB);
    proxy.fail({ kind: "answer", status: 500 }, { times: 2 * ATTEMPTS_LIMIT });
    await assertFails(bytes.read(200 * KIB, 100 * KIB), "down", /answered 500; try again later$/);
    await untilSo(() => reads.active === 0, "the end of what was read ahead");
    assert.equal(memory.heldBytes, 0);
    for (let at = 2; at < 50; at++) {
      assert.deepEqual(
        await bytes.read(at * 100 * KIB, 100 * KIB),
        BYTES.slice(at * 100 * KIB, (at + 1) * 100 * KIB),
      );
    }
  },
);

s3Test("FarBytes that is closed ends its reads, also those that wait for their turn", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy } = rig;
  const object = await bucket.put("a", BYTES);
  const { bytes, reads } = farBytes(bucket, object);
  proxy.fail({ kind: "hold" }, { times: Infinity });
  const ends = Array.from(
    { length: 10 },
    (_, number) =>
      assert.rejects(bytes.read(number * 300 * KIB, 10), {
        message: 'Cannot read "2026-11-22.jsonl.gz": it was closed',
      }),
  );
  await untilSo(() => proxy.holding === 8 && reads.waiting === 2, "reads that are held, and reads that wait");
  bytes[Symbol.dispose]();
  bytes[Symbol.dispose]();
  await Promise.all(ends);
  assert.deepEqual([reads.active, reads.waiting], [0, 0]);
  await assert.rejects(bytes.read(0, 1), { message: 'Cannot read "2026-11-22.jsonl.gz": it was closed' });
});
