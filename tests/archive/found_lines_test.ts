import assert from "node:assert/strict";
import { FoundLines, PLACING_BYTES, readPlacing } from "../../lib/archive/found_lines.ts";
import { DAY, DAY_NAME, TestDirectory } from "./archive_rig.ts";

const encoder = new TextEncoder();
const TIME = { seconds: 1_795_341_600, nanoseconds: 5 };

Deno.test("FoundLines writes each line behind the time at which it is to be placed", async () => {
  using directory = new TestDirectory();
  using found = new FoundLines(directory.path, DAY);
  await found.add(encoder.encode("a"), TIME);
  await found.add(encoder.encode("b"), TIME);
  await found.add(encoder.encode("c"), { seconds: 1_795_341_601, nanoseconds: 0 });
  assert.equal(found.lines, 3);
  await found.close();
  assert.equal(
    directory.text(`${DAY_NAME}.found.tmp`),
    "1795341600.000000005 a\n1795341600.000000005 b\n1795341601.000000000 c\n",
  );
});

Deno.test("FoundLines copies what it is given", async () => {
  using directory = new TestDirectory();
  using found = new FoundLines(directory.path, DAY);
  const line = encoder.encode("a");
  await found.add(line, TIME);
  line[0] = 0x7a;
  await found.close();
  assert.equal(directory.text(`${DAY_NAME}.found.tmp`), "1795341600.000000005 a\n");
});

Deno.test("FoundLines refuses a line that is earlier than the one before it, and a time that has no place", async () => {
  using directory = new TestDirectory();
  using found = new FoundLines(directory.path, DAY);
  await found.add(encoder.encode("a"), TIME);
  await assert.rejects(found.add(encoder.encode("b"), { ...TIME, nanoseconds: 4 }), RangeError);
  await assert.rejects(found.add(encoder.encode("b"), { ...TIME, seconds: 10_000_000_000 }), RangeError);
  assert.equal(found.lines, 1);
  using other = new FoundLines(directory.path, DAY + 1);
  for (const seconds of [999_999_999, -1_000_000_000, 0]) {
    await assert.rejects(other.add(encoder.encode("b"), { seconds, nanoseconds: 0 }), RangeError);
  }
});

Deno.test("FoundLines goes on after a time that has no place", async () => {
  using directory = new TestDirectory();
  using found = new FoundLines(directory.path, DAY);
  await assert.rejects(found.add(encoder.encode("b"), { ...TIME, seconds: 10_000_000_000 }), RangeError);
  await found.add(encoder.encode("a"), TIME);
  await found.close();
  assert.equal(directory.text(`${DAY_NAME}.found.tmp`), "1795341600.000000005 a\n");
});

Deno.test("FoundLines is gone when it is disposed of, closed or not, and begins anew with what was left", async () => {
  using directory = new TestDirectory();
  directory.write(`${DAY_NAME}.found.tmp`, "left over");
  for (const isClosed of [false, true]) {
    const found = new FoundLines(directory.path, DAY);
    await found.add(encoder.encode("a"), TIME);
    if (isClosed) { for (let turn = 0; turn < 2; turn++) await found.close(); }
    if (isClosed) assert.equal(directory.text(`${DAY_NAME}.found.tmp`), "1795341600.000000005 a\n");
    for (let turn = 0; turn < 2; turn++) found[Symbol.dispose]();
    assert.deepEqual(directory.names(), []);
  }
});

Deno.test("readPlacing() reads a time wherever it stands, and nothing that is not one", () => {
  const text = "x1795341600.123456789 {}";
  assert.equal(PLACING_BYTES, "1795341600.123456789".length);
  assert.deepEqual(readPlacing(encoder.encode(text), 1), {
    seconds: 1_795_341_600,
    nanoseconds: 123_456_789,
  });
  for (const at of [1, 10, 11, 12, 20, 21]) {
    const changed = encoder.encode(text);
    changed[at] = 0x78;
    assert.equal(readPlacing(changed, 1), null, `byte ${at}`);
  }
  assert.equal(readPlacing(encoder.encode("1795341600.12345"), 0), null);
});
