/**
 * Promises the shape of every error: problem details as RFC 9457 has them, with a `type` from this list.
 *
 * @module
 */

import * as v from "valibot";

/** The name of a problem, the last part of its `type`. */
export type ProblemName =
  | "bad-parameter"
  | "bad-day"
  | "unauthorized"
  | "out-of-scope"
  | "foreign-page"
  | "not-found"
  | "unknown-day"
  | "method-not-allowed"
  | "no-source"
  | "already-healing"
  | "removed-day"
  | "precondition-failed"
  | "range-not-satisfiable"
  | "misdirected"
  | "internal"
  | "unreadable-day"
  | "not-ready"
  | "too-many-readers"
  | "too-many-followers"
  | "no-api-token";

/** Every problem with its status and title. Names are never changed: programs compare them. */
const PROBLEMS: Readonly<Record<ProblemName, readonly [status: number, title: string]>> = {
  "bad-parameter": [400, "A parameter is wrong"],
  "bad-day": [400, "This is not a day"],
  "unauthorized": [401, "A token is needed"],
  "out-of-scope": [403, "This token may not see the whole archive"],
  "foreign-page": [403, "Only this server's own pages may ask this"],
  "not-found": [404, "There is nothing here"],
  "unknown-day": [404, "Nothing was recorded on this day"],
  "method-not-allowed": [405, "This method is not for this address"],
  "no-source": [409, "There is nobody to ask for missing lines"],
  "already-healing": [409, "Somebody has asked for this already"],
  "removed-day": [410, "This day was removed by retention"],
  "precondition-failed": [412, "The day has changed"],
  "range-not-satisfiable": [416, "The range lies behind the end"],
  "misdirected": [421, "This server does not answer for that host"],
  "internal": [500, "Something broke"],
  "unreadable-day": [500, "The files of this day cannot be read"],
  "not-ready": [503, "Nothing is being recorded"],
  "too-many-readers": [503, "Too many are reading"],
  "too-many-followers": [503, "Too many are following"],
  "no-api-token": [503, "The API has no token yet"],
};

/** The members that are the same for each problem of one name. */
export interface ProblemHead {
  /** The name as a URI (RFC 9457 section 3.1.1), which is no address. */
  type: `urn:flightlog:problem:${ProblemName}`;
  /** What is wrong, in a few words. */
  title: string;
  /** The HTTP status. */
  status: number;
}

/** The members of every problem of this name. */
export function problemHead(name: ProblemName): ProblemHead {
  const [status, title] = PROBLEMS[name];
  return { type: `urn:flightlog:problem:${name}`, title, status };
}

const HEADS = (Object.keys(PROBLEMS) as ProblemName[]).map(problemHead);

/** Problem details. Only those of `/ready` have reasons; see {@linkcode problemHead} for what belongs together. */
export const problemSchema = v.pipe(
  v.strictObject({
    type: v.pipe(v.picklist(HEADS.map(({ type }) => type)), v.description("A stable name for programs")),
    title: v.pipe(v.string(), v.description("What is wrong, in a few words")),
    status: v.pipe(v.number(), v.description("The HTTP status")),
    detail: v.pipe(v.string(), v.minLength(1), v.description("What to do about it")),
    param: v.pipe(v.exactOptional(v.string()), v.description("The query parameter at fault")),
    reasons: v.pipe(
      v.exactOptional(v.array(v.string())),
      v.description("Why nothing is being recorded, one sentence each; of not-ready alone"),
    ),
  }),
  v.check(({ type, title, status }) =>
    HEADS.some((head) => head.type === type && head.title === title && head.status === status)
  ),
  v.check(({ type, reasons }) => (type === problemHead("not-ready").type) === (reasons !== undefined)),
);

/** See {@linkcode problemSchema}. */
export type ProblemAnswer = v.InferOutput<typeof problemSchema>;
