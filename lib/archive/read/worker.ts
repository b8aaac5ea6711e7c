/**
 * The worker that inflates, deflates, selects lines and adds up their identities for readers, away from the thread that records.
 *
 * @module
 */

import os from "node:os";
import type { DayNumber } from "../../day.ts";
import { LineIdentifier } from "../../line/identity.ts";
import { MinuteSums, type MinuteTable } from "../../line/minute_sums.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { deflateBlock, inflateBlock } from "../blocks/block.ts";
import type { ByteRange } from "../day/open_day.ts";
import { type BlockEntry, LINE_FEED } from "../format.ts";
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

/** A task that results in the sums of the lines' identities: of a block, or of plain text where `block` is null. */
export interface DigestTask {
  /** Tells it from the other tasks. */
  kind: "digest";
  /** The day that the lines are of. */
  day: DayNumber;
  /** The block as it lies in the gzip file, or plain text. */
  bytes: Uint8Array;
  /** What `bytes` have to inflate to; null for plain text. */
  block: InflatableBlock | null;
  /** The part of the text that counts, which is whole lines. */
  range: ByteRange;
}

/** What a read worker can be asked for. The last one only tells whether it is there. */
export type ReadTask = BytesTask | SelectTask | DigestTask | { kind: "wake" };

/** What it answers. */
export type ReadResult = Uint8Array | SelectedLines | MinuteTable | null;

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
  const text = textOf(bytes, block);
  const selected = selectLines(text, selection);
  if (selected.bytes.buffer !== text.buffer) freeBuffer(text);
  return selected;
}

const identifier = new LineIdentifier();

/**
 * Adds up the identities of lines. The task's bytes are gone then.
 *
 * @throws {Error} If the range does not end with a line.
 */
export function runDigestTask({ day, bytes, block, range }: DigestTask): MinuteTable {
  const text = textOf(bytes, block);
  const sums = new MinuteSums(day);
  for (let start = range.start; start < range.end;) {
    const end = text.indexOf(LINE_FEED, start);
    if (end === -1 || end >= range.end) throw new Error("it ends within a line");
    const identity = identifier.identify(text, start, end);
    if (identity === null) sums.addWithoutIdentity();
    else sums.add(identifier.seconds, identity);
    start = end + 1;
  }
  freeBuffer(text);
  return sums.table();
}

/** The text of a block, whose own bytes are gone then, or plain text as it is. */
function textOf(bytes: Uint8Array, block: InflatableBlock | null): Uint8Array {
  if (block === null) return bytes;
  const text = inflateBlock(bytes, block);
  freeBuffer(bytes);
  return text;
}

function runReadTask(task: ReadTask): ReadResult {
  switch (task.kind) {
    case "wake":
      return null;
    case "select":
      return runSelectTask(task);
    case "digest":
      return runDigestTask(task);
    default:
      return runBytesTask(task);
  }
}

function buffersOf(result: ReadResult): ArrayBuffer[] {
  if (result === null || "minutes" in result) return []; // a table is small
  const bytes = result instanceof Uint8Array ? result : result.bytes;
  return [bytes.buffer as ArrayBuffer];
}

/** Less than the recording thread's, more than the block worker's: a client waits for it; see block_worker.ts. */
const NICE = 8;

if ("DedicatedWorkerGlobalScope" in globalThis) {
  os.setPriority(0, NICE);
  serveWorker(runReadTask, buffersOf);
}
