import assert from "node:assert/strict";
import { join } from "node:path";
import { findForeign, setAside } from "../../../lib/archive/repair/aside.ts";
import { GapLedger } from "../../../lib/gaps/ledger.ts";
import { silentLogger } from "../../../lib/logger.ts";
import {
  appendLines,
  DAY,
  dayText,
  keepingLogger,
  openArchive,
  TestDirectory,
  textOf,
} from "../archive_rig.ts";

function makeDirectory(directory: TestDirectory, name: string): void {
  Deno.mkdirSync(directory.file(name));
  Deno.writeTextFileSync(join(directory.file(name), "note"), `in ${name}`);
}

for (const when of ["before the start", "while it records"]) {
  Deno.test(`Archive records a day whose name was taken by a directory ${when}, keeps that, and says so`, async () => {
    using directory = new TestDirectory();
    const logger = keepingLogger();
    if (when === "before the start") makeDirectory(directory, "2026-11-22.jsonl");
    await using opened = await openArchive(directory, { logger });
    if (when !== "before the start") makeDirectory(directory, "2026-11-22.jsonl");
    appendLines(opened.archive, 0, 3);
    await opened.archive.sync();
    assert.equal(await dayText(opened.archive), textOf(0, 3));
    assert.equal(directory.text("2026-11-22.jsonl.damaged/note"), "in 2026-11-22.jsonl");
    assert.equal(opened.archive.trouble, null);
    const what = 'was a directory: kept as "2026-11-22.jsonl.damaged"';
    assert.deepEqual(opened.archive.findings, [{ file: "2026-11-22.jsonl", what, damage: false }]);
    assert.ok(logger.events.some((event) => event.startsWith("warn archive repaired")));
  });
}

Deno.test("Archive opens and seals although every one of its names was taken by a directory", async () => {
  using directory = new TestDirectory();
  const names = [
    "2026-11-22.index",
    "2026-11-22.index.part",
    "2026-11-22.jsonl",
    "2026-11-22.jsonl.gz",
    "2026-11-22.jsonl.gz.part",
    "alive",
    "gaps.jsonl",
    "removed.jsonl",
  ];
  for (const name of names) makeDirectory(directory, name);
  await using opened = await openArchive(directory);
  await GapLedger.open(directory.path, { clock: opened.clock, logger: silentLogger }).close();
  appendLines(opened.archive, 0, 3);
  await opened.seal();
  assert.equal(opened.archive.day(DAY)?.sealed, true);
  assert.equal(await dayText(opened.archive), textOf(0, 3));
  assert.deepEqual(
    directory.names().filter((name) => name.endsWith(".damaged")),
    names.map((name) => `${name}.damaged`),
  );
});

Deno.test("setAside() takes the next name where one is taken, and replaces nothing", () => {
  using directory = new TestDirectory();
  for (const expected of ["x.damaged", "x.damaged-2", "x.damaged-3"]) {
    directory.write("x", expected);
    assert.equal(setAside(directory.file("x")), expected);
  }
  for (const name of directory.names()) assert.equal(directory.text(name), name);
});

Deno.test("findForeign() names what has the name of a file of the archive and is none, and nothing else", () => {
  using directory = new TestDirectory();
  for (const name of ["2026-11-22.index", "gaps.jsonl", "lock", "notes"]) directory.write(name, "mine");
  Deno.symlinkSync("notes", directory.file("scrub"));
  makeDirectory(directory, "2026-11-22.jsonl.damaged");
  makeDirectory(directory, "2026-11-22.jsonl.gz.tmp");
  makeDirectory(directory, "others");
  Deno.symlinkSync("others", directory.file("alive"));
  Deno.symlinkSync("nothing", directory.file("alive.kept"));
  const found = Object.fromEntries(findForeign(directory.path).map(({ name, what }) => [name, what]));
  assert.match(found["alive.kept"]!, /^a symlink that leads nowhere \(No such file or directory/);
  delete found["alive.kept"];
  assert.deepEqual(found, { "2026-11-22.jsonl.gz.tmp": "a directory", alive: "a symlink to a directory" });
});

Deno.test("Archive tells of the loss where a directory stands in the place of a sealed gzip file", async () => {
  using directory = new TestDirectory();
  {
    await using opened = await openArchive(directory);
    appendLines(opened.archive, 0, 3);
    await opened.seal();
  }
  directory.remove("2026-11-22.jsonl.gz");
  makeDirectory(directory, "2026-11-22.jsonl.gz");
  await using opened = await openArchive(directory);
  assert.match(opened.archive.findings[1]!.what, /^is gone, and with it 3 lines in 1 block/);
  assert.equal(opened.archive.losses.length, 1);
  assert.deepEqual(directory.names(), [
    "2026-11-22.index.damaged",
    "2026-11-22.jsonl.gz.damaged",
    "lost.jsonl",
  ]);
});
