import assert from "node:assert/strict";
import { DayUploader } from "../../lib/store/day_uploader.ts";
import { type Generation, storedKey } from "../../lib/store/layout.ts";
import { ORPHAN_AGE_MS, SUPERSEDED_AGE_MS, sweepStore, type Swept } from "../../lib/store/store_sweeper.ts";
import { findDay, newestStored } from "../../lib/store/stored_day.ts";
import { DAY } from "../archive/archive_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { s3Test } from "../rig/s3_case.ts";
import { type BucketRig, startBucket } from "./bucket_rig.ts";
import { SealedRig } from "./sealed_rig.ts";

const ARCHIVE = "test";
/** A minute more than the real clock and the bucket's seconds may differ by. */
const MARGIN_MS = 60_000;

const GENERATION: Generation = { day: DAY, edition: 0, rawBytes: 1000, digest: "0000000000000001" };

/** Sweeps as if so many milliseconds had gone by. */
function sweepAfter({ bucket }: BucketRig, ms: number): Promise<Swept> {
  return sweepStore({ bucket, archive: ARCHIVE, clock: new FakeClock(Date.now() + ms) });
}

async function put({ bucket }: BucketRig, generation: Generation, ...kinds: ("gz" | "edits" | "index")[]) {
  for (const kind of kinds) await bucket.put(storedKey(ARCHIVE, generation, kind), new Uint8Array(1));
}

async function keysIn({ bucket }: BucketRig): Promise<string[]> {
  return (await Array.fromAsync(bucket.list(""))).map(({ key }) => key);
}

s3Test(
  "sweepStore() removes what an upload has left that was killed, after a day and not before",
  async (given) => {
    await using rig = startBucket(given);
    const newer = { ...GENERATION, rawBytes: 2000, edition: 1 };
    await put(rig, GENERATION, "gz", "index");
    await put(rig, newer, "gz", "edits");
    assert.deepEqual(await sweepAfter(rig, ORPHAN_AGE_MS - MARGIN_MS), { removed: [], aborted: [] });
    const { removed } = await sweepAfter(rig, ORPHAN_AGE_MS + MARGIN_MS);
    assert.deepEqual(removed, [storedKey(ARCHIVE, newer, "gz"), storedKey(ARCHIVE, newer, "edits")]);
    assert.equal(newestStored(await findDay(rig.bucket, ARCHIVE, DAY))?.generation.rawBytes, 1000);
  },
);

s3Test("sweepStore() gives up parts that an upload has left, after a day and not before", async (given) => {
  await using rig = startBucket(given, { partBytes: 256 * 1024 });
  const { bucket, proxy } = rig;
  using sealed = await SealedRig.make({ lines: 1000 });
  using files = sealed.open();
  const isSecondPart = (request: string) => request.includes("partNumber=2");
  proxy.fail({ kind: "answer", status: 403 }, { matches: isSecondPart });
  proxy.fail({ kind: "answer", status: 403 }, { matches: (request) => request.startsWith("DELETE") });
  await assert.rejects(new DayUploader({ bucket, archive: ARCHIVE }).upload(files));
  const [upload] = await Array.fromAsync(bucket.uploads(""));
  assert.deepEqual((await sweepAfter(rig, ORPHAN_AGE_MS - MARGIN_MS)).aborted, []);
  assert.deepEqual((await sweepAfter(rig, ORPHAN_AGE_MS + MARGIN_MS)).aborted, [upload!.key]);
  assert.deepEqual(await Array.fromAsync(bucket.uploads("")), []);
});

s3Test(
  "sweepStore() removes a generation an hour after a newer one was stored, its index first",
  async (given) => {
    await using rig = startBucket(given);
    const newer = { ...GENERATION, rawBytes: 2000, edition: 1 };
    await put(rig, GENERATION, "gz", "index");
    await put(rig, newer, "gz", "edits", "index");
    assert.deepEqual((await sweepAfter(rig, SUPERSEDED_AGE_MS - MARGIN_MS)).removed, []);
    const { removed } = await sweepAfter(rig, SUPERSEDED_AGE_MS + MARGIN_MS);
    assert.deepEqual(removed, [
      storedKey(ARCHIVE, GENERATION, "index"),
      storedKey(ARCHIVE, GENERATION, "gz"),
    ]);
    assert.equal((await keysIn(rig)).length, 3);
  },
);

s3Test(
  "sweepStore() that is killed between two removals leaves the newer generation, and the next one goes on",
  async (given) => {
    await using rig = startBucket(given);
    const newer = { ...GENERATION, rawBytes: 2000 };
    await put(rig, GENERATION, "gz", "index");
    await put(rig, newer, "gz", "index");
    const isGz = (request: string) => request.startsWith("DELETE") && request.includes(".gz");
    rig.proxy.fail({ kind: "answer", status: 403 }, { matches: isGz });
    await assert.rejects(sweepAfter(rig, 2 * ORPHAN_AGE_MS), /403/);
    assert.equal(newestStored(await findDay(rig.bucket, ARCHIVE, DAY))?.generation.rawBytes, 2000);
    assert.deepEqual((await sweepAfter(rig, 2 * ORPHAN_AGE_MS)).removed, [
      storedKey(ARCHIVE, GENERATION, "gz"),
    ]);
  },
);

s3Test(
  "sweepStore() keeps an index whose gzip file is gone, whatever is older, and what it does not know",
  async (given) => {
    await using rig = startBucket(given);
    const newer = { ...GENERATION, rawBytes: 2000 };
    const other = { ...GENERATION, day: DAY + 1 };
    await put(rig, GENERATION, "gz", "index");
    await put(rig, newer, "index");
    await rig.bucket.put(storedKey("other", other, "gz"), new Uint8Array(1));
    await rig.bucket.put(`v1/${ARCHIVE}/days/readme.txt`, new Uint8Array(1));
    const keys = await keysIn(rig);
    assert.deepEqual(await sweepAfter(rig, 10 * ORPHAN_AGE_MS), { removed: [], aborted: [] });
    assert.deepEqual(await keysIn(rig), keys);
  },
);
