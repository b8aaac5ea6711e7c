/**
 * Promises that who asks for something under a name that is nearly right is told the right one: a browser is
 * redirected there, and a terminal gets an error that names it. A command that saves what it gets must not take a
 * redirect's text for the lines.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { wantsPage } from "./page/layout.ts";
import { Problem } from "./problem.ts";
import { PARAMETERS } from "./query.ts";

/** Names that people try, and what they mean. */
const ELSEWHERE: readonly (readonly [path: string, target: string, what: string])[] = [
  ["/days", "/logs", "lists the days"],
  ["/log", "/logs", "lists the days"],
  ["/today", "/logs/today", "has today's lines"],
  ["/yesterday", "/logs/yesterday", "has yesterday's lines"],
  ["/follow", "/tail", "follows new lines"],
  ["/grep", "/search", "finds lines"],
  ["/healthz", "/health", "says that the process serves"],
];

/** Adds the routes of names that are nearly right, for reading only. */
export function addElsewhere(app: Hono): void {
  for (const [path, target, what] of ELSEWHERE) {
    app.get(
      path,
      (c) => leadTo(c, target, () => new Problem("not-found", `Ask for ${target}, which ${what}`)),
    );
  }
  app.get("/metrics", () => {
    throw new Problem(
      "not-found",
      "Metrics are on a port of their own, METRICS_PORT (9091 unless it is set), and need no token there",
    );
  });
}

/**
 * Leads who asks `/logs` for a part of the lines, as `/search` is asked, to there.
 *
 * @throws {Problem} 400 where that is a terminal.
 */
export function leadToSearch(c: Context): Response | null {
  const asked = [...new URL(c.req.url).searchParams.keys()];
  const known: ReadonlySet<string> = new Set(PARAMETERS);
  if (asked.length === 0 || !asked.every((name) => known.has(name))) return null;
  return leadTo(
    c,
    "/search",
    () =>
      new Problem(
        "bad-parameter",
        "/logs lists the days; ask for /search with the same parameters to find lines",
        {
          param: asked[0]!,
        },
      ),
  );
}

/** Takes a browser to `target`, with its query. @throws {Problem} For all others. */
function leadTo(c: Context, target: string, problem: () => Problem): Response {
  if (!wantsPage(c)) throw problem();
  c.header("Cache-Control", "no-store");
  c.header("Vary", "Accept");
  return c.redirect(target + new URL(c.req.url).search, 307);
}
