import assert from "node:assert/strict";
import { BucketAddress, isBucketName, isEndpoint } from "../../lib/store/bucket_address.ts";

for (
  const [endpoint, bucket, url] of [
    ["https://fly.storage.tigris.dev", "logs", "https://logs.fly.storage.tigris.dev/a"],
    ["https://fly.storage.tigris.dev/", "logs", "https://logs.fly.storage.tigris.dev/a"],
    ["https://fly.storage.tigris.dev", "our.logs", "https://fly.storage.tigris.dev/our.logs/a"],
    ["http://s3.test:8080", "our.logs", "http://our.logs.s3.test:8080/a"],
    ["http://127.0.0.1:7480", "logs", "http://127.0.0.1:7480/logs/a"],
    ["http://[fdaa::3]:9000", "logs", "http://[fdaa::3]:9000/logs/a"],
    ["http://localhost:9000", "logs", "http://localhost:9000/logs/a"],
    ["http://minio:9000", "logs", "http://minio:9000/logs/a"],
  ] as const
) {
  Deno.test(`BucketAddress puts "${bucket}" where "${endpoint}" finds it`, () => {
    assert.equal(new BucketAddress({ endpoint, bucket }).url("a").href, url);
  });
}

Deno.test("BucketAddress puts the bucket where it is told to", () => {
  const endpoint = "https://s3.test";
  const inPath = new BucketAddress({ endpoint, bucket: "logs", addressing: "path" });
  assert.equal(inPath.url("a/b").href, "https://s3.test/logs/a/b");
  const inHost = new BucketAddress({ endpoint, bucket: "logs", addressing: "host" });
  assert.equal(
    inHost.url(null, { uploads: "", prefix: "a b/+" }).href,
    "https://logs.s3.test/?uploads=&prefix=a%20b%2F%2B",
  );
});

Deno.test("BucketAddress encodes what a URL would read otherwise", () => {
  const address = new BucketAddress({ endpoint: "http://localhost", bucket: "logs" });
  assert.equal(address.url("a b+c?d#e%2f!/é").href, "http://localhost/logs/a%20b%2Bc%3Fd%23e%252f%21/%C3%A9");
});

for (const key of ["", "/a", "a/", "a//b", ".", "a/../b", "a/./b", "\ud800"]) {
  Deno.test(`BucketAddress has no address for the object ${JSON.stringify(key)}`, () => {
    const address = new BucketAddress({ endpoint: "http://localhost", bucket: "logs" });
    assert.throws(() => address.url(key), {
      name: "TypeError",
      message: `Cannot address object ${JSON.stringify(key)}: no address can name it`,
    });
  });
}

Deno.test("isEndpoint() takes a URL of a host and a port only", () => {
  for (const text of ["https://s3.test", "http://s3.test:9000/"]) assert.ok(isEndpoint(text), text);
  for (
    const text of [
      "s3.test",
      "ftp://s3.test",
      "https://a:b@s3.test",
      "https://s3.test/a",
      "https://s3.test?a",
    ]
  ) assert.ok(!isEndpoint(text), text);
});

Deno.test("isBucketName() takes what S3 takes", () => {
  for (const text of ["abc", "our.logs-1", "a".repeat(63)]) assert.ok(isBucketName(text), text);
  for (const text of ["ab", "Logs", "-abc", "abc-", "a..b", "a/b", "a".repeat(64)]) {
    assert.ok(!isBucketName(text), text);
  }
});

Deno.test("BucketAddress does not repeat an endpoint that may have a password in it", () => {
  assert.throws(
    () => new BucketAddress({ endpoint: "https://key:secret@s3.test", bucket: "logs" }),
    (error: Error) => error instanceof TypeError && !error.message.includes("secret"),
  );
});
