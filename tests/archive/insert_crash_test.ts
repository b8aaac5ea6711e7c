import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { DayState } from "../../lib/archive/day/day_info.ts";
import { sizeOf } from "../../lib/archive/disk.ts";
import { recoverArchive } from "../../lib/archive/repair/recovery.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { createRandom } from "../rig/random.ts";
import { untilSo } from "../rig/wait.ts";
import { DAY, DAY_NAME, dayText, openArchive, TestDirectory } from "./archive_rig.ts";
import { type InsertProgress, STEPS } from "./insert_crash_child.ts";
import {
  appendDayLines,
  assertDay,
  type DayLine,
  insertDayLines,
  insertNaively,
  lineAt,
  linesBetween,
  textOfLines,
  verifyFaults,
} from "./healing_rig.ts";

const CHILD = new URL("./insert_crash_child.ts", import.meta.url).pathname;

/** Where the program really kills itself, one out of so many points; at each of them a copy is looked at. */
const KILL_EVERY = 40;

/** So often it is killed from outside, each time at another moment. */
const RANDOM_KILLS = 6;

/** What the day has after some of the steps: its text, and what of it was recorded. */
interface State {
  lines: DayLine[];
  recorded: DayLine[];
}

/** What the day has after 0, 1, 2 … steps. */
const STATES: readonly State[] = STEPS.reduce<State[]>((states, step) => {
  const { lines, recorded } = states.at(-1)!;
  const next = "record" in step
    ? { lines: [...lines, ...step.record], recorded: [...recorded, ...step.record] }
    : { lines: "insert" in step ? insertNaively(lines, step.insert) : lines, recorded };
  return [...states, next];
}, [{ lines: [], recorded: [] }]);

/** What the text may be when so many steps are done: that of a state, or of lines that were being recorded the first ones. */
function possibleStates({ done }: InsertProgress): State[] {
  const state = STATES[done]!;
  const step = STEPS[done];
  if (step === undefined || "seal" in step) return [state];
  if ("insert" in step) return [state, STATES[done + 1]!];
  return Array.from({ length: step.record.length + 1 }, (_, count): State => ({
    lines: [...state.lines, ...step.record.slice(0, count)],
    recorded: [...state.recorded, ...step.record.slice(0, count)],
  }));
}

/** Opens what a crash has left, and makes sure that the day is as before or as after; then that it goes on. */
async function assertGoesOn(directory: TestDirectory, progress: InsertProgress, at: string): Promise<void> {
  await using opened = await openArchive(directory, { clock: new FakeClock("2026-11-28T12:00:00Z") });
  const { archive } = opened;
  assert.deepEqual(archive.findings.filter(({ damage }) => damage), [], at);
  const text = archive.day(DAY) === undefined ? "" : await dayText(archive);
  const state = possibleStates(progress).find(({ lines }) => textOfLines(lines) === text);
  assert.ok(state, `${at}: the text is neither as before nor as after`);
  if (text !== "") await assertDay(archive, state.lines, state.recorded, at);
  const later = linesBetween("after", 37_000, 37_003);
  appendDayLines(archive, later);
  await archive.sync();
  const found = [lineAt("found after", 36_001), lineAt("found later", 37_001)];
  await insertDayLines(archive, directory.path, found);
  const lines = insertNaively([...state.lines, ...later], found);
  const recorded = [...state.recorded, ...later];
  await assertDay(archive, lines, recorded, `${at}: gone on`);
  await opened.seal();
  assert.equal(archive.day(DAY)?.sealed, true, at);
  await assertDay(archive, lines, recorded, `${at}: sealed`);
}

async function runChild(directory: TestDirectory, ...args: string[]): Promise<Deno.CommandStatus> {
  return await spawnChild(directory, ...args).status;
}

