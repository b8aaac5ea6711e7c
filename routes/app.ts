/**
 * Promises the whole HTTP API: who may ask, what every answer carries, and that whatever goes wrong before the
 * first byte of an answer becomes a problem. What goes wrong later breaks the connection.
 *
 * @module
 */

import { Hono, type MiddlewareHandler } from "hono";
import { authenticate, identifyByToken } from "./auth.ts";
import { createDigestRoutes } from "./digest.ts";
import { addElsewhere } from "./elsewhere.ts";
import { createGapsRoutes } from "./gaps.ts";
import { createHealRoutes } from "./heal.ts";
import { createHealthRoutes } from "./health.ts";
import { createHomeRoutes } from "./home.ts";
import { createLogsRoutes } from "./logs.ts";
import { createPageRoutes } from "./page/page.ts";
import type { Parts } from "./parts.ts";
import { refuseOutOfScope } from "./principal.ts";
import { answerError, Problem } from "./problem.ts";
import { createSearchRoutes } from "./search.ts";
import { createTailRoutes } from "./tail.ts";

/** The API as a handler of Fetch requests. */
export interface App {
  /** Answers one request; never throws. */
  fetch(request: Request): Response | Promise<Response>;
}

/**
 * What every answer carries unless its route says otherwise. Nothing of a log is ever to be run, framed, sniffed
 * or named to other hosts.
 */
const SECURITY_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
} as const;

/** Builds the API. */
export function createApp(parts: Parts): App {
  // A slash at the end of an address means nothing: /tail/ is /tail.
  const app = new Hono({ strict: false });
  app.use(addSecurityHeaders);
  app.use(authenticate(parts.identify ?? identifyByToken(parts.config)));
  app.use(refuseOutOfScope);
  app.route("/", createPageRoutes(parts));
  app.route("/", createHomeRoutes(parts));
  app.route("/", createLogsRoutes(parts));
  app.route("/", createDigestRoutes(parts));
  app.route("/", createSearchRoutes(parts));
  app.route("/", createTailRoutes(parts));
  app.route("/", createGapsRoutes(parts));
  app.route("/", createHealRoutes(parts));
  app.route("/", createHealthRoutes(parts));
  addElsewhere(app);
  app.notFound(() => new Problem("not-found", "Ask for / to see what there is").toResponse());
  app.onError((error, c) => answerError(error, c.req.method, parts.logger));
  return {
    async fetch(request) {
      const response = await app.fetch(request);
      parts.onAnswer?.(request.method, response.status);
      return response;
    },
  };
}

const addSecurityHeaders: MiddlewareHandler = async function securityHeaders(c, next) {
  await next();
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
};
