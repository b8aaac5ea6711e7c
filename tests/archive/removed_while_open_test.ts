import assert from "node:assert/strict";
import type { Archive } from "../../lib/archive/archive.ts";
import { dayNumber } from "./archive_rig.ts";
import {
  appendLines,
  bytesOf,
  DAY_NAME,
  dayText,
  inflateAsBrowser,
  openArchive,
  TestDirectory,
  textFrom,
  textOf,
} from "./archive_rig.ts";
import { GZIP_HEADER } from "../../lib/archive/format.ts";
import { untilSo } from "../rig/wait.ts";

const FILE = `${DAY_NAME}.jsonl`;

/** What somebody does to the directory while lines are recorded, and what is kept of it as `….damaged`. */
const MEDDLINGS: [name: string, meddle: (directory: TestDirectory) => void, isKept: boolean][] = [
  ["removed", (directory) => directory.remove(FILE), false],
  ["removed with its directory", (directory) => Deno.removeSync(directory.path, { recursive: true }), false],
  ["replaced by a copy", (directory) => {
    Deno.copyFileSync(directory.file(FILE), directory.file("copy"));
    Deno.renameSync(directory.file("copy"), directory.file(FILE));
  }, true],
  ["replaced by a link to nothing", (directory) => {
    directory.remove(FILE);
    Deno.symlinkSync("/dev/null", directory.file(FILE));
  }, true],
  ["replaced by a directory", (directory) => {
    directory.remove(FILE);
    Deno.mkdirSync(directory.file(FILE));
  }, true],
];

for (const [name, meddle, isKept] of MEDDLINGS) {
  Deno.test(`Archive whose file is ${name} while it is open puts it back with the next sync`, async () => {
    using directory = new TestDirectory();
    await using opened = await openArchive(directory);
    const { archive } = opened;
    appendLines(archive, 0, 3);
    await archive.sync();
    appendLines(archive, 3, 4);
    meddle(directory);
    appendLines(archive, 4, 6);
    assert.equal(await archive.sync(), true);
    assert.equal(await dayText(archive), textOf(0, 6));
    assert.equal(directory.text(FILE), textOf(0, 6));
    const how = isKept ? `was replaced, by what is kept as "${FILE}.damaged",` : "was removed";
    assert.deepEqual(archive.findings, [
      { file: FILE, what: `${how} while it was written: put back from the open file`, damage: true },
    ]);
    assert.equal(directory.names().includes(`${FILE}.damaged`), isKept);
    assert.equal(archive.trouble, null);
    await opened.close();

    await using again = await openArchive(directory);
    assert.equal(await dayText(again.archive), textOf(0, 6));
    assert.deepEqual(again.archive.findings, []);
  });
}

Deno.test("Archive that is closed right after its file was removed puts it back", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 3);
  await opened.archive.sync();
  directory.remove(FILE);
  appendLines(opened.archive, 3, 5);
  assert.equal(await opened.close(), 0);
  assert.equal(directory.text(FILE), textOf(0, 5));
});

Deno.test("maintain() has a file put back that gets no more lines", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 3);
  await opened.archive.sync();
  directory.remove(FILE);
  await opened.archive.maintain();
  await untilSo(() => directory.names().includes(FILE), "the file");
  assert.equal(directory.text(FILE), textOf(0, 3));
});

Deno.test("Archive goes on with trouble, and tries again, while a file that was removed cannot be put back", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive, clock } = opened;
  appendLines(archive, 0, 3);
  await archive.sync();
  Deno.removeSync(directory.path, { recursive: true });
  Deno.writeTextFileSync(directory.path, "a file where the directory was");
  appendLines(archive, 3, 5);
  const synced = archive.sync();
  await untilSo(() => archive.trouble !== null, "the trouble");
  Deno.removeSync(directory.path);
  while (archive.trouble !== null) await clock.advanceAsync(1000);
  assert.equal(await synced, true);
  assert.equal(archive.trouble, null);
  assert.equal(directory.text(FILE), textOf(0, 5));
});

Deno.test("A reader that has begun before the file was removed reads on, and the blocks are made again", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  const padding = 100_000;
  appendLines(archive, 0, 40, padding);
  await archive.sync();
  const blocksMade = () => archive.day(dayNumber(DAY_NAME))!.gzBytes > GZIP_HEADER.length;
  await untilSo(blocksMade, "blocks");
  const before = archive.openText(dayNumber(DAY_NAME));
  for (const name of directory.names()) directory.remove(name);
  appendLines(archive, 40, 41, padding);
  await archive.sync();
  assert.equal(await textFrom(before), textOf(0, 40, padding));
  await untilSo(() => blocksMade() && directory.names().includes(`${DAY_NAME}.jsonl.gz.part`), "blocks anew");
  assert.equal(await dayText(archive), textOf(0, 41, padding));
  await isGzipOf(archive, textOf(0, 41, padding));
  assert.deepEqual(archive.findings.map(({ file }) => file), [FILE, `${DAY_NAME}.jsonl.gz.part`]);
  await opened.seal();
  assert.equal(archive.day(dayNumber(DAY_NAME))!.sealed, true);
  await isGzipOf(archive, textOf(0, 41, padding));
});

async function isGzipOf(archive: Archive, text: string): Promise<void> {
  const gzip = await bytesOf(archive.openGzip(dayNumber(DAY_NAME)));
  assert.ok(new TextDecoder().decode(await inflateAsBrowser(gzip)) === text);
}
