import assert from "node:assert/strict";
import zlib from "node:zlib";
import { combineCrc32 } from "../../../lib/archive/blocks/crc32_combine.ts";
import { createRandomBelow } from "../../rig/random.ts";

Deno.test("combineCrc32() is the CRC-32 of random text cut anywhere, whatever its length", () => {
  const below = createRandomBelow(1);
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: below(4 ** (1 + below(8))) }, () => below(256));
    const cut = below(bytes.length + 1);
    const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
    assert.equal(
      combineCrc32(zlib.crc32(first), zlib.crc32(second), second.length),
      zlib.crc32(bytes),
      `${bytes.length} bytes cut at ${cut}`,
    );
  }
});

Deno.test("combineCrc32() holds for pieces of gigabytes, whose length in bits is above 2^32", () => {
  const zeros = new Uint8Array(1024 * 1024);
  let crc32 = zlib.crc32("start");
  for (let mebibytes = 0; mebibytes < 600; mebibytes++) crc32 = zlib.crc32(zeros, crc32);
  // The CRC-32 of n zeros is had by putting those of halves together.
  let ofZeros = zlib.crc32(zeros);
  let length = zeros.length;
  for (const factor of [2, 3, 4, 5, 5]) {
    const one = ofZeros;
    const oneLength = length;
    for (let count = 1; count < factor; count++) {
      ofZeros = combineCrc32(ofZeros, one, oneLength);
      length += oneLength;
    }
  }
  assert.equal(length, 600 * 1024 * 1024);
  assert.equal(combineCrc32(zlib.crc32("start"), ofZeros, length), crc32);
});

Deno.test("combineCrc32() with a piece of no bytes changes nothing", () => {
  assert.equal(combineCrc32(0x12345678, 0, 0), 0x12345678);
  assert.equal(combineCrc32(0, 0x9abcdef0, 100), 0x9abcdef0);
});
