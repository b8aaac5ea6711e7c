/**
 * Promises that a day knows of the archive around it only what stands here, and that what it reports there loses nothing.
 *
 * @module
 */

import type { Clock } from "../../clock.ts";
import type { DayNumber } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import type { BlockResult, BlockTask } from "../blocks/block_task.ts";
import type { VolumeUsage } from "../volume.ts";
import type { PlainFile } from "./plain_file.ts";
import type { WriterEvents } from "./plain_writer.ts";

/** What a day needs of the archive it lies in. */
export interface DayHost {
  /** Where the archive lies. */
  directory: string;
  /** Goes for every wait, and says when the text changed. */
  clock: Clock;
  /** A write is synced at most this much later, in milliseconds. */
  syncIntervalMs: number;
  /** Hands a task to the block worker. */
  runBlockTask(task: BlockTask): Promise<BlockResult>;
  /** The writer's events, besides those that the day uses itself. */
  events(day: DayNumber): WriterEvents;
  /** Told of what failed in the background; nothing is lost by it. */
  onFault(what: string, error: unknown): void;
  /** Told of damage to a file that was mended. */
  onRepair(file: string, what: string): void;
  /** Told of what somebody has done to a file while it was written, and what became of it. */
  onMeddled(file: string, what: string): void;
  /** Told of the timestamps that lines may have had which are lost, since somebody has cut a file while it was written. */
  onLost(span: Span): void;
  /**
   * Makes sure that no other process writes here.
   *
   * @throws {Error} If one does, or if that cannot be made sure.
   */
  confirmLock(): void;
  /** Told of damage that a reader met and did not suffer from, since the same text lies elsewhere too. */
  onMasked(file: string, what: string): void;
  /** For tests: a volume as full as wanted. Default: {@linkcode readVolumeUsage}. */
  readUsage?: (path: string) => Promise<VolumeUsage>;
  /** For tests: opens a plain file that fails. */
  openFile?: (path: string) => Promise<PlainFile>;
}
