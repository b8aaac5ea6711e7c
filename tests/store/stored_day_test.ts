import assert from "node:assert/strict";
import { type Generation, storedKey } from "../../lib/store/layout.ts";
import { DayUploader } from "../../lib/store/day_uploader.ts";
import { findDay, findDays, newestStored, readStoredSeal } from "../../lib/store/stored_day.ts";
import { DAY } from "../archive/archive_rig.ts";
import { s3Test } from "../rig/s3_case.ts";
import { type BucketRig, startBucket } from "./bucket_rig.ts";
import { SealedRig } from "./sealed_rig.ts";

const GENERATION: Generation = { day: DAY, edition: 0, rawBytes: 1000, digest: "0000000000000001" };

async function put({ bucket }: BucketRig, generation: Generation, ...kinds: ("gz" | "edits" | "index")[]) {
  for (const kind of kinds) await bucket.put(storedKey("test", generation, kind), new Uint8Array(1));
}

s3Test("findDays() gives the days of an archive in their order, and nothing that is none", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  await put(rig, { ...GENERATION, day: DAY + 9 }, "gz", "index");
  await put(rig, GENERATION, "gz", "index");
  await put(rig, { ...GENERATION, day: DAY + 1 }, "gz");
  await bucket.put(storedKey("test-2", { ...GENERATION, day: DAY + 2 }, "index"), new Uint8Array());
  await bucket.put("v1/test/days/2026-11-22/readme", new Uint8Array());
  const days = await Array.fromAsync(findDays(bucket, "test"));
  assert.deepEqual(days.map(({ day }) => day), [DAY, DAY + 1, DAY + 9]);
  assert.deepEqual(days.map((day) => newestStored(day)?.generation.day ?? null), [DAY, null, DAY + 9]);
});

s3Test("newestStored() is the generation with the most text that has all its files", async (given) => {
  await using rig = startBucket(given);
  const found = async () => newestStored(await findDay(rig.bucket, "test", DAY))?.generation.rawBytes ?? null;
  assert.equal(await found(), null);
  await put(rig, { ...GENERATION, rawBytes: 9000 }, "index");
  assert.equal(await found(), null, "an index without its gzip file");
  await put(rig, GENERATION, "gz", "index");
  assert.equal(await found(), 1000);
  await put(rig, { ...GENERATION, rawBytes: 20_000, edition: 1 }, "gz", "index");
  assert.equal(await found(), 1000, "a healed day without its edits");
  await put(rig, { ...GENERATION, rawBytes: 20_000, edition: 1 }, "edits");
  assert.equal(await found(), 20_000);
});

s3Test("readStoredSeal() reads the totals from the two ends of an index", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy } = rig;
  using sealed = await SealedRig.make({ lines: 6000, isHealed: true });
  using files = sealed.open();
  const stored = await new DayUploader({ bucket, archive: "test" }).upload(files);
  proxy.lengths.length = 0;
  assert.deepEqual(await readStoredSeal(bucket, stored), sealed.seal);
  assert.equal(proxy.lengths.length, 2);
  proxy.fail({ kind: "flipAnswer", at: 50 }, { times: 2 });
  await assert.rejects(readStoredSeal(bucket, stored), {
    message: `Cannot read "2026-11-22.index" in bucket "${given.bucket}": it is damaged`,
  });
});
