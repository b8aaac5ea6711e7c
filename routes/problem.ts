/**
 * Promises that every error is answered as RFC 9457 problem details: a stable `type` for programs, a `detail`
 * that tells people what to do, and the parameter at fault where there is one.
 *
 * @module
 */

import type { Logger } from "../lib/logger.ts";
import { type ProblemAnswer, problemHead, type ProblemName } from "./wire/problem.ts";

/** What a problem may carry besides its name and detail. */
export interface ProblemOptions {
  /** The query parameter at fault. */
  param?: string;
  /** Why nothing is being recorded, one sentence each; of `not-ready`. */
  reasons?: readonly string[];
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
    this.status = problemHead(problem).status;
    this.#problem = problem;
    this.#options = options;
  }

  /** The answer. */
  toResponse(): Response {
    const { param, reasons, headers } = this.#options;
    const body: ProblemAnswer = { ...problemHead(this.#problem), detail: this.message };
    if (param !== undefined) body.param = param;
    if (reasons !== undefined) body.reasons = [...reasons];
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
