/**
 * Promises that nats.ws sees a socket on which there are never any messages and never any errors: it greets,
 * authenticates, subscribes and pings over it, and everything else goes straight to the session.
 *
 * It sees the first INFO and the PONGs that it waits for, and nothing more: it keeps each frame until it comes
 * to read it, and a server can send faster than that. So what is handed to it is never more than it has asked for.
 *
 * @module
 */

import { FrameReader, type Message, PAYLOAD_LIMIT_BYTES, USUAL_PAYLOAD_BYTES } from "./frame_reader.ts";
import { NoiseMeter } from "./noise_meter.ts";
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
  /**
   * Takes a message; `sid` is the number of the subscription. Returns whether there is such a subscription. Must
   * not throw.
   */
  onMessage(sid: number, message: Message): boolean;
  /** The server reports an error, in these words. */
  onServerError(text: string): void;
  /** What was received is not the NATS protocol. */
  onGarbage(message: string): void;
  /** What is received has told nothing for too long, see {@linkcode NoiseMeter}. */
  onNoise(message: string): void;
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
  #noise = new NoiseMeter();
  #greeted = false;
  // PINGs that nats.ws has sent and that have no PONG yet.
  #awaited = 0;
  #onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  #over = Promise.withResolvers<SocketCloseEvent>();

  /** Takes over `transport`. */
  constructor(transport: Transport, handlers: ControlHandlers) {
    this.#transport = transport;
    this.#handlers = handlers;
    this.#reader = new FrameReader({
      onMessage: (sid, message) => this.#message(sid, message),
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
    for (const line of decoder.decode(data).split("\r\n")) if (line === "PING") this.#awaited++;
    this.#transport.send(data);
  }

  /** Forgets the noise until now: so much time has passed that it was no flood. */
  forgetNoise(): void {
    this.#noise.reset();
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

  #message(sid: number, message: Message): void {
    if (this.#handlers.onMessage(sid, message)) this.#noise.reset();
    else this.#addNoise(message.end - message.subjectStart);
  }

  #control(text: string, frame: Uint8Array): void {
    // nats.ws keeps some errors to itself and takes others for the end of a subscription.
    if (text.startsWith("-")) return this.#handlers.onServerError(text);
    const name = text.slice(0, 4).toUpperCase();
    if (name === "INFO") this.#readInfo(text.slice(4));
    if (name === "INFO" && !this.#greeted) {
      this.#greeted = true;
      return this.#passOn(frame);
    }
    if (name === "PONG" && this.#awaited > 0) {
      this.#awaited--;
      return this.#passOn(frame);
    }
    if (name === "PING") this.#transport.send(PONG);
    this.#addNoise(frame.length);
  }

  /** Takes what the server says of itself: nats.ws prints what it cannot read, and stops reading. */
  #readInfo(json: string): void {
    const info = parseInfo(json);
    if (info === null) throw new SyntaxError(BAD_INFO);
    this.#reader.payloadLimitBytes = Math.min(
      info.maxPayloadBytes ?? USUAL_PAYLOAD_BYTES,
      PAYLOAD_LIMIT_BYTES,
    );
  }

  #passOn(frame: Uint8Array): void {
    this.#onmessage?.({ data: frame.slice().buffer });
  }

  #addNoise(bytes: number): void {
    const reason = this.#noise.add(bytes);
    if (reason === null) return;
    this.#reader.stop();
    this.#handlers.onNoise(reason);
  }
}

const decoder = new TextDecoder();

/** The one answer to every PING: as many as wait to be written share it. */
const PONG = new TextEncoder().encode("PONG\r\n").buffer;

const BAD_INFO = "Cannot read what the server sends: its INFO is not JSON with a version";

/** What an INFO says of the largest payload; null if it is not one that nats.ws can read. */
function parseInfo(json: string): { maxPayloadBytes: number | null } | null {
  try {
    const { version, max_payload: maxPayloadBytes } = JSON.parse(json);
    if (!/\d+\.\d+\.\d+/.test(version)) return null;
    return {
      maxPayloadBytes: Number.isSafeInteger(maxPayloadBytes) && maxPayloadBytes > 0 ? maxPayloadBytes : null,
    };
  } catch {
    return null;
  }
}
