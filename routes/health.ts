/**
 * Promises three answers to "is it well": whether the process serves, whether it records, and everything it
 * knows about itself.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { GAP_CAUSES, GAP_STATES } from "../lib/gaps/gap.ts";
import {
  type Readiness,
  RECORDER_STATES,
  type RecorderCounters,
  type RecorderState,
} from "../lib/recorder/status.ts";
import { OPEN_PATH } from "./auth.ts";
import { type GapAnswer, gapAnswer, type HeldAnswer, heldAnswer } from "./coverage.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import { refuseParameters } from "./query.ts";
import { addResource, answerJson } from "./resource.ts";

/** The answer of `GET /status`. Times are RFC 3339 UTC, sizes bytes. */
export interface StatusAnswer {
  /** The program's version. */
  version: string;
  /** Whether lines are being recorded. */
  ready: boolean;
  /** Why not; empty when ready. */
  reasons: string[];
  /** The session with the server. */
  session: {
    state: RecorderState;
    since: string;
    server: string;
    lastLine: string | null;
    lagMs: number | null;
    /** The proof of life of Fly's pipeline; null where none is asked for. */
    canary: { everReturned: boolean; missed: number; roundTripMs: number | null } | null;
    lastError: { at: string; message: string } | null;
  };
  /** What was counted since the process started. */
  counters: RecorderCounters;
  /** What lies in the archive. */
  archive: { days: number; lines: number; bytes: number; gzBytes: number };
  /** Lines that were received and cannot be read yet, since the disk does not take them; null for none. */
  held: HeldAnswer | null;
  /** What was out of order in it since the process started, and what was done about it; the latest of it. */
  repaired: { file: string; what: string }[];
  /** The volume under it; null where it could not be measured. */
  disk: { totalBytes: number; freeBytes: number } | null;
  /**
   * What came of reading the days back: when all of them had been, how many are, and what could not be put
   * right.
   */
  scrub: { lastFinished: string | null; daysChecked: number; damaged: { day: string; what: string }[] };
  /** The gap that began last; null if there never was one. */
  lastGap: GapAnswer | null;
}

/** So much of what was out of order is told at most. */
const REPAIRED_LIMIT = 20;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const statusAnswerSchema = v.strictObject({
  version: v.string(),
  ready: v.boolean(),
  reasons: v.array(v.string()),
  session: v.strictObject({
    state: v.picklist(RECORDER_STATES),
    since: time,
    server: v.pipe(v.string(), v.url(), v.check((server) => !server.includes("@"))),
    lastLine: v.nullable(time),
    lagMs: v.nullable(v.number()),
    canary: v.nullable(v.strictObject({
      everReturned: v.boolean(),
      missed: count,
      roundTripMs: v.nullable(v.number()),
    })),
    lastError: v.nullable(v.strictObject({ at: time, message: v.string() })),
  }),
  counters: v.strictObject({
    received: count,
    recorded: count,
    rejected: count,
    filtered: count,
    empty: count,
    dropped: count,
    bytes: count,
  }),
  archive: v.strictObject({ days: count, lines: count, bytes: count, gzBytes: count }),
  held: v.nullable(v.strictObject({ since: time, lines: count, reason: v.nullable(v.string()) })),
  repaired: v.array(v.strictObject({ file: v.string(), what: v.string() })),
  disk: v.nullable(v.strictObject({ totalBytes: count, freeBytes: count })),
  scrub: v.strictObject({
    lastFinished: v.nullable(time),
    daysChecked: count,
    damaged: v.array(v.strictObject({ day: v.string(), what: v.string() })),
  }),
  lastGap: v.nullable(v.strictObject({
    since: time,
    until: v.nullable(time),
    cause: v.picklist(GAP_CAUSES),
    state: v.picklist(GAP_STATES),
  })),
});

/**
 * Checks that a value is the answer of `GET /status`, with no field missing and none besides.
 *
 * @throws If it is not.
 */
export function parseStatusAnswer(value: unknown): StatusAnswer {
  return v.parse(statusAnswerSchema, value);
}

/** Adds `/health` and `/ready`, which Fly's checks ask. */
export function addReadinessRoutes(app: Hono, parts: { recorder: { readiness(): Readiness } }): void {
  addResource(app, OPEN_PATH, (c) => c.text("ok\n", 200, { "Cache-Control": "no-store" }));
  addResource(app, "/ready", (c) => {
    refuseParameters(c.req.url);
    const { ready, reasons } = parts.recorder.readiness();
    if (ready) return c.text("ready\n", 200, { "Cache-Control": "no-store" });
    throw new Problem("not-ready", "See reasons, and /status for more; recording resumes by itself", {
      fields: { reasons },
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
    lastGap: lastGap && gapAnswer(lastGap),
  };
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
