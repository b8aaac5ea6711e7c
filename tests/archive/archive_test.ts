import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { openPlainFile } from "../../lib/archive/day/plain_file.ts";
import {
  appendLines,
  bytesOf,
  DAY,
  DAY_NAME,
  dayText,
  inflateAsBrowser,
  inflateAsPython,
  inflateAsZcat,
  openArchive,
  record,
  type TestArchive,
  TestDirectory,
  textOf,
} from "./archive_rig.ts";
import { TestDisk } from "./writer_bench.ts";

const encoder = new TextEncoder();

/** Each way to inflate that is not this project's own. */
async function assertInflates(archive: TestArchive, directory: TestDirectory, text: string): Promise<void> {
  const gz = await bytesOf(archive.archive.openGzip(DAY));
  directory.write("copy.gz", gz);
  const wanted = encoder.encode(text);
  assert.ok(Buffer.from(inflateAsZcat(directory.file("copy.gz"))).equals(wanted), "zcat");
  assert.ok(Buffer.from(inflateAsPython(directory.file("copy.gz"))).equals(wanted), "Python");
  assert.ok(Buffer.from(await inflateAsBrowser(gz)).equals(wanted), "DecompressionStream");
}

const LENGTHS: { name: string; lines: number; padding: number }[] = [
  { name: "no line", lines: 0, padding: 0 },
  { name: "one line", lines: 1, padding: 0 },
  { name: "one line of 1 MiB", lines: 1, padding: 1024 * 1024 },
  { name: "three lines of 3 MiB", lines: 3, padding: 3 * 1024 * 1024 },
  { name: "3000 lines of 1 KiB, which are some blocks", lines: 3000, padding: 1024 },
];
for (const { name, lines, padding } of LENGTHS) {
  Deno.test(`A day of ${name} is one gzip member and one text: hot, sealed, reopened, sealed again, opened again`, async () => {
    using directory = new TestDirectory();
    directory.write(`${DAY_NAME}.jsonl`, "");
    let text = textOf(0, lines, padding);
    {
      await using opened = await openArchive(directory);
      appendLines(opened.archive, 0, lines, padding);
      await opened.archive.sync();
      assert.equal(await dayText(opened.archive), text, "hot");
      await assertInflates(opened, directory, text);

      await opened.seal();
      assert.equal(opened.archive.day(DAY)?.sealed, true);
      assert.equal(await dayText(opened.archive), text, "sealed");
      await assertInflates(opened, directory, text);

      appendLines(opened.archive, lines, lines + 2);
      await opened.archive.sync();
      text += textOf(lines, lines + 2);
      assert.equal(opened.archive.day(DAY)?.sealed, false);
      assert.equal(await dayText(opened.archive), text, "reopened");
      await assertInflates(opened, directory, text);

      await opened.seal();
      assert.equal(opened.archive.day(DAY)?.sealed, true);
      assert.equal(await dayText(opened.archive), text, "sealed again");
      await assertInflates(opened, directory, text);
    }
    await using again = await openArchive(directory);
    assert.deepEqual(again.archive.findings, []);
    assert.equal(again.archive.day(DAY)?.lines, lines + 2);
    assert.equal(await dayText(again.archive), text, "opened again");
    assert.deepEqual(directory.names(), [`${DAY_NAME}.index`, `${DAY_NAME}.jsonl.gz`, "copy.gz"]);
  });
}

Deno.test("append() for a day that was sealed keeps every offset and tells of it by onCommit()", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const ends: string[] = [];
  opened.archive.onCommit((day, end) => ends.push(`${day === DAY} ${end}`));
  appendLines(opened.archive, 0, 2);
  await opened.seal();
  appendLines(opened.archive, 2, 3);
  await opened.archive.sync();
  const length = record(0).length + 1;
  assert.deepEqual(ends, [`true ${2 * length}`, `true ${3 * length}`]);
  assert.equal(opened.archive.waitingBytes, 0);
});

Deno.test("sync() resolves while lines go on arriving without a pause", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  let isSynced = false;
  appendLines(opened.archive, 0, 10);
  const synced = opened.archive.sync().then(() => isSynced = true);
  let number = 10;
  while (!isSynced && number < 1_000_000) {
    appendLines(opened.archive, number, number + 50);
    number += 50;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(isSynced, true);
  await synced;
});

Deno.test("sync() resolves to false when the archive is closed while one of its days takes no lines", async () => {
  using directory = new TestDirectory();
  const disk = new TestDisk();
  const openFile = (path: string) => path.includes(DAY_NAME) ? disk.open() : openPlainFile(path);
  await using opened = await openArchive(directory, { openFile });
  appendLines(opened.archive, 0, 3, 0, DAY + 1);
  assert.equal(await opened.archive.sync(), true);
  disk.plan = (step) => {
    if (step === "write") throw new Error("No space left on device (os error 28)");
  };
  appendLines(opened.archive, 0, 3);
  const synced = opened.archive.sync();
  assert.equal(await opened.archive.stop(), 3);
  assert.equal(await synced, false);
  assert.equal(await opened.archive.sync(), false, "nor later");
});

Deno.test("close() writes what is waiting, and ends while a day is being sealed", async () => {
  using directory = new TestDirectory();
  const opened = await openArchive(directory);
  appendLines(opened.archive, 0, 20_000, 1000);
  await opened.archive.sync();
  opened.clock.skip(2 * 86_400_000);
  const maintained = opened.archive.maintain();
  opened.archive.append(DAY + 2, encoder.encode(record(1)), false, null);
  assert.equal(await opened.close(), 0);
  await maintained;
  await using again = await openArchive(directory, { clock: opened.clock });
  assert.ok(await dayText(again.archive) === textOf(0, 20_000, 1000));
  assert.equal(await dayText(again.archive, DAY + 2), record(1) + "\n");
});

Deno.test("append() after stop() throws and makes no file", async () => {
  using directory = new TestDirectory();
  const opened = await openArchive(directory);
  appendLines(opened.archive, 0, 1);
  await opened.archive.stop();
  for (const day of [DAY, DAY + 1]) {
    assert.throws(() => appendLines(opened.archive, 1, 2, 0, day), /the archive is closed/);
  }
  await opened.close();
  assert.deepEqual(directory.names(), [`${DAY_NAME}.jsonl`]);
  assert.equal(directory.text(`${DAY_NAME}.jsonl`), textOf(0, 1));
});
