/**
 * Promises `/logs`, the list of the days, and `/logs/{day}`, a day in each of its forms.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import type { DayInfo } from "../lib/archive/archive.ts";
import { DAY_MS, dayStartMs, parseDayName } from "../lib/day.ts";
import { GAP_CAUSES, GAP_STATES } from "../lib/gaps/gap.ts";
import { type GapAnswer, gapAnswer } from "./coverage.ts";
import { answerDay } from "./day_file.ts";
import { type DayRequest, readDayRequest } from "./day_name.ts";
import { leadToSearch } from "./elsewhere.ts";
import { answerLines } from "./line_answer.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import { type LineQuery, PARAMETERS, readLineQuery, refuseParameters } from "./query.ts";
import { addResource, answerJson } from "./resource.ts";

/** One day of {@linkcode DaysAnswer}. Sizes are bytes, times RFC 3339 UTC. */
export interface DayAnswer {
  /** `YYYY-MM-DD`. */
  day: string;
  /** How many lines it has. */
  lines: number;
  /** The size of its text. */
  bytes: number;
  /** The size of its gzip file, so far while it is not sealed. */
  gzBytes: number;
  /** The smallest timestamp of a line; null if no line has one. */
  first: string | null;
  /** The largest timestamp of a line; null if no line has one. */
  last: string | null;
  /** Whether it is complete and no longer changes, unless a line comes very late. */
  sealed: boolean;
  /** How many lines besides were received and cannot be read yet, since the disk does not take them. */
  held: number;
  /** The gaps that touch it. */
  gaps: GapAnswer[];
  /** Where to get it: as lines, as a gzip file of them, as text. */
  links: { jsonl: string; gz: string; text: string };
}

/** The answer of `GET /logs`. */
export interface DaysAnswer {
  /** The days, newest first. */
  days: DayAnswer[];
}

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/));
const link = v.pipe(v.string(), v.startsWith("/logs/"));
const gapSchema = v.strictObject({
  since: time,
  until: v.nullable(time),
  cause: v.picklist(GAP_CAUSES),
  state: v.picklist(GAP_STATES),
});
const daysAnswerSchema = v.strictObject({
  days: v.array(v.strictObject({
    day: v.pipe(v.string(), v.check((day) => parseDayName(day) !== null)),
    lines: size,
    bytes: size,
    gzBytes: size,
    first: v.nullable(time),
    last: v.nullable(time),
    sealed: v.boolean(),
    held: size,
    gaps: v.array(gapSchema),
    links: v.strictObject({ jsonl: link, gz: link, text: link }),
  })),
});

/**
 * Checks that a value is the answer of `GET /logs`, with no field missing and none besides.
 *
 * @throws If it is not.
 */
export function parseDaysAnswer(value: unknown): DaysAnswer {
  return v.parse(daysAnswerSchema, value);
}

/** The routes under `/logs`. */
export function createLogsRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/logs", (c) => {
    const elsewhere = leadToSearch(c);
    if (elsewhere !== null) return elsewhere;
    refuseParameters(c.req.url);
    const days = parts.archive.days().map((info) => dayAnswer(info, parts));
    return answerJson(c, { days } satisfies DaysAnswer);
  });
  addResource(app, "/logs/:day", (c) => {
    const request = readDayRequest(c.req.param("day") ?? "", parts);
    if (new URL(c.req.url).searchParams.size === 0) return answerDay(c, request, parts);
    return answerLines(c, parts, readDayQuery(c.req.url, request, parts), request.day);
  });
  return app;
}

/**
 * The parameters of a request for a part of a day, whose path may name the form.
 *
 * @throws {Problem} 400 for those that are wrong, and for all where the form is a gzip file.
 */
function readDayQuery(url: string, { form, hasForm, name, day }: DayRequest, parts: Parts): LineQuery {
  if (form === "gz") refuseParameters(url);
  const query = readLineQuery(url, PARAMETERS, parts.clock.now(), day);
  const named = form === "text" ? "text" : "jsonl";
  if (hasForm && query.format !== null && query.format !== named) {
    throw new Problem(
      "bad-parameter",
      `format must be ${named} here; leave it out, or ask for /logs/${name}`,
      {
        param: "format",
      },
    );
  }
  return { ...query, format: query.format ?? named };
}

function dayAnswer(info: DayInfo, parts: Pick<Parts, "gaps">): DayAnswer {
  const { day, lines, bytes, gzBytes, first, last, sealed, held } = info;
  const sinceMs = dayStartMs(parseDayName(day)!);
  return {
    day,
    lines,
    bytes,
    gzBytes,
    first,
    last,
    sealed,
    held,
    gaps: parts.gaps.touching(sinceMs, sinceMs + DAY_MS).map(gapAnswer),
    links: { jsonl: `/logs/${day}.jsonl`, gz: `/logs/${day}.jsonl.gz`, text: `/logs/${day}.log` },
  };
}
