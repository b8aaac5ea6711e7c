import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  cutBlock,
  deflateBlock,
  gzipTrailer,
  inflateBlock,
  inspectText,
  makeBlock,
} from "../../../lib/archive/blocks/block.ts";
import { BLOCK_BYTES, GZIP_HEADER } from "../../../lib/archive/format.ts";
import {
  inflateAsBrowser,
  inflateAsPython,
  inflateAsZcat,
  record,
  TestDirectory,
  textOf,
} from "../archive_rig.ts";

const encoder = new TextEncoder();

Deno.test("A gzip file of blocks is read by zcat, Python and browsers, and each block inflates alone", async () => {
  using directory = new TestDirectory();
  const texts = [textOf(0, 100), record(1, 2 * BLOCK_BYTES) + "\n", textOf(5, 6), "é\u0000𝄞\n"].map((text) =>
    encoder.encode(text)
  );
  let place = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };
  const pieces: Uint8Array[] = [GZIP_HEADER];
  for (const text of texts) {
    const { bytes, entry } = makeBlock(text, place);
    assert.ok(Buffer.from(text).equals(inflateBlock(bytes, entry)));
    place = {
      rawOffset: entry.rawOffset + entry.rawLength,
      gzOffset: entry.gzOffset + entry.gzLength,
      totalCrc32: parseInt(entry.totalCrc32, 16),
    };
    pieces.push(bytes);
  }
  pieces.push(gzipTrailer(place.totalCrc32, place.rawOffset));
  const gz = new Uint8Array(Buffer.concat(pieces));
  directory.write("a.gz", gz);
  const whole = Buffer.concat(texts);
  assert.ok(whole.equals(inflateAsZcat(directory.file("a.gz"))));
  assert.ok(whole.equals(inflateAsPython(directory.file("a.gz"))));
  assert.ok(whole.equals(await inflateAsBrowser(gz)));
});

Deno.test("cutBlock() takes whole lines that fit, or one line that is longer", () => {
  assert.equal(cutBlock(encoder.encode("ab\ncd\nef")), 6);
  assert.equal(cutBlock(encoder.encode("ab")), 0);
  assert.equal(cutBlock(new Uint8Array()), 0);
  const text = new Uint8Array(3 * BLOCK_BYTES).fill(0x61);
  text[2 * BLOCK_BYTES] = 0x0a;
  assert.equal(cutBlock(text), 2 * BLOCK_BYTES + 1);
  text[BLOCK_BYTES - 1] = 0x0a;
  assert.equal(cutBlock(text), BLOCK_BYTES);
  text[10] = 0x0a;
  text[BLOCK_BYTES - 1] = 0x61;
  assert.equal(cutBlock(text), 11);
});

Deno.test("inflateBlock() tells what is wrong with a block", () => {
  const text = encoder.encode("hello\n");
  const bytes = deflateBlock(text);
  const right = { rawLength: 6, crc32: "363a3020" };
  assert.equal(new TextDecoder().decode(inflateBlock(bytes, right)), "hello\n");
  const faults: [Parameters<typeof inflateBlock>, RegExp][] = [
    [[bytes, { ...right, crc32: "00000000" }], /^Error: checksum is 363a3020, index says 00000000$/],
    [[bytes, { ...right, rawLength: 7 }], /^Error: length is 6, index says 7$/],
    [[bytes, { ...right, rawLength: 5 }], /^Error: it does not inflate: /],
    [[bytes.subarray(0, 3), right], /^Error: (it does not inflate|length is)/],
    [[Uint8Array.of(0xff, 0xff), right], /^Error: it does not inflate: /],
  ];
  for (const [args, message] of faults) assert.throws(() => inflateBlock(...args), message);
});

Deno.test("inspectText() tells lines, times and apps, and which lines are no records", () => {
  const lines = [
    '{"message":"a","timestamp":"2026-11-22T12:00:00+02:00","fly":{"app":{"name":"web"}}}',
    '{"message":"b","timestamp":"2026-11-22T09:59:59.999999999Z","fly":{"app":{"name":"caf\\u00e9"}}}',
    '{"message":"c","timestamp":"yesterday"}',
    '{"message":"d","message":"doubled","timestamp":"2026-11-22T10:00:01Z"}',
    "\0\0\0",
  ];
  const { summary, damagedLines } = inspectText(encoder.encode(lines.join("\n") + "\n"));
  assert.deepEqual(summary, {
    lines: 5,
    first: "2026-11-22T09:59:59.999999999Z",
    last: "2026-11-22T10:00:01.000000000Z",
    untimed: 2,
    apps: ["café", "web"],
  });
  assert.equal(damagedLines, 1);
});

Deno.test("inspectText() gives up on apps that are too many or too long", () => {
  const app = (name: string) => `{"message":"","fly":{"app":{"name":"${name}"}}}\n`;
  const apps = (count: number) => Array.from({ length: count }, (_, index) => app(`a${index}`)).join("");
  assert.equal(inspectText(encoder.encode(apps(64))).summary.apps?.length, 64);
  assert.equal(inspectText(encoder.encode(apps(65))).summary.apps, null);
  assert.equal(inspectText(encoder.encode(app("x".repeat(128)))).summary.apps?.length, 1);
  assert.equal(inspectText(encoder.encode(app("x".repeat(129)))).summary.apps, null);
});
