import assert from "node:assert/strict";
import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { checkedLine, readCheckedLine } from "../../lib/archive/checked_line.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { type VerifiedDay, verifyArchive, type VerifySummary } from "../../lib/verify/verify.ts";
import { silentLogger } from "../../lib/logger.ts";
import { verifyCommand } from "../../lib/verify/verify_command.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { asVersion } from "../archive/repair/damages.ts";
import {
  appendLines,
  DAY,
  DAY_NAME,
  NOON,
  openArchive,
  TestDirectory,
  textOf,
} from "../archive/archive_rig.ts";
import { untilSo } from "../rig/wait.ts";

const GZ = `${DAY_NAME}.jsonl.gz`;
const INDEX = `${DAY_NAME}.index`;
const HOT = "2026-11-24.jsonl";

/** A sealed day of some blocks, a hot one with a block, and a gap. */
async function record(directory: TestDirectory): Promise<void> {
  const opened = await openArchive(directory);
  appendLines(opened.archive, 0, 3000, 1000);
  await opened.seal();
  appendLines(opened.archive, 0, 1500, 1000, DAY + 2);
  await opened.archive.sync();
  await untilSo(() => opened.archive.day(DAY + 2)!.gzBytes > 10, "a block of the hot day");
  await opened.close();
  const ledger = GapLedger.open(directory.path, { clock: opened.clock, logger: silentLogger });
  ledger.begin("disconnect", Date.parse(NOON));
  ledger.end(Date.parse(NOON) + 2500);
  await ledger.close();
}

const sample = new TestDirectory();
await record(sample);
const files = new Map(sample.names().map((name) => [name, sample.read(name)]));
sample[Symbol.dispose]();

function copySample(): TestDirectory {
  const directory = new TestDirectory();
  for (const [name, bytes] of files) directory.write(name, bytes);
  return directory;
}

async function verify(directory: TestDirectory) {
  const days: VerifiedDay[] = [];
  const faults: string[] = [];
  let progress = 0;
  const summary: VerifySummary = await verifyArchive(directory.path, {
    onDay: (day) => days.push(day),
    onGzip: () => {},
    onFault: (fault) => faults.push(fault),
    onProgress: (done, total) => {
      assert.ok(done >= progress && done <= total, `${done} of ${total}`);
      progress = done;
    },
  });
  return { days, faults, summary };
}

Deno.test("verifyArchive() of a whole archive finds its days and gaps, no fault, and changes nothing", async () => {
  using directory = copySample();
  const { days, faults, summary } = await verify(directory);
  assert.deepEqual(faults, []);
  assert.deepEqual(days, [
    {
      day: "2026-11-22",
      lines: 3000,
      bytes: textOf(0, 3000, 1000).length,
      insertedBytes: 0,
      sealed: true,
      faults: 0,
    },
    {
      day: "2026-11-24",
      lines: 1500,
      bytes: textOf(0, 1500, 1000).length,
      insertedBytes: 0,
      sealed: false,
      faults: 0,
    },
  ]);
  assert.equal(summary.gaps[0]?.cause, "disconnect");
  assert.deepEqual(new Map(directory.names().map((name) => [name, directory.read(name)])), files);
});

Deno.test("verifyArchive() reads an archive that is being recorded into", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 100);
  await opened.archive.sync();
  assert.deepEqual((await verify(directory)).faults, []);
});

function flip(directory: TestDirectory, name: string, at: number): void {
  const bytes = directory.read(name);
  bytes[at < 0 ? bytes.length + at : at]! ^= 0x04;
  directory.write(name, bytes);
}

function replace(directory: TestDirectory, name: string, from: string | RegExp, to: string): void {
  const text = directory.text(name);
  assert.notEqual(text.replace(from, to), text);
  directory.write(name, text.replace(from, to));
}

/** As {@linkcode replace}, with the checksum that the line would have if it had been written so. */
function rewrite(directory: TestDirectory, name: string, from: string | RegExp, to: string): void {
  replace(directory, name, from, to);
  const lines = directory.text(name).split("\n").map((line) => {
    const { json, check } = readCheckedLine(line);
    return check === "wrong" ? checkedLine(JSON.parse(json)) : line;
  });
  directory.write(name, lines.join("\n"));
}

