/**
 * Promises an object of WebSocket's shape over plain or encrypted TCP, so that nats.ws can speak to servers
 * that offer no WebSocket. Unlike a WebSocket it can stop reading, which holds the server back.
 *
 * @module
 */

import { LINE_LIMIT_BYTES } from "./frame_reader.ts";

/** Bytes that are read at once at most; more than that is never on its way after {@linkcode TcpSocket.pause}. */
export const READ_BYTES = 256 * 1024;

/**
 * Bytes that may wait to be written. A subscriber sends a few hundred; a server that does not take these is
 * as good as gone. One that sends PINGs and never reads is let go when the network's own buffers are full and
 * 10,922 answers of 6 bytes wait here.
 */
export const WRITE_LIMIT_BYTES = 64 * 1024;

/** Where and how {@linkcode TcpSocket.connect} connects. */
export interface TcpSocketOptions {
  /** A name or an IP address, without brackets. */
  hostname: string;
  /** 1 to 65535. */
  port: number;
  /** Refuses a server without TLS. Without it TLS is used where the server demands it. */
  secure: boolean;
  /** Authorities to trust besides the usual ones, PEM. */
  caCertificates?: string[];
  /** Gives up connecting; afterwards it has no effect. */
  signal?: AbortSignal;
}

/** The part of WebSocket's MessageEvent that is used. */
export interface SocketMessageEvent {
  /** What was received. Valid only during the call: its buffer is read into again. */
  data: Uint8Array;
}

/** The part of WebSocket's CloseEvent that is used. */
export interface SocketCloseEvent {
  /** 1000 after {@linkcode TcpSocket.close}, 1006 when the connection was lost (RFC 6455 section 7.4.1). */
  code: number;
  /** Why; empty after {@linkcode TcpSocket.close}. */
  reason: string;
  /** Whether this side wanted it. */
  wasClean: boolean;
}

/** The part of WebSocket's error event that is used. */
export interface SocketErrorEvent {
  /** What went wrong. */
  message: string;
  /** The same. */
  error: string;
}

/**
 * One connection. Reading starts when `onmessage` is set, as with a MessagePort, so that nothing is lost
 * before there is anyone to take it. Calls `onclose` exactly once, after everything is released; before it
 * `onerror`, if the connection was lost.
 */
export class TcpSocket {
  /** Nothing but bytes is ever delivered. */
  binaryType: BinaryType = "arraybuffer";
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** Called soon after reading has started. */
  onopen: ((event: Event) => void) | null = null;
  /** Called once when everything is over. */
  onclose: ((event: SocketCloseEvent) => void) | null = null;
  /** Called before `onclose` if the connection was lost. */
  onerror: ((event: SocketErrorEvent) => void) | null = null;

  #connection: Deno.Conn;
  #first: Uint8Array;
  #onmessage: ((event: SocketMessageEvent) => void) | null = null;
  #reading = false;
  #resumed: PromiseWithResolvers<void> | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | undefined;
  #closing = false;
  #released = false;
  #lost: string | undefined;

  private constructor(connection: Deno.Conn, first: Uint8Array, encrypted: boolean) {
    this.#connection = connection;
    this.#first = first;
    this.encrypted = encrypted;
  }

