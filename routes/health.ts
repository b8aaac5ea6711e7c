/**
 * Promises three answers to "is it well": whether the process serves, whether it records, and everything it
 * knows about itself.
 *
 * @module
 */

import { Hono } from "hono";
import type { Readiness } from "../lib/recorder/status.ts";
import { OPEN_PATH } from "./auth.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import { refuseParameters } from "./query.ts";
import { addResource, answerJson } from "./resource.ts";
import { gapAnswer } from "./wire/gaps.ts";
import { heldAnswer } from "./wire/held.ts";
import type { StatusAnswer } from "./wire/status.ts";

/** So much of what was out of order is told at most. */
const REPAIRED_LIMIT = 20;

/** Adds `/health` and `/ready`, which Fly's checks ask. */
export function addReadinessRoutes(app: Hono, parts: { recorder: { readiness(): Readiness } }): void {
  addResource(app, OPEN_PATH, (c) => c.text("ok\n", 200, { "Cache-Control": "no-store" }));
  addResource(app, "/ready", (c) => {
    refuseParameters(c.req.url);
    const { ready, reasons } = parts.recorder.readiness();
    if (ready) return c.text("ready\n", 200, { "Cache-Control": "no-store" });
    throw new Problem("not-ready", "See reasons, and /status for more; recording resumes by itself", {
      reasons,
    });
  });
}

/** The routes `/health`, `/ready` and `/status`. */
export function createHealthRoutes(parts: Parts): Hono {
  const app = new Hono();
  addReadinessRoutes(app, parts);
  addResource(app, "/status", async (c) => {
    refuseParameters(c.req.url);
    return answerJson(c, await statusAnswer(parts));
  });
  return app;
}

async function statusAnswer(parts: Parts): Promise<StatusAnswer> {
  const { state, sinceMs, server, counters, lagMs, lastLineMs, canary, lastError } = parts.recorder
    .status();
  const { ready, reasons } = parts.recorder.readiness();
  const archive = { days: 0, lines: 0, bytes: 0, gzBytes: 0 };
  for (const day of parts.archive.days()) {
    archive.days++;
    archive.lines += day.lines;
    archive.bytes += day.bytes;
    archive.gzBytes += day.gzBytes;
  }
  const held = parts.archive.held();
  const lastGap = parts.gaps.latest();
  return {
    version: parts.version,
    ready,
    reasons: [...reasons],
    session: {
      state,
      since: formatMs(sinceMs),
      server,
      lastLine: lastLineMs === null ? null : formatMs(lastLineMs),
      lagMs: lagMs === null ? null : Math.round(lagMs),
      canary: canary && {
        everReturned: canary.everReturned,
        missed: canary.missed,
        roundTripMs: canary.roundTripMs === null ? null : Math.round(canary.roundTripMs),
      },
      lastError: lastError && { at: formatMs(lastError.atMs), message: lastError.message },
    },
    counters,
    archive,
    held: held && heldAnswer(held),
    repaired: parts.archive.findings.slice(-REPAIRED_LIMIT).map(({ file, what }) => ({ file, what })),
    disk: await diskAnswer(parts),
    scrub: scrubAnswer(parts),
    healing: healingAnswer(parts),
    lastGap: lastGap && gapAnswer(lastGap),
  };
}

function healingAnswer({ healer }: Parts): StatusAnswer["healing"] {
  if (!healer.hasSource) return null;
  const { due, working, beforeDoneMs, lines } = healer.status();
  return { due, working, beforeDone: beforeDoneMs === null ? null : formatMs(beforeDoneMs), lines };
}

function scrubAnswer({ scrub }: Parts): StatusAnswer["scrub"] {
  const { lastFinishedMs, daysChecked, damaged } = scrub.status();
  return { lastFinished: lastFinishedMs === null ? null : formatMs(lastFinishedMs), daysChecked, damaged };
}

/** A broken disk is what /status is asked about; it must not break the answer. */
async function diskAnswer(parts: Parts): Promise<StatusAnswer["disk"]> {
  try {
    const { totalBytes, availableBytes } = await parts.volumeUsage();
    return { totalBytes, freeBytes: availableBytes };
  } catch {
    return null;
  }
}

function formatMs(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
