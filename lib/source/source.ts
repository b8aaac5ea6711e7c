/**
 * Promises one shape for where lines come from, so that whoever records knows nothing else about it: not which
 * protocol it speaks, nor what its addresses look like.
 *
 * A {@linkcode Source} opens sessions, one after another. In a session it hands over messages, and says three things
 * that the promise of a log without unnamed holes rests on: up to which moment nothing is missing, whether it can be
 * held back, and why it ended.
 *
 * A source that keeps what it has handed over until that is safe has {@linkcode SourcePositions}. Example: it has handed
 * over the messages 1 to 7, so its position is 7. The lines are written and synced; then, and not before, it is told that
 * 7 is safe, and may forget them. If the program dies before that, it hands over 1 to 7 again.
 *
 * @module
 */

import type { GapCause } from "../gaps/gap.ts";
import type { Details } from "../logger.ts";

/** A message as a source hands it over; valid only during the call. */
export interface SourceMessage {
  /** The message's bytes, a view on a buffer that is used again. */
  readonly payload: Uint8Array;
  /** `logs.<app>.<region>.<machine>`, or whatever says as much about where the message is from. Made when asked for. */
  readonly subject: string;
}

/** Who takes what a session brings. */
export interface SourceListener {
  /** Takes one message. If it throws, the session ends. */
  onMessage(message: SourceMessage): void;
  /**
   * Takes the payload of a line that this program may have printed itself, where {@linkcode Source.hasEcho}. The same line
   * may come as a message, too.
   */
  onEcho(payload: Uint8Array): void;
}

/** Why a session has ended, or could not be opened. */
export interface SourceFailure {
  /** What the gap that begins with it is called; `stop` where the session was asked to end. */
  readonly cause: GapCause;
  /** The source's own word for it, one of a few, for the log. */
  readonly kind: string;
  /** The reason in words, without any secret and without anything of a message. */
  readonly message: string;
  /** Whether somebody has to do something first, so that trying again soon is of no use: a token is refused. */
  readonly needsHelp: boolean;
}

/** How a session ended. */
export interface SourceEnd extends SourceFailure {
  /** As {@linkcode SourceSession.lastGoodMs} was in the end. */
  readonly lastGoodMs: number;
}

/** Thrown by {@linkcode Source.open}. */
export class SourceError extends Error {
  /** The name of the class. */
  override name = "SourceError";
  /** What is known about it. */
  readonly failure: SourceFailure;

  /** An error with the failure's message. */
  constructor(failure: SourceFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** How a source learns what it need not keep any more. What a position is, is the source's own affair. */
export interface SourcePositions {
  /** How far the messages go for which {@linkcode SourceListener.onMessage} has returned; null before the first. */
  current(): unknown;
  /**
   * Everything up to `position`, which {@linkcode SourcePositions.current} has returned, is on the disk or was left out on
   * purpose. May come after the session has ended. Never called for a position that covers a message which was dropped.
   */
  onSafe(position: unknown): void;
}

/** A session that is open. */
export interface SourceSession {
  /** Resolves once, when the session has ended and nothing of it is left. Never rejects. */
  readonly ended: Promise<SourceEnd>;
  /** Whether {@linkcode SourceSession.pause} does anything. */
  readonly canPause: boolean;
  /**
   * {@linkcode Clock.elapsed} of the last moment of which it is proven that nothing published until then is missing. It
   * says nothing about the time since, and of a stream that is dead further up a source may say too much.
   */
  readonly lastGoodMs: number;
  /** Null where a source keeps nothing of what it has handed over. */
  readonly positions: SourcePositions | null;
  /** Asks for no more messages. What is under way already still comes. */
  pause(): void;
  /** Goes on after {@linkcode SourceSession.pause}. */
  resume(): void;
  /**
   * Finds out whether anything is missing now, which moves {@linkcode SourceSession.lastGoodMs}. Resolves with the answer,
   * and stays open if there is none.
   */
  ask(): Promise<void>;
  /** Ends the session, of which `message` says that nothing comes. No message follows. Harmless once it has ended. */
  endStalled(message: string): void;
  /** Takes what has been sent until now, within a limit of time, and ends. Harmless once it has ended. */
  stop(): Promise<SourceEnd>;
}

/** Where lines come from. */
export interface Source {
  /** Where that is, as users see it, without secrets. */
  readonly name: string;
  /** The same for the log. */
  readonly details: Details;
  /** Whether lines that this program prints come back, through {@linkcode SourceListener.onEcho}. */
  readonly hasEcho: boolean;
  /**
   * Opens a session. Messages may come before it resolves.
   *
   * @throws {SourceError} If there can be none.
   * @throws The reason of `signal`, if that was aborted. It has no effect on an open session.
   */
  open(listener: SourceListener, signal: AbortSignal): Promise<SourceSession>;
}
