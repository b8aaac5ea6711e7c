import assert from "node:assert/strict";
import { HeartbeatFiles, type KeptNote } from "../../lib/gaps/heartbeat_files.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { KnownGood } from "../../lib/recorder/known_good.ts";
import { Heartbeat } from "../../lib/recorder/heartbeat.ts";
import { silentLogger } from "../../lib/logger.ts";
import {
  appendLines,
  DAY,
  DAY_NAME,
  openArchive,
  record,
  TestDirectory,
  textOf,
} from "../archive/archive_rig.ts";
import { insertDayLines, lineAt } from "../archive/healing_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";

/** A line of 10:00:01.5, as {@linkcode record} makes it. */
const LINE = record(1) + "\n";

/** What a crash has left. */
interface Left {
  /** The text of the day. Default: {@linkcode LINE}. */
  text?: string;
  /** The mark, and the time at which the program starts again. */
  mark: string;
  now: string;
  /** The note, which rests on so many bytes of the day. */
  note?: { since: string; bytes: number };
}

/** Where the gap of the crash begins. */
async function crashAfter(left: Left): Promise<string | undefined> {
  using directory = new TestDirectory();
  Deno.writeTextFileSync(`${directory.path}/${DAY_NAME}.jsonl`, left.text ?? LINE);
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  await heartbeatFiles.move(Date.parse(left.mark));
  if (left.note !== undefined) {
    const days = [{ day: DAY, bytes: left.note.bytes, synced: 0 }];
    await heartbeatFiles.note({ sinceMs: Date.parse(left.note.since), lastGap: 0, days });
  }
  const clock = new FakeClock(left.now);
  await using opened = await openArchive(directory, { clock });
  const gaps = GapLedger.open(directory.path, { clock, logger: silentLogger });
  const heartbeat = new Heartbeat({
    ...{ archive: opened.archive, gaps, heartbeatFiles, clock, logger: silentLogger },
    knownGood: new KnownGood(clock),
    session: () => null,
  });
  await heartbeat.readPast();
  await gaps.flush();
  await gaps.close();
  const since = gaps.open.find(({ cause }) => cause === "crash")?.sinceMs;
  assert.equal((heartbeatFiles.readNote() as KeptNote).lastGap, gaps.lastId, "the note knows of that gap");
  return since === undefined ? undefined : new Date(since).toISOString();
}

const MARK = "2026-11-22T10:00:05.000Z";
const NOTED = "2026-11-22T10:00:09.000Z";
const NOW = "2026-11-22T10:01:00Z";

Deno.test("Heartbeat.readPast() begins the gap at the mark, or at the note where that holds", async () => {
  assert.equal(await crashAfter({ mark: MARK, now: NOW }), MARK);
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note: { since: NOTED, bytes: LINE.length } }), NOTED);
});

Deno.test("Heartbeat.readPast() believes no note of which the archive has less, or only damaged", async () => {
  const note = { since: NOTED, bytes: LINE.length };
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note, text: "" }), MARK);
  const torn = LINE.slice(0, -2);
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note, text: torn }), MARK);
  const damaged = "\0".repeat(LINE.length - 1) + "\n" + LINE;
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note, text: damaged }), MARK);
});

Deno.test("Heartbeat.readPast() begins the gap at the last line where the mark lies in the future", async () => {
  const stamp = "2026-11-22T10:00:01.500Z";
  assert.equal(await crashAfter({ mark: "2026-11-22T11:00:05Z", now: NOW }), stamp); // it ran ahead
  assert.equal(await crashAfter({ mark: MARK, now: "2026-11-22T09:00:00Z" }), stamp); // it is behind now
});

/** What was on the disk when the note was written, and what is left of it. */
interface Spoilt {
  /** The gaps that were there, and those of them that are left. */
  gaps: [once: number, now: number];
  /** The length of the day's text that was there, and what is left of the text. */
  day: [once: number, now: string];
  /** Whether the note cannot be read. */
  noteIsDamaged?: boolean;
  /** Whether a line was inserted into what is left of the day. */
  isHealed?: boolean;
}

/** What the next start finds, and which gaps it makes, each as `cause since until`. */
async function startAfter(
  { gaps: [once, left], day: [bytes, text], noteIsDamaged = false, isHealed = false }: Spoilt,
) {
  using directory = new TestDirectory();
  directory.write(`${DAY_NAME}.jsonl`, text);
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  const clock = new FakeClock(NOW);
  if (isHealed) {
    await using healed = await openArchive(directory, { clock });
    await insertDayLines(healed.archive, directory.path, [lineAt("found", 36_000, 1000)]);
  }
  const before = GapLedger.open(directory.path, { clock, logger: silentLogger });
  for (let number = 0; number < left; number++) {
    before.begin("stop", Date.parse("2026-11-22T09:00:00Z") + number * 1000);
    before.end(Date.parse("2026-11-22T09:00:00.500Z") + number * 1000);
  }
  await before.close();
  await heartbeatFiles.move(Date.parse(MARK));
  const days = [{ day: DAY, bytes, synced: bytes }];
  await heartbeatFiles.note({ sinceMs: Date.parse(NOTED), lastGap: once, days });
  if (noteIsDamaged) directory.write("alive.kept", directory.text("alive.kept").replace("kept", "kent"));
  await using opened = await openArchive(directory, { clock });
  const ledger = GapLedger.open(directory.path, { clock, logger: silentLogger });
  const heartbeat = new Heartbeat({
    ...{ archive: opened.archive, gaps: ledger, heartbeatFiles, clock, logger: silentLogger },
    knownGood: new KnownGood(clock),
    session: () => null,
  });
  await heartbeat.readPast();
  await ledger.flush();
  const found = ledger.touching(-Infinity, Infinity)
    .filter(({ cause }) => cause !== "stop")
    .map(({ cause, sinceMs, untilMs }) => `${cause} ${timeOf(sinceMs)} ${timeOf(untilMs)}`);
  await ledger.close();
  return { found, findings: opened.archive.findings, losses: opened.archive.losses, lastId: ledger.lastId };
}

