/**
 * Promises the answer of `GET /gaps`, and one shape for a gap wherever an answer has one: in the list of the days, in
 * the status, and as the data of the event `gap` of `/tail`.
 *
 * @module
 */

import * as v from "valibot";
import { type Gap, GAP_CAUSES, GAP_STATES } from "../../lib/gaps/gap.ts";
import { timeSchema } from "./scalars.ts";

/** A gap: a span of time in which lines may be missing. */
export const gapSchema = v.strictObject({
  since: v.pipe(timeSchema, v.description("The last moment that is known good")),
  until: v.pipe(
    v.nullable(timeSchema),
    v.description("The first moment that is known good again; null while the gap lasts"),
  ),
  cause: v.pipe(v.picklist(GAP_CAUSES), v.description("Why nobody recorded")),
  state: v.pipe(v.picklist(GAP_STATES), v.description("What has become of it")),
});

/** A gap as answers show it. */
export type GapAnswer = v.InferOutput<typeof gapSchema>;

/** The answer of `GET /gaps`. */
export const gapsSchema = v.strictObject({
  gaps: v.pipe(
    v.array(gapSchema),
    v.description("The gaps that touch the span from since to until, oldest first, healed ones too"),
  ),
});

/** See {@linkcode gapsSchema}. */
export type GapsAnswer = v.InferOutput<typeof gapsSchema>;

/** Writes a gap as answers show it. */
export function gapAnswer(gap: Gap): GapAnswer {
  return {
    since: new Date(gap.sinceMs).toISOString(),
    until: gap.untilMs === null ? null : new Date(gap.untilMs).toISOString(),
    cause: gap.cause,
    state: gap.state,
  };
}
