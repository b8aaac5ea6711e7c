/**
 * The worker that inflates and deflates for readers, away from the thread that records.
 *
 * @module
 */

import { deflateBlock, inflateBlock } from "./block.ts";
import type { BlockEntry } from "./format.ts";
import { serveWorker } from "./worker_client.ts";

/** Deflate level for text that is asked for before its block is made: whoever asks is waiting. */
const ON_THE_SPOT_LEVEL = 1;

/** What a read worker can be asked for. */
export type ReadTask =
  | { kind: "inflate"; bytes: Uint8Array; block: Pick<BlockEntry, "rawLength" | "crc32"> }
  | { kind: "deflate"; text: Uint8Array };

/** Does one task. */
export function runReadTask(task: ReadTask): Uint8Array {
  return task.kind === "inflate"
    ? inflateBlock(task.bytes, task.block)
    : deflateBlock(task.text, ON_THE_SPOT_LEVEL);
}

if ("DedicatedWorkerGlobalScope" in globalThis) {
  serveWorker(runReadTask, (bytes) => [bytes.buffer as ArrayBuffer]);
}
