/**
 * Promises one place for what the parts of a recorded day share, so that each of them sees at once when the day is sealed or
 * opened again.
 *
 * Offsets into a day's text are reckoned in two ways. *Recorded* offsets count what was recorded, without what was inserted
 * since, and never shift: those of the plain file, of its writer, and of who follows. *Offsets of the text* count it as it is now:
 * those of blocks, indexes and readers. After the sealed text, into which alone lines are inserted, they differ by
 * {@linkcode shiftOf}. Example: 1,000,000 bytes are sealed, 2,000 of which were inserted, so that 998,000 were recorded. The next
 * line begins at 998,000 as recorded, and at 1,000,000 of the text.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import { insertedBytes } from "../blocks/day_index.ts";
import type { SealEntry } from "../format.ts";
import type { DayHost } from "./day_host.ts";
import type { DayPaths } from "./day_paths.ts";
import type { DayTasks } from "./day_tasks.ts";
import type { PlainWriter } from "./plain_writer.ts";

/** What the parts of a day share. Only the day itself changes it. */
export interface DayCore {
  /** Which day it is. */
  readonly day: DayNumber;
  /** The archive it lies in. */
  readonly host: DayHost;
  /** Where its files are. */
  readonly paths: DayPaths;
  /** Runs what changes its derived files. */
  readonly tasks: DayTasks;
  /** The totals of the sealed text; null where none is sealed. */
  seal: SealEntry | null;
  /** Appends to the plain file; null while the day is sealed, and before its first line. */
  writer: PlainWriter | null;
  /** Whether the files of the day were removed: nothing is written any more. */
  isRemoved: boolean;
}

/**
 * By how many bytes what stands after the sealed text is farther from the day's start than it was when it was recorded; see the
 * module's comment.
 */
export function shiftOf({ seal }: Pick<DayCore, "seal">): number {
  return insertedBytes(seal);
}

/** Where the sealed text ends, in bytes of the text; 0 where none is sealed. */
export function sealedEndOf({ seal }: Pick<DayCore, "seal">): number {
  return seal?.rawBytes ?? 0;
}
