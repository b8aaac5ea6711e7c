/**
 * Promises `/logs/{day}/digest`: what another recorder needs to know whether it has the same lines of a day, without
 * sending one. It is of the whole archive: who may see only some of the lines is refused (principal.ts).
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { DAY_MS, dayStartMs } from "../lib/day.ts";
import { formatRecordedLines } from "../lib/heal/peers/recorded_lines.ts";
import { IDENTITY_VERSION } from "../lib/line/identity.ts";
import { COVERAGE_HEADER, formatCoverage, measureCoverage } from "./coverage.ts";
import { type DayRequest, readDayRequest } from "./day_name.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import { refuseParameters } from "./query.ts";
import { httpDate, type Validators, validDate, weighConditions } from "./range.ts";
import { reserve } from "./reader_place.ts";
import { addResource } from "./resource.ts";
import {
  type DigestAnswer,
  digestAnswer,
  INSTANCE_HEADER,
  ORG_HEADER,
  RECORDED_LINES_HEADER,
} from "./wire/digest.ts";

/** Counted up when the answer for the same lines changes, since its entity tag depends on it. */
const ANSWER_VERSION = 1;

/** The route `/logs/{day}/digest`. */
export function createDigestRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/logs/:day/digest", (c) => {
    const request = readDayRequest(c.req.param("day") ?? "", parts);
    const { name, hasForm } = request;
    if (hasForm) {
      throw new Problem("bad-day", `A digest is of a day, whatever its form: ask for /logs/${name}/digest`);
    }
    refuseParameters(c.req.url);
    if (c.req.method === "HEAD") return answerWithoutLines(c, request, parts) ?? c.body(null);
    return answerDigest(c, request, parts);
  });
  return app;
}

/**
 * Answers a GET. The client's place is held while the digest is made; what is sent then is small.
 *
 * @throws {Problem} 410 where the day is removed while this waits for its place, 503 where it gets none.
 * @throws {Error} If a block is damaged: a digest without its lines would look like one of a day without them.
 */
async function answerDigest(c: Context, request: DayRequest, parts: Parts): Promise<Response> {
  const { signal } = c.req.raw;
  const { day, name } = request;
  using _slot = await reserve(parts, signal);
  const info = parts.archive.day(day);
  if (info === undefined) {
    throw new Problem("removed-day", `${name} was removed to make room; there is no copy here`);
  }
  // In the same turn in which the day is opened: what the headers say is true of what is read.
  const without = answerWithoutLines(c, { ...request, info }, parts);
  if (without !== null) return without;
  try {
    const digest = digestAnswer(day, await parts.digests.digest(day, signal));
    return c.body(`${JSON.stringify(digest satisfies DigestAnswer)}\n`);
  } catch (error) {
    if (signal.aborted) return c.body(null, 503); // nobody is there to read it, and nothing is wrong
    throw error;
  }
}

/**
 * Sets the headers of the answer, and returns the whole answer where the client has the digest already; else null.
 *
 * @throws {Problem} 412 where the conditions of the request do not hold.
 */
function answerWithoutLines(c: Context, { day, name, info }: DayRequest, parts: Parts): Response | null {
  const sinceMs = dayStartMs(day);
  c.header("Content-Type", "application/json");
  const { instance, org, records } = parts.self;
  c.header(INSTANCE_HEADER, instance);
  const recorded = records && formatRecordedLines(records);
  if (recorded !== null) c.header(RECORDED_LINES_HEADER, recorded);
  if (org !== null) c.header(ORG_HEADER, encodeURIComponent(org.toWellFormed()));
  c.header(COVERAGE_HEADER, formatCoverage(measureCoverage(parts, sinceMs, sinceMs + DAY_MS)));
  c.header("Cache-Control", info.sealed ? "private, no-cache" : "no-store");
  if (!info.sealed) return null;
  const validators: Validators = {
    etag: `"${name}-${info.crc32}-${info.bytes}-digest-${ANSWER_VERSION}.${IDENTITY_VERSION}"`,
    modifiedMs: validDate(info.modifiedMs, parts.clock.now()),
  };
  c.header("ETag", validators.etag);
  if (validators.modifiedMs !== null) c.header("Last-Modified", httpDate(validators.modifiedMs));
  const outcome = weighConditions(c.req.raw.headers, validators);
  if (outcome === "not-modified") return c.body(null, 304);
  if (outcome === "send") return null;
  throw new Problem(
    "precondition-failed",
    `Ask for the digest of ${name} again without If-Match and If-Unmodified-Since`,
  );
}
