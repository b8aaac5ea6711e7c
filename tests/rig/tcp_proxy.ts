/**
 * Promises a TCP connection that a test can spoil in the ways that networks do.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import type { ByteFilter } from "./byte_filter.ts";

/** Bytes that are read at once. */
const CHUNK_BYTES = 64 * 1024;

/** What a proxy does besides passing bytes on. */
export interface TcpProxyOptions {
  /** Makes what the bytes to the target pass, for each connection. Default: they pass as they are. */
  toTarget?: () => ByteFilter;
  /** The same for the bytes that come from the target. */
  fromTarget?: () => ByteFilter;
}

/** What changes nothing. */
const ALL: ByteFilter = { pass: (bytes) => bytes };

/** Two sockets that belong together. */
interface Pair {
  sockets: Deno.TcpConn[];
  closed: PromiseWithResolvers<void>;
}

/**
 * Listens on a free port of `127.0.0.1` and passes bytes on to another port of it, both ways. Bytes may be held up
 * or lost with their connection, but within one they are never reordered, and none is left out but by a filter.
 */
export class TcpProxy implements AsyncDisposable {
  /** The port to connect to. It stays the same. */
  readonly port: number;
  #listener: Deno.TcpListener | undefined;
  #accepting: Promise<void> | undefined;
  #target: Deno.ConnectOptions;
  readonly #options: TcpProxyOptions;
  #pairs = new Set<Pair>();
  #tasks = new Set<Promise<void>>();
  #bytesPerWrite = CHUNK_BYTES;
  #held: PromiseWithResolvers<void> | undefined;
  #accepted = 0;
  #passedBytes = 0;
  #waiting: { accepted: number; resolve: () => void }[] = [];

  private constructor(targetPort: number, options: TcpProxyOptions) {
    this.#target = { hostname: "127.0.0.1", port: targetPort };
    this.#options = options;
    this.port = this.#listen(0);
  }

  /** Starts a proxy to `targetPort`. */
  static start(targetPort: number, options: TcpProxyOptions = {}): TcpProxy {
    return new TcpProxy(targetPort, options);
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** How many connections there have been in all. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many bytes were passed on in all, both ways. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  /** Resolves when there have been `accepted` connections in all. */
  untilAccepted(accepted: number): Promise<void> {
    if (this.#accepted >= accepted) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ accepted, resolve }));
  }

  /** Closes every connection on both sides; new ones are taken as before. */
  cut(): void {
    for (const pair of this.#pairs) this.#close(pair);
  }

  /** Passes nothing on any more, neither bytes nor ends, and closes nothing: each side thinks the other silent. */
  halfOpen(): void {
    this.#held ??= Promise.withResolvers();
  }

  /** Passes on at most `bytesPerWrite` bytes at a time, each on its own. */
  slow(bytesPerWrite = 1): void {
    this.#bytesPerWrite = bytesPerWrite;
  }

  /** Refuses new connections from its end on; those that are open stay. */
  async refuse(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    // The kernel goes on taking connections until the accept that is under way has given the socket back.
    await this.#accepting;
  }

  /** Takes back {@linkcode TcpProxy.halfOpen}, {@linkcode TcpProxy.slow} and {@linkcode TcpProxy.refuse}. */
  resume(): void {
    this.#bytesPerWrite = CHUNK_BYTES;
    this.#held?.resolve();
    this.#held = undefined;
    if (this.#listener === undefined) this.#listen(this.port);
  }

  /** Connects new connections to another port. */
  retarget(targetPort: number, targetHost = "127.0.0.1"): void {
    this.#target = { hostname: targetHost, port: targetPort };
  }

  /** Closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
    this.cut();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  #listen(port: number): number {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#listener = listener;
    this.#accepting = this.#accept(listener);
    return listener.addr.port;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const socket of listener) this.#track(this.#join(socket));
    } catch (error) {
      // Closing a listener while it accepts is how refuse() ends this loop.
      if (this.#listener === listener) throw error;
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    const pair: Pair = { sockets: [near], closed: Promise.withResolvers() };
    this.#pairs.add(pair);
    this.#accepted++;
    for (const { accepted, resolve } of this.#waiting) if (accepted <= this.#accepted) resolve();
    this.#waiting = this.#waiting.filter(({ accepted }) => accepted > this.#accepted);
    try {
      const far = await Deno.connect(this.#target);
      pair.sockets.push(far);
      if (!this.#pairs.has(pair)) return far.close();
      near.setNoDelay();
      far.setNoDelay();
      const { toTarget, fromTarget } = this.#options;
      await Promise.all([
        this.#pump(near, far, pair, toTarget?.() ?? ALL),
        this.#pump(far, near, pair, fromTarget?.() ?? ALL),
      ]);
    } catch {
      // A socket that fails ends its connection, as it would without a proxy in between.
    } finally {
      this.#close(pair);
    }
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn, pair: Pair, filter: ByteFilter): Promise<void> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    while (true) {
      await this.#pass(pair);
      const length = await from.read(chunk);
      await this.#pass(pair);
      if (length === null) return this.#close(pair);
      const bytes = filter.pass(chunk.subarray(0, length));
      for (let start = 0; start < bytes.length;) {
        const end = Math.min(bytes.length, start + this.#bytesPerWrite);
        const written = await to.write(bytes.subarray(start, end));
        this.#passedBytes += written;
        start += written;
        // Without a turn of the event loop the kernel would join the pieces again.
        if (start < bytes.length) await setImmediate();
        await this.#pass(pair);
      }
    }
  }

  async #pass(pair: Pair): Promise<void> {
    while (this.#held !== undefined && this.#pairs.has(pair)) {
      await Promise.race([this.#held.promise, pair.closed.promise]);
    }
  }

  #close(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    pair.closed.resolve();
    for (const socket of pair.sockets) socket.close();
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }
}
