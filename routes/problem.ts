/**
 * Promises that every error is answered as RFC 9457 problem details: a stable `type` for programs, a `detail`
 * that tells people what to do, and the parameter at fault where there is one.
 *
 * @module
 */

import type { Logger } from "../lib/logger.ts";

/** What comes before the name of each problem in its `type`. The types are names, not addresses. */
const TYPE_PREFIX = "urn:flightlog:problem:";

/** The name of a problem, the last part of its `type`. */
export type ProblemName =
  | "bad-parameter"
  | "bad-day"
  | "unauthorized"
  | "not-found"
  | "unknown-day"
  | "method-not-allowed"
  | "removed-day"
  | "precondition-failed"
  | "range-not-satisfiable"
  | "misdirected"
  | "internal"
  | "not-ready"
  | "too-many-readers"
  | "too-many-followers"
  | "no-api-token";

/** Every problem with its status and title. Names are never changed: programs compare them. */
const PROBLEMS: Readonly<Record<ProblemName, readonly [status: number, title: string]>> = {
  "bad-parameter": [400, "A parameter is wrong"],
  "bad-day": [400, "This is not a day"],
  "unauthorized": [401, "A token is needed"],
  "not-found": [404, "There is nothing here"],
  "unknown-day": [404, "Nothing was recorded on this day"],
  "method-not-allowed": [405, "This can only be read"],
  "removed-day": [410, "This day was removed by retention"],
  "precondition-failed": [412, "The day has changed"],
  "range-not-satisfiable": [416, "The range lies behind the end"],
  "misdirected": [421, "This server does not answer for that host"],
  "internal": [500, "Something broke"],
  "not-ready": [503, "Nothing is being recorded"],
  "too-many-readers": [503, "Too many are reading"],
  "too-many-followers": [503, "Too many are following"],
  "no-api-token": [503, "The API has no token yet"],
};

/** What a problem may carry besides its name and detail. */
export interface ProblemOptions {
  /** The query parameter at fault. */
  param?: string;
  /** Further fields of the answer's body. */
  fields?: Readonly<Record<string, unknown>>;
  /** Further headers of the answer, as pairs, since one name may come twice. */
  headers?: readonly (readonly [string, string])[];
}

/** An error that is an answer. Thrown by a route, it is sent as it stands. */
export class Problem extends Error {
  /** The HTTP status. */
  readonly status: number;
  readonly #problem: ProblemName;
  readonly #options: ProblemOptions;

  /** Takes the problem's name and what to do about it, which may not hold secrets or raw input. */
  constructor(problem: ProblemName, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = "Problem";
    this.status = PROBLEMS[problem][0];
    this.#problem = problem;
    this.#options = options;
  }

  /** The answer. */
  toResponse(): Response {
    const { param, fields, headers } = this.#options;
    const body = {
      type: TYPE_PREFIX + this.#problem,
      title: PROBLEMS[this.#problem][1],
      status: this.status,
      detail: this.message,
      param,
      ...fields,
    };
    const response = new Response(`${JSON.stringify(body)}\n`, {
      status: this.status,
      headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
    });
    for (const [name, value] of headers ?? []) response.headers.append(name, value);
    return response;
  }
}

/** Input that is shown in an answer is cut off after this many characters. */
const SHOWN_LIMIT = 60;

/**
 * Input as an answer may show it: short, and of printable ASCII only. JSON leaves some control characters
 * alone, and answers are read in terminals.
 */
export function show(input: string): string {
  const shown = input.length > SHOWN_LIMIT ? `${input.slice(0, SHOWN_LIMIT)}...` : input;
  return `"${shown.replace(/[^\x20-\x7e]|["\\]/g, "?")}"`;
}

/** The answer to whatever a handler threw. What is not a {@linkcode Problem} is told to the log, not to the client. */
export function answerError(error: Error, method: string, logger: Logger): Response {
  if (error instanceof Problem) return error.toResponse();
  logger.log("error", "request failed", { method, error: String(error) });
  return new Problem("internal", "The recorder's own log says what; recording goes on").toResponse();
}
