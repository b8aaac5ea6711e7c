import assert from "node:assert/strict";
import { cutTornTail, inspectFile } from "../../../lib/archive/day/plain_end.ts";
import { DAY_NAME, openArchive, record, TestDirectory, textOf } from "../archive_rig.ts";
import { SmallDisk } from "../small_disk.ts";

const WHOLE = textOf(0, 2);

const TAILS: { name: string; tail: string; torn: string }[] = [
  { name: "nothing", tail: "", torn: "" },
  { name: "the start of a line", tail: record(2).slice(0, 20), torn: record(2).slice(0, 20) },
  { name: "a record without its newline", tail: record(2), torn: record(2) },
  { name: "zeros", tail: "\0".repeat(100_000), torn: "\0".repeat(100_000) },
  { name: "zeros and newlines", tail: "\0\n\0\n\n\n", torn: "\0\n\0\n\n\n" },
  { name: "lines that are no records", tail: '{"a":1}\n[]\n1\n', torn: '{"a":1}\n[]\n1\n' },
  { name: "garbage before a record", tail: `\0\0\0\n${record(2)}\n`, torn: "" },
  { name: "a long start of a line", tail: "x".repeat(300_000), torn: "x".repeat(300_000) },
  { name: "a long record", tail: record(2, 500_000) + "\n", torn: "" },
];
for (const { name, tail, torn } of TAILS) {
  Deno.test(`cutTornTail() cuts behind the last record when there is ${name}`, () => {
    using directory = new TestDirectory();
    directory.write("plain", WHOLE + tail);
    const cut = cutTornTail(directory.file("plain"), 0, (end) => directory.file(`torn-${end}`));
    const end = (WHOLE + tail).length - torn.length;
    assert.deepEqual(cut, { size: end, tornBytes: torn.length, fault: null });
    assert.ok(directory.text("plain") === (WHOLE + tail).slice(0, end));
    if (torn === "") assert.deepEqual(directory.names(), ["plain"]);
    else assert.ok(directory.text(`torn-${end}`) === torn);
  });
}

Deno.test("cutTornTail() never cuts before what is covered", () => {
  using directory = new TestDirectory();
  directory.write("plain", "covered\nwhatever it is\n\0\0");
  const cut = cutTornTail(directory.file("plain"), 23, () => directory.file("torn"));
  assert.deepEqual(cut, { size: 23, tornBytes: 2, fault: null });
  assert.equal(directory.text("plain"), "covered\nwhatever it is\n");
});

Deno.test("cutTornTail() cuts also where what it cuts cannot be kept", () => {
  using directory = new TestDirectory();
  directory.write("plain", WHOLE + "torn");
  const cut = cutTornTail(directory.file("plain"), 0, () => directory.file("none/torn"));
  assert.deepEqual([cut.size, cut.tornBytes], [WHOLE.length, 4]);
  assert.match(cut.fault!, /No such file or directory/);
  assert.equal(directory.text("plain"), WHOLE);
});

Deno.test({
  name: "cutTornTail() keeps all or nothing of what it cuts on a full disk (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: () => {
    using disk = new SmallDisk(1024 * 1024);
    for (const before of [null, "torn before"]) {
      const [plain, torn] = [`${disk.path}/plain`, `${disk.path}/torn`];
      Deno.writeTextFileSync(plain, WHOLE + "x".repeat(100_000));
      if (before !== null) Deno.writeTextFileSync(torn, before);
      disk.fill();
      const cut = cutTornTail(plain, 0, () => torn);
      assert.deepEqual([cut.size, cut.tornBytes], [WHOLE.length, 100_000]);
      assert.match(cut.fault!, /No space left on device/);
      const names = [...Deno.readDirSync(disk.path)].map(({ name }) => name).sort();
      assert.deepEqual(names, before === null ? ["filling", "plain"] : ["filling", "plain", "torn"]);
      if (before !== null) assert.equal(Deno.readTextFileSync(torn), before);
      disk.empty();
    }
  },
});

Deno.test({
  name: "Opening on a full disk says how many bytes it cut and could not keep (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: async () => {
    using disk = new SmallDisk(1024 * 1024);
    Deno.writeTextFileSync(`${disk.path}/${DAY_NAME}.jsonl`, WHOLE + '{"mess');
    Deno.writeTextFileSync(`${disk.path}/lock`, "");
    disk.fill();
    const directory = { path: disk.path } as TestDirectory;
    await using opened = await openArchive(directory);
    assert.deepEqual(opened.archive.findings, [{
      file: `${DAY_NAME}.jsonl`,
      what: "cut to its last whole line: 6 bytes behind it, for which there was no room: they are gone",
      damage: false,
    }]);
  },
});

Deno.test("inspectFile() sums up lines over many blocks", () => {
  using directory = new TestDirectory();
  const text = textOf(0, 3, 900_000) + "\0\n" + textOf(3, 10);
  directory.write("plain", text);
  const { summary, damagedLines } = inspectFile(directory.file("plain"), 0, text.length);
  assert.deepEqual(summary, {
    lines: 11,
    first: "2026-11-22T10:00:00.500000000Z",
    last: "2026-11-22T10:00:09.500000000Z",
    untimed: 1,
    apps: null,
  });
  assert.equal(damagedLines, 1);
});
