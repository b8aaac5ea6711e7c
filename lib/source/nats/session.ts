/**
 * Promises one session of subscriptions: from connecting to the one moment at which it ends, whatever the
 * reason. A session is never revived; its successor is a new one.
 *
 * nats.ws would reconnect by itself, but it gives up for good after two refusals, forgets a subscription
 * whose permission is taken away, and says nothing when its reader dies. So all of that is switched off or
 * kept from it, see {@linkcode ControlSocket}.
 *
 * @module
 */

import { connect, type ConnectionOptions, type NatsConnection } from "nats.ws";
import type { Cancel, Clock } from "../../clock.ts";
import { ControlSocket, type Transport } from "./control_socket.ts";
import type { Message } from "./frame_reader.ts";
import type { ServerUrl } from "./server_url.ts";
import {
  cannotOpen,
  type EndKind,
  errorKindOf,
  readServerError,
  type SessionEnd,
  SessionError,
} from "./session_end.ts";
import { TcpSocket } from "./tcp_socket.ts";
import { openWebSocket } from "./web_socket.ts";

export { type EndKind, type SessionEnd, SessionError };

/** How often the server is asked whether it is there, in milliseconds. */
export const PING_INTERVAL_MS = 10_000;

/** How many PINGs in a row may stay without anything received; the session ends when the next is due. */
export const PINGS_OUT_LIMIT = 2;

/** How long connecting and subscribing may take in all, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** How long {@linkcode Session.stop} waits for what the server has still sent, in milliseconds. */
export const STOP_TIMEOUT_MS = 2_000;

/** The longest delay that a timer takes; nats.ws needs timers that it is never to use. */
const NEVER_MS = 2 ** 31 - 1;

/** One subject to listen to. */
export interface Subscription {
  /** May have the wildcards `*` and `>`. */
  subject: string;
  /** Shares the messages among all subscribers of this queue group. */
  queue?: string;
  /**
   * Takes a message, which is valid only during the call. What it throws ends the session; so does nothing
   * else that it does, and it may end or pause the session itself.
   */
  onMessage(message: Message): void;
}

/** What {@linkcode openSession} needs. */
export interface SessionOptions {
  /** The server, with the credentials. */
  server: ServerUrl;
  /** Authorities to trust besides the usual ones, PEM. */
  caCertificates?: string[];
  /** The name that the server's own lists show. */
  name: string;
  /** At least one. */
  subscriptions: Subscription[];
  /** Goes for every wait. */
  clock: Clock;
  /** Default: {@linkcode PING_INTERVAL_MS}. */
  pingIntervalMs?: number;
  /** Default: {@linkcode PINGS_OUT_LIMIT}. */
  pingsOutLimit?: number;
  /** Default: {@linkcode CONNECT_TIMEOUT_MS}. */
  connectTimeoutMs?: number;
}

/** A session that the server has confirmed. */
export interface Session {
  /** Resolves once, when the session has ended and its socket and timers are gone. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Whether {@linkcode Session.pause} does anything: not for WebSocket. */
  readonly canPause: boolean;
  /** {@linkcode Clock.now} when anything was last received. */
  readonly lastHeardMs: number;
  /** As {@linkcode SessionEnd.lastGoodMs}, so far. */
  readonly lastGoodMs: number;
  /** Milliseconds that the last answered PING took; undefined before the first. */
  readonly roundTripMs: number | undefined;
  /** Stops reading, which holds the server back. At most one buffer's worth of messages still follows. */
  pause(): void;
  /** Goes on reading. */
  resume(): void;
  /**
   * Asks the server now whether it is there, which moves {@linkcode Session.lastGoodMs} with the answer. Resolves
   * with that, and stays open if there is none.
   */
  ask(): Promise<void>;
  /** Ends the session now; no message follows. Harmless once it has ended. */
  end(kind: EndKind, message: string): void;
  /**
   * Unsubscribes, takes what the server has sent until then, for {@linkcode STOP_TIMEOUT_MS} at most, and ends.
   * A paused session must be resumed for that.
   */
  stop(): Promise<SessionEnd>;
}

/**
 * Connects, authenticates, subscribes, and makes sure by a PING that the server has taken every subscription.
 * Messages may arrive before it resolves.
 *
 * @throws {SessionError} If there can be no session, also if the server does not answer within
 * `connectTimeoutMs`.
 * @throws The reason of `signal`, if that was aborted. It has no effect on an open session.
 * @throws {TypeError} If there is no subscription, or a subject or a queue contains white space.
 */
