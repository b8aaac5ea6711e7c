/**
 * Promises that what no stored day needs does not stay in the bucket, and that nothing is removed that one needs, or that an upload which is
 * under way is making.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Bucket } from "./bucket.ts";
import { daysPrefix } from "./layout.ts";
import { findDays, type FoundDay, type FoundGeneration, storedDayOf } from "./stored_day.ts";

/**
 * What belongs to no stored day is removed when it is so old, in milliseconds: no upload takes a day, and a clock that is some hours wrong does
 * no harm.
 */
export const ORPHAN_AGE_MS = 86_400_000;

/** A generation stays for so many milliseconds after a newer one was stored: whoever reads it reads it to its end. */
export const SUPERSEDED_AGE_MS = 3_600_000;

/** What was removed. */
export interface Swept {
  /** The names of objects. */
  removed: string[];
  /** The names of the objects whose uploads were given up. */
  aborted: string[];
}

/** Where is swept. */
export interface SweepOptions {
  /** The bucket. */
  bucket: Bucket;
  /** The name of the archive. */
  archive: string;
  /** Ages go by it; the bucket's own times are those of its server. */
  clock: Clock;
  /** Ends it. */
  signal?: AbortSignal;
}

/**
 * Removes what uploads that were killed have left, and generations in place of which newer ones are stored. An index goes before its gzip file,
 * so that a removal which is cut short leaves no day that seems to be stored.
 *
 * @throws {BucketError} As {@linkcode Bucket.list} and {@linkcode Bucket.remove}.
 */
export async function sweepStore({ bucket, archive, clock, signal }: SweepOptions): Promise<Swept> {
  const swept: Swept = { removed: [], aborted: [] };
  const nowMs = clock.now();
  for await (const upload of bucket.uploads(daysPrefix(archive), { signal })) {
    if (nowMs - upload.initiatedMs < ORPHAN_AGE_MS) continue;
    await bucket.abort(upload, signal);
    swept.aborted.push(upload.key);
  }
  for await (const day of findDays(bucket, archive, signal)) {
    for (const generation of unneeded(day, nowMs)) {
      const { index, gz, edits } = generation.files;
      for (const object of [index, gz, edits]) {
        if (object === undefined) continue;
        await bucket.remove(object.key, signal);
        swept.removed.push(object.key);
      }
    }
  }
  return swept;
}

/** The generations of a day that nobody needs. */
function unneeded({ generations }: FoundDay, nowMs: number): FoundGeneration[] {
  const newest = generations.findLastIndex((found) => storedDayOf(found) !== null);
  const newestMs = generations[newest]?.files.index?.modifiedMs ?? null;
  const isSuperseded = newestMs !== null && nowMs - newestMs >= SUPERSEDED_AGE_MS;
  return generations.filter((found, place) => {
    if (storedDayOf(found) !== null) return place < newest && isSuperseded;
    // An index whose gzip file is gone tells of a loss, which somebody has to hear of.
    if (found.files.index !== undefined) return false;
    return Object.values(found.files).every(({ modifiedMs }) =>
      modifiedMs !== null && nowMs - modifiedMs >= ORPHAN_AGE_MS
    );
  });
}
