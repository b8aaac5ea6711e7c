/**
 * Promises a day that was really recorded and sealed, of several blocks which do not shrink to nothing, healed where that is wanted; and what it
 * is read with.
 *
 * @module
 */

import { parseSealedIndex } from "../../lib/archive/blocks/day_index.ts";
import type { DamageHandler, DayReading } from "../../lib/archive/day/open_day.ts";
import { editsFile, gzFile, indexFile, type SealEntry } from "../../lib/archive/format.ts";
import { FileBytes } from "../../lib/archive/read/bytes.ts";
import { IndexCache } from "../../lib/archive/read/index_cache.ts";
import { ReadPool } from "../../lib/archive/read/pool.ts";
import { LARGEST_BYTES, MemoryBudget } from "../../lib/machine/memory_budget.ts";
import type { SealedDay } from "../../lib/store/day_uploader.ts";
import { DAY, dayText, NOON, openArchive, TestDirectory } from "../archive/archive_rig.ts";
import { heal } from "../archive/healed_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { createRandom } from "../rig/random.ts";

const encoder = new TextEncoder();

/** What day is recorded. */
export interface SealedRigOptions {
  /** How many lines, of some 1,000 bytes each, of which 600 are left in the gzip file. */
  lines: number;
  /** Whether lines are brought back into it after it was sealed. */
  isHealed?: boolean;
}

/** A sealed day on the disk. */
export class SealedRig implements Disposable {
  readonly directory: TestDirectory;
  /** Its text. */
  readonly text: string;

  private constructor(directory: TestDirectory, text: string) {
    this.directory = directory;
    this.text = text;
  }

  /** Records a day and seals it. */
  static async make({ lines, isHealed = false }: SealedRigOptions): Promise<SealedRig> {
    const directory = new TestDirectory();
    await using opened = await openArchive(directory);
    const random = createRandom(1);
    for (let number = 0; number < lines; number++) {
      opened.archive.append(DAY, encoder.encode(variedRecord(number, random)), false, {
        seconds: DAY * 86_400 + number,
        nanoseconds: 0,
      });
    }
    await opened.seal();
    if (isHealed) {
      const found = Array.from(
        { length: 20 },
        (_, number) => ({ name: `back-${number}`, second: number * 50 }),
      );
      await heal(opened.archive, directory, found);
    }
    return new SealedRig(directory, await dayText(opened.archive));
  }

  /** The totals of its text. */
  get seal(): SealEntry {
    return parseSealedIndex(this.directory.text(indexFile(DAY)), DAY).seal;
  }

  /** Opens its files, which are to be closed. */
  open(): SealedDay & Disposable {
    const { directory, seal } = this;
    const gz = new FileBytes(directory.file(gzFile(DAY)));
    const index = new FileBytes(directory.file(indexFile(DAY)));
    const edits = seal.healed === undefined ? null : new FileBytes(directory.file(editsFile(DAY)));
    const close = () => {
      for (const bytes of [gz, index, edits]) bytes?.[Symbol.dispose]();
    };
    return { day: DAY, seal, gz, index, edits, [Symbol.dispose]: close };
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}

/** The record of a line: half of it is random, so that it stays large when it is deflated. */
function variedRecord(number: number, random: () => number): string {
  let noise = "";
  while (noise.length < 900) noise += Math.floor(random() * 2 ** 32).toString(36);
  const time = new Date((DAY * 86_400 + number) * 1000).toISOString();
  return `{"fly":{"app":{"name":"web"}},"message":"line ${number} ${noise}","timestamp":"${time}"}`;
}

/** What days are read with. */
export interface ReadingRig extends Disposable {
  memory: MemoryBudget;
  reading: DayReading;
  damage: DamageHandler;
}

/** Makes what days are read with; damage of an index is an error. */
export function startReading(): ReadingRig {
  const clock = new FakeClock(NOON);
  const pool = new ReadPool(clock, 1);
  return {
    memory: new MemoryBudget({ limitBytes: LARGEST_BYTES, clock }),
    reading: { pool, indexes: new IndexCache() },
    damage: { mendIndex: (reason) => Promise.reject(new Error(reason)), onMasked: () => {} },
    [Symbol.dispose]: () => pool.close(),
  };
}
