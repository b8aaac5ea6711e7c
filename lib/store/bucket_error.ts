/**
 * Promises that what goes wrong with a bucket says what to do about it, and that no secret is in it. Of an answer's text only the
 * error code is shown: the rest repeats what was signed, and with which key.
 *
 * @module
 */

/**
 * Why it did not work, by what the caller does about it:
 *
 * - `missing`: there is no such object, upload or bucket (404).
 * - `exists`: an object that was to be written only if there is none is there, with other bytes (412).
 * - `changed`: an object is not the one that was to be read (412).
 * - `denied`: the keys are wrong or may not (401, 403). It may be right again later; a person has to look.
 * - `clock`: this machine's clock is too far from the bucket's (403 RequestTimeTooSkewed). Set it right.
 * - `busy`: too many requests (429, 503 SlowDown), also after all retries. Ask later.
 * - `down`: no connection, no answer in time, an answer that breaks off, 5xx, also after all retries. Ask later.
 * - `broken`: the bytes that came are not those that are there, also after all retries. Ask later.
 * - `refused`: an answer that makes no sense. Asking again does not help.
 */
export type BucketFailure =
  | "missing"
  | "exists"
  | "changed"
  | "denied"
  | "clock"
  | "busy"
  | "down"
  | "broken"
  | "refused";

/** What went wrong with a bucket. */
export class BucketError extends Error {
  /** The name of the class. */
  override name = "BucketError";
  /** What the caller goes by. */
  readonly failure: BucketFailure;
  /** The error code of the answer, such as `NoSuchKey`; null where it has none. */
  readonly code: string | null;

  /** `message` is for people. */
  constructor(failure: BucketFailure, message: string, code: string | null = null) {
    super(message);
    this.failure = failure;
    this.code = code;
  }

  /** Whether it may work when it is tried again at once or a little later. */
  get isPassing(): boolean {
    return this.failure === "busy" || this.failure === "down" || this.failure === "broken";
  }
}

/** Whether `error` is a {@linkcode BucketError} that came of `failure`. */
export function isBucketFailure(error: unknown, failure: BucketFailure): boolean {
  return error instanceof BucketError && error.failure === failure;
}
