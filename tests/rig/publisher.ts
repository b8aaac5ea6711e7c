/**
 * Promises to publish over plain TCP as fast as the loopback takes it, with nothing of a NATS client in
 * between: what is tested must not also be what tests.
 *
 * @module
 */

import { within } from "./wait.ts";
/** Bytes that are collected before they are written to the socket. */
const BATCH_BYTES = 256 * 1024;

/** More than `PUB`, the spaces, the length and the line ends of a message take. */
const PROTOCOL_BYTES = 32;

/** Where and as whom {@linkcode Publisher.connect} connects. */
export interface PublisherOptions {
  /** The server's address. Default: `127.0.0.1`. */
  host?: string;
  /** The server's port. */
  port: number;
  /** The user, with {@linkcode PublisherOptions.password}. */
  user?: string;
  /** The password. */
  password?: string;
  /** The token, if there are no users. */
  token?: string;
  /** The authority to trust, PEM: the connection is encrypted. Default: it is not. */
  caCertificate?: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LINE_END = encoder.encode("\r\n");

/**
 * One connection that publishes. Order is kept; {@linkcode Publisher.flush} is the only promise that the
 * server has what was published, and the only moment at which the server's PINGs are answered: flush once a
 * minute at least. One call at a time.
 */
export class Publisher implements AsyncDisposable {
  #connection: Deno.Conn;
  #batch = new Uint8Array(BATCH_BYTES);
  #batchLength = 0;
  #received = "";
  #closed = false;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /**
   * Connects and waits until the server has agreed.
   *
   * @throws {Error} If it refuses; its words are in the message.
   */
  static async connect(options: PublisherOptions): Promise<Publisher> {
    const { host = "127.0.0.1", port, user, password, token, caCertificate } = options;
    const connection = await Deno.connect({ hostname: host, port });
    connection.setNoDelay();
    const publisher = new Publisher(connection);
    try {
      // The server speaks first, in the clear; what follows is encrypted if it must be.
      await publisher.#readLine();
      if (caCertificate !== undefined) {
        publisher.#connection = await Deno.startTls(connection, { hostname: host, caCerts: [caCertificate] });
      }
      const credentials = { user, pass: password, auth_token: token };
      const connect = {
        verbose: false,
        pedantic: false,
        lang: "flightlog-rig",
        version: "1",
        ...credentials,
      };
      await publisher.#write(encoder.encode(`CONNECT ${JSON.stringify(connect)}\r\n`));
      await publisher.flush();
    } catch (error) {
      await publisher[Symbol.asyncDispose]();
      throw error;
    }
    return publisher;
  }

  /** Publishes one message; text is sent as UTF-8. It may wait here until the batch is full or flushed. */
  async publish(subject: string, payload: Uint8Array | string): Promise<void> {
    const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
    if (this.#append(subject, bytes)) return;
    await this.#send();
    if (this.#append(subject, bytes)) return;
    await this.#writeAll(encoder.encode(`PUB ${subject} ${bytes.length}\r\n`));
    await this.#writeAll(bytes);
    await this.#writeAll(LINE_END);
  }

  /** Publishes many messages in their order, then flushes. */
  async publishAll(messages: Iterable<{ subject: string; payload: Uint8Array | string }>): Promise<void> {
    for (const { subject, payload } of messages) {
      const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
      // Waiting for a promise at each message would cost more than the message.
      if (!this.#append(subject, bytes)) await this.publish(subject, bytes);
    }
    await this.flush();
  }

  /**
   * Resolves once the server has taken everything published so far: it has answered a PING that came after.
   *
   * @throws {Error} If the server reports an error, or the connection ends.
   */
  async flush(): Promise<void> {
    await this.#write(encoder.encode("PING\r\n"));
    while (true) {
      const line = await this.#readLine();
      if (line === "PONG") return;
      if (line === "PING") await this.#write(encoder.encode("PONG\r\n"));
      if (line.startsWith("-ERR")) throw new Error(`Cannot publish: the server says "${line}"`);
    }
  }

  /** Sends bytes as they are, outside of the protocol too. */
  async raw(bytes: Uint8Array | string): Promise<void> {
    await this.#write(typeof bytes === "string" ? encoder.encode(bytes) : bytes);
  }

  /** Closes the connection. What was not flushed may be lost. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    try {
      this.#connection.close();
    } catch (error) {
      // A failed handshake has closed it.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    return Promise.resolve();
  }

  // Puts a message into the batch, unless it might not fit: no character of a subject takes more than three bytes.
  #append(subject: string, bytes: Uint8Array): boolean {
    if (this.#batchLength + subject.length * 3 + bytes.length + PROTOCOL_BYTES > BATCH_BYTES) return false;
    const head = `PUB ${subject} ${bytes.length}\r\n`;
    this.#batchLength += encoder.encodeInto(head, this.#batch.subarray(this.#batchLength)).written;
    this.#batch.set(bytes, this.#batchLength);
    this.#batch.set(LINE_END, this.#batchLength + bytes.length);
    this.#batchLength += bytes.length + LINE_END.length;
    return true;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#send();
    await this.#writeAll(bytes);
  }

  async #send(): Promise<void> {
    const length = this.#batchLength;
    this.#batchLength = 0;
    await this.#writeAll(this.#batch.subarray(0, length));
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.#connection.write(bytes.subarray(written));
    }
  }

  async #readLine(): Promise<string> {
    const chunk = new Uint8Array(4096);
    while (true) {
      const end = this.#received.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      const length = await within(this.#connection.read(chunk), "an answer of nats-server");
      if (length === null) throw new Error("Cannot publish: the server has closed the connection");
      this.#received += decoder.decode(chunk.subarray(0, length), { stream: true });
    }
  }
}
