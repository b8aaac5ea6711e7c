import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { recoverArchive } from "../../lib/archive/repair/recovery.ts";
import { verifyArchive } from "../../lib/verify/verify.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { DAY, DAY_NAME, dayText, numbersIn, openArchive, record, TestDirectory } from "./archive_rig.ts";
import { LONG_LINE_PADDING, type Progress } from "./crash_child.ts";

const CHILD = new URL("./crash_child.ts", import.meta.url).pathname;

/** Where the program really kills itself, one out of so many points; at each of them a copy is looked at. */
const KILL_EVERY = 25;

/** The line of the first day with a number, as the program appended it. */
function lineOfFirstDay(number: number): string {
  const isLong = number < 4 || (number >= 8 && number < 12);
  return record(number, isLong ? LONG_LINE_PADDING : 10) + "\n";
}

function wholeFirstDay(end: number): string {
  let text = "";
  for (let number = 0; number < end; number++) text += lineOfFirstDay(number);
  return text;
}

/** What a day's files say, read without the program: first what gzip holds, then what stands behind it. */
function readByHand(directory: TestDirectory, day: string, seals: { rawBytes: number } | null): string {
  const gz = seals === null ? "" : zlib.gunzipSync(directory.read(`${day}.jsonl.gz`)).toString();
  if (seals !== null) assert.equal(Buffer.byteLength(gz), seals.rawBytes);
  const plains = directory.names().filter((name) => name.startsWith(day) && name.endsWith(".jsonl"));
  assert.ok(plains.length <= 1, plains.join());
  return gz + (plains[0] === undefined ? "" : directory.text(plains[0]));
}

/** The oracle: every confirmed line once and byte-identical, in order, and none that was not appended. */
function assertFirstDay(text: string | null, progress: Progress, at: string): void {
  if (text === null) {
    assert.ok(progress.mayRemove || progress.confirmed[0] === 0, `${at}: the first day is gone`);
    return;
  }
  const count = numbersIn(text).length;
  assert.ok(count >= progress.confirmed[0], `${at}: ${count} lines of ${progress.confirmed[0]}`);
  assert.ok(count <= progress.appended[0], `${at}: ${count} lines, ${progress.appended[0]} appended`);
  assert.ok(text === wholeFirstDay(count), `${at}: lines are not what was appended`);
}

async function runChild(directory: TestDirectory, ...args: string[]): Promise<Deno.CommandStatus> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", CHILD, directory.file("archive"), ...args],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  return await child.status;
}

Deno.test("Whatever point of the disk's work a kill comes at, every confirmed line is there once and no line is torn", async () => {
  using directory = new TestDirectory();
  Deno.mkdirSync(directory.file("archive"));
  assert.equal((await runChild(directory, "copy", directory.file("copies"))).code, 0);
  const last: Progress = JSON.parse(directory.text("archive.progress"));
  assert.ok(last.points > 200, `only ${last.points} points`);
  for (let point = 1; point <= last.points; point++) {
    using copy = directoryAt(directory.file(`copies/${point}`));
    const progress: Progress = JSON.parse(copy.text(".progress"));
    copy.remove(".progress");
    const at = `point ${point}, ${progress.what}`;
    const { days, untouched, findings } = await recoverArchive(copy.path);
    assert.deepEqual(findings.filter(({ damage }) => damage), [], at);
    assert.equal(untouched.size, 0);
    const first = days.find(({ day }) => day === DAY);
    assertFirstDay(first === undefined ? null : readByHand(copy, DAY_NAME, first.seal), progress, at);
    const faults: string[] = [];
    await verifyArchive(copy.path, {
      onDay: () => {},
      onGzip: () => {},
      onFault: (fault) => faults.push(fault),
      onProgress: () => {},
    });
    assert.deepEqual(faults, [], at);
    const again = await recoverArchive(copy.path);
    assert.deepEqual(again.findings, [], `${at}: what was put right is right`);
  }
});

Deno.test("After kill -9 at points of its work an archive opens, goes on recording, and seals", async () => {
  using counting = new TestDirectory();
  Deno.mkdirSync(counting.file("archive"));
  assert.equal((await runChild(counting, "kill", "0")).code, 0);
  const { points }: Progress = JSON.parse(counting.text("archive.progress"));
  for (let point = 7; point <= points; point += KILL_EVERY) {
    using directory = new TestDirectory();
    Deno.mkdirSync(directory.file("archive"));
    const status = await runChild(directory, "kill", String(point));
    assert.equal(status.signal, "SIGKILL");
    const progress: Progress = JSON.parse(directory.text("archive.progress"));
    const at = `point ${point}, ${progress.what}`;
    using archiveDirectory = directoryAt(directory.file("archive"));
    await using opened = await openArchive(archiveDirectory, {
      clock: new FakeClock("2026-11-28T12:00:00Z"),
    });
    const { archive } = opened;
    assertFirstDay(archive.day(DAY) === undefined ? null : await dayText(archive), progress, at);
    const before = archive.day(DAY)?.lines ?? 0;
    archive.append(DAY, new TextEncoder().encode(record(99)), false, null);
    await opened.seal();
    assert.equal(archive.day(DAY)?.sealed, true, at);
    assert.equal(archive.day(DAY)?.lines, before + 1);
    assert.ok(await dayText(archive) === wholeFirstDay(before) + record(99) + "\n", at);
  }
});

function directoryAt(path: string): TestDirectory {
  const directory = new TestDirectory();
  Deno.removeSync(directory.path);
  Deno.renameSync(path, directory.path);
  return directory;
}
