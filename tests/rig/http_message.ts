/**
 * Promises the messages of an HTTP/1.1 connection one after another, as the bytes that they came in, but for a body in chunks,
 * which is put together.
 *
 * @module
 */

/** So much is read at once, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** A head is no longer than this, in bytes. */
const HEAD_LIMIT_BYTES = 64 * 1024;

/** A request or an answer. */
export class HttpMessage {
  /** The first line, without its end. */
  readonly startLine: string;
  #headers: string[];
  #body: Uint8Array;

  /** `headers` are lines without their ends. */
  constructor(startLine: string, headers: readonly string[], body: Uint8Array) {
    this.startLine = startLine;
    this.#headers = [...headers];
    this.#body = body;
  }

  /** The body. */
  get body(): Uint8Array {
    return this.#body;
  }

  /** The bytes of all of it. */
  bytes(): Uint8Array {
    const head = new TextEncoder().encode([this.startLine, ...this.#headers, "", ""].join("\r\n"));
    const bytes = new Uint8Array(head.length + this.#body.length);
    bytes.set(head);
    bytes.set(this.#body, head.length);
    return bytes;
  }

  /** Changes one bit of the byte at a place of the body. */
  flip(at: number): void {
    this.#body[at]! ^= 1;
  }

  /** Ends the body after so many bytes, and says that it has so many. */
  shorten(to: number): void {
    this.#body = this.#body.subarray(0, to);
    this.setHeader("content-length", String(this.#body.length));
  }

  /** Puts a header in place of those of that name; null for none. */
  setHeader(name: string, value: string | null): void {
    this.#headers = this.#headers.filter((line) => !isHeader(line, name));
    if (value !== null) this.#headers.push(`${name}: ${value}`);
  }
}

/** Reads the messages of one direction of a connection. */
export class MessageReader {
  readonly #socket: Deno.TcpConn;
  #rest: Uint8Array = new Uint8Array();

  /** Nothing is read yet. */
  constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  /**
   * The next message; null where the connection ends before it. `isOfHead`: it is the answer to HEAD, which has no body.
   *
   * @throws {Error} If the connection ends within it.
   */
  async read(isOfHead = false): Promise<HttpMessage | null> {
    let end = -1;
    while ((end = headEnd(this.#rest)) === -1) {
      if (this.#rest.length > HEAD_LIMIT_BYTES) {
        throw new Error("Cannot read a message: its head is too long");
      }
      if (!await this.#more()) return null;
    }
    const [startLine, ...headers] = new TextDecoder().decode(this.#take(end)).trimEnd().split("\r\n");
    const valueOf = (name: string) => headers.find((line) => isHeader(line, name))?.split(":")[1]?.trim();
    if (isOfHead) return new HttpMessage(startLine!, headers, new Uint8Array());
    if (valueOf("transfer-encoding")?.toLowerCase() === "chunked") {
      const message = new HttpMessage(startLine!, headers, await this.#chunks());
      message.setHeader("transfer-encoding", null);
      message.setHeader("content-length", String(message.body.length));
      return message;
    }
    return new HttpMessage(startLine!, headers, await this.#exactly(Number(valueOf("content-length") ?? 0)));
  }

  async #chunks(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (let size = -1; size !== 0;) {
      size = parseInt(await this.#line(), 16);
      chunks.push(await this.#exactly(size));
      await this.#line();
    }
    return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  }

  async #line(): Promise<string> {
    let end = -1;
    while ((end = this.#rest.indexOf(0x0a)) === -1) await this.#mustHaveMore();
    return new TextDecoder().decode(this.#take(end + 1)).trimEnd();
  }

  async #exactly(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      if (this.#rest.length === 0) await this.#mustHaveMore();
      const piece = this.#take(Math.min(length - at, this.#rest.length));
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #take(length: number): Uint8Array {
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return bytes;
  }

  async #mustHaveMore(): Promise<void> {
    if (!await this.#more()) throw new Error("Cannot read a message: the connection ends within it");
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const length = await this.#socket.read(chunk);
    if (length === null) return false;
    const rest = new Uint8Array(this.#rest.length + length);
    rest.set(this.#rest);
    rest.set(chunk.subarray(0, length), this.#rest.length);
    this.#rest = rest;
    return true;
  }
}

function isHeader(line: string, name: string): boolean {
  return line.slice(0, line.indexOf(":")).toLowerCase() === name.toLowerCase();
}

/** Where a head ends, behind its empty line; -1 for nowhere. */
function headEnd(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(0x0d); at !== -1; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] === 0x0a && bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a) return at + 4;
  }
  return -1;
}
