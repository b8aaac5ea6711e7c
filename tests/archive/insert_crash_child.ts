/**
 * A program that records and has lines inserted, into a day that grows, that is sealed and that is reopened, and that can be stopped
 * at each point at which it touches the disk; see crash_child.ts.
 *
 *     deno run -A tests/archive/insert_crash_child.ts DIRECTORY kill N
 *     deno run -A tests/archive/insert_crash_child.ts DIRECTORY copy COPIES
 *     deno run -A tests/archive/insert_crash_child.ts DIRECTORY live
 *
 * With `live` nothing is counted, the block worker is a real one, and the program is killed from outside.
 *
 * @module
 */

import { Archive } from "../../lib/archive/archive.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { DAY, HOUR_MS, NOON } from "./archive_rig.ts";
import { patchDisk, patchWorker } from "./crash_child.ts";
import { appendDayLines, type DayLine, insertDayLines, linesBetween } from "./healing_rig.ts";

/** One step of {@linkcode STEPS}: lines are recorded or inserted, or the day is sealed. */
export type Step = { record: DayLine[] } | { insert: DayLine[] } | { seal: true };

/** What the program has been promised, and how far it is. */
export interface InsertProgress {
  /** The number of points so far. */
  points: number;
  /** What it was about to do or had just done. */
  what: string;
  /** How many steps are done. */
  done: number;
}

/** Four lines are longer than a block, so that few steps make blocks. */
const PADDING = 300_000;

/** What the program does. */
export const STEPS: readonly Step[] = [
  {
    record: [
      ...linesBetween("a", 36_000, 36_002, 1, PADDING),
      ...linesBetween("b", 36_010, 36_013, 1, PADDING),
    ],
  },
  { insert: linesBetween("first gap", 36_003, 36_006) },
  { record: linesBetween("c", 36_020, 36_024, 1, PADDING) },
  { insert: linesBetween("second gap", 36_004, 36_030, 8) },
  { record: linesBetween("d", 36_040, 36_042) },
  { seal: true },
  { insert: linesBetween("third gap", 36_014, 36_018) },
  { record: linesBetween("late", 36_050, 36_052) },
  { insert: linesBetween("fourth gap", 36_043, 36_060, 6) },
  { seal: true },
];

if (import.meta.main) {
  const [directory, mode, argument] = Deno.args as [string, "kill" | "copy" | "live", string];
  const progress: InsertProgress = { points: 0, what: "", done: 0 };
  if (mode !== "live") {
    patchDisk(progress, directory, mode, argument);
    patchWorker();
  }
  await live(directory, progress, mode === "live");
  keep(directory, progress);
}

/** Writes down how far it is, in one step, so that a kill leaves what was there or this. */
function keep(directory: string, progress: InsertProgress): void {
  Deno.writeTextFileSync(`${directory}.progress.new`, JSON.stringify(progress));
  Deno.renameSync(`${directory}.progress.new`, `${directory}.progress`);
}

async function live(directory: string, progress: InsertProgress, keepsProgress: boolean): Promise<void> {
  const clock = new FakeClock(NOON);
  const archive = await Archive.open({
    directory,
    clock,
    logger: silentLogger,
    syncIntervalMs: 1000,
    sealAfterMs: HOUR_MS,
    retentionDays: null,
    maxDiskPercent: null,
  });
  for (const step of STEPS) {
    if ("record" in step) {
      appendDayLines(archive, step.record);
      await archive.sync();
    } else if ("insert" in step) await insertDayLines(archive, directory, step.insert);
    else {
      clock.skip(24 * HOUR_MS);
      await archive.maintain();
      if (!archive.day(DAY)!.sealed) throw new Error("Cannot go on: the day was not sealed");
    }
    progress.done++;
    if (keepsProgress) keep(directory, progress);
  }
  await archive.close();
}
