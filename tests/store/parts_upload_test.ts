import assert from "node:assert/strict";
import { ATTEMPTS_LIMIT } from "../../lib/store/bucket_connection.ts";
import { MemoryBytes } from "../archive/read/memory_bytes.ts";
import { s3Test } from "../rig/s3_case.ts";
import { assertFails, type BucketRig, startBucket, variedBytes } from "./bucket_rig.ts";

const BYTES = variedBytes(700_000);
/** Three parts. */
const PARTS = { partBytes: 256 * 1024 };

function upload({ bucket }: BucketRig) {
  return bucket.upload("a", new MemoryBytes("a", BYTES));
}

const isBegin = (request: string) => request.endsWith("?uploads=");
const isPart = (request: string) => request.includes("partNumber=2");
const isCompletion = (request: string) => request.startsWith("POST") && request.includes("uploadId=");

async function assertWhole({ bucket }: BucketRig): Promise<void> {
  assert.deepEqual((await bucket.get("a")).bytes, BYTES);
  assert.deepEqual(await Array.fromAsync(bucket.uploads("")), []);
}

s3Test("An upload whose completion is answered by nobody has happened, and is found", async (given) => {
  await using rig = startBucket(given, PARTS);
  rig.proxy.fail({ kind: "cutAnswer", after: 0 }, { matches: isCompletion });
  const { etag, size } = await upload(rig);
  assert.deepEqual([etag, size], [(await rig.bucket.head("a"))!.etag, BYTES.length]);
  await assertWhole(rig);
});

s3Test(
  "An upload whose completion fails after the answer has begun is completed by the next attempt",
  async (given) => {
    await using rig = startBucket(given, PARTS);
    const body =
      "<?xml version='1.0'?>\n\n<Error><Code>InternalError</Code><Message>Try again.</Message></Error>";
    rig.proxy.fail({ kind: "answer", status: 200, body }, { matches: isCompletion });
    rig.proxy.fail({ kind: "answer", status: 200, body: "" }, { matches: isCompletion });
    await upload(rig);
    await assertWhole(rig);
  },
);

s3Test("A part of which a bit flips on its way is sent again", async (given) => {
  await using rig = startBucket(given, PARTS);
  rig.proxy.fail({ kind: "flipRequest", at: 100_000 }, { matches: isPart, times: 2 });
  await upload(rig);
  await assertWhole(rig);
});

s3Test("A part that the server says it has otherwise is sent again", async (given) => {
  await using rig = startBucket(given, PARTS);
  const value = '"00000000000000000000000000000000"';
  rig.proxy.fail({ kind: "header", name: "etag", value }, { matches: isPart });
  await upload(rig);
  await assertWhole(rig);
});

s3Test("An upload that is cut off at any byte of its requests goes on", async (given) => {
  await using rig = startBucket(given, PARTS);
  for (const matches of [isBegin, isPart, isCompletion]) {
    for (const kind of ["cutRequest", "cutAnswer"] as const) {
      for (const after of [0, 10, 200, 400]) {
        rig.proxy.fail({ kind, after }, { matches });
        await upload(rig);
        assert.deepEqual((await rig.bucket.get("a")).bytes, BYTES);
      }
    }
  }
  // Only of a begin whose answer was lost nobody knows; the sweeper finds these.
  assert.equal((await Array.fromAsync(rig.bucket.uploads(""))).length <= 4, true);
});

s3Test("An upload that fails is taken back", async (given) => {
  await using rig = startBucket(given, PARTS);
  rig.proxy.fail({ kind: "answer", status: 403 }, { matches: isPart });
  await assertFails(
    upload(rig),
    "denied",
    /^Cannot write "a" in bucket ".*": the server answered 403; check/,
  );
  rig.proxy.fail({ kind: "flipRequest", at: 5 }, { matches: isPart, times: ATTEMPTS_LIMIT });
  await assertFails(upload(rig), "broken", /; try again later$/);
  const broken = { size: () => Promise.resolve(BYTES.length), read: () => Promise.reject(new Error("disk")) };
  await assert.rejects(rig.bucket.upload("a", broken), { message: "disk" });
  assert.equal(await rig.bucket.head("a"), null);
  assert.deepEqual(await Array.fromAsync(rig.bucket.uploads("")), []);
});

s3Test("An upload that somebody else gives up says so", async (given) => {
  await using rig = startBucket(given, PARTS);
  const { bucket, proxy } = rig;
  const source = new MemoryBytes("a", BYTES);
  const reading = {
    size: () => source.size(),
    async read(offset: number, length: number) {
      if (offset > 0) { for await (const one of bucket.uploads("")) await bucket.abort(one); }
      return await source.read(offset, length);
    },
  };
  await assertFails(bucket.upload("a", reading), "missing", /answered 404 NoSuchUpload; it is not there$/);
  proxy.fail({ kind: "answer", status: 404, body: "<Error><Code>NoSuchUpload</Code></Error>" }, {
    matches: isCompletion,
  });
  await assertFails(upload(rig), "missing", /the upload was given up by somebody$/);
});

s3Test(
  "An object that is another one than was sent when it is looked at is not taken for it",
  async (given) => {
    await using rig = startBucket(given, PARTS);
    const isLook = (request: string) => request.startsWith("HEAD");
    const value = `"${"0".repeat(32)}-3"`;
    rig.proxy.fail({ kind: "header", name: "etag", value }, { matches: isLook });
    await assertFails(upload(rig), "broken", /the server's digest is 0{32}-3, the bytes have \w{32}-3$/);
    rig.proxy.fail({ kind: "header", name: "content-length", value: "5" }, { matches: isLook });
    await assertFails(upload(rig), "broken", /it has 5 bytes of 700000$/);
  },
);
