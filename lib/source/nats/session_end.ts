/**
 * Promises that every way in which a session can fail has one of a few names, and that the words with it
 * contain no secret.
 *
 * @module
 */

import type { ServerUrl } from "./server_url.ts";

/** At most this many characters of what a server says are repeated in a message. */
export const SERVER_TEXT_LIMIT = 200;

/**
 * Why a session has ended. `stop`: it was asked to. `disconnect`: the connection was lost, or the server sent
 * nothing more. `refused`: the server does not take the credentials (any more). `denied`: it does not allow a
 * subscription (any more). `stall`: whoever used the session found it silent. `protocol`: the server sent what is not
 * NATS, or an error of the server that means none of these. `noise`: the server sent lines of the protocol without end, and no message.
 * `callback`: a subscription's `onMessage` threw.
 */
export type EndKind =
  | "stop"
  | "disconnect"
  | "refused"
  | "denied"
  | "stall"
  | "protocol"
  | "noise"
  | "callback";

/** How a session ended. */
export interface SessionEnd {
  /** The reason. */
  kind: EndKind;
  /** The reason in words, without any secret and without anything of a message. */
  message: string;
  /**
   * {@linkcode Clock.elapsed} when the last PING that was answered was sent: the answer comes after every message
   * that the server had by then, so up to this moment nothing is missing.
   */
  lastGoodMs: number;
  /** What `onMessage` threw, if it did. */
  error?: unknown;
}

/** Why there is no session. `unreachable` is every failure that says nothing about credentials or rights. */
export type SessionErrorKind = "unreachable" | "refused" | "denied" | "protocol";

/** Thrown by {@linkcode openSession}; the message contains no secret. */
export class SessionError extends Error {
  /** The name of the class. */
  override name = "SessionError";
  /** What to do about it depends on this. */
  readonly kind: SessionErrorKind;

  /** An error of `kind`. */
  constructor(kind: SessionErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The error for a session that cannot be opened; `reason` contains no secret. */
export function cannotOpen(kind: SessionErrorKind, server: ServerUrl, reason: string): SessionError {
  return new SessionError(kind, `Cannot open a session with "${server.redacted}": ${reason}`);
}

/** What an end before the session was open is called. */
export function errorKindOf(kind: EndKind): SessionErrorKind {
  if (kind === "noise") return "protocol";
  return kind === "refused" || kind === "denied" || kind === "protocol" ? kind : "unreachable";
}

/**
 * What an `-ERR` line of the server means for the session. Every one of them ends it: those after which a server
 * leaves the connection up are a subscription that is not allowed and faults of the client.
 *
 * The texts: https://github.com/nats-io/nats-server/blob/main/server/errors.go
 */
export function readServerError(line: string): [kind: EndKind, message: string] {
  const text = line.replace(/^-ERR\s+/i, "").replace(/^'(.*)'$/, "$1").slice(0, SERVER_TEXT_LIMIT);
  const message = `The server says ${JSON.stringify(text)}`;
  if (/permissions violation|maximum subscriptions|invalid subject/i.test(text)) return ["denied", message];
  if (/authori[sz]ation|authentication|revoked|expired|credential/i.test(text)) return ["refused", message];
  if (/stale connection|slow consumer|connections exceeded|shutdown|closed/i.test(text)) {
    return ["disconnect", message];
  }
  return ["protocol", message];
}
