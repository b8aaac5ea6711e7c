/**
 * Promises `/search`: the lines that are asked for, of any span of time, oldest first.
 *
 * @module
 */

import { Hono } from "hono";
import { answerLines } from "./line_answer.ts";
import type { Parts } from "./parts.ts";
import { withinScope } from "./principal.ts";
import { PARAMETERS, readLineQuery } from "./query.ts";
import { addResource } from "./resource.ts";

/** The route `/search`. Days come in their order, and lines of a day in that of their arrival. */
export function createSearchRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/search", (c) => {
    const query = withinScope(c, readLineQuery(c.req.url, PARAMETERS, parts.clock.now()));
    return answerLines(c, parts, query, null);
  });
  return app;
}
