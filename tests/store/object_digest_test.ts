import assert from "node:assert/strict";
import { digestOf, isOtherThan, partsETag } from "../../lib/store/object_digest.ts";

Deno.test("digestOf() gives the digests that md5sum and sha256sum give", async () => {
  assert.deepEqual(await digestOf(new TextEncoder().encode("abc")), {
    size: 3,
    md5: "900150983cd24fb0d6963f7d28e17f72",
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  });
  assert.equal((await digestOf(new Uint8Array())).md5, "d41d8cd98f00b204e9800998ecf8427e");
});

Deno.test("digestOf() gives others a turn within a large piece", async () => {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const { md5 } = await digestOf(new Uint8Array(2 * 1024 * 1024));
  isOver = true;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(md5, "b2d1236c286a3c0704224fe4105eca49");
  assert.ok(turns >= 7, `${turns} turns`);
});

Deno.test("isOtherThan() goes by the form of an ETag, which is not always of the bytes", () => {
  const md5 = "900150983cd24fb0d6963f7d28e17f72";
  const other = "d41d8cd98f00b204e9800998ecf8427e";
  assert.ok(!isOtherThan({ etag: md5, isEncrypted: false }, md5));
  assert.ok(isOtherThan({ etag: other, isEncrypted: false }, md5));
  assert.ok(!isOtherThan({ etag: other, isEncrypted: true }, md5));
  assert.ok(!isOtherThan({ etag: "not-an-md5", isEncrypted: false }, md5));
  assert.ok(!isOtherThan({ etag: `${other}-2`, isEncrypted: false }, md5));
  assert.ok(isOtherThan({ etag: `${other}-2`, isEncrypted: false }, partsETag([md5, md5])));
});
