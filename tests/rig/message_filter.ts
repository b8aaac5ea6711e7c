/**
 * Promises a stream of NATS from which whole messages are missing and nothing else is wrong: what a server does that loses
 * messages without a word. A client cannot notice it, since messages have no numbers.
 *
 * The protocol (https://docs.nats.io/reference/reference-protocols/nats-protocol): a message is a line
 * `MSG subject sid [reply] length`, or `HMSG subject sid [reply] length-of-headers length`, then so many bytes and a line
 * end. Everything else that a server says is one line.
 *
 * @module
 */

import type { ByteFilter } from "./byte_filter.ts";

const LINE_FEED = 0x0a;

/** Bytes after a payload: `\r\n`. */
const LINE_END_BYTES = 2;

/** The most that a line of the protocol may have: nats-server's own limit is 4 KiB, but for its INFO. */
const HEAD_LIMIT_BYTES = 64 * 1024;

const decoder = new TextDecoder();

/** Leaves out the messages of a server that `isLost` says are lost; it is asked once for each message. */
export class MessageFilter implements ByteFilter {
  readonly #isLost: () => boolean;
  /** The beginning of a line whose end has not come yet. */
  #head: Uint8Array[] = [];
  #headBytes = 0;
  /** So many bytes of the message are still to come. */
  #left = 0;
  #isCut = false;

  /** Begins at the first byte of a connection. */
  constructor(isLost: () => boolean) {
    this.#isLost = isLost;
  }

  /**
   * See {@linkcode ByteFilter.pass}. A line is passed on when all of it has come.
   *
   * @throws {Error} If the bytes are not those of a NATS server.
   */
  pass(bytes: Uint8Array): Uint8Array {
    const kept: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left);
        if (!this.#isCut) kept.push(piece);
        this.#left -= piece.length;
        at += piece.length;
        continue;
      }
      const lineFeed = bytes.indexOf(LINE_FEED, at);
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
      this.#take(bytes.subarray(at, end));
      if (lineFeed >= 0) kept.push(...this.#endLine());
      at = end;
    }
    return join(kept);
  }

  /** Keeps a copy: the buffer of the caller is used again. */
  #take(piece: Uint8Array): void {
    this.#headBytes += piece.length;
    if (this.#headBytes > HEAD_LIMIT_BYTES) {
      throw new Error(`Cannot follow the stream: a line has more than ${HEAD_LIMIT_BYTES} bytes`);
    }
    this.#head.push(piece.slice());
  }

  /** What is passed on of the line that is whole now. */
  #endLine(): Uint8Array[] {
    const head = this.#head;
    this.#head = [];
    this.#headBytes = 0;
    const line = decoder.decode(join(head));
    if (!/^H?MSG /.test(line)) return head;
    const length = Number(line.trimEnd().split(/\s+/).at(-1));
    if (!Number.isSafeInteger(length)) throw new Error(`Cannot follow the stream: "${line}" has no length`);
    this.#left = length + LINE_END_BYTES;
    this.#isCut = this.#isLost();
    return this.#isCut ? [] : head;
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
