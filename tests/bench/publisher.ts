/**
 * Promises that publishing is not what is measured: prepared bytes go straight onto a socket, and what was
 * published is confirmed by the server before it counts.
 *
 * @module
 */

/** At most this many bytes go out in one write. */
const WRITE_BYTES = 1 << 20;

/**
 * A bare NATS client that only publishes. It reads whatever the server says, for a server that cannot get rid
 * of its answers closes the connection.
 */
export class Publisher implements AsyncDisposable {
  #connection: Deno.TcpConn;
  #reading: Promise<void>;
  #pongs: (() => void)[] = [];
  #refused: string | undefined;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  /**
   * Connects to the server at `port` of the loopback.
   *
   * @throws {Error} If nobody listens there or the server refuses.
   */
  static async connect(port: number): Promise<Publisher> {
    const publisher = new Publisher(await Deno.connect({ hostname: "127.0.0.1", port }));
    publisher.#connection.setNoDelay(true);
    await publisher.publish(new TextEncoder().encode('CONNECT {"verbose":false,"pedantic":false}\r\n'));
    await publisher.confirm();
    return publisher;
  }

  /** Writes prepared `PUB` frames. Resolves when the kernel has them. */
  async publish(frames: Uint8Array): Promise<void> {
    for (let start = 0; start < frames.length;) {
      start += await this.#connection.write(frames.subarray(start, start + WRITE_BYTES));
    }
  }

  /**
   * Waits until the server has taken everything that was published so far. Without it, closing the socket
   * throws away what the server has not read yet.
   *
   * @throws {Error} If the server refused something or went away.
   */
  async confirm(): Promise<void> {
    const pong = new Promise<void>((resolve) => this.#pongs.push(resolve));
    await this.publish(new TextEncoder().encode("PING\r\n"));
    await Promise.race([pong, this.#reading]);
    if (this.#refused !== undefined) throw new Error(`Cannot publish: the server says ${this.#refused}`);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for (
        let size = await this.#connection.read(buffer);
        size !== null;
        size = await this.#connection.read(buffer)
      ) {
        const lines = (rest + decoder.decode(buffer.subarray(0, size), { stream: true })).split("\r\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (line === "PONG") this.#pongs.shift()?.();
          if (line.startsWith("-ERR")) this.#refused ??= line;
        }
      }
      this.#refused ??= "nothing more, and has closed the connection";
    } catch (error) {
      this.#refused ??= String(error);
    }
  }
}
