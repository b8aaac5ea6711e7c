import assert from "node:assert/strict";
import { AliveMark } from "../lib/archive/alive_mark.ts";
import { GapLedger } from "../lib/archive/gap_ledger.ts";
import { KnownGood } from "../lib/known_good.ts";
import { LifeSigns } from "../lib/life_signs.ts";
import { silentLogger } from "../lib/logger.ts";
import { DAY, DAY_NAME, openArchive, record, TestDirectory } from "./archive/archive_rig.ts";
import { FakeClock } from "./rig/fake_clock.ts";

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
  const alive = new AliveMark(directory.path);
  await alive.move(Date.parse(left.mark));
  if (left.note !== undefined) {
    await alive.note({ sinceMs: Date.parse(left.note.since), days: [{ day: DAY, bytes: left.note.bytes }] });
  }
  const clock = new FakeClock(left.now);
  await using opened = await openArchive(directory, { clock });
  const gaps = GapLedger.open(directory.path, { clock, logger: silentLogger });
  const signs = new LifeSigns({
    ...{ archive: opened.archive, gaps, alive, clock, logger: silentLogger },
    knownGood: new KnownGood(clock),
    session: () => null,
  });
  await signs.readPast();
  await gaps.flush();
  await gaps.close();
  const since = gaps.open.find(({ cause }) => cause === "crash")?.sinceMs;
  assert.equal(alive.readNote(), null, "the note is of a process before");
  return since === undefined ? undefined : new Date(since).toISOString();
}

const MARK = "2026-11-22T10:00:05.000Z";
const NOTED = "2026-11-22T10:00:09.000Z";
const NOW = "2026-11-22T10:01:00Z";

Deno.test("LifeSigns.readPast() begins the gap at the mark, or at the note where that holds", async () => {
  assert.equal(await crashAfter({ mark: MARK, now: NOW }), MARK);
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note: { since: NOTED, bytes: LINE.length } }), NOTED);
});

Deno.test("LifeSigns.readPast() believes no note of which the archive has less, or only damaged", async () => {
  const note = { since: NOTED, bytes: LINE.length };
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note, text: "" }), MARK);
  const torn = LINE.slice(0, -2);
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note, text: torn }), MARK);
  const damaged = "\0".repeat(LINE.length - 1) + "\n" + LINE;
  assert.equal(await crashAfter({ mark: MARK, now: NOW, note, text: damaged }), MARK);
});

Deno.test("LifeSigns.readPast() begins the gap at the last line where the mark lies in the future", async () => {
  const stamp = "2026-11-22T10:00:01.500Z";
  assert.equal(await crashAfter({ mark: "2026-11-22T11:00:05Z", now: NOW }), stamp); // it ran ahead
  assert.equal(await crashAfter({ mark: MARK, now: "2026-11-22T09:00:00Z" }), stamp); // it is behind now
});