const DAMAGES: [string, (directory: TestDirectory) => void, RegExp[]][] = [
  ["a bit in the first block", (directory) => flip(directory, GZ, 200), [
    /Cannot read block 0 of "2026-11-22.jsonl.gz"/,
  ]],
  ["a bit in the trailer", (directory) => flip(directory, GZ, -3), [/its trailer is not the one/]],
  ["a bit in the header", (directory) => flip(directory, GZ, 1), [/does not begin as a gzip member/]],
  ["a gzip file that is cut", (directory) => directory.write(GZ, directory.read(GZ).slice(0, -500)), [
    /size is \d+, index says \d+/,
    /Cannot read block 3/,
    /its trailer/,
  ]],
  ["an index that is missing", (directory) => directory.remove(INDEX), [
    /"2026-11-22.jsonl.gz": its index is missing/,
  ]],
  ["a gzip file that is missing", (directory) => directory.remove(GZ), [
    /"2026-11-22.index": its gzip file is missing/,
  ]],
  ["an index that is cut", (directory) => directory.write(INDEX, directory.text(INDEX).slice(0, -5)), [
    /Cannot read line 6: it has no end/,
  ]],
  ["an index of another version", (directory) => asVersion(directory, INDEX, 4), [
    /version 4/,
  ]],
  [
    "a changed letter in an index",
    (directory) => replace(directory, INDEX, '"apps":["web"]', '"apps":["wec"]'),
    [/Cannot read line 2: its checksum is wrong/],
  ],
  [
    "an app that is not in the block, written so",
    (directory) => rewrite(directory, INDEX, '"apps":["web"]', '"apps":["api"]'),
    [/block 0 .*apps is \["web"\], index says \["api"\]/],
  ],
  [
    "a timestamp that is another, written so",
    (directory) => rewrite(directory, INDEX, /"first":"2026-11-22T10:00:00/, '"first":"2026-11-22T10:00:01'),
    [/block 0 .*first is/],
  ],
  [
    "a total checksum that is another, written so",
    (directory) => rewrite(directory, INDEX, /"totalCrc32":"......../, '"totalCrc32":"00000000'),
    [/block 0 .*total checksum is/, /block 1 .*total checksum is/],
  ],
  ["a torn line in a hot day", (directory) => directory.write(HOT, directory.text(HOT) + '{"mess'), [
    /"2026-11-24.jsonl": it ends with 6 bytes that are no whole line/,
  ]],
  ["a line that is no record", (directory) => directory.write(HOT, directory.text(HOT) + "\0\0\n"), [
    /1 lines from byte \d+ on are no records/,
  ]],
  ["a bit in a block of a hot day", (directory) => flip(directory, `${HOT}.gz.part`, 300), [
    /Cannot read block 0 of "2026-11-24.jsonl.gz.part"/,
  ]],
  [
    "plain text that is not that of its block",
    (directory) => replace(directory, HOT, "line 3xx", "line 4xx"),
    [/checksum of the plain text is/],
  ],
  [
    "a plain file behind a hole",
    (directory) => directory.write("2026-11-22.from-99999999.jsonl", textOf(0, 1)),
    [/the text before it ends at \d+/],
  ],
  [
    "a changed letter in the index of a hot day",
    (directory) => replace(directory, `${HOT.slice(0, 10)}.index.part`, '"apps":["web"]', '"apps":["wec"]'),
    [/"2026-11-24.index.part": Cannot read line 2: its checksum is wrong/],
  ],
  ["a digit in the ledger", (directory) => replace(directory, "gaps.jsonl", "12:00:02.500", "12:00:01.500"), [
    /Cannot read line 1 of "gaps.jsonl": its checksum is wrong/,
  ]],
  ["a removed day that is another", (directory) =>
    directory.write(
      "removed.jsonl",
      '\n{"day":"2026-11-23","lines":5,"bytes":500,"reason":"older than 30 days","at":"2026-12-24T00:00:00.000Z",' +
        '"check":"365e5d27"}',
    ), [/Cannot read line 2 of "removed.jsonl": its checksum is wrong/]],
  ["a ledger with a foreign line", (directory) => directory.write("gaps.jsonl", "hello\n"), [
    /Cannot read line 1 of "gaps.jsonl": it is no entry/,
  ]],
];
for (const [name, damage, patterns] of DAMAGES) {
  Deno.test(`verifyArchive() finds ${name}`, async () => {
    using directory = copySample();
    damage(directory);
    const { faults, summary } = await verify(directory);
    assert.equal(faults.length, patterns.length, faults.join("\n"));
    for (const [number, pattern] of patterns.entries()) assert.match(faults[number]!, pattern);
    assert.equal(summary.faults, faults.length);
  });
}

async function command(...args: string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const clock = new FakeClock(NOON);
  const code = await verifyCommand({
    args,
    logDir: undefined,
    clock: Object.assign(clock, { elapsed: () => clock.now() }),
    write: (line) => lines.push(line),
    writeError: (line) => {
      errors.push(line);
      clock.jump(1);
    },
  });
  return { code, lines, errors };
}

Deno.test("verifyCommand() writes a line for each day and gap and gives 0 for a whole archive", async () => {
  using directory = copySample();
  const { code, lines, errors } = await command(directory.path);
  assert.equal(code, 0);
  assert.deepEqual(lines, [
    `2026-11-22 sealed 3000 lines ${textOf(0, 3000, 1000).length} bytes: ok`,
    `2026-11-24 hot 1500 lines ${textOf(0, 1500, 1000).length} bytes: ok`,
    "gap 2026-11-22T12:00:00.000Z to 2026-11-22T12:00:02.500Z: disconnect, lost",
    "2 days, 4500 lines, 0 faults, 1 gap",
  ]);
  assert.deepEqual(errors, []);
});

Deno.test("verifyCommand() gives 1 for damage and 2 for what it cannot read as an order", async () => {
  using directory = copySample();
  flip(directory, GZ, 200);
  const damaged = await command(directory.path);
  assert.equal(damaged.code, 1);
  assert.match(damaged.lines[0]!, /^FAULT Cannot read block 0/);
  assert.match(damaged.lines[1]!, /^2026-11-22 sealed 3000 lines \d+ bytes: 1 fault$/);
  for (
    const args of [["a", "b"], ["--help"], ["/nonexistent"], ["/nonexistent.gz"], [directory.file(INDEX)], [
      "",
    ]]
  ) {
    const { code, lines, errors } = await command(...args);
    assert.equal(code, 2);
    assert.deepEqual(lines, []);
    assert.equal(errors.length, 1);
  }
});

Deno.test("verifyCommand() takes an empty directory for a mistake, and not for a whole archive", async () => {
  using directory = new TestDirectory();
  directory.write("notes.txt", "mine");
  const { code, lines, errors } = await command(directory.path);
  assert.equal(code, 2);
  assert.deepEqual(lines, []);
  assert.deepEqual(errors, [`Cannot verify "${directory.path}": there is nothing of an archive in it`]);
});

Deno.test("verifyCommand() verifies one downloaded gzip file alone", async () => {
  using directory = new TestDirectory();
  directory.write("download.gz", files.get(GZ)!);
  const whole = await command(directory.file("download.gz"));
  assert.equal(whole.code, 0);
  assert.deepEqual(whole.lines, [`download.gz 3000 lines ${textOf(0, 3000, 1000).length} bytes: ok`]);
  for (const at of [0, 200, 3000, -5, -1]) {
    directory.write("download.gz", files.get(GZ)!);
    flip(directory, "download.gz", at);
    const { code, lines } = await command(directory.file("download.gz"));
    assert.equal(code, 1, `at ${at}`);
    assert.match(
      lines[0]!,
      /^FAULT Cannot verify "download.gz": it is damaged: .*; only the checksum at its end tells, and not where$/,
    );
    assert.match(lines[1]!, /bytes: 1 fault$/);
  }
  directory.write("download.gz", files.get(GZ)!.slice(0, -1));
  assert.equal((await command(directory.file("download.gz"))).code, 1);
});

Deno.test("verifyArchive() finds that a day or the ledger has less than a note of what was on the disk says", async () => {
  const bytes = textOf(0, 1500, 1000).length;
  const note = { sinceMs: Date.parse(NOON), lastGap: 1, days: [{ day: DAY + 2, bytes, synced: bytes }] };
  const faultsAfter = async (spoil: (directory: TestDirectory) => void): Promise<string[]> => {
    using directory = copySample();
    new HeartbeatFiles(directory.path).noteAtOnce(note);
    spoil(directory);
    return (await verify(directory)).faults;
  };
  assert.deepEqual(await faultsAfter(() => {}), []);
  const isShort = `Cannot verify "${HOT}": it is gone, or empty: ${bytes} bytes of the day were on the disk`;
  const hotFiles = [HOT, `${HOT}.gz.part`, "2026-11-24.index.part"];
  assert.deepEqual(await faultsAfter((directory) => hotFiles.forEach((file) => directory.remove(file))), [
    isShort,
  ]);
  const cut = bytes - textOf(1499, 1500, 1000).length;
  assert.deepEqual(
    await faultsAfter((directory) => directory.write(HOT, directory.read(HOT).subarray(0, cut))),
    [
      `Cannot verify "${HOT}": it ends at byte ${cut}: ${bytes} bytes of the day were on the disk`,
    ],
  );
  const noGaps = ['Cannot verify "gaps.jsonl": it is gone, or empty: there was a gap'];
  assert.deepEqual(await faultsAfter((directory) => directory.remove("gaps.jsonl")), noGaps);
  assert.deepEqual(await faultsAfter((directory) => directory.write("gaps.jsonl", "")), noGaps);
  assert.deepEqual(await faultsAfter((directory) => flip(directory, "alive.kept", 20)), [
    'Cannot read "alive.kept": its checksum is wrong',
  ]);
});

Deno.test("verifyCommand() verifies downloaded gzip files alone where nothing else of an archive is", async () => {
  using directory = new TestDirectory();
  const [first, second] = [files.get(GZ)!, "2026-11-23.jsonl.gz"];
  directory.write(GZ, first);
  directory.write(second, first);
  const size = `3000 lines ${textOf(0, 3000, 1000).length} bytes`;
  const noIndex = "it has no index: the checksum at its end was checked";
  const whole = await command(directory.path);
  assert.equal(whole.code, 0);
  assert.deepEqual(whole.lines, [
    `${GZ} ${size}: ok; ${noIndex}`,
    `${second} ${size}: ok; ${noIndex}`,
    "2 days, 6000 lines, 0 faults, 0 gaps",
  ]);
  flip(directory, second, -6);
  const damaged = await command(directory.path);
  assert.equal(damaged.code, 1);
  assert.match(damaged.lines[1]!, /^FAULT Cannot verify "2026-11-23.jsonl.gz": it is damaged: /);
  assert.match(damaged.lines.at(-1)!, /, 1 fault, /);

  directory.write("gaps.jsonl", files.get("gaps.jsonl")!);
  assert.match(
    (await command(directory.path)).lines.join("\n"),
    /"2026-11-22.jsonl.gz": its index is missing/,
  );
});

Deno.test("verifyArchive() names what stands in the place of a file, and waits for nothing", async () => {
  using directory = copySample();
  const names = [INDEX, "2026-11-23.jsonl", "alive.kept", "gaps.jsonl", "gaps.reserve", "removed.jsonl"];
  for (const name of names) {
    if (directory.names().includes(name)) directory.remove(name);
    assert.ok(new Deno.Command("mkfifo", { args: [directory.file(name)] }).outputSync().success);
  }
  const { faults, summary } = await verify(directory);
  assert.deepEqual(
    faults.toSorted(),
    names.toSorted().map((name) => `Cannot verify "${name}": it is a FIFO`),
  );
  assert.equal(summary.faults, names.length);
});