export async function openSession(options: SessionOptions, signal?: AbortSignal): Promise<Session> {
  checkSubscriptions(options.subscriptions);
  signal?.throwIfAborted();
  const { server, clock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const giveUp = new AbortController();
  function abort(): void {
    giveUp.abort(signal?.reason);
  }
  signal?.addEventListener("abort", abort, { once: true });
  const cancelTimeout = clock.after(connectTimeoutMs, () => {
    giveUp.abort(cannotOpen("unreachable", server, `no answer within ${connectTimeoutMs} ms`));
  });
  try {
    const transport = await openTransport(options, giveUp.signal);
    const session = new OpenSession(options, transport);
    await session.open(giveUp.signal);
    return session;
  } finally {
    cancelTimeout();
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * The states are: opening, open, stopping, ended; `#end` is set exactly when it is ended. Everything that can
 * go wrong, in any state, calls `#finish`, of which only the first call counts.
 */
class OpenSession implements Session {
  readonly ended: Promise<SessionEnd>;
  readonly canPause: boolean;
  lastHeardMs: number;
  lastGoodMs: number;
  roundTripMs: number | undefined;

  #options: SessionOptions;
  #transport: Transport;
  #socket: ControlSocket;
  #client: NatsConnection | undefined;
  #connecting: Promise<unknown> = Promise.resolve();
  // By the number that nats.ws gives to a subscription.
  #callbacks: Subscription["onMessage"][] = [];
  #unsubscribe: (() => void)[] = [];
  #cancelPings: Cancel | undefined;
  #pingsOut = 0;
  #paused = false;
  #end: SessionEnd | undefined;
  #resolveEnded: (end: SessionEnd) => void;

  constructor(options: SessionOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
    this.canPause = transport.pause !== undefined;
    this.lastHeardMs = options.clock.now();
    this.lastGoodMs = options.clock.elapsed();
    const { promise, resolve } = Promise.withResolvers<SessionEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#socket = new ControlSocket(transport, {
      onReceived: () => this.#heard(),
      onMessage: (sid, message) => this.#deliver(sid, message),
      onServerError: (text) => this.#finish(...readServerError(text)),
      onGarbage: (message) => this.#finish("protocol", message),
      onNoise: (message) => this.#finish("noise", message),
      onLost: (reason) => this.#finish("disconnect", `Connection lost: ${reason}`),
    });
  }

  async open(giveUp: AbortSignal): Promise<void> {
    const abort = () => this.#finish("disconnect", "Gave up connecting");
    giveUp.addEventListener("abort", abort, { once: true });
    if (giveUp.aborted) abort();
    try {
      await Promise.race([this.#handshake(), this.ended]);
    } finally {
      giveUp.removeEventListener("abort", abort);
    }
    if (this.#end === undefined) return;
    await this.ended;
    giveUp.throwIfAborted();
    const { kind, message } = this.#end;
    throw cannotOpen(errorKindOf(kind), this.#options.server, message);
  }

  pause(): void {
    if (!this.canPause || this.#end !== undefined) return;
    this.#paused = true;
    this.#transport.pause?.();
  }

  resume(): void {
    this.#paused = false;
    this.#pingsOut = 0;
    this.#transport.resume?.();
  }

  ask(): Promise<void> {
    return this.#ping();
  }

  end(kind: EndKind, message: string): void {
    this.#finish(kind, message);
  }

  async stop(): Promise<SessionEnd> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(STOP_TIMEOUT_MS, late.resolve);
    await Promise.race([this.#ping(), this.ended, late.promise]);
    cancel();
    this.#finish("stop", "Stopped");
    return await this.ended;
  }

  async #handshake(): Promise<void> {
    const { clock, subscriptions, pingIntervalMs = PING_INTERVAL_MS } = this.#options;
    try {
      const connecting = connect(this.#clientOptions());
      this.#connecting = connecting.catch(() => {});
      this.#client = await connecting;
    } catch (error) {
      return this.#finish("protocol", error instanceof Error ? error.message : "The handshake failed");
    }
    if (this.#end !== undefined) return;
    for (const { subject, queue, onMessage } of subscriptions) {
      // nats.ws never sees a message; with a callback it keeps no queue for them.
      const subscription = this.#client.subscribe(subject, { queue, callback: () => {} });
      this.#callbacks[subscription.getID()] = onMessage;
      this.#unsubscribe.push(() => subscription.unsubscribe());
    }
    await this.#ping();
    if (this.#end !== undefined) return;
    this.#cancelPings = clock.every(pingIntervalMs, () => this.#checkAlive());
  }

  #clientOptions(): ConnectionOptions {
    const { name, server: { credentials } } = this.#options;
    const known = credentials === undefined
      ? {}
      : "token" in credentials
      ? { token: credentials.token }
      : { user: credentials.user, pass: credentials.password };
    const options = {
      ...known,
      name,
      // The socket is there already; an address would only be parsed, and end up in messages.
      servers: "ws://server",
      wsFactory: () => Promise.resolve({ socket: this.#socket, encrypted: this.#transport.encrypted }),
      reconnect: false,
      ignoreClusterUpdates: true,
      // The session has a timeout and pings of its own, by its own clock.
      timeout: NEVER_MS,
      pingInterval: NEVER_MS,
      noAsyncTraces: true,
    };
    return options;
  }

  #heard(): void {
    this.lastHeardMs = this.#options.clock.now();
    this.#pingsOut = 0;
  }

  // Returns whether the message belongs to a subscription.
  #deliver(sid: number, message: Message): boolean {
    const callback = this.#callbacks[sid];
    if (callback === undefined) return false;
    try {
      callback(message);
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      this.#finish("callback", `Cannot take a message: the callback threw "${name}"`, error);
    }
    return true;
  }

  #checkAlive(): void {
    this.#socket.forgetNoise();
    // While reading is paused, an answer to a ping is not read either.
    if (this.#paused) return;
    const { pingIntervalMs = PING_INTERVAL_MS, pingsOutLimit = PINGS_OUT_LIMIT } = this.#options;
    if (this.#pingsOut >= pingsOutLimit) {
      const silentMs = pingIntervalMs * (pingsOutLimit + 1);
      return this.#finish("disconnect", `Connection lost: no sign of life for ${silentMs} ms`);
    }
    this.#pingsOut++;
    this.#ping();
  }

  // Resolves when the answer comes; never, if none comes.
  async #ping(): Promise<void> {
    const { clock } = this.#options;
    if (this.#client === undefined || this.#end !== undefined) return;
    const startMs = clock.elapsed();
    await this.#client.flush();
    this.roundTripMs = clock.elapsed() - startMs;
    this.lastGoodMs = Math.max(this.lastGoodMs, startMs);
  }

  #finish(kind: EndKind, message: string, error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { kind, message, lastGoodMs: this.lastGoodMs, error };
    this.#cancelPings?.();
    this.#socket.close();
    this.#release(this.#end);
  }

  async #release(end: SessionEnd): Promise<void> {
    await this.#socket.closed;
    await this.#connecting;
    await this.#client?.close();
    this.#resolveEnded(end);
  }
}

function openTransport(options: SessionOptions, signal: AbortSignal): Promise<Transport> {
  const { server, caCertificates } = options;
  const { scheme, hostname, port, path, redacted } = server;
  const opening = scheme === "ws" || scheme === "wss"
    ? openWebSocket({ url: `${redacted}${path}`, caCertificates, signal })
    : TcpSocket.connect({ hostname, port, secure: scheme === "tls", caCertificates, signal });
  return opening.catch((error: unknown) => {
    signal.throwIfAborted();
    const kind = error instanceof SyntaxError ? "protocol" : "unreachable";
    throw cannotOpen(kind, server, error instanceof Error ? error.message : String(error));
  });
}

function checkSubscriptions(subscriptions: Subscription[]): void {
  if (subscriptions.length === 0) throw new TypeError("Cannot open a session: no subscription");
  for (const { subject, queue } of subscriptions) {
    if (!/^[^\s\0]+$/.test(subject)) {
      throw new TypeError(`Cannot subscribe to ${JSON.stringify(subject)}: no subject`);
    }
    if (queue !== undefined && !/^[^\s\0]+$/.test(queue)) {
      throw new TypeError(`Cannot subscribe in queue ${JSON.stringify(queue)}: no name of a queue`);
    }
  }
}
