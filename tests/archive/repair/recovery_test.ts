import assert from "node:assert/strict";
import { join } from "node:path";
import zlib from "node:zlib";
import type { Archive } from "../../../lib/archive/archive.ts";
import { recoverArchive } from "../../../lib/archive/repair/recovery.ts";
import { sameBytes } from "../../../lib/archive/blocks/block.ts";
import { dayName } from "../../../lib/day.ts";
import type { Span } from "../../../lib/gaps/gap.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import {
  DAY,
  DAY_NAME,
  dayText,
  openArchive,
  record,
  TestDirectory,
  textFrom,
  textOf,
} from "../archive_rig.ts";
import {
  asVersion,
  type Damage,
  DAMAGES,
  endingAtCall,
  filesOf,
  GZ,
  INDEX,
  PLAIN,
  recordedText,
  sealed,
  survivingLines,
  survivingText,
  torn,
} from "./damages.ts";

const encoder = new TextEncoder();

for (const row of DAMAGES) {
  const { name, files, damage, unreadable = 0, findings, isDamage = false, lost = [], aside = {} } = row;
  Deno.test(`Opening after "${name}" keeps the lines that are whole`, async () => {
    using directory = new TestDirectory();
    for (const [file, bytes] of Object.entries(files)) directory.write(file, bytes);
    damage(directory);
    const damagedGz = unreadable > 0 ? directory.read(GZ) : null;
    const clock = new FakeClock("2026-11-24T12:00:00Z");
    {
      await using opened = await openArchive(directory, { clock });
      const texts = opened.archive.findings.map(({ file, what }) => `${file}: ${what}`);
      assert.equal(texts.length, findings.length, texts.join("\n"));
      for (const [number, pattern] of findings.entries()) assert.match(texts[number]!, pattern);
      assert.equal(opened.archive.findings.some((finding) => finding.damage), isDamage);
      assert.deepEqual(opened.archive.losses.map(showTimes), lost);
      opened.archive.settleLosses();
      await assertSurvives(opened.archive, row);
    }
    // What was put right is right: opening again finds nothing, and the day can be sealed.
    await using again = await openArchive(directory, { clock });
    const found = again.archive.findings.filter(({ what }) => !/no records/.test(what));
    assert.deepEqual(found, []);
    again.archive.settleLosses();
    await again.seal();
    const isAnyLeft = survivingLines(row) > 0;
    assert.equal(again.archive.day(DAY)?.sealed, isAnyLeft ? true : undefined);
    await assertSurvives(again.archive, row);
    if (damagedGz !== null) assert.deepEqual(directory.read(GZ), damagedGz);
    else if (isAnyLeft) assertSameText(zlib.gunzipSync(directory.read(GZ)).toString(), survivingText(row));
    assert.deepEqual(directory.names(), [...(isAnyLeft ? [INDEX, GZ] : []), ...Object.keys(aside)].sort());
    for (const [file, bytes] of Object.entries(aside)) {
      assert.ok(sameBytes(directory.read(file), bytes), `"${file}" has other bytes`);
    }
  });
}

/** Asserts that the day's text is, byte for byte, what a row of the table says is left. */
async function assertSurvives(archive: Archive, row: Damage): Promise<void> {
  const { unreadable = 0 } = row;
  if (survivingLines(row) === 0) return assert.equal(archive.day(DAY), undefined);
  const start = recordedText(0, unreadable).length;
  if (unreadable > 0) {
    await assert.rejects(dayText(archive), /checksum/);
    await assert.rejects(textFrom(archive.openText(DAY, { start: start - 1, end: start })), /checksum/);
  }
  const { lines, bytes } = archive.day(DAY)!;
  assertSameText(await textFrom(archive.openText(DAY, { start, end: bytes })), survivingText(row));
  assert.equal(lines, survivingLines(row));
}

/** The span of a loss as a row of the table says it. */
function showTimes({ sinceMs, untilMs }: Span): string {
  return [sinceMs, untilMs].map((ms) => new Date(ms).toISOString().slice(11, 23)).join(" ");
}

/** As a comparison of texts of some megabytes would, but with a message that can be read. */
function assertSameText(text: string, wanted: string): void {
  if (text === wanted) return;
  const lines = wanted.split("\n");
  const first = text.split("\n").findIndex((line, number) => line !== lines[number]);
  assert.fail(`${text.length} bytes, not ${wanted.length}; line ${first} is the first that is another`);
}

Deno.test("Opening cuts a torn last line at each of its bytes, and keeps what it cut", async () => {
  const whole = textOf(0, 3);
  const last = record(2).length + 1;
  for (let kept = 0; kept <= last; kept++) {
    using directory = new TestDirectory();
    const end = whole.length - last;
    directory.write(PLAIN, whole.slice(0, end + kept));
    await using opened = await openArchive(directory);
    const isWhole = kept === last;
    assert.equal(await dayText(opened.archive), isWhole ? whole : whole.slice(0, end));
    assert.equal(opened.archive.day(DAY)?.lines, isWhole ? 3 : 2);
    if (kept > 0 && !isWhole) assert.equal(directory.text(torn(end)), whole.slice(end, end + kept));
    else assert.equal(directory.names().some((name) => name.endsWith(".torn")), false);
  }
});

