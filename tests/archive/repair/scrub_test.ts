import assert from "node:assert/strict";
import { runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import { indexHeader, parseIndex } from "../../../lib/archive/blocks/day_index.ts";
import type { DayInfo } from "../../../lib/archive/day/day_info.ts";
import {
  Scrub,
  SCRUB_AFTER_MS,
  SCRUB_HOT_AFTER_MS,
  SCRUB_TICK_MS,
} from "../../../lib/archive/repair/scrub.ts";
import type { ScrubHotTask, ScrubResult, ScrubSealedTask } from "../../../lib/archive/repair/scrub_task.ts";
import { parseDayName } from "../../../lib/day.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { EDITS, insertFound, timedLine, writeSealed } from "../day/insertion_rig.ts";
import { GZ, GZ_PART, hot, INDEX, INDEX_PART, PLAIN, sealed } from "./damages.ts";
import { DAY, keepingLogger, TestDirectory } from "../archive_rig.ts";
import { untilSo } from "../../rig/wait.ts";

function put(directory: TestDirectory, files: Record<string, Uint8Array<ArrayBuffer>>): void {
  for (const [name, bytes] of Object.entries(files)) directory.write(name, bytes);
}

function flip(directory: TestDirectory, name: string, at: number): void {
  const bytes = directory.read(name);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  directory.write(name, bytes);
}

function scrubSealed(
  directory: TestDirectory,
  index: Uint8Array<ArrayBuffer> = sealed[INDEX]!,
): ScrubResult {
  const task: ScrubSealedTask = {
    kind: "scrubSealed",
    day: DAY,
    gzPath: directory.file(GZ),
    indexPath: directory.file(INDEX),
    editsPath: directory.file(EDITS),
    seal: parseIndex(new TextDecoder().decode(index), DAY).seal!,
    from: 0,
  };
  return (runBlockTask(task) as { scrubbed: ScrubResult }).scrubbed;
}

function scrubHot(directory: TestDirectory): ScrubResult {
  const task: ScrubHotTask = {
    kind: "scrubHot",
    plainPath: directory.file(PLAIN),
    plainFrom: 0,
    gzPartPath: directory.file(GZ_PART),
    indexPartPath: directory.file(INDEX_PART),
    gzFrom: indexHeader(DAY, 0, 0).gzFrom,
    blocks: parseIndex(new TextDecoder().decode(hot[INDEX_PART]), DAY).blocks,
    from: 0,
  };
  return (runBlockTask(task) as { scrubbed: ScrubResult }).scrubbed;
}

Deno.test("Reading back a whole day finds nothing and changes nothing", () => {
  using directory = new TestDirectory();
  put(directory, { ...sealed, ...hot });
  assert.deepEqual(scrubSealed(directory), { next: null, mended: [], damaged: [] });
  assert.deepEqual(scrubHot(directory), { next: null, mended: [], damaged: [] });
  for (const [name, bytes] of Object.entries({ ...sealed, ...hot })) {
    assert.deepEqual(directory.read(name), bytes);
  }
});

/** A sealed day into which a line was inserted twice. */
async function putHealed(directory: TestDirectory): Promise<Uint8Array<ArrayBuffer>> {
  writeSealed(directory, [`${timedLine("a", "10:00:00")}\n`, `${timedLine("z", "11:00:00")}\n`]);
  for (const time of ["10:10:00", "10:20:00"]) await insertFound(directory, [[timedLine("b", time), time]]);
  return directory.read(INDEX);
}

Deno.test("Reading back a day into which lines were inserted finds nothing and changes nothing", async () => {
  using directory = new TestDirectory();
  const index = await putHealed(directory);
  assert.deepEqual(scrubSealed(directory, index), { next: null, mended: [], damaged: [] });
  assert.deepEqual(directory.read(INDEX), index);
});

Deno.test("Reading back makes the index of a day again into which lines were inserted, the same as it was", async () => {
  for (const damage of [100, 500, -20]) {
    using directory = new TestDirectory();
    const index = await putHealed(directory);
    flip(directory, INDEX, damage);
    const { mended, damaged } = scrubSealed(directory, index);
    assert.equal(mended.length, 1);
    assert.deepEqual(damaged, []);
    assert.deepEqual(directory.read(INDEX), index);
  }
});

Deno.test("Reading back tells that it is not known where lines were inserted, and what that means", async () => {
  using directory = new TestDirectory();
  const index = await putHealed(directory);
  flip(directory, EDITS, 30);
  const means = "cursors and links into this day from before lines were inserted cannot be followed, " +
    "its lines are all there";
  assert.deepEqual(scrubSealed(directory, index).damaged, [
    `where lines were inserted is not known: the record at 24 is damaged; ${means}`,
  ]);
  directory.remove(EDITS);
  assert.deepEqual(scrubSealed(directory, index).damaged, [
    `where lines were inserted is not known: it is missing; ${means}`,
  ]);
});

for (
  const [what, name, at] of [
    ["an index", INDEX, 300],
    ["the header of a gzip file", GZ, 3],
    ["the trailer of a gzip file", GZ, -2],
  ] as const
) {
  Deno.test(`Reading back a sealed day puts ${what} right`, () => {
    using directory = new TestDirectory();
    put(directory, sealed);
    flip(directory, name, at);
    const { mended, damaged } = scrubSealed(directory);
    assert.equal(mended.length, 1);
    assert.deepEqual(damaged, []);
    assert.deepEqual(directory.read(name), sealed[name]);
  });
}

Deno.test("Reading back a sealed day names a block that has changed", () => {
  using directory = new TestDirectory();
  put(directory, sealed);
  flip(directory, GZ, 500);
  assert.deepEqual(scrubSealed(directory).damaged, ["block 0 at 10 is not what was written"]);
});

Deno.test("Reading back gives an index of version 1 its checksums, and puts right what was wrong in it", () => {
  for (const app of ["web", "wec"]) {
    using directory = new TestDirectory();
    put(directory, sealed);
    const old = directory.text(INDEX).replaceAll(/,"(gzCrc32|check)":"[0-9a-f]{8}"/g, "")
      .replace('"version":2', '"version":1').replace('["web"]', `["${app}"]`);
    directory.write(INDEX, old);
    const { mended, damaged } = scrubSealed(directory);
    assert.deepEqual(mended, app === "web" ? [] : ["index made again: it was not that of the gzip file"]);
    assert.deepEqual(damaged, []);
    assert.deepEqual(directory.read(INDEX), sealed[INDEX]);
  }
});

for (const [what, name, at] of [["text", PLAIN, 5000], ["block", GZ_PART, 500]] as const) {
  Deno.test(`Reading back a hot day puts its ${what} right from the other copy`, () => {
    using directory = new TestDirectory();
    put(directory, hot);
    flip(directory, name, at);
    const { mended, damaged } = scrubHot(directory);
    assert.equal(mended.length, 1);
    assert.deepEqual(damaged, []);
    assert.deepEqual(directory.read(name), hot[name]);
  });
}

Deno.test("Reading back a hot day says where both copies have changed", () => {
  using directory = new TestDirectory();
  put(directory, hot);
  flip(directory, PLAIN, 5000);
  flip(directory, GZ_PART, 500);
  assert.deepEqual(scrubHot(directory).damaged, ["the text at 0 is not what was written, nor is its block"]);
});

/** Two days of two pieces each, and what was asked of them. */
function listed(results: Record<number, string[]> = {}) {
  const asked: string[] = [];
  const day = (name: string, sealed: boolean): DayInfo => ({
    day: parseDayName(name)!,
    lines: 1,
    bytes: 1,
    gzBytes: 1,
    first: null,
    last: null,
    sealed,
    crc32: null,
    modifiedMs: 0,
    held: 0,
    edition: 0,
    recordedBytes: 0,
  });
  return {
    asked,
    days: () => [day("2026-11-22", true), day("2026-11-23", false)],
    scrub: (number: number, { part, from }: { part: string; from: number }) => {
      if ((part === "sealed") !== (number === DAY)) return Promise.resolve(null);
      asked.push(`${number - DAY} ${part} ${from}`);
      return Promise.resolve({
        next: from === 0 ? 7 : null,
        mended: [],
        damaged: from === 0 ? results[number] ?? [] : [],
      });
    },
  };
}

async function advanceUntil(clock: FakeClock, isReached: () => boolean): Promise<void> {
  await untilSo(() => {
    if (isReached()) return true;
    clock.advance(1000);
    return false;
  }, "what is read back");
}

Deno.test("Every day is read back once a week, a growing one more often, and damage is told", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock("2026-11-23T12:00:00Z");
  const logger = keepingLogger();
  const archive = listed({ [DAY]: ["block 3 at 4711 is not what was written"] });
  const scrub = new Scrub(directory.path, { archive, clock, logger });
  assert.deepEqual(scrub.status(), { lastFinishedMs: null, daysChecked: 0, damaged: [] });
  scrub.start();
  await advanceUntil(clock, () => logger.events.some((event) => event.includes("days read back")));
  const first = ["0 sealed 0", "0 sealed 7", "1 hot 0", "1 hot 7"];
  assert.deepEqual(archive.asked, first);
  const { lastFinishedMs, ...known } = scrub.status();
  assert.ok(lastFinishedMs! > Date.parse("2026-11-23T12:01:00Z") && lastFinishedMs! <= clock.now());
  const damaged = [{ day: "2026-11-22", what: "block 3 at 4711 is not what was written" }];
  assert.deepEqual(known, { daysChecked: 2, damaged });
  assert.ok(logger.events.includes(
    'error archive damaged {"file":"2026-11-22","what":"block 3 at 4711 is not what was written"}',
  ));

  clock.jump(SCRUB_HOT_AFTER_MS);
  assert.equal(scrub.status().daysChecked, 1);
  await advanceUntil(clock, () => archive.asked.length === 6);
  assert.deepEqual(archive.asked, [...first, "1 hot 0", "1 hot 7"]);
  await scrub.stop();
});

