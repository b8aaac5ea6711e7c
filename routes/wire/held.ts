/**
 * Promises one shape for lines that were received and that the disk does not take: in the status, and as the data of
 * the event `held` of `/tail`.
 *
 * @module
 */

import * as v from "valibot";
import type { HeldLines } from "../../lib/archive/archive.ts";
import { countSchema, timeSchema } from "./scalars.ts";

/** Lines that are in memory only. */
export const heldSchema = v.strictObject({
  since: v.pipe(timeSchema, v.description("When the first of them came")),
  lines: v.pipe(countSchema, v.description("How many were received and are in memory only")),
  reason: v.pipe(
    v.nullable(v.string()),
    v.description("Why the disk does not take them; null where it is only slow"),
  ),
});

/** Lines that are held as answers show them. */
export type HeldAnswer = v.InferOutput<typeof heldSchema>;

/** Writes lines that are held as answers show them. */
export function heldAnswer({ sinceMs, lines, reason }: HeldLines): HeldAnswer {
  return { since: new Date(sinceMs).toISOString(), lines, reason };
}
