/**
 * Promises a day that lies in a bucket as one that lies on the volume: whoever reads it does not know which.
 *
 * @module
 */

import { indexHeader } from "../archive/blocks/day_index.ts";
import { type DamageHandler, type DayReading, OpenDay } from "../archive/day/open_day.ts";
import { editsFile, gzFile, indexFile, type SealEntry } from "../archive/format.ts";
import type { Bytes } from "../archive/read/bytes.ts";
import type { MemoryBudget } from "../machine/memory_budget.ts";
import type { Bucket } from "./bucket.ts";
import { FarBytes } from "./far_bytes.ts";
import type { FarReads } from "./far_reads.ts";
import type { StoredDay } from "./stored_day.ts";
import type { StoredObject } from "./stored_object.ts";

/** What all far days share. */
export interface FarReading {
  /** Where they are. */
  bucket: Bucket;
  /** Whose turn it is to read. */
  reads: FarReads;
  /** Where what is read ahead is counted. */
  memory: MemoryBudget;
  /** What far days share with near ones. */
  reading: DayReading;
}

/** A far day. */
export interface FarDay {
  /** The objects that it is stored by. */
  stored: StoredDay;
  /** The totals of its text. */
  seal: SealEntry;
  /** The index where it lies on the volume still, to be disposed of with the day; null to read that in the bucket. */
  index: Bytes | null;
  /** Told of what is wrong. */
  damage: DamageHandler;
}

/** Opens a far day. Nothing is read yet. */
export function openFarDay({ stored, seal, index, damage }: FarDay, shared: FarReading): OpenDay {
  const { bucket, reads, memory, reading } = shared;
  const { day } = stored.generation;
  const far = (object: StoredObject, name: string): Bytes =>
    new FarBytes({ bucket, object, name, reads, memory });
  return new OpenDay({
    day,
    seal,
    gz: far(stored.gz, gzFile(day)),
    index: index ?? far(stored.index, indexFile(day)),
    edits: stored.edits === null ? null : far(stored.edits, editsFile(day)),
    plain: null,
    part: { bytes: null, index: { header: indexHeader(day, seal.rawBytes, 0), blocks: [], seal: null } },
    reading,
    damage,
  });
}