  /**
   * Connects, waits for the server's INFO, which comes in the clear, and encrypts if it or
   * {@linkcode TcpSocketOptions.secure} demands it. The INFO is the first thing that `onmessage` gets. Leaves
   * nothing open when it throws.
   *
   * @throws {Error} If the server cannot be reached, is no NATS server, or has no TLS or no certificate that
   * is trusted; the signal's reason if it was aborted.
   */
  static async connect(options: TcpSocketOptions): Promise<TcpSocket> {
    const { hostname, port, secure, caCertificates, signal } = options;
    signal?.throwIfAborted();
    let connection: Deno.Conn | undefined;
    function abort(): void {
      if (connection !== undefined) release(connection);
    }
    try {
      const plain = await Deno.connect({ hostname, port, signal });
      connection = plain;
      signal?.addEventListener("abort", abort, { once: true });
      signal?.throwIfAborted();
      plain.setNoDelay();
      const info = await readInfo(plain);
      if (!secure && !info.tlsRequired) return new TcpSocket(plain, info.bytes, false);
      if (!info.tlsRequired && !info.tlsAvailable) throw new Error("the server offers no TLS");
      if (info.excess) throw new Error("the server does not wait for the TLS handshake");
      const encrypted = await Deno.startTls(plain, { hostname, caCerts: caCertificates });
      connection = encrypted;
      signal?.throwIfAborted();
      await encrypted.handshake();
      return new TcpSocket(encrypted, info.bytes, true);
    } catch (error) {
      if (connection !== undefined) release(connection);
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Called with what was received. Setting it starts reading. */
  get onmessage(): ((event: SocketMessageEvent) => void) | null {
    return this.#onmessage;
  }

  set onmessage(handler: ((event: SocketMessageEvent) => void) | null) {
    this.#onmessage = handler;
    if (handler === null || this.#reading || this.#released) return;
    this.#reading = true;
    this.#read();
  }

  /** Bytes that wait to be written; 0 once closed. */
  get bufferedAmount(): number {
    return this.#released ? 0 : this.#queuedBytes;
  }

  /**
   * Stops reading, so that the server is held back. What is being read at the moment is kept for
   * {@linkcode TcpSocket.resume}; no `onmessage` follows.
   */
  pause(): void {
    this.#resumed ??= Promise.withResolvers();
  }

  /** Goes on reading. */
  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /**
   * Queues bytes for writing; ignored once closed, as WebSocket does. With more than
   * {@linkcode WRITE_LIMIT_BYTES} waiting the connection counts as lost.
   */
  send(data: ArrayBuffer | Uint8Array): void {
    if (this.#closing) return;
    const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
    if (this.#queuedBytes + bytes.length > WRITE_LIMIT_BYTES) {
      return this.#lose(
        `more than ${WRITE_LIMIT_BYTES} bytes wait to be written: the server takes less than it asks for`,
      );
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#writing ??= this.#write();
  }

  /** Writes what is queued, then closes. Lasts as long as the server takes nothing; {@linkcode TcpSocket.destroy} does not. */
  close(): void {
    this.#closing = true;
    if (this.#writing === undefined) this.#release();
  }

  /** Closes now; what is queued is dropped. */
  destroy(): void {
    this.#closing = true;
    this.#release();
  }

  async #read(): Promise<void> {
    // Not before the next microtask: a socket never calls back while its handlers are being set.
    await Promise.resolve();
    try {
      if (!this.#released) this.onopen?.(new Event("open"));
      const buffer = new Uint8Array(READ_BYTES);
      let bytes = this.#first;
      this.#first = new Uint8Array(0);
      while (await this.#mayGoOn()) {
        this.#onmessage?.({ data: bytes });
        if (!await this.#mayGoOn()) break;
        const length = await this.#connection.read(buffer);
        if (length === null) throw new Error("the server has closed the connection");
        bytes = buffer.subarray(0, length);
      }
    } catch (error) {
      this.#lose(reasonOf(error));
    }
    await this.#finish();
  }

  // Waits while paused; false once there is nothing more to do.
  async #mayGoOn(): Promise<boolean> {
    while (this.#resumed !== undefined && !this.#released) await this.#resumed.promise;
    return !this.#released;
  }

  async #write(): Promise<void> {
    try {
      for (let bytes = this.#queue.shift(); bytes !== undefined; bytes = this.#queue.shift()) {
        for (let written = 0; written < bytes.length && !this.#released;) {
          written += await this.#connection.write(bytes.subarray(written));
        }
        this.#queuedBytes -= bytes.length;
      }
    } catch (error) {
      this.#lose(reasonOf(error));
    }
    this.#writing = undefined;
    if (this.#closing) this.#release();
  }

  #lose(reason: string): void {
    if (this.#released) return;
    if (!this.#closing) this.#lost = reason;
    this.destroy();
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#queue.length = 0;
    release(this.#connection);
    this.resume();
    if (!this.#reading) this.#finish();
  }

  async #finish(): Promise<void> {
    await this.#writing;
    const reason = this.#lost ?? "";
    const wasClean = this.#lost === undefined;
    if (!wasClean) this.onerror?.({ message: reason, error: reason });
    this.onclose?.({ code: wasClean ? 1000 : 1006, reason, wasClean });
  }
}

interface Info {
  bytes: Uint8Array;
  tlsRequired: boolean;
  tlsAvailable: boolean;
  /** Whether anything came after the INFO. */
  excess: boolean;
}

async function readInfo(connection: Deno.Conn): Promise<Info> {
  let bytes = new Uint8Array(4096);
  let length = 0;
  while (true) {
    if (length === bytes.length) {
      if (length >= LINE_LIMIT_BYTES) throw new Error("the server's INFO does not end");
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
    const count = await connection.read(bytes.subarray(length));
    if (count === null) throw new Error("the server has closed the connection");
    const lineEnd = bytes.subarray(0, length + count).indexOf(0x0a, length);
    length += count;
    if (lineEnd < 0) continue;
    const [, text] = /^INFO\s+(\{.*\})\s*$/i.exec(new TextDecoder().decode(bytes.subarray(0, lineEnd))) ?? [];
    if (text === undefined) throw new SyntaxError("the server does not greet as a NATS server does");
    const { tls_required, tls_available } = parseInfo(text);
    return {
      bytes: bytes.subarray(0, length),
      tlsRequired: tls_required === true,
      tlsAvailable: tls_available === true,
      excess: length > lineEnd + 1,
    };
  }
}

function parseInfo(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError("the server's INFO is not JSON");
  }
}

function release(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // startTls takes the connection away from the object that it was given.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