function spawnChild(directory: TestDirectory, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", CHILD, directory.file("archive"), ...args],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** What a day's files say, read without the program: what gzip holds, then what stands behind it in the plain file. */
function readByHand(directory: TestDirectory, { seal, plain }: DayState): string {
  const gz = seal === null ? "" : gunzipSync(directory.read(`${DAY_NAME}.jsonl.gz`)).toString();
  if (plain === null) return gz;
  const recordedEnd = gz.length - (seal?.healed?.bytes ?? 0);
  const name = plain.from === 0 ? `${DAY_NAME}.jsonl` : `${DAY_NAME}.from-${plain.from}.jsonl`;
  return gz + directory.text(name).slice(recordedEnd - plain.from);
}

function directoryAt(path: string): TestDirectory {
  const directory = new TestDirectory();
  Deno.removeSync(directory.path);
  Deno.renameSync(path, directory.path);
  return directory;
}

Deno.test("Whatever point of an insertion a kill comes at, the day is as before or as after, and no line is lost", async () => {
  using directory = new TestDirectory();
  Deno.mkdirSync(directory.file("archive"));
  assert.equal((await runChild(directory, "copy", directory.file("copies"))).code, 0);
  const last: InsertProgress = JSON.parse(directory.text("archive.progress"));
  assert.equal(last.done, STEPS.length);
  assert.ok(last.points > 300, `only ${last.points} points`);
  const seen = new Set<string>();
  for (let point = 1; point <= last.points; point++) {
    using copy = directoryAt(directory.file(`copies/${point}`));
    const progress: InsertProgress = JSON.parse(copy.text(".progress"));
    copy.remove(".progress");
    const at = `point ${point}, step ${progress.done}, ${progress.what}`;
    const { days, findings, untouched } = await recoverArchive(copy.path);
    assert.deepEqual(findings.filter(({ damage }) => damage), [], at);
    assert.equal(untouched.size, 0, at);
    assert.deepEqual(copy.names().filter((name) => name.endsWith(".tmp")), [], at);
    assert.deepEqual(await verifyFaults(copy), [], at);
    assert.deepEqual((await recoverArchive(copy.path)).findings, [], `${at}: what was put right is right`);
    const state = days.find(({ day }) => day === DAY);
    const text = state === undefined ? "" : readByHand(copy, state);
    const states = possibleStates(progress);
    const number = states.findIndex(({ lines }) => textOfLines(lines) === text);
    assert.ok(number !== -1, `${at}: the text is neither as before nor as after`);
    const { healed } = state?.seal ?? {};
    assert.equal(text.length - (healed?.bytes ?? 0), textOfLines(states[number]!.recorded).length, at);
    // Where the index is lost one day, this file says what was inserted: it must not tell of what was not.
    assert.equal(sizeOf(copy.file(`${DAY_NAME}.edits`)), healed?.editsBytes ?? null, at);
    seen.add(`${progress.done} ${number}`);
  }
  for (const [number, step] of STEPS.entries()) {
    if (!("insert" in step)) continue;
    assert.ok(seen.has(`${number} 0`) && seen.has(`${number} 1`), `step ${number} is seen before and after`);
  }
});

Deno.test("After kill -9 at points of insertions an archive opens, goes on recording, heals again, and seals", async () => {
  using counting = new TestDirectory();
  Deno.mkdirSync(counting.file("archive"));
  assert.equal((await runChild(counting, "kill", "0")).code, 0);
  const { points }: InsertProgress = JSON.parse(counting.text("archive.progress"));
  for (let point = 11; point <= points; point += KILL_EVERY) {
    using directory = new TestDirectory();
    Deno.mkdirSync(directory.file("archive"));
    assert.equal((await runChild(directory, "kill", String(point))).signal, "SIGKILL");
    const progress: InsertProgress = JSON.parse(directory.text("archive.progress"));
    using archiveDirectory = directoryAt(directory.file("archive"));
    await assertGoesOn(archiveDirectory, progress, `point ${point}, ${progress.what}`);
  }
});

Deno.test("After kill -9 at random moments of insertions an archive opens, goes on recording, heals again, and seals", async () => {
  const seed = 20_261_122;
  const random = createRandom(seed);
  for (let count = 0; count < RANDOM_KILLS; count++) {
    using directory = new TestDirectory();
    Deno.mkdirSync(directory.file("archive"));
    const child = spawnChild(directory, "live", "");
    const wanted = Math.floor(random() * STEPS.length);
    await untilSo(() => progressIn(directory).done >= wanted, `step ${wanted}`);
    const endMs = performance.now() + random() * 30;
    while (performance.now() < endMs); // the moment is random, whatever the machine does meanwhile
    try {
      child.kill("SIGKILL");
    } catch {
      // It has come to its end by itself.
    }
    await child.status;
    const progress = progressIn(directory);
    using archiveDirectory = directoryAt(directory.file("archive"));
    await assertGoesOn(archiveDirectory, progress, `seed ${seed}, kill ${count}, step ${progress.done}`);
  }
});

/** How far the program is, as it says itself. */
function progressIn(directory: TestDirectory): InsertProgress {
  try {
    return JSON.parse(directory.text("archive.progress"));
  } catch {
    return { points: 0, what: "", done: 0 }; // it is not there yet, or is being written
  }
}
