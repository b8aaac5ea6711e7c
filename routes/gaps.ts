/**
 * Promises `/gaps`: where lines may be missing, and why.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { GAP_CAUSES, GAP_STATES } from "../lib/gaps/gap.ts";
import { timestampMs, timestampMsUp } from "../lib/timestamp.ts";
import { type GapAnswer, gapAnswer } from "./coverage.ts";
import type { Parts } from "./parts.ts";
import { readLineQuery } from "./query.ts";
import { addResource, answerJson } from "./resource.ts";

/** The answer of `GET /gaps`: those that touch the span from `since` to `until`, oldest first. */
export interface GapsAnswer {
  /** The gaps, healed ones too. */
  gaps: GapAnswer[];
}

const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const gapsAnswerSchema = v.strictObject({
  gaps: v.array(v.strictObject({
    since: time,
    until: v.nullable(time),
    cause: v.picklist(GAP_CAUSES),
    state: v.picklist(GAP_STATES),
  })),
});

/**
 * Checks that a value is the answer of `GET /gaps`, with no field missing and none besides.
 *
 * @throws If it is not.
 */
export function parseGapsAnswer(value: unknown): GapsAnswer {
  return v.parse(gapsAnswerSchema, value);
}

/** The route `/gaps`. */
export function createGapsRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/gaps", (c) => {
    const { since, until } = readLineQuery(c.req.url, ["since", "until"], parts.clock.now()).filter;
    const sinceMs = since ? timestampMs(since) : -Infinity;
    const untilMs = until ? timestampMsUp(until) : Infinity;
    const gaps = parts.gaps.touching(sinceMs, untilMs).map(gapAnswer);
    return answerJson(c, { gaps } satisfies GapsAnswer);
  });
  return app;
}
