/**
 * Promises what an answer of an S3 server that is no success means, and what a person does about it.
 *
 * @module
 */

import { BucketError, type BucketFailure } from "./bucket_error.ts";
import { readXml, textOf } from "./bucket_xml.ts";

/** An answer with another status than those of success. */
export interface FailedAnswer {
  /** What did not work, as `Cannot read "KEY"`. */
  what: string;
  /** Its status. */
  status: number;
  /** Its headers. */
  headers: Headers;
  /** Its body. */
  body: Uint8Array<ArrayBuffer>;
  /** When it came, by this machine's clock, in milliseconds since 1970. */
  nowMs: number;
}

/** What each error code means that says more than the status does. */
const FAILURES: Readonly<Record<string, BucketFailure>> = {
  RequestTimeTooSkewed: "clock",
  RequestExpired: "clock",
  SlowDown: "busy",
  TooManyRequests: "busy",
  // Two writers met, and this one has to try again: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  ConditionalRequestConflict: "busy",
  OperationAborted: "busy",
  // The server has waited for bytes, or got others than were sent: they were lost or changed on the way.
  RequestTimeout: "down",
  IncompleteBody: "broken",
  BadDigest: "broken",
  XAmzContentSHA256Mismatch: "broken",
};

/** The error that an answer is. */
export function answerError(answer: FailedAnswer): BucketError {
  const { what, status } = answer;
  const code = errorCode(answer.body);
  const failure = FAILURES[code ?? ""] ?? failureOf(status);
  const said = `${what}: the server answered ${status}${code === null ? "" : ` ${code}`}`;
  return new BucketError(failure, `${said}; ${adviceFor(failure, code, answer)}`, code);
}

/**
 * The error code in the body of an answer; null where it has none, as the answer to HEAD. S3 also answers 200 with an error, after
 * it has begun to answer (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
 */
export function errorCode(body: Uint8Array<ArrayBuffer>): string | null {
  const error = readXml(new TextDecoder().decode(body));
  const code = error?.name === "Error" ? textOf(error, "Code") : null;
  return code !== null && /^[A-Za-z0-9.]{1,64}$/.test(code) ? code : null;
}

function failureOf(status: number): BucketFailure {
  // An error after the answer has begun: the server could not do it then.
  if (status === 200) return "down";
  if (status === 404) return "missing";
  if (status === 401 || status === 403) return "denied";
  if (status === 412) return "changed";
  if (status === 429) return "busy";
  return status >= 500 ? "down" : "refused";
}

function adviceFor(
  failure: BucketFailure,
  code: string | null,
  { status, headers, nowMs }: FailedAnswer,
): string {
  switch (failure) {
    case "missing":
      return code === "NoSuchBucket" ? "check BUCKET_NAME and AWS_ENDPOINT_URL_S3" : "it is not there";
    case "denied":
      return "check that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right and may do this in the bucket";
    case "clock":
      return `${clockDifference(headers.get("date"), nowMs)}; set the clock of this machine right`;
    case "changed":
      return "it is not the object that was meant";
    case "refused":
      return status >= 300 && status < 400
        ? "the bucket is elsewhere, check AWS_ENDPOINT_URL_S3 and AWS_REGION"
        : "it cannot be asked so, check AWS_ENDPOINT_URL_S3 and AWS_REGION";
    default:
      return "try again later";
  }
}

/** How far this machine's clock is from the server's, whose `Date` is to the second. */
function clockDifference(date: string | null, nowMs: number): string {
  const differenceMs = nowMs - Date.parse(date ?? "");
  if (Number.isNaN(differenceMs)) return "this machine's clock is another than the server's";
  const seconds = Math.round(Math.abs(differenceMs) / 1000);
  return `this machine's clock is ${seconds} s ${differenceMs < 0 ? "behind" : "ahead of"} the server's`;
}
