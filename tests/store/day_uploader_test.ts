import assert from "node:assert/strict";
import { DayUploader, type SealedDay } from "../../lib/store/day_uploader.ts";
import { openFarDay } from "../../lib/store/far_day.ts";
import { FarReads } from "../../lib/store/far_reads.ts";
import { findDay, newestStored, readStoredSeal } from "../../lib/store/stored_day.ts";
import { DAY, DAY_NAME } from "../archive/archive_rig.ts";
import { MemoryBytes } from "../archive/read/memory_bytes.ts";
import type { HttpFault } from "../rig/http_proxy.ts";
import { type S3Case, s3Test } from "../rig/s3_case.ts";
import { assertFails, type BucketRig, startBucket } from "./bucket_rig.ts";
import { SealedRig, startReading } from "./sealed_rig.ts";

const ARCHIVE = "test";
const PREFIX = `v1/${ARCHIVE}/days/${DAY_NAME}/`;

/** Small enough for a day of 1,000 lines to be written in three parts, so that all kinds of requests are there. */
const SMALL_PARTS = { partBytes: 256 * 1024 };

/** The names of the objects of the day, without what they begin with. */
async function namesIn({ bucket }: BucketRig): Promise<string[]> {
  return (await Array.fromAsync(bucket.list(PREFIX))).map(({ key }) => key.slice(PREFIX.length));
}

/** The text of the day as the bucket alone gives it; null where it is not stored. */
async function storedText({ bucket }: BucketRig): Promise<string | null> {
  const stored = newestStored(await findDay(bucket, ARCHIVE, DAY));
  if (stored === null) return null;
  using reading = startReading();
  const { memory, damage } = reading;
  const seal = await readStoredSeal(bucket, stored);
  const shared = { bucket, reads: new FarReads(), memory, reading: reading.reading };
  using day = openFarDay({ stored, seal, index: null, damage }, shared);
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of day.text({ start: 0, end: seal.rawBytes }, memory)) {
    text += decoder.decode(piece, { stream: true });
  }
  return text;
}

function upload({ bucket }: BucketRig, sealed: SealedDay, signal?: AbortSignal) {
  return new DayUploader({ bucket, archive: ARCHIVE }).upload(sealed, signal);
}

s3Test("DayUploader.upload() stores a day as the files that it is, the index last", async (given) => {
  await using rig = startBucket(given);
  using sealed = await SealedRig.make({ lines: 100 });
  using files = sealed.open();
  const { generation, gz, index, edits } = await upload(rig, files);
  assert.deepEqual({ ...generation, digest: "" }, {
    day: DAY,
    edition: 0,
    rawBytes: sealed.text.length,
    digest: "",
  });
  const name = `0.${sealed.text.length}.${generation.digest}`;
  assert.deepEqual(await namesIn(rig), [`${name}.index`, `${name}.jsonl.gz`]);
  assert.equal(edits, null);
  assert.deepEqual((await rig.bucket.get(gz.key)).bytes, sealed.directory.read(`${DAY_NAME}.jsonl.gz`));
  assert.deepEqual((await rig.bucket.get(index.key)).bytes, sealed.directory.read(`${DAY_NAME}.index`));
  const writes = rig.proxy.requests.filter((request) => request.startsWith("PUT"));
  assert.match(writes.at(-1)!, /\.index$/);
  assert.equal(await storedText(rig), sealed.text);
});

s3Test("DayUploader.upload() writes nothing where the day is stored already", async (given) => {
  await using rig = startBucket(given);
  using sealed = await SealedRig.make({ lines: 100 });
  using files = sealed.open();
  const { gz, index } = await upload(rig, files);
  rig.proxy.requests.length = 0;
  const again = await upload(rig, files);
  assert.deepEqual([again.gz.etag, again.index.etag], [gz.etag, index.etag]);
  assert.equal(rig.proxy.requests.length, 1);
  assert.match(rig.proxy.requests[0]!, /^GET .*list-type=2/);
});

s3Test("DayUploader.upload() writes again what is missing or another one in the bucket", async (given) => {
  await using rig = startBucket(given);
  using sealed = await SealedRig.make({ lines: 100 });
  using files = sealed.open();
  const { gz } = await upload(rig, files);
  await rig.bucket.remove(gz.key);
  assert.equal(await storedText(rig), null);
  await upload(rig, files);
  assert.equal(await storedText(rig), sealed.text);
  await rig.bucket.put(gz.key, new Uint8Array(10));
  await upload(rig, files);
  assert.equal(await storedText(rig), sealed.text);
});

s3Test(
  "DayUploader.upload() stores a healed day as a new generation, beside the one before",
  async (given) => {
    await using rig = startBucket(given);
    using sealed = await SealedRig.make({ lines: 3000 });
    using healed = await SealedRig.make({ lines: 3000, isHealed: true });
    {
      using files = sealed.open();
      await upload(rig, files);
    }
    using files = healed.open();
    const { generation, edits } = await upload(rig, files);
    assert.deepEqual([generation.edition, edits?.size], [1, healed.seal.healed!.editsBytes]);
    assert.deepEqual((await rig.bucket.get(edits!.key)).bytes, healed.directory.read(`${DAY_NAME}.edits`));
    assert.equal((await namesIn(rig)).length, 5);
    assert.ok(await storedText(rig) === healed.text);
  },
);

