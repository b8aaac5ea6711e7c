/**
 * Promises what can be asked of the block worker, and does it on whatever thread it is called.
 *
 * @module
 */

import type { MinuteTable } from "../../line/minute_sums.ts";
import type { BlockEntry, SealEntry } from "../format.ts";
import { type MendedIndex, mendIndex, type MendTask } from "../repair/index_repair.ts";
import {
  scrubHot,
  type ScrubHotTask,
  type ScrubResult,
  scrubSealed,
  type ScrubSealedTask,
} from "../repair/scrub_task.ts";
import { type FilledHole, fillHole, type HoleTask } from "../day/hole.ts";
import { digestFound, type DigestFoundTask } from "../day/found_digest.ts";
import { type Insertion, insertLines, type InsertTask } from "../day/insertion.ts";
import { type BlocksTask, makeBlocks, prepareSeal, type SealTask } from "../day/sealing.ts";

/** What the block worker can be asked for. */
export type BlockTask =
  | BlocksTask
  | SealTask
  | HoleTask
  | MendTask
  | ScrubSealedTask
  | ScrubHotTask
  | InsertTask
  | DigestFoundTask;

/**
 * What it returns: the new entries, the seal, how a hole was filled, an index that was made again, what reading back
 * found, what was inserted, or the digest of lines that were found.
 * `plainFault` says what is wrong with a plain file that is not the text of its blocks any more.
 */
export type BlockResult =
  | { entries: BlockEntry[] }
  | { seal: SealEntry; plainFault?: string }
  | { filled: FilledHole }
  | { mended: MendedIndex }
  | { scrubbed: ScrubResult }
  | { inserted: Insertion }
  | { digest: MinuteTable };

/**
 * Does a task. Blocks until it is done.
 *
 * @throws {Error} As the task's own function.
 */
export function runBlockTask(task: BlockTask): BlockResult {
  if (task.kind === "makeBlocks") return { entries: makeBlocks(task) };
  if (task.kind === "fillHole") return { filled: fillHole(task) };
  if (task.kind === "mendIndex") return { mended: mendIndex(task) };
  if (task.kind === "scrubSealed") return { scrubbed: scrubSealed(task) };
  if (task.kind === "scrubHot") return { scrubbed: scrubHot(task) };
  if (task.kind === "insert") return { inserted: insertLines(task) };
  if (task.kind === "digestFound") return { digest: digestFound(task) };
  let plainFault: string | undefined;
  const seal = prepareSeal(task, ({ message }) => plainFault = message);
  return { seal, plainFault };
}
