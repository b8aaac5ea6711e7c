import assert from "node:assert/strict";
import { PART_BYTES, WHOLE_LIMIT_BYTES } from "../../lib/store/bucket.ts";
import { s3Test } from "../rig/s3_case.ts";
import { assertFails, startBucket, variedBytes } from "./bucket_rig.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

s3Test("Bucket.put() writes an object that get() and head() give back", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const bytes = encoder.encode("some text\n");
  const put = await bucket.put("days/a.txt", bytes, { contentType: "text/plain" });
  assert.deepEqual(put, {
    key: "days/a.txt",
    size: 10,
    etag: "4d93d51945b88325c213640ef59fc50b",
    modifiedMs: null,
  });
  const { bytes: got, ...object } = await bucket.get("days/a.txt");
  assert.equal(decoder.decode(got), "some text\n");
  assert.deepEqual({ ...object, modifiedMs: null }, put);
  assert.ok(Math.abs(object.modifiedMs! - Date.now()) < 60_000, "it was written just now");
  assert.deepEqual(await bucket.head("days/a.txt"), object);
});

s3Test("Bucket.put() writes an object of no bytes, and one with a name of odd characters", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const key = "a b+c&d=e?f#g%20!'()*,;:@$~é/ü<>\"";
  await bucket.put("nothing", new Uint8Array());
  await bucket.put(key, encoder.encode("x"));
  assert.equal((await bucket.get("nothing")).bytes.length, 0);
  assert.equal(decoder.decode((await bucket.get(key)).bytes), "x");
  assert.deepEqual((await Array.fromAsync(bucket.list(""))).map(({ key }) => key), [key, "nothing"]);
});

s3Test(
  "Bucket.put() replaces an object, unless it is to be written only where there is none",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket } = rig;
    await bucket.put("a", encoder.encode("one"));
    await bucket.put("a", encoder.encode("two"));
    await assertFails(
      bucket.put("a", encoder.encode("three"), { ifNoneMatch: "*" }),
      "exists",
      `Cannot write "a" in bucket "${given.bucket}": another object has that name`,
    );
    assert.equal(decoder.decode((await bucket.get("a")).bytes), "two");
    const again = await bucket.put("a", encoder.encode("two"), { ifNoneMatch: "*" });
    assert.equal(again.etag, (await bucket.head("a"))!.etag, "the same bytes are what was to be there");
  },
);

s3Test("Bucket.put() lets one of several win who write a name first", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const claims = await Promise.allSettled(
    Array.from(
      { length: 8 },
      (_, number) => bucket.put("claim", encoder.encode(`by ${number}`), { ifNoneMatch: "*" }),
    ),
  );
  const winners = claims.flatMap(({ status }, number) => status === "fulfilled" ? [number] : []);
  assert.equal(winners.length, 1);
  for (const claim of claims) {
    if (claim.status === "rejected") {
      await assertFails(Promise.reject(claim.reason), "exists", /another object/);
    }
  }
  assert.equal(decoder.decode((await bucket.get("claim")).bytes), `by ${winners[0]}`);
});

s3Test("Bucket.put() does not take more than can be read whole", async (given) => {
  await using rig = startBucket(given);
  await assert.rejects(rig.bucket.put("a", new Uint8Array(WHOLE_LIMIT_BYTES + 1)), RangeError);
  assert.deepEqual(rig.proxy.requests, []);
});

s3Test("Bucket.get() says that there is no such object, and head() gives null", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const error = await assertFails(
    bucket.get("a"),
    "missing",
    `Cannot read "a" in bucket "${given.bucket}": the server answered 404 NoSuchKey; it is not there`,
  );
  assert.equal(error.code, "NoSuchKey");
  assert.equal(await bucket.head("a"), null);
});

s3Test("Bucket says that there is no such bucket", async (given) => {
  await using rig = startBucket({ ...given, bucket: "nobodys-bucket" });
  await assertFails(
    rig.bucket.put("a", new Uint8Array()),
    "missing",
    'Cannot write "a" in bucket "nobodys-bucket": the server answered 404 NoSuchBucket; ' +
      "check BUCKET_NAME and AWS_ENDPOINT_URL_S3",
  );
  await assertFails(rig.bucket.remove("a"), "missing", /NoSuchBucket/);
});

s3Test(
  "Bucket.get() does not read an object that is larger than wanted, or not the one that is meant",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket } = rig;
    const { etag } = await bucket.put("a", encoder.encode("0123456789"));
    assert.equal((await bucket.get("a", { limitBytes: 10, etag })).size, 10);
    await assertFails(bucket.get("a", { limitBytes: 9 }), "refused", /it has more than 9 bytes$/);
    await bucket.put("a", encoder.encode("9876543210"));
    await assertFails(
      bucket.get("a", { etag }),
      "changed",
      /412 PreconditionFailed; it is not the object that was meant$/,
    );
  },
);

