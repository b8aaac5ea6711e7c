/**
 * Promises that a path is either there or not: what is there answers GET and HEAD, or POST alone where it does something,
 * and says so to every other method.
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

/** Adds one thing that is asked for by POST alone, since it does something. Other methods are answered with 405 and Allow. */
export function addAction(app: Hono, path: string, answer: Answer): void {
  app.post(path, answer);
  app.all(path, (c) => {
    throw new Problem("method-not-allowed", `Use POST here, not ${show(c.req.method)}`, {
      headers: [["Allow", "POST"]],
    });
  });
}

/** Answers with one line of JSON, so that a terminal's prompt does not stick to its end. */
export function answerJson(c: Context, value: unknown): Response {
  c.header("Content-Type", "application/json");
  c.header("Cache-Control", "no-store");
  return c.body(`${JSON.stringify(value)}\n`);
}
