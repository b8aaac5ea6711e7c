/**
 * Promises `/logs`, the list of the days, and `/logs/{day}`, a day in each of its forms.
 *
 * @module
 */

import { Hono } from "hono";
import type { DayInfo } from "../lib/archive/archive.ts";
import { DAY_MS, dayName, type DayNumber, dayStartMs } from "../lib/day.ts";
import { answerDay } from "./day_file.ts";
import { type DayRequest, readDayRequest } from "./day_name.ts";
import { leadToSearch } from "./elsewhere.ts";
import { answerLines } from "./line_answer.ts";
import { knownDays } from "./listed_days.ts";
import type { Parts } from "./parts.ts";
import { withinScope } from "./principal.ts";
import { Problem } from "./problem.ts";
import { type LineQuery, PARAMETERS, readLineQuery, refuseParameters } from "./query.ts";
import { addResource, answerJson } from "./resource.ts";
import type { DayAnswer, DaysAnswer } from "./wire/days.ts";
import { gapAnswer } from "./wire/gaps.ts";

/** The routes under `/logs`. */
export function createLogsRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/logs", (c) => {
    const elsewhere = leadToSearch(c);
    if (elsewhere !== null) return elsewhere;
    refuseParameters(c.req.url);
    const days = knownDays(parts.archive).map((day) =>
      dayAnswer(parts.archive.day(day) ?? unread(day), parts)
    );
    return answerJson(c, { days } satisfies DaysAnswer);
  });
  addResource(app, "/logs/:day", (c) => {
    const request = readDayRequest(c.req.param("day") ?? "", parts);
    if (new URL(c.req.url).searchParams.size === 0) return answerDay(c, request, parts);
    const query = withinScope(c, readDayQuery(c.req.url, request, parts));
    return answerLines(c, parts, query, request.day);
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

/** What is known of a day whose files cannot be read: the gap that it is tells so. */
function unread(day: DayNumber): DayInfo {
  const size = { lines: 0, bytes: 0, gzBytes: 0, held: 0, edition: 0, recordedBytes: 0 };
  return { ...size, day, first: null, last: null, sealed: false, crc32: null, modifiedMs: 0 };
}

function dayAnswer(info: DayInfo, parts: Pick<Parts, "gaps">): DayAnswer {
  const { lines, bytes, gzBytes, first, last, sealed, held } = info;
  const day = dayName(info.day);
  const sinceMs = dayStartMs(info.day);
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
