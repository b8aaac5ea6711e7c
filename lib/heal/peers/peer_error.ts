/**
 * Promises that what goes wrong with another recorder is told as what to do about it, and that neither a token nor anything
 * of an answer's text is in it.
 *
 * @module
 */

/**
 * Why there is no answer that can be used:
 *
 * - `down`: no connection, no answer in time, an answer that breaks off, 5xx. Ask later.
 * - `busy`: it has too many readers (503 with `Retry-After`), also after all retries. Ask later.
 * - `refused`: the token is wrong or may not (401, 403), or none is set there.
 * - `foreign`: what answers is no Flightlog, or records another organisation.
 * - `version`: it is a Flightlog of another version, whose digests cannot be compared.
 * - `broken`: it does not keep to what it says: lines that its digest does not have, or more than can be.
 */
export type PeerFailure = "down" | "busy" | "refused" | "foreign" | "version" | "broken";

/** What went wrong with another recorder. */
export class PeerError extends Error {
  /** What the caller goes by. */
  readonly failure: PeerFailure;

  /** `message` is for people. */
  constructor(failure: PeerFailure, message: string) {
    super(message);
    this.name = "PeerError";
    this.failure = failure;
  }
}
