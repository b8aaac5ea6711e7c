/**
 * Promises that what goes wrong with Fly's API says what to do about it, and that neither a token nor anything of an answer's
 * text is in it.
 *
 * @module
 */

/**
 * Why there is no answer, by what the caller does about it:
 *
 * - `refused`: the token is wrong or may not (401, 403), or there is no such app: at Fly, 401 can mean both.
 * - `missing`: there is no such app (404), or the token may not see it.
 * - `busy`: too many requests, also after all retries. Ask later.
 * - `down`: no connection, no answer in time, an answer that breaks off, 5xx, also after all retries. Ask later.
 * - `answer`: an answer that makes no sense. Asking again does not help.
 */
export type FlyApiFailure = "refused" | "missing" | "busy" | "down" | "answer";

/** What went wrong with a request to Fly's API. */
export class FlyApiError extends Error {
  /** What the caller goes by. */
  readonly failure: FlyApiFailure;
  /** The status of the answer; null if there was none, or if it was not the status that was wrong. */
  readonly status: number | null;

  /** `message` is for people. */
  constructor(failure: FlyApiFailure, message: string, status: number | null = null) {
    super(message);
    this.name = "FlyApiError";
    this.failure = failure;
    this.status = status;
  }
}
