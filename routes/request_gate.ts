/**
 * Promises that of each connection one request is under way at a time, however many a client sends ahead of their answers
 * (RFC 9112 section 9.3.2 lets it): the next one reaches the parser when the answer before it has been taken.
 *
 * Node's server makes an exchange of every request that it finds in what it has read, which may be 1,700 in 64 KiB, and
 * each costs some kilobytes and a tenth of a millisecond or more before anybody has read an answer. Measured: 600 connections
 * with 1,000 requests of 37 bytes each kept the recording thread busy for two minutes and took 1.4 GB.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Turns } from "./turns.ts";

/** What a client has sent ahead waits here up to this size, in bytes, and one piece of what is read; then no more is read. */
export const AHEAD_BYTES_LIMIT = 16 * 1024;

/** Of all connections together one request that was sent ahead is begun in a turn. */
const turns = new Turns();

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** What Node hangs on the socket of a server: its parser, which reads past the listeners until it is told not to. */
type ParsedSocket = Socket & { parser?: { unconsume?(): void } };

/** Stands between one connection and the parser of its requests. */
export class RequestGate {
  readonly #socket: Socket;
  readonly #parse: (bytes: Buffer) => void;
  readonly #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #isBusy = false;
  #isFeeding = false;
  /** Whether nothing has come of a line that began in what was handed on. */
  #isLineEmpty = false;

  /**
   * Takes the place of the parser, which is the only one that listens to `socket` so far.
   *
   * @throws {TypeError} If nothing listens: this has to come after Node's own listener of "connection".
   */
  constructor(socket: Socket) {
    this.#socket = socket;
    const [parse] = socket.listeners("data") as ((bytes: Buffer) => void)[];
    if (parse === undefined) {
      throw new TypeError("Cannot put a gate before a parser: nothing listens to the socket");
    }
    this.#parse = parse.bind(socket);
    (socket as ParsedSocket).parser?.unconsume?.();
    socket.removeListener("data", parse);
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
  }

  /** A request has come out of the parser: what follows it has to wait. */
  close(): void {
    this.#isBusy = true;
  }

  /**
   * Its answer has been taken, or given up. What was sent ahead goes on in a later turn of the event loop: a short answer is
   * taken at once, and a thousand of them in a row would keep recording from its turn.
   */
  async open(): Promise<void> {
    if (this.#ahead.length > 0) await turns.next();
    this.#isBusy = false;
    this.#feed();
  }

  #take(bytes: Buffer): void {
    this.#ahead.push(bytes);
    this.#aheadBytes += bytes.length;
    this.#feed();
    if (this.#aheadBytes > AHEAD_BYTES_LIMIT) this.#socket.pause();
  }

  /** Hands on what has come, a piece at a time: no piece has the end of more than one request's headers in it. */
  #feed(): void {
    if (this.#isFeeding) return; // an answer that is there at once opens the gate from within the parser
    this.#isFeeding = true;
    while (!this.#isBusy && !this.#socket.destroyed && this.#ahead.length > 0) {
      const bytes = this.#ahead.shift()!;
      const end = this.#headersEnd(bytes);
      this.#aheadBytes -= end;
      if (end < bytes.length) this.#ahead.unshift(bytes.subarray(end));
      this.#parse(bytes.subarray(0, end));
    }
    this.#isFeeding = false;
    if (this.#aheadBytes <= AHEAD_BYTES_LIMIT) this.#socket.resume();
  }

  /**
   * The place after the first empty line, which ends a request's headers, or after all of `bytes` if there is none. The
   * line may have begun in the piece before.
   */
  #headersEnd(bytes: Buffer): number {
    for (const [at, byte] of bytes.entries()) {
      if (byte === LINE_FEED) {
        if (this.#isLineEmpty) {
          this.#isLineEmpty = false;
          return at + 1;
        }
        this.#isLineEmpty = true;
      } else if (byte !== CARRIAGE_RETURN) this.#isLineEmpty = false;
    }
    return bytes.length;
  }
}
