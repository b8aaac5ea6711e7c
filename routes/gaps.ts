/**
 * Promises `/gaps`: where lines may be missing, and why, and where they were and are back.
 *
 * @module
 */

import { Hono } from "hono";
import { timestampMs, timestampMsUp } from "../lib/timestamp.ts";
import type { Parts } from "./parts.ts";
import { gapWithin, principalOf } from "./principal.ts";
import { readLineQuery } from "./query.ts";
import { addResource, answerJson } from "./resource.ts";
import { gapAnswer, type GapsAnswer } from "./wire/gaps.ts";

/** The route `/gaps`. */
export function createGapsRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/gaps", (c) => {
    const { since, until } = readLineQuery(c.req.url, ["since", "until"], parts.clock.now()).filter;
    const sinceMs = since ? timestampMs(since) : -Infinity;
    const untilMs = until ? timestampMsUp(until) : Infinity;
    const { scope } = principalOf(c);
    const gaps = parts.gaps.touching(sinceMs, untilMs).map((gap) => gapAnswer(gapWithin(scope, gap)));
    return answerJson(c, { gaps } satisfies GapsAnswer);
  });
  return app;
}
