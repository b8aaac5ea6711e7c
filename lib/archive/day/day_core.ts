/**
 * Promises one place for what the parts of a recorded day share, so that each of them sees at once when the day is sealed or
 * opened again.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
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
}
