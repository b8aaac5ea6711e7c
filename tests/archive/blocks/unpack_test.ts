import assert from "node:assert/strict";
import { unpackGzip } from "../../../lib/archive/blocks/unpack.ts";
import { appendLines, DAY_NAME, openArchive, TestDirectory, textOf } from "../archive_rig.ts";

const TEXT = textOf(0, 5000, 500);

async function sealedGzip(): Promise<Uint8Array> {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 5000, 500);
  await opened.seal();
  return directory.read(`${DAY_NAME}.jsonl.gz`);
}

Deno.test("unpackGzip() gives all of the text, or what stands before the damage", async () => {
  using directory = new TestDirectory();
  const gz = await sealedGzip();
  const unpack = (bytes: Uint8Array): { fault: string | null; text: string } => {
    directory.write("gz", bytes);
    return {
      fault: unpackGzip(directory.file("gz"), directory.file("plain")).failure,
      text: directory.text("plain"),
    };
  };
  const whole = unpack(gz);
  assert.equal(whole.fault, null);
  assert.ok(whole.text === TEXT);

  const cut = unpack(gz.subarray(0, gz.length - 5000));
  assert.match(cut.fault!, /^no block can be inflated at byte \d+$/);
  assert.ok(cut.text.length > 1_000_000);
  assert.ok(TEXT.startsWith(cut.text) && cut.text.endsWith("\n"));

  const trailer = gz.slice();
  trailer[gz.length - 5]! ^= 1;
  assert.match(unpack(trailer).fault!, /^checksum is [0-9a-f]{8}, its trailer says [0-9a-f]{8}$/);
  assert.ok(unpack(trailer).text === TEXT);

  for (const length of [0, 5, 10, 15]) {
    assert.notEqual(unpack(gz.subarray(0, length)).fault, null);
    assert.equal(unpack(gz.subarray(0, length)).text, "");
  }
});