s3Test("Bucket.getRange() gives exactly the bytes that are asked for", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const bytes = variedBytes(100_000);
  const object = await bucket.put("a", bytes);
  for (const [offset, length] of [[0, 1], [0, 100_000], [99_999, 1], [1234, 50_000]] as const) {
    assert.deepEqual(await bucket.getRange(object, { offset, length }), bytes.slice(offset, offset + length));
  }
  for (const [offset, length] of [[-1, 2], [0, 0], [99_999, 2], [100_000, 1]] as const) {
    await assert.rejects(bucket.getRange(object, { offset, length }), RangeError);
  }
});

s3Test("Bucket.getRange() notices that the object is another one now", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const object = await bucket.put("a", variedBytes(1000, 1));
  await bucket.put("a", variedBytes(1000, 2));
  await assertFails(bucket.getRange(object, { offset: 10, length: 10 }), "changed", /412 PreconditionFailed/);
  await bucket.remove("a");
  await assertFails(bucket.getRange(object, { offset: 10, length: 10 }), "missing", /404 NoSuchKey/);
});

s3Test("Bucket.list() gives the objects of a prefix in order, page by page", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  for (const key of ["b/3", "b/1", "b/5", "a/9", "b/2", "c", "b/4"]) {
    await bucket.put(key, encoder.encode(key));
  }
  const listed = await Array.fromAsync(bucket.list("b/", { pageSize: 2 }));
  assert.deepEqual(listed.map(({ key, size }) => [key, size]), [
    ["b/1", 3],
    ["b/2", 3],
    ["b/3", 3],
    ["b/4", 3],
    ["b/5", 3],
  ]);
  assert.equal(rig.proxy.requests.filter((request) => request.includes("list-type=2")).length, 3);
  assert.deepEqual(
    listed[0],
    await bucket.head("b/1").then((one) => ({ ...one, modifiedMs: listed[0]!.modifiedMs })),
  );
  assert.deepEqual(await Array.fromAsync(bucket.list("d/")), []);
});

s3Test("Bucket.remove() removes an object, and is harmless where there is none", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  await bucket.put("a", new Uint8Array());
  await bucket.remove("a");
  await bucket.remove("a");
  assert.equal(await bucket.head("a"), null);
});

s3Test("Bucket.upload() writes in parts what is large, and one piece what is not", async (given) => {
  await using rig = startBucket(given);
  const { bucket } = rig;
  const bytes = variedBytes(2 * PART_BYTES + 12_345);
  const reads: number[][] = [];
  const source = {
    size: () => Promise.resolve(bytes.length),
    read: (offset: number, length: number) => {
      reads.push([offset, length]);
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  };
  const object = await bucket.upload("large", source, { contentType: "application/gzip" });
  assert.equal(object.size, bytes.length);
  assert.match(object.etag, /^[0-9a-f]{32}-3$/);
  assert.deepEqual(reads, [[0, PART_BYTES], [PART_BYTES, PART_BYTES], [2 * PART_BYTES, 12_345]]);
  assert.deepEqual((await bucket.get("large")).bytes, bytes);
  const range = { offset: PART_BYTES - 5, length: 10 };
  assert.deepEqual(await bucket.getRange(object, range), bytes.slice(PART_BYTES - 5, PART_BYTES + 5));
  assert.deepEqual(await Array.fromAsync(bucket.uploads("")), []);

  const small = await bucket.upload("small", {
    size: () => Promise.resolve(5),
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
  });
  assert.match(small.etag, /^[0-9a-f]{32}$/);
});

s3Test(
  "Bucket.uploads() gives what was begun and not ended, page by page, and abort() ends it",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const source = {
      size: () => Promise.resolve(PART_BYTES + 1),
      read: (offset: number, length: number) => {
        if (offset === 0) return Promise.resolve(new Uint8Array(length));
        // As if the process were killed here: nothing more gets to the bucket.
        proxy.fail({ kind: "cutRequest", after: 0 }, { times: Infinity });
        return Promise.reject(new Error("killed"));
      },
    };
    for (const key of ["a/1", "a/2", "a/3", "b"]) {
      await assert.rejects(bucket.upload(key, source), { message: "killed" });
      proxy.resume();
    }
    const uploads = await Array.fromAsync(bucket.uploads("a/", { pageSize: 2 }));
    assert.deepEqual(uploads.map(({ key }) => key), ["a/1", "a/2", "a/3"]);
    assert.ok(uploads.every(({ initiatedMs }) => Math.abs(initiatedMs - Date.now()) < 60_000));
    for (const upload of uploads) await bucket.abort(upload);
    await bucket.abort(uploads[0]!);
    assert.deepEqual((await Array.fromAsync(bucket.uploads(""))).map(({ key }) => key), ["b"]);
    assert.deepEqual(await Array.fromAsync(bucket.list("")), []);
  },
);
