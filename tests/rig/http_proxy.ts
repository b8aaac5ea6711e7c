/**
 * Promises an HTTP server in front of another one, which passes on what it is told to byte for byte, signatures and host names
 * too, and spoils the requests that a test picks in the ways that networks, proxies and servers do.
 *
 * @module
 */

import { HttpMessage, MessageReader } from "./http_message.ts";

/** What is done to a request. */
export type HttpFault =
  /** It is answered here. */
  | { kind: "answer"; status: number; headers?: Record<string, string>; body?: string }
  /** Its connection is closed when so many bytes of it were passed on: 0 for nothing of it, `Infinity` for all. */
  | { kind: "cutRequest"; after: number }
  /** It is passed on, and its connection closed after so many bytes of the answer. */
  | { kind: "cutAnswer"; after: number }
  /** It is not passed on, and nothing is answered. */
  | { kind: "hold" }
  /** It is passed on, and the answer stops after so many bytes. */
  | { kind: "stallAnswer"; after: number }
  /** One bit of the byte at this place of its body is another. */
  | { kind: "flipRequest"; at: number }
  /** One bit of the byte at this place of the answer's body is another. */
  | { kind: "flipAnswer"; at: number }
  /** The answer's body ends after so many bytes, and its length says so. */
  | { kind: "shortenAnswer"; to: number }
  /** A header of the answer is another; null for none. */
  | { kind: "header"; name: string; value: string | null };

/** Which requests a fault happens to. */
export interface FaultOptions {
  /** So many; default: one. */
  times?: number;
  /** Those of which this is true: it gets a request as in {@linkcode HttpProxy.requests}. Default: the next ones. */
  matches?: (request: string) => boolean;
}

interface Rule {
  fault: HttpFault;
  left: number;
  matches: (request: string) => boolean;
}

/** Listens on a free port of `127.0.0.1`. */
export class HttpProxy implements AsyncDisposable {
  /** What was asked for, as `GET /bucket/key?list-type=2`, in order. */
  readonly requests: string[] = [];
  /** The lengths of the requests and of their answers in bytes, heads and all, in order; 0 for an answer that did not come. */
  readonly lengths: { request: number; answer: number }[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #targetPort: number;
  readonly #sockets = new Set<Deno.TcpConn>();
  readonly #tasks = new Set<Promise<void>>();
  #rules: Rule[] = [];
  #holding = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#track(this.#accept());
  }

  /** Starts a proxy to `targetPort` of `127.0.0.1`. */
  static start(targetPort: number): HttpProxy {
    return new HttpProxy(targetPort);
  }

  /** Its address, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** How many requests are held, or answers stopped. */
  get holding(): number {
    return this.#holding;
  }

  /** Spoils requests. Of several faults for one request the first happens. */
  fail(fault: HttpFault, { times = 1, matches = () => true }: FaultOptions = {}): void {
    this.#rules.push({ fault, left: times, matches });
  }

  /** Takes back all faults to come. */
  resume(): void {
    this.#rules = [];
  }

  /** Closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const socket of this.#sockets) this.#close(socket);
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    try {
      for await (const socket of this.#listener) this.#track(this.#serve(socket));
    } catch (error) {
      // Closing the listener is how disposal ends this loop.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /** Serves one connection. */
  async #serve(near: Deno.TcpConn): Promise<void> {
    this.#sockets.add(near);
    const connection: Connection = { near, requests: new MessageReader(near), far: null };
    try {
      while (await this.#pass(connection));
    } catch {
      // A socket that fails ends its connection, as it would without a proxy in between.
    } finally {
      this.#close(near);
      if (connection.far !== null) this.#close(connection.far.socket);
    }
  }

  /** The connection to the server, which is made when the first request is passed on. */
  async #connect(connection: Connection): Promise<NonNullable<Connection["far"]>> {
    if (connection.far !== null) return connection.far;
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: this.#targetPort });
    this.#sockets.add(socket);
    return connection.far = { socket, answers: new MessageReader(socket) };
  }

  /** Passes one request on, and its answer back; false where the connection is over. */
  async #pass(connection: Connection): Promise<boolean> {
    const { near } = connection;
    const request = await connection.requests.read();
    if (request === null) return false;
    const [method, path] = request.startLine.split(" ");
    const asked = `${method} ${path}`;
    this.requests.push(asked);
    const length = { request: request.bytes().length, answer: 0 };
    this.lengths.push(length);
    const fault = this.#faultFor(asked);
    if (fault?.kind === "answer") {
      await writeAll(near, answerOf(fault).bytes());
      return true;
    }
    if (fault?.kind === "hold") return await this.#hold(near);
    if (fault?.kind === "flipRequest") request.flip(fault.at);
    const end = fault?.kind === "cutRequest" ? fault.after : Infinity;
    const { socket, answers } = await this.#connect(connection);
    await writeAll(socket, request.bytes().subarray(0, end));
    if (fault?.kind === "cutRequest") return false;
    const answer = await answers.read(method === "HEAD");
    if (answer === null) return false;
    length.answer = answer.bytes().length;
    if (fault?.kind === "flipAnswer") answer.flip(fault.at);
    if (fault?.kind === "shortenAnswer") answer.shorten(fault.to);
    if (fault?.kind === "header") answer.setHeader(fault.name, fault.value);
    const bytes = answer.bytes();
    const cuts = fault?.kind === "cutAnswer" || fault?.kind === "stallAnswer";
    await writeAll(near, cuts ? bytes.subarray(0, fault.after) : bytes);
    return fault?.kind === "stallAnswer" ? await this.#hold(near) : !cuts;
  }

  /** Does nothing until the other side goes. */
  async #hold(near: Deno.TcpConn): Promise<false> {
    this.#holding++;
    try {
      while (await near.read(new Uint8Array(1024)) !== null);
    } finally {
      this.#holding--;
    }
    return false;
  }

  #faultFor(request: string): HttpFault | null {
    const rule = this.#rules.find(({ left, matches }) => left > 0 && matches(request));
    if (rule === undefined) return null;
    rule.left--;
    return rule.fault;
  }

  #close(socket: Deno.TcpConn): void {
    if (this.#sockets.delete(socket)) socket.close();
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }
}

/** A connection of a client, and the one to the server that belongs to it, once there is one. */
interface Connection {
  near: Deno.TcpConn;
  requests: MessageReader;
  far: { socket: Deno.TcpConn; answers: MessageReader } | null;
}

function answerOf({ status, headers, body = "" }: HttpFault & { kind: "answer" }): HttpMessage {
  const bytes = new TextEncoder().encode(body);
  const lines = Object.entries({ "content-length": String(bytes.length), ...headers });
  return new HttpMessage(`HTTP/1.1 ${status} Told`, lines.map(([name, value]) => `${name}: ${value}`), bytes);
}

async function writeAll(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}
