/**
 * A recorded day whose block worker is the test.
 *
 * @module
 */

import { type BlockResult, type BlockTask, runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import type { DayHost } from "../../../lib/archive/day/day_host.ts";
import { emptyDay } from "../../../lib/archive/day/day_info.ts";
import { RecordedDay } from "../../../lib/archive/day/recorded_day.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { DAY, NOON, record, type TestDirectory } from "../archive_rig.ts";

/** See {@linkcode createDay}. */
export interface DayRig {
  /** The day's time. */
  clock: FakeClock;
  /** The day. */
  day: RecordedDay;
  /** Appends the lines with the numbers from `from` to before `end`, each with so many bytes more. */
  append(from: number, end: number, padding?: number): void;
  /** What the day has told the archive of. */
  faults: string[];
}

/** Makes a day without lines: `beforeTask` is awaited before each task of the block worker, and may throw; `changes` are made to its host. */
export function createDay(
  directory: TestDirectory,
  beforeTask: (task: BlockTask) => unknown = () => {},
  changes: Partial<DayHost> = {},
): DayRig {
  const clock = new FakeClock(NOON);
  const faults: string[] = [];
  const host: DayHost = {
    directory: directory.path,
    clock,
    syncIntervalMs: 1000,
    runBlockTask: async (task): Promise<BlockResult> => {
      await beforeTask(task);
      return runBlockTask(task);
    },
    events: () => ({ onCommit() {}, onSync() {}, onDrain() {}, onTrouble() {}, onTiming() {} }),
    onRepair: (file, what) => void faults.push(`${file}: ${what}`),
    onMasked: (file, what) => void faults.push(`${file}: ${what}`),
    onMeddled: (file, what) => void faults.push(`${file}: ${what}`),
    onLost: (span) => void faults.push(`lost: ${span.sinceMs} to ${span.untilMs}`),
    confirmLock: () => {},
    onFault: (what, error) => void faults.push(`${what}: ${(error as Error).message}`),
    ...changes,
  };
  const day = new RecordedDay(emptyDay(DAY, clock.now()), host);
  const append = (from: number, end: number, padding = 0) => {
    for (let number = from; number < end; number++) {
      day.append(new TextEncoder().encode(record(number, padding)), false, {
        seconds: number,
        nanoseconds: 0,
      });
    }
  };
  return { clock, day, append, faults };
}