Deno.test("Opening leaves a sealed day of an unknown version alone, and records beside it", async () => {
  using directory = new TestDirectory();
  for (const [file, bytes] of Object.entries(sealed)) directory.write(file, bytes);
  asVersion(directory, INDEX, 4);
  const before = filesOf(directory);
  await using opened = await openArchive(directory, { clock: new FakeClock("2026-11-24T12:00:00Z") });
  assert.match(opened.archive.findings[0]!.what, /version 4.*left alone/);
  assert.equal(opened.archive.day(DAY), undefined);
  opened.archive.append(DAY, encoder.encode(record(1)), false, null);
  await opened.archive.sync();
  assert.equal(opened.archive.day(DAY + 2)?.lines, 1, "a late line goes to the day of its arrival");
  for (const [name, bytes] of Object.entries(before)) assert.deepEqual(directory.read(name), bytes);
});

Deno.test("Opening refuses to record today into files of an unknown version, and lets the lock go", async () => {
  using directory = new TestDirectory();
  for (const [file, bytes] of Object.entries(sealed)) directory.write(file, bytes);
  asVersion(directory, INDEX, 4);
  for (let turn = 0; turn < 2; turn++) {
    await assert.rejects(openArchive(directory), {
      message: `Cannot record on ${DAY_NAME}: its files were written by a newer version; run that version`,
    });
  }
});

Deno.test("Opening leaves a day alone whose files cannot be read, and opens the others", async () => {
  using directory = new TestDirectory();
  const path = directory.file(PLAIN);
  const open = Deno.openSync;
  using _ = replaced("openSync", (...args: Parameters<typeof open>) => {
    if (args[0] === path) throw new Error("Input/output error (os error 5)");
    return open(...args);
  });
  directory.write(PLAIN, textOf(0, 3));
  directory.write("2026-11-21.jsonl", textOf(0, 2));
  await using opened = await openArchive(directory, { clock: new FakeClock("2026-11-24T12:00:00Z") });
  assert.match(opened.archive.findings.at(-1)!.what, /left alone: Input\/output error/);
  assert.deepEqual(opened.archive.days().map(({ day }) => dayName(day)), ["2026-11-21"]);
  assert.equal(directory.text(PLAIN), textOf(0, 3));
});

Deno.test("Opening leaves files alone that are not its own, and moves a directory of its own names aside", async () => {
  using directory = new TestDirectory();
  const names = ["2026-02-30.jsonl", "notes.tmp", "2026-11-22.jsonl.bak", "x.jsonl"];
  for (const name of names) directory.write(name, "mine");
  Deno.mkdirSync(join(directory.path, "2026-11-20.jsonl"));
  await using opened = await openArchive(directory);
  assert.deepEqual(opened.archive.days(), []);
  assert.deepEqual(directory.names(), [...names, "2026-11-20.jsonl.damaged"].sort());
});

/** Puts a function in the place of one of Deno's until the end of the block. */
function replaced<Name extends "openSync">(name: Name, action: (typeof Deno)[Name]): Disposable {
  const original = Deno[name];
  Object.assign(Deno, { [name]: action });
  return { [Symbol.dispose]: () => Object.assign(Deno, { [name]: original }) };
}

for (const row of DAMAGES.filter(({ lost = [] }) => lost.length > 0)) {
  Deno.test(`Opening after "${row.name}" that is killed at any rename or removal loses no other line, and tells`, async () => {
    for (let end = 1, wasEnded = true; wasEnded; end++) {
      using directory = new TestDirectory();
      for (const [file, bytes] of Object.entries(row.files)) directory.write(file, bytes);
      row.damage(directory);
      wasEnded = await endingAtCall(end, () => recoverArchive(directory.path));
      const clock = new FakeClock("2026-11-24T12:00:00Z");
      await using opened = await openArchive(directory, { clock });
      await assertSurvives(opened.archive, row);
      const [lostMs] = opened.archive.losses.map(({ sinceMs, untilMs }) => untilMs - sinceMs);
      assert.ok(lostMs! > 0, `ended at call ${end}`);
    }
  });
}

Deno.test("Opening knows a loss until the ledger has it, also after a crash, and no longer", async () => {
  using directory = new TestDirectory();
  directory.write(INDEX, sealed[INDEX]!);
  for (let turn = 0; turn < 2; turn++) {
    await using opened = await openArchive(directory); // its end is that of a process that writes no ledger
    assert.deepEqual(opened.archive.losses.map(showTimes), ["10:00:00.500 10:00:59.501"]);
  }
  {
    await using opened = await openArchive(directory);
    opened.archive.settleLosses();
    assert.deepEqual(opened.archive.losses, []);
  }
  await using opened = await openArchive(directory);
  assert.deepEqual(opened.archive.losses, []);
  assert.deepEqual(directory.names(), [`${INDEX}.damaged`]);
});
