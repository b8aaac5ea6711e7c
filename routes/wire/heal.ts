/**
 * Promises the answer of `POST /heal`: a line of JSON for each thing that is found out, and a last one that tells how it ended.
 *
 * @module
 */

import * as v from "valibot";
import type { Gap } from "../../lib/gaps/gap.ts";
import { gapAnswer, gapSchema } from "./gaps.ts";
import { countSchema } from "./scalars.ts";

/** One line of the answer. One that is cut off before `done` or `failed` broke off. */
export const healLineSchema = v.variant("event", [
  v.strictObject({
    event: v.literal("progress"),
    what: v.pipe(v.string(), v.description("What is being done, or what came of it, in words")),
  }),
  v.strictObject({
    event: v.literal("done"),
    lines: v.pipe(countSchema, v.description("How many lines were brought back")),
    gaps: v.pipe(v.array(gapSchema), v.description("The gaps in the span as they are now, oldest first")),
  }),
  v.strictObject({
    event: v.literal("failed"),
    reason: v.pipe(v.string(), v.description("Why it has ended before it was done")),
  }),
]);

/** See {@linkcode healLineSchema}. */
export type HealLine = v.InferOutput<typeof healLineSchema>;

/** The last line of an answer that is whole. */
export function doneLine(lines: number, gaps: readonly Gap[]): HealLine {
  return { event: "done", lines, gaps: gaps.map(gapAnswer) };
}
