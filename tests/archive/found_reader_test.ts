import assert from "node:assert/strict";
import { FoundLines } from "../../lib/archive/found_lines.ts";
import { FoundReader } from "../../lib/archive/found_reader.ts";
import { DAY, TestDirectory } from "./archive_rig.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** All that is in a file: seconds, nanoseconds and line. */
function readAll(path: string): [number, number, string][] {
  using reader = new FoundReader(path);
  const lines: [number, number, string][] = [];
  for (let found = reader.next(); found !== null; found = reader.next()) {
    lines.push([found.time.seconds, found.time.nanoseconds, decoder.decode(found.line)]);
  }
  assert.equal(reader.next(), null, "the end stays the end");
  return lines;
}

Deno.test("FoundReader reads what FoundLines wrote, from one byte to several times what is read at once", async () => {
  using directory = new TestDirectory();
  const lengths = [1, 100, 262_100, 262_144, 262_145, 1_048_576, 3, 900_000, 0, 5];
  using found = new FoundLines(directory.path, DAY);
  for (const [number, length] of lengths.entries()) {
    await found.add(encoder.encode(`${number}`.repeat(length)), {
      seconds: 1_795_341_600,
      nanoseconds: number,
    });
  }
  await found.close();
  const wanted = lengths.map((length, number) => [1_795_341_600, number, `${number}`.repeat(length) + "\n"]);
  const read = readAll(found.path);
  assert.ok(JSON.stringify(read) === JSON.stringify(wanted.map((line) => line)));
});

Deno.test("FoundReader of an empty file has no line", () => {
  using directory = new TestDirectory();
  directory.write("found", "");
  assert.deepEqual(readAll(directory.file("found")), []);
});

for (
  const [what, text, fault] of [
    [
      "are out of order",
      "1795341600.000000001 a\n1795341600.000000000 b\n",
      "are not in the order of their times",
    ],
    ["have no time", "1795341600.000000001 a\nb\n", "a line does not say when it is to be placed"],
    [
      "have no space after the time",
      "1795341600.000000001a\n",
      "a line does not say when it is to be placed",
    ],
    ["end without a line feed", "1795341600.000000001 a\n1795341600.000000001 b", "its last line has no end"],
    ["are empty", "\n", "a line does not say when it is to be placed"],
  ] as const
) {
  Deno.test(`FoundReader refuses lines that ${what}`, () => {
    using directory = new TestDirectory();
    directory.write("found", text);
    assert.throws(
      () => readAll(directory.file("found")),
      (error: Error) =>
        error.message.startsWith('Cannot insert the lines of "found": ') && error.message.includes(fault),
    );
  });
}
