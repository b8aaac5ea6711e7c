/**
 * The worker that makes gzip blocks, seals days and verifies them, away from the thread that records. It
 * gives way to that thread: on a machine of one core recording comes first and blocks get what is left.
 *
 * @module
 */

import os from "node:os";
import type { BlockEntry, SealEntry } from "./format.ts";
import { type BlocksTask, makeBlocks, prepareSeal, type SealTask } from "./sealing.ts";
import { serveWorker } from "./worker_client.ts";

/** What the block worker can be asked for. */
export type BlockTask = BlocksTask | SealTask;

/**
 * What it gives: the new entries, or the seal. `plainFault` says what is wrong with a plain file that is not the
 * text of its blocks any more.
 */
export type BlockResult = { entries: BlockEntry[] } | { seal: SealEntry; plainFault?: string };

/** Linux gives each thread a nice value of its own, and pid 0 means the calling thread (man setpriority). */
const NICE = 10;

function handle(task: BlockTask): BlockResult {
  if (task.kind === "makeBlocks") return { entries: makeBlocks(task) };
  let plainFault: string | undefined;
  const seal = prepareSeal(task, ({ message }) => plainFault = message);
  return { seal, plainFault };
}

os.setPriority(0, NICE);
serveWorker(handle);
