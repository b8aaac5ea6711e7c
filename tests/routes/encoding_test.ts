import assert from "node:assert/strict";
import { prefersGzip } from "../../routes/encoding.ts";

const HEADERS: [header: string | undefined, expected: boolean][] = [
  [undefined, false],
  ["", false],
  ["gzip", true],
  ["GZIP", true],
  ["x-gzip", true],
  ["*", true],
  ["deflate, gzip, br, zstd", true],
  ["gzip;q=0", false],
  ["gzip;q=0.000", false],
  ["gzip ; q=0.001", true],
  ["gzip;q=0, *", false],
  ["*;q=0", false],
  ["identity", false],
  ["identity, gzip", true],
  ["identity, gzip;q=0.5", false],
  ["identity;q=0, gzip;q=0.1", true],
  ["gzip;q=nonsense", false],
  ["gzip;q=2", false],
  ["br", false],
];

for (const [header, expected] of HEADERS) {
  Deno.test(`prefersGzip() is ${expected} when Accept-Encoding is ${header}`, () => {
    assert.equal(prefersGzip(header), expected);
  });
}
