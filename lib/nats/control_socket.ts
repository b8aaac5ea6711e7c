/**
 * Promises that nats.ws sees a socket on which there are never any messages and never any errors: it greets,
 * authenticates, subscribes and pings over it, and everything else goes straight to the session.
 *
 * @module
 */

import { FrameReader, type Message } from "./frame_reader.ts";
import type { SocketCloseEvent, SocketErrorEvent, SocketMessageEvent } from "./tcp_socket.ts";

/** What TcpSocket and OpenWebSocket have in common. */
export interface Transport {
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** Bytes that wait to be written. */
  readonly bufferedAmount: number;
  /** Called with what was received; valid only during the call. */
  onmessage: ((event: SocketMessageEvent) => void) | null;
  /** Called once when everything is over. */
  onclose: ((event: SocketCloseEvent) => void) | null;
  /** Queues bytes for writing. */
  send(data: ArrayBuffer): void;
  /** Closes now. */
  destroy(): void;
  /** Stops reading. Absent where that cannot be done. */
  pause?(): void;
  /** Goes on reading. */
  resume?(): void;
}

/** What the session is told. */
export interface ControlHandlers {
  /** Something was received; called before anything is done with it. */
  onReceived(): void;
  /** Takes a message; `sid` is the number of the subscription. Must not throw. */
  onMessage(sid: number, message: Message): void;
  /** The server reports an error, in these words. */
  onServerError(text: string): void;
  /** What was received is not the NATS protocol. */
  onGarbage(message: string): void;
  /** The connection was lost. */
  onLost(reason: string): void;
}

/** Stands between nats.ws and a transport. Nothing is read until nats.ws has set its handlers. */
export class ControlSocket {
  /** Whatever nats.ws says; it always gets bytes. */
  binaryType: BinaryType = "arraybuffer";
  /** Set by nats.ws, never called: the transport is open already. */
  onopen: (() => void) | null = null;
  /** Set by nats.ws. */
  onclose: ((event: SocketCloseEvent) => void) | null = null;
  /** Set by nats.ws. */
  onerror: ((event: SocketErrorEvent) => void) | null = null;

  #transport: Transport;
  #handlers: ControlHandlers;
  #reader: FrameReader;
  #onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  #over = Promise.withResolvers<SocketCloseEvent>();

  /** Takes over `transport`. */
  constructor(transport: Transport, handlers: ControlHandlers) {
    this.#transport = transport;
    this.#handlers = handlers;
    this.#reader = new FrameReader({
      onMessage: (sid, message) => handlers.onMessage(sid, message),
      onControl: (text, frame) => this.#control(text, frame),
    });
    transport.onclose = (event) => {
      if (!event.wasClean) handlers.onLost(event.reason);
      this.#over.resolve(event);
    };
  }

  /** Resolves when the transport is gone. */
  get closed(): Promise<unknown> {
    return this.#over.promise;
  }

  /** Set by nats.ws; setting it starts reading. */
  get onmessage(): ((event: { data: ArrayBuffer }) => void) | null {
    return this.#onmessage;
  }

  set onmessage(handler: ((event: { data: ArrayBuffer }) => void) | null) {
    this.#onmessage = handler;
    this.#transport.onmessage = ({ data }) => this.#receive(data);
    this.#over.promise.then((event) => {
      // Before the INFO nats.ws waits for an error only, afterwards for the end only.
      this.onerror?.({ message: event.reason, error: event.reason });
      this.onclose?.(event);
    });
  }

  /** As WebSocket's. */
  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }

  /** As WebSocket's. */
  send(data: ArrayBuffer): void {
    this.#transport.send(data);
  }

  /** As WebSocket's, but at once. No handler of the session is called any more but `onLost`. */
  close(): void {
    this.#reader.stop();
    this.#transport.destroy();
  }

  #receive(data: Uint8Array): void {
    this.#handlers.onReceived();
    try {
      this.#reader.read(data);
    } catch (error) {
      // Only the reader throws, and only this; the session's handlers must not.
      this.#reader.stop();
      this.#handlers.onGarbage((error as SyntaxError).message);
    }
  }

  #control(text: string, frame: Uint8Array<ArrayBuffer>): void {
    // nats.ws keeps some errors to itself and takes others for the end of a subscription.
    if (text.startsWith("-")) return this.#handlers.onServerError(text);
    if (/^INFO/i.test(text) && !isInfo(text.slice(4))) throw new SyntaxError(BAD_INFO);
    this.#onmessage?.({ data: frame.buffer });
  }
}

const BAD_INFO = "Cannot read what the server sends: its INFO is not JSON with a version";

// nats.ws prints an INFO that it cannot read, and stops reading.
function isInfo(text: string): boolean {
  try {
    return /\d+\.\d+\.\d+/.test(JSON.parse(text).version);
  } catch {
    return false;
  }
}
