/**
 * The worker that inflates, deflates and selects lines for readers, away from the thread that records.
 *
 * @module
 */

import os from "node:os";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { deflateBlock, inflateBlock } from "../blocks/block.ts";
import type { BlockEntry } from "../format.ts";
import { type LineSelection, type SelectedLines, selectLines } from "./line_selection.ts";
import { serveWorker } from "../worker_client.ts";

/** Deflate level for text that is asked for before its block is made: whoever asks is waiting. */
const ON_THE_SPOT_LEVEL = 1;

/** What of a block's entry is needed to inflate it. */
export type InflatableBlock = Pick<BlockEntry, "rawLength" | "crc32">;

/** A task that results in bytes. */
export type BytesTask =
  | { kind: "inflate"; bytes: Uint8Array; block: InflatableBlock }
  | { kind: "deflate"; text: Uint8Array };

/** A task that results in lines: of a block, or of plain text where `block` is null. */
export interface SelectTask {
  /** Tells it from the other tasks. */
  kind: "select";
  /** The block as it lies in the gzip file, or plain text. */
  bytes: Uint8Array;
  /** What `bytes` have to inflate to; null for plain text. */
  block: InflatableBlock | null;
  /** Which lines of the text are wanted. */
  selection: LineSelection;
}

/** What a read worker can be asked for. The last one only tells whether it is there. */
export type ReadTask = BytesTask | SelectTask | { kind: "wake" };

/** What it answers. */
export type ReadResult = Uint8Array | SelectedLines | null;

/** Does a task that results in bytes. */
export function runBytesTask(task: BytesTask): Uint8Array {
  const source = task.kind === "inflate" ? task.bytes : task.text;
  const result = task.kind === "inflate"
    ? inflateBlock(source, task.block)
    : deflateBlock(source, ON_THE_SPOT_LEVEL);
  freeBuffer(source);
  return result;
}

/** Does a task that results in lines. Its bytes are gone then, unless they are the lines. */
export function runSelectTask({ bytes, block, selection }: SelectTask): SelectedLines {
  let text = bytes;
  if (block !== null) {
    text = inflateBlock(bytes, block);
    freeBuffer(bytes);
  }
  const selected = selectLines(text, selection);
  if (selected.bytes.buffer !== text.buffer) freeBuffer(text);
  return selected;
}

function runReadTask(task: ReadTask): ReadResult {
  if (task.kind === "wake") return null;
  return task.kind === "select" ? runSelectTask(task) : runBytesTask(task);
}

function buffersOf(result: ReadResult): ArrayBuffer[] {
  if (result === null) return [];
  const bytes = result instanceof Uint8Array ? result : result.bytes;
  return [bytes.buffer as ArrayBuffer];
}

/** Less than the recording thread's, more than the block worker's: a client waits for it; see block_worker.ts. */
const NICE = 8;

if ("DedicatedWorkerGlobalScope" in globalThis) {
  os.setPriority(0, NICE);
  serveWorker(runReadTask, buffersOf);
}
