/**
 * Promises what Fly itself asks over the private network, where no token can be sent: the metrics, and
 * whether lines are being recorded. Nothing of what is recorded is told here.
 *
 * @module
 */

import { Hono } from "hono";
import type { Logger } from "../lib/logger.ts";
import type { Readiness } from "../lib/recorder/status.ts";
import type { App } from "./app.ts";
import { addReadinessRoutes } from "./health.ts";
import { answerError, Problem } from "./problem.ts";
import { addResource } from "./resource.ts";

/** What the metrics port is made of. */
export interface MetricsParts {
  /** The numbers as text. */
  metrics: { exposition(): Promise<{ text: string; contentType: string }> };
  /** Who knows whether lines are being recorded. */
  recorder: { readiness(): Readiness };
  /** Takes what went wrong inside. */
  logger: Logger;
}

/** Builds what answers on `METRICS_PORT`: `/metrics`, `/health` and `/ready`. */
export function createMetricsApp(parts: MetricsParts): App {
  const app = new Hono();
  addResource(app, "/metrics", async (c) => {
    const { text, contentType } = await parts.metrics.exposition();
    return c.body(text, 200, { "Content-Type": contentType, "Cache-Control": "no-store" });
  });
  addReadinessRoutes(app, parts);
  app.onError((error, c) => answerError(error, c.req.method, parts.logger));
  app.notFound(() => new Problem("not-found", "This port answers /metrics, /health and /ready").toResponse());
  return { fetch: (request) => app.fetch(request) };
}
