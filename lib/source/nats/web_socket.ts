/**
 * Promises a WebSocket that is open, trusts the authorities it is told to, and can be let go at once.
 *
 * @module
 */

import {
  type SocketCloseEvent,
  type SocketErrorEvent,
  type SocketMessageEvent,
  WRITE_LIMIT_BYTES,
} from "./tcp_socket.ts";

/** Where and how {@linkcode openWebSocket} connects. */
export interface WebSocketOptions {
  /** A `ws:` or `wss:` address without credentials. */
  url: string;
  /** Authorities to trust besides the usual ones, PEM. */
  caCertificates?: string[];
  /** Gives up connecting; afterwards it has no effect. */
  signal?: AbortSignal;
}

/**
 * One connection, with the same events as a TcpSocket, the first of them also not before `onmessage` is set.
 * It cannot be paused: whoever reads it must take what comes, or let it go.
 */
export class OpenWebSocket {
  /** Nothing but bytes is ever delivered. */
  binaryType: BinaryType = "arraybuffer";
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** Called once when everything is over. */
  onclose: ((event: SocketCloseEvent) => void) | null = null;
  /** Called before `onclose` if the connection was lost. */
  onerror: ((event: SocketErrorEvent) => void) | null = null;

  #socket: WebSocket;
  #finished = false;
  #failure: string | undefined;
  #onmessage: ((event: SocketMessageEvent) => void) | null = null;
  // Events that come before the handlers are set. There are few: until then the server sends only its INFO.
  #held: (() => void)[] | undefined = [];

  /** Takes over `socket`, which is open and whose handlers are its own from now on. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.encrypted = socket.url.startsWith("wss:");
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.#tell(() => this.#onmessage?.({ data: new Uint8Array(data) }));
      else this.#lose("the server sends text in place of bytes");
    };
    socket.onerror = (event) => this.#failure ??= messageOf(event);
    socket.onclose = ({ reason }) =>
      this.#lose(this.#failure ?? (reason === "" ? "the server has closed the connection" : reason));
  }

  /** Called with what was received. */
  get onmessage(): ((event: SocketMessageEvent) => void) | null {
    return this.#onmessage;
  }

  set onmessage(handler: ((event: SocketMessageEvent) => void) | null) {
    this.#onmessage = handler;
    queueMicrotask(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const tell of held) tell();
    });
  }

  /** Bytes that wait to be written; 0 once closed. */
  get bufferedAmount(): number {
    return this.#finished ? 0 : this.#socket.bufferedAmount;
  }

  /** Queues bytes for writing, {@linkcode WRITE_LIMIT_BYTES} at most, as TcpSocket does; ignored once closed. */
  send(data: ArrayBuffer): void {
    if (this.#finished) return;
    if (this.#socket.bufferedAmount + data.byteLength > WRITE_LIMIT_BYTES) {
      return this.#lose(
        `more than ${WRITE_LIMIT_BYTES} bytes wait to be written: the server takes less than it asks for`,
      );
    }
    this.#socket.send(data);
  }

  /** Closes: nothing is delivered any more. The network below goes when the server has answered. */
  close(): void {
    this.#held = undefined;
    this.#finish("");
  }

  /** As {@linkcode OpenWebSocket.close}: a WebSocket has no other way. */
  destroy(): void {
    this.close();
  }

  #tell(tell: () => void): void {
    if (this.#held === undefined) tell();
    else this.#held.push(tell);
  }

  #lose(reason: string): void {
    this.#tell(() => this.#finish(reason));
  }

  #finish(reason: string): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#onmessage = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.onerror = null;
    this.#socket.close();
    const wasClean = reason === "";
    queueMicrotask(() => {
      if (!wasClean) this.onerror?.({ message: reason, error: reason });
      this.onclose?.({ code: wasClean ? 1000 : 1006, reason, wasClean });
    });
  }
}

/**
 * Connects by WebSocket and resolves when it is open.
 *
 * @throws {Error} If the server cannot be reached or is none; the signal's reason if it was aborted.
 */
export async function openWebSocket(options: WebSocketOptions): Promise<OpenWebSocket> {
  const { url, caCertificates, signal } = options;
  signal?.throwIfAborted();
  using client = caCertificates === undefined
    ? undefined
    : Deno.createHttpClient({ caCerts: caCertificates });
  const socket = new WebSocket(url, { client });
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<OpenWebSocket>();
  function abort(): void {
    opened.reject(signal?.reason);
    socket.close();
  }
  signal?.addEventListener("abort", abort, { once: true });
  // The handlers change hands within the event: the server's greeting may come in the very next one.
  socket.onopen = () => opened.resolve(new OpenWebSocket(socket));
  socket.onerror = (event) => opened.reject(new Error(messageOf(event)));
  socket.onclose = () => opened.reject(new Error("the server has closed the connection"));
  try {
    return await opened.promise;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function messageOf(event: Event): string {
  return event instanceof ErrorEvent && event.message !== "" ? event.message : "the connection failed";
}
