/**
 * Promises a server that a test plays itself, byte by byte: for what no real one sends.
 *
 * @module
 */

import { within } from "../../rig/wait.ts";

/** The greeting of a server without TLS. */
export const INFO = 'INFO {"version":"2.9.10","max_payload":1048576}\r\n';

const encoder = new TextEncoder();

/** Takes one connection on a free port of `127.0.0.1` and gives it to the function that plays the server. */
export class HandMadeServer implements AsyncDisposable {
  #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #connection: Deno.Conn | undefined;
  /** Resolves when `serve` is through. */
  readonly served: Promise<void>;

  /** Listens; `serve` is called with the connection when there is one. */
  constructor(serve: (connection: Deno.Conn) => Promise<unknown> | void) {
    this.served = this.#serve(serve);
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(serve: (connection: Deno.Conn) => Promise<unknown> | void): Promise<void> {
    this.#connection = await this.#listener.accept();
    await serve(this.#connection);
  }

  /** Waits until it has played its part, then closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.served;
    try {
      this.#connection?.close();
    } catch {
      // The test has closed it already.
    }
    this.#listener.close();
  }
}

/** Writes the whole of `text`. */
export async function writeAll(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}

/** Reads until `text` has come. */
export async function readUntil(connection: Deno.Conn, text: string): Promise<void> {
  const chunk = new Uint8Array(4096);
  let received = "";
  while (!received.includes(text)) {
    const length = await within(connection.read(chunk), JSON.stringify(text));
    if (length === null) throw new Error(`Cannot read "${text}": the client has closed the connection`);
    received += new TextDecoder().decode(chunk.subarray(0, length));
  }
}