Deno.test("Reading back goes on after a restart where it was, and begins anew where that is not known", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock("2026-11-23T12:00:00Z");
  const options = { archive: listed(), clock, logger: keepingLogger() };
  const scrub = new Scrub(directory.path, options);
  scrub.start();
  await advanceUntil(clock, () => scrub.status().lastFinishedMs !== null);
  await scrub.stop();
  const again = new Scrub(directory.path, { ...options, archive: listed() });
  assert.deepEqual(again.status(), scrub.status());
  assert.equal(again.status().daysChecked, 2);
  flip(directory, "scrub", 30);
  assert.equal(new Scrub(directory.path, options).status().daysChecked, 0);
});

Deno.test("Reading back is ended in the middle, and the day is read from its start the next time", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock("2026-11-23T12:00:00Z");
  const archive = listed();
  const scrub = new Scrub(directory.path, { archive, clock, logger: keepingLogger() });
  scrub.start();
  clock.advance(SCRUB_TICK_MS);
  await untilSo(() => archive.asked.length > 0, "the first piece");
  await scrub.stop();
  assert.deepEqual(archive.asked, ["0 sealed 0"]);
  assert.equal(clock.pending, 0);
  assert.equal(
    new Scrub(directory.path, { archive, clock, logger: keepingLogger() }).status().daysChecked,
    0,
  );
});

Deno.test("A clock that was set back makes no day wait for longer than a week", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock("2026-11-23T12:00:00Z");
  const scrub = new Scrub(directory.path, { archive: listed(), clock, logger: keepingLogger() });
  scrub.start();
  await advanceUntil(clock, () => scrub.status().lastFinishedMs !== null);
  await scrub.stop();
  clock.jump(-SCRUB_AFTER_MS);
  assert.equal(scrub.status().daysChecked, 0);
});