function timeOf(ms: number | null): string {
  return ms === null ? "now" : new Date(ms).toISOString().slice(11, 19);
}

const TWO_LINES = LINE + record(2) + "\n";

Deno.test("Heartbeat.readPast() makes nothing but the gap of the crash where all is there that was", async () => {
  const { found, findings } = await startAfter({ gaps: [2, 2], day: [TWO_LINES.length, TWO_LINES] });
  assert.deepEqual(found, ["crash 10:00:09 now"]);
  assert.deepEqual(findings, []);
});

Deno.test("Heartbeat.readPast() makes a gap of the lines that a day has lost, and tells of the day", async () => {
  const length = TWO_LINES.length;
  const cut = await startAfter({ gaps: [2, 2], day: [length, LINE] });
  assert.deepEqual(cut.found, ["disk 09:59:01 10:00:09", "crash 10:00:09 now"]);
  const what = `ends at byte ${LINE.length}: ${length} bytes of the day were on the disk`;
  assert.deepEqual(cut.findings, [{ file: `${DAY_NAME}.jsonl`, what, damage: true }]);
  const emptied = await startAfter({ gaps: [2, 2], day: [length, ""] });
  assert.deepEqual(emptied.found, ["disk 00:00:00 10:00:09", "crash 10:00:09 now"]);
  const healed = await startAfter({ gaps: [2, 2], day: [length, LINE], isHealed: true });
  assert.deepEqual(healed.findings, cut.findings, "what was inserted is not what was lost");
  assert.match(emptied.findings[0]!.what, /^is gone, or empty: \d+ bytes/);
});

Deno.test("Heartbeat.readPast() makes a gap of what opening has found to be lost, which is settled then", async () => {
  const text = LINE + "\0".repeat(100) + "\n" + record(4) + "\n";
  const { found, losses } = await startAfter({ gaps: [2, 2], day: [text.length, text] });
  assert.deepEqual(found, ["disk 10:00:01 10:00:04", "crash 10:00:09 now"]);
  assert.deepEqual(losses, []);
});

Deno.test("Heartbeat.readPast() makes a gap of the time that a lost end of the ledger may have told of", async () => {
  const cut = await startAfter({ gaps: [5, 2], day: [LINE.length, LINE] });
  assert.deepEqual(cut.found, ["disk 08:59:01 10:00:09", "crash 10:00:09 now"]);
  assert.deepEqual(cut.findings, [
    { file: "gaps.jsonl", what: "ends with gap 2: there were gaps up to number 5", damage: true },
  ]);
  assert.equal(cut.lastId, 7, "no number is given twice");
});

Deno.test("Heartbeat.readPast() notices that the ledger is gone also without a note", async () => {
  for (const noteIsDamaged of [false, true]) {
    const { found, findings } = await startAfter({ gaps: [3, 0], day: [LINE.length, LINE], noteIsDamaged });
    const goodAt = noteIsDamaged ? "10:00:05" : "10:00:09";
    assert.deepEqual(found, [`disk 00:00:00 ${goodAt}`, `crash ${goodAt} now`]);
    assert.deepEqual(findings.map(({ file }) => file), [
      ...(noteIsDamaged ? ["alive.kept"] : []),
      "gaps.jsonl",
    ]);
  }
});

Deno.test("Heartbeat.moveMark() leaves the mark where it was when the archive is closed with lines unwritten", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOW);
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  await heartbeatFiles.move(Date.parse(MARK));
  const openFile = () => Promise.reject(new Error("No space left on device (os error 28)"));
  await using opened = await openArchive(directory, { clock, openFile });
  const gaps = GapLedger.open(directory.path, { clock, logger: silentLogger });
  const knownGood = new KnownGood(clock);
  const session = {};
  const heartbeat = new Heartbeat({
    ...{ archive: opened.archive, gaps, heartbeatFiles, clock, logger: silentLogger, knownGood },
    session: () => session,
  });
  appendLines(opened.archive, 0, 3);
  knownGood.noteLine(clock.elapsed(), clock.now());
  heartbeat.moveMark();
  assert.equal(await opened.archive.stop(), 3);
  await opened.archive.sync();
  await heartbeatFiles.note({ sinceMs: clock.now(), lastGap: 0, days: [] }); // comes after the mark, had it been moved
  assert.equal(heartbeatFiles.read(), Date.parse(MARK));
  await gaps.close();
});

Deno.test("Heartbeat.leave() notes all that is on the disk, with the number of the last gap", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOW);
  const heartbeatFiles = new HeartbeatFiles(directory.path);
  await using opened = await openArchive(directory, { clock });
  appendLines(opened.archive, 0, 3);
  const gaps = GapLedger.open(directory.path, { clock, logger: silentLogger });
  const heartbeat = new Heartbeat({
    ...{ archive: opened.archive, gaps, heartbeatFiles, clock, logger: silentLogger },
    knownGood: new KnownGood(clock),
    session: () => null,
  });
  gaps.begin("stop", clock.now());
  await opened.archive.stop();
  await gaps.close();
  await heartbeat.leave();
  const { length } = textOf(0, 3);
  assert.deepEqual(heartbeatFiles.readNote(), {
    sinceMs: clock.now(),
    lastGap: 1,
    days: [{ day: DAY, bytes: length, synced: length }],
  });
  assert.equal(heartbeatFiles.read(), clock.now());
});