s3Test("DayUploader.upload() stores of the edits only what belongs to the day as it is", async (given) => {
  await using rig = startBucket(given);
  using healed = await SealedRig.make({ lines: 300, isHealed: true });
  const content = healed.directory.read(`${DAY_NAME}.edits`);
  const longer = new Uint8Array(content.length + 100);
  longer.set(content);
  using files = healed.open();
  const { edits } = await upload(rig, { ...files, edits: new MemoryBytes(`${DAY_NAME}.edits`, longer) });
  assert.deepEqual((await rig.bucket.get(edits!.key)).bytes, content);
  await assert.rejects(upload(rig, { ...files, seal: { ...files.seal, lines: 1 } }), {
    message: `Cannot store "${DAY_NAME}.jsonl.gz": "${DAY_NAME}.index" is of another gzip file`,
  });
});

s3Test("DayUploader.upload() does not store a day whose file is damaged", async (given) => {
  await using rig = startBucket(given);
  using sealed = await SealedRig.make({ lines: 100 });
  const gz = sealed.directory.read(`${DAY_NAME}.jsonl.gz`);
  gz[1000]! ^= 1;
  using files = sealed.open();
  const damaged = { ...files, gz: new MemoryBytes(`${DAY_NAME}.jsonl.gz`, gz) };
  await assert.rejects(
    upload(rig, damaged),
    /^Error: Cannot store "2026-11-22.jsonl.gz": what is at 10 is not/,
  );
  assert.deepEqual(await namesIn(rig), []);
});

s3Test(
  "DayUploader.upload() does not store a day whose gzip file is gone again when it looks",
  async (given) => {
    await using rig = startBucket(given);
    using sealed = await SealedRig.make({ lines: 100 });
    using files = sealed.open();
    const isLook = (request: string) => request.startsWith("HEAD");
    rig.proxy.fail({ kind: "answer", status: 404 }, { matches: isLook });
    await assertFails(upload(rig, files), "broken", /: it is gone after it was written; try again later$/);
    assert.equal(await storedText(rig), null);
  },
);

const WAYS: { name: string; faultFor: () => HttpFault }[] = [
  { name: "before a request", faultFor: () => ({ kind: "cutRequest", after: 0 }) },
  { name: "in the middle of a request", faultFor: () => ({ kind: "cutRequest", after: 700 }) },
  { name: "after a request, before its answer", faultFor: () => ({ kind: "cutAnswer", after: 0 }) },
];
for (const { name, faultFor } of WAYS) {
  s3Test(
    `A day whose upload is killed ${name} is stored or not, whichever request it is, and the next upload stores it`,
    async (given) => {
      using sealed = await SealedRig.make({ lines: 1000, isHealed: true });
      const requests = await countRequests(given, sealed);
      assert.ok(requests >= 12, `${requests} requests`);
      let storedAfterKill = 0;
      for (let killed = 1; killed <= requests; killed++) {
        const bucket = await given.server.makeBucket();
        await using rig = startBucket({ ...given, bucket }, SMALL_PARTS);
        using files = sealed.open();
        let number = 0;
        // The request that is killed, and all after it: a killed process takes back nothing.
        rig.proxy.fail(faultFor(), { matches: () => ++number === killed });
        rig.proxy.fail({ kind: "cutRequest", after: 0 }, {
          times: Infinity,
          matches: () => number >= killed,
        });
        await assert.rejects(upload(rig, files), `request ${killed} of ${requests}`);
        rig.proxy.resume();
        const text = await storedText(rig);
        assert.ok(text === null || text === sealed.text, `request ${killed}: another text`);
        if (text !== null) storedAfterKill++;
        await upload(rig, files);
        assert.ok(await storedText(rig) === sealed.text, `request ${killed}: not stored by the next upload`);
        assert.equal((await namesIn(rig)).length, 3);
        assert.deepEqual(
          await Array.fromAsync(rig.bucket.uploads("")),
          [],
          `request ${killed}: parts are left`,
        );
      }
      // Only the very last request stores it, and there its answer may be what is lost.
      assert.equal(storedAfterKill, faultFor().kind === "cutAnswer" ? 1 : 0);
    },
  );
}

s3Test("DayUploader.upload() ends with its signal, and the next one goes on", async (given) => {
  await using rig = startBucket(given);
  using sealed = await SealedRig.make({ lines: 100 });
  using files = sealed.open();
  const controller = new AbortController();
  rig.proxy.fail({ kind: "hold" }, {
    matches: (request) => {
      const isWrite = request.startsWith("PUT");
      if (isWrite) queueMicrotask(() => controller.abort(new Error("stop")));
      return isWrite;
    },
  });
  await assert.rejects(upload(rig, files, controller.signal), { message: "stop" });
  assert.deepEqual(await namesIn(rig), []);
  await upload(rig, files);
  assert.equal(await storedText(rig), sealed.text);
});

/** How many requests the upload of a day takes. */
async function countRequests(given: S3Case, sealed: SealedRig): Promise<number> {
  await using rig = startBucket(given, SMALL_PARTS);
  using files = sealed.open();
  await upload(rig, files);
  return rig.proxy.requests.length;
}
