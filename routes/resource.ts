/**
 * Promises that a path is either there or not: what is there answers GET and HEAD, and says so to every other
 * method.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { Problem, show } from "./problem.ts";

/** Answers GET and HEAD; Hono runs it for both and drops the body of the latter. */
export type Answer = (c: Context) => Response | Promise<Response>;

/** Adds one resource. Other methods are answered with 405 and Allow (RFC 9110 section 15.5.6). */
export function addResource(app: Hono, path: string, answer: Answer): void {
  app.get(path, answer);
  app.all(path, (c) => {
    throw new Problem("method-not-allowed", `Use GET or HEAD here, not ${show(c.req.method)}`, {
      headers: [["Allow", "GET, HEAD"]],
    });
  });
}

/** Answers with one line of JSON, so that a terminal's prompt does not stick to its end. */
export function answerJson(c: Context, value: unknown): Response {
  c.header("Content-Type", "application/json");
  c.header("Cache-Control", "no-store");
  return c.body(`${JSON.stringify(value)}\n`);
}
