import assert from "node:assert/strict";
import { Bucket } from "../../lib/store/bucket.ts";
import { ATTEMPTS_LIMIT } from "../../lib/store/bucket_connection.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { HttpProxy } from "../rig/http_proxy.ts";
import { WaitsClock } from "../rig/waits.ts";
import { assertFails, keysFor } from "./bucket_rig.ts";

/** Answers each request with the next of `bodies`, and then with the last one again. */
function startLists(...bodies: string[]) {
  const proxy = HttpProxy.start(1);
  for (const [place, body] of bodies.entries()) {
    const times = place === bodies.length - 1 ? Infinity : 1;
    proxy.fail({ kind: "answer", status: 200, body }, { times });
  }
  const clock = new WaitsClock(new FakeClock(0), (delayMs) => delayMs > 10_000);
  const bucket = new Bucket({ ...keysFor(proxy.url, "logs"), clock });
  return { bucket, proxy, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

const ONE = "<Contents><Key>a%20b%2B%26%00</Key><LastModified>2026-11-22T10:00:00.000Z</LastModified>" +
  "<ETag>&quot;12&quot;</ETag><Size>3</Size></Contents>";

Deno.test("Bucket.list() decodes names, also those that XML cannot have", async () => {
  await using rig = startLists(`<ListBucketResult><IsTruncated>false</IsTruncated>${ONE}</ListBucketResult>`);
  assert.deepEqual(await Array.fromAsync(rig.bucket.list("a")), [
    { key: "a b+&\0", size: 3, etag: "12", modifiedMs: Date.parse("2026-11-22T10:00:00Z") },
  ]);
});

for (
  const [what, body] of [
    ["nothing", ""],
    ["a page of another kind", "<html><body>Sign in</body></html>"],
    ["a list that breaks off", `<ListBucketResult><IsTruncated>false</IsTruncated>${ONE}`],
    ["a list that does not say whether it is whole", `<ListBucketResult>${ONE}</ListBucketResult>`],
    [
      "a list without the next page's name",
      `<ListBucketResult><IsTruncated>true</IsTruncated>${ONE}</ListBucketResult>`,
    ],
    [
      "an object without its size",
      `<ListBucketResult><IsTruncated>false</IsTruncated>${
        ONE.replace("<Size>3</Size>", "")
      }</ListBucketResult>`,
    ],
    [
      "a name that is not encoded",
      `<ListBucketResult><IsTruncated>false</IsTruncated>${ONE.replace("a%20", "%zz")}</ListBucketResult>`,
    ],
  ] as const
) {
  Deno.test(`Bucket.list() does not take ${what} for a list`, async () => {
    await using rig = startLists(body);
    const listed = Array.fromAsync(rig.bucket.list("a"));
    await assertFails(
      listed,
      "broken",
      /^Cannot list "a" in bucket "logs": the server's answer has no readable \w+$/,
    );
    assert.equal(rig.proxy.requests.length, ATTEMPTS_LIMIT);
  });
}

Deno.test("Bucket.list() and Bucket.uploads() do not go round in a circle", async () => {
  const page = "<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>";
  const circle = /: the server gives the same page again and again$/;
  {
    await using rig = startLists(`<ListBucketResult>${page}${ONE}</ListBucketResult>`);
    await assertFails(Array.fromAsync(rig.bucket.list("")), "refused", circle);
    assert.equal(rig.proxy.requests.length, 2);
  }
  const markers =
    "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>";
  await using rig = startLists(`<ListMultipartUploadsResult>${markers}</ListMultipartUploadsResult>`);
  await assertFails(Array.fromAsync(rig.bucket.uploads("")), "refused", circle);
});

Deno.test("Bucket.list() stops asking when whoever reads has enough", async () => {
  const page = "<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>";
  await using rig = startLists(`<ListBucketResult>${page}${ONE}</ListBucketResult>`);
  for await (const _ of rig.bucket.list("")) break;
  assert.equal(rig.proxy.requests.length, 1);
});
