/**
 * Promises Fly's log stream, or what a NATS server has under a subject like its own, as a {@linkcode Source}.
 *
 * NATS core has no history and no positions: what was sent is gone, whoever has got it.
 *
 * @module
 */

import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import type { GapCause } from "../../gaps/gap.ts";
import type { Details } from "../../logger.ts";
import {
  type Source,
  type SourceEnd,
  SourceError,
  type SourceFailure,
  type SourceListener,
  type SourceSession,
} from "../source.ts";
import type { ServerUrl } from "./server_url.ts";
import { openSession, type Session, type Subscription } from "./session.ts";
import { type SessionEnd, SessionError } from "./session_end.ts";

/** The name that the server's own lists show. */
const CLIENT_NAME = "flightlog";

/** See {@linkcode FlyStream}. */
export interface FlyStreamOptions {
  /** The server, with the credentials. */
  server: ServerUrl;
  /** What to subscribe to. */
  subject: string;
  /** The queue group; null for every line. */
  queue: string | null;
  /**
   * The subject with which lines of this machine come back, to which it subscribes besides, and never in a queue group:
   * there another member would get them. Null where none come back.
   */
  echoSubject: string | null;
  /** Goes for every wait. */
  clock: Clock;
}

/** A subject of a NATS server. */
export class FlyStream implements Source {
  readonly #options: FlyStreamOptions;

  /** Connects to nothing yet. */
  constructor(options: FlyStreamOptions) {
    this.#options = options;
  }

  /** The stream that the configuration names. Where a canary is sent, lines of this machine come back with its subject. */
  static of(config: Config, clock: Clock): FlyStream {
    const { server, subject, queue, app, region, machine, canaryIntervalMs } = config;
    const echoSubject = canaryIntervalMs === null ? null : `logs.${app}.${region}.${machine}`;
    return new FlyStream({ server, subject, queue, echoSubject, clock });
  }

  /** The server's URL, without credentials. */
  get name(): string {
    return this.#options.server.redacted;
  }

  /** The server and the subject. */
  get details(): Details {
    return { server: this.#options.server.redacted, subject: this.#options.subject };
  }

  /** Whether there is a subject of this machine's own lines. */
  get hasEcho(): boolean {
    return this.#options.echoSubject !== null;
  }

  /** See {@linkcode Source.open}. */
  async open(listener: SourceListener, signal: AbortSignal): Promise<SourceSession> {
    const { server, clock } = this.#options;
    const subscriptions = this.#subscriptions(listener);
    try {
      return sessionOf(await openSession({ server, name: CLIENT_NAME, subscriptions, clock }, signal));
    } catch (error) {
      signal.throwIfAborted();
      throw new SourceError(failureOf(error as Error));
    }
  }

  #subscriptions(listener: SourceListener): Subscription[] {
    const { subject, queue, echoSubject } = this.#options;
    const subscriptions: Subscription[] = [{
      subject,
      ...(queue === null ? {} : { queue }),
      onMessage: (message) => listener.onMessage(message),
    }];
    if (echoSubject !== null) {
      subscriptions.push({ subject: echoSubject, onMessage: ({ payload }) => listener.onEcho(payload) });
    }
    return subscriptions;
  }
}

function sessionOf(session: Session): SourceSession {
  return {
    ended: session.ended.then(endOf),
    canPause: session.canPause,
    get lastGoodMs() {
      return session.lastGoodMs;
    },
    positions: null,
    pause: () => session.pause(),
    resume: () => session.resume(),
    ask: () => session.ask(),
    endStalled: (message) => session.end("stall", message),
    stop: async () => endOf(await session.stop()),
  };
}

function endOf({ kind, message, lastGoodMs }: SessionEnd): SourceEnd {
  return { cause: causeOf(kind), kind, message, lastGoodMs, needsHelp: kind === "refused" };
}

/** Why there is no session. What is no {@linkcode SessionError} is a mistake of ours, or of the configuration. */
function failureOf(error: Error): SourceFailure {
  const errorKind = error instanceof SessionError ? error.kind : "protocol";
  const kind = errorKind === "unreachable" ? "disconnect" : errorKind;
  return { cause: causeOf(kind), kind, message: error.message, needsHelp: kind === "refused" };
}

function causeOf(kind: SessionEnd["kind"]): GapCause {
  if (kind === "stop" || kind === "stall") return kind;
  return kind === "refused" || kind === "denied" ? "refused" : "disconnect";
}
