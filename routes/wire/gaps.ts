/**
 * Promises the answer of `GET /gaps`, and one shape for a gap wherever an answer has one: in the list of the days, in
 * the status, and as the data of the events `gap` and `healed` of `/tail`.
 *
 * @module
 */

import * as v from "valibot";
import { type Gap, GAP_CAUSES, GAP_STATES, type GapHealing } from "../../lib/gaps/gap.ts";
import { countSchema, timeSchema } from "./scalars.ts";

const healingSchema = v.strictObject({
  sources: v.pipe(
    v.array(v.strictObject({
      name: v.pipe(v.string(), v.description("fly, or the address of another recorder")),
      lines: v.pipe(
        countSchema,
        v.description("How many lines it has brought; 0 where it says that none is missing"),
      ),
    })),
    v.description("Who has brought lines, or agrees that none is missing; empty where nobody did"),
  ),
  at: v.pipe(timeSchema, v.description("When this was found out last")),
  until: v.pipe(
    v.nullable(timeSchema),
    v.description("Up to where the gap was looked through, where that is done in pieces; else null"),
  ),
});

/** A gap: a span of time in which lines may be missing. */
export const gapSchema = v.strictObject({
  since: v.pipe(timeSchema, v.description("The last moment that is known good")),
  until: v.pipe(
    v.nullable(timeSchema),
    v.description("The first moment that is known good again; null while the gap lasts"),
  ),
  cause: v.pipe(v.picklist(GAP_CAUSES), v.description("Why nobody recorded")),
  state: v.pipe(v.picklist(GAP_STATES), v.description("What has become of it")),
  healed: v.pipe(
    v.nullable(healingSchema),
    v.description(
      "What was done to bring its lines back; null before anything was, and for a token that does not see every line",
    ),
  ),
  reason: v.pipe(
    v.nullable(v.string()),
    v.description("Why it is not healed, in words; null where that is not known, or it is healed"),
  ),
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
export function gapAnswer({ sinceMs, untilMs, cause, state, healing }: Gap): GapAnswer {
  return {
    since: formatTime(sinceMs),
    until: untilMs === null ? null : formatTime(untilMs),
    cause,
    state,
    healed: healing && healingAnswer(healing),
    reason: healing?.reason ?? null,
  };
}

function healingAnswer({ sources, atMs, doneUntilMs }: GapHealing): GapAnswer["healed"] {
  return {
    sources: sources.map(({ name, lines }) => ({ name, lines })),
    at: formatTime(atMs),
    until: doneUntilMs === null ? null : formatTime(doneUntilMs),
  };
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
