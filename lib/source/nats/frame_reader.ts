/**
 * Promises to find every message in the bytes that a NATS server sends, at once and without copying, and to
 * hand everything else on for nats.ws to read.
 *
 * nats.ws takes some 1 µs for a message, prints what it cannot read to the console, text of recorded lines
 * included, and then goes on collecting bytes that nobody reads. Here garbage is an error, and a message
 * costs a fifth.
 *
 * Protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol
 *
 * @module
 */

import { freeBuffer } from "../../machine/spent_buffers.ts";

/** The longest line of the protocol that is taken, in bytes. An INFO of a big cluster has some kilobytes. */
export const LINE_LIMIT_BYTES = 1024 * 1024;

/** The largest payload that is taken, in bytes: as much as a server lets wait for a client (`max_pending`). */
export const PAYLOAD_LIMIT_BYTES = 64 * 1024 * 1024;

/** What a server takes for a payload unless it is told otherwise, in bytes (`max_payload`). */
export const USUAL_PAYLOAD_BYTES = 1024 * 1024;

const TAB = 0x09, LF = 0x0a, CR = 0x0d, SPACE = 0x20, DIGIT_0 = 0x30, DIGIT_9 = 0x39;

/** Masks the difference between upper and lower case. */
const UPPER = 0xdf;
const H = 0x48, M = 0x4d, S = 0x53, G = 0x47;

/** A carry buffer that has grown beyond this many bytes is let go once its frame is through. */
const CARRY_KEPT_BYTES = 64 * 1024;

const CONTROL_LINE = /^(INFO|PING|PONG|\+OK|-ERR)\s/i;

const decoder = new TextDecoder();

/**
 * One message. There is a single object of it for all messages of a reader: it and its bytes are valid only
 * during the call that it is given to.
 */
export class Message {
  /** Holds the payload from {@linkcode Message.start} to {@linkcode Message.end}, and what is not ours besides. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the payload starts in {@linkcode Message.bytes}. */
  start = 0;
  /** Where the payload ends in {@linkcode Message.bytes}. */
  end = 0;
  /** Where the subject starts in {@linkcode Message.bytes}. */
  subjectStart = 0;
  /** Where the subject ends in {@linkcode Message.bytes}. */
  subjectEnd = 0;

  /** The payload as a view, made anew at each call; `bytes`, `start` and `end` are cheaper. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** The subject as text, decoded anew at each call. */
  get subject(): string {
    return decoder.decode(this.bytes.subarray(this.subjectStart, this.subjectEnd));
  }
}

/** What is done with the frames. Both are called while {@linkcode FrameReader.read} runs. */
export interface FrameHandlers {
  /** Takes a message; `sid` is the number of the subscription. Must not throw. */
  onMessage(sid: number, message: Message): void;
  /** Takes any other frame: its text without the line end, and its bytes with it, valid only during the call. */
  onControl(text: string, frame: Uint8Array): void;
}

/**
 * Cuts a stream of bytes, in pieces of any size, into frames. What a piece ends within is kept for the next
 * one, and nothing else is. After an error or {@linkcode FrameReader.stop} no handler is called any more.
 */
export class FrameReader {
  /** A payload that is announced to be longer is no message of this server, in bytes. */
  payloadLimitBytes: number = PAYLOAD_LIMIT_BYTES;

  #handlers: FrameHandlers;
  #message = new Message();
  #stopped = false;

  // The frame that the last piece ended within: bytes so far, and how many it has in all, 0 if not known yet.
  #carry = new Uint8Array(4096);
  #carried = 0;
  #wanted = 0;

  // The arguments of the message line that was parsed last.
  #subjectStart = 0;
  #subjectEnd = 0;
  #sid = 0;
  #headerBytes = 0;
  #size = 0;

  /** Frames go to `handlers`. */
  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  /** Lets no further frame through, from within a handler too. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Takes the next bytes; they are not needed any more when it returns.
   *
   * @throws {SyntaxError} If they are not the NATS protocol. The message contains nothing of them.
   */
  read(chunk: Uint8Array): void {
    if (this.#stopped) return;
    let position = this.#carried > 0 ? this.#finishCarried(chunk) : 0;
    const end = chunk.length;
    while (position < end && !this.#stopped) {
      const lineEnd = chunk.indexOf(LF, position);
      if (lineEnd < 0) return this.#keep(chunk, position, 0);
      if (!this.#parseMessageLine(chunk, position, lineEnd)) {
        this.#control(chunk, position, lineEnd);
        position = lineEnd + 1;
        continue;
      }
      const frameEnd = lineEnd + 1 + this.#size + 2;
      if (frameEnd > end) return this.#keep(chunk, position, frameEnd - position);
      this.#dispatch(chunk, lineEnd + 1);
      position = frameEnd;
    }
  }

  // Brings the carried frame to its end, if the chunk has it, and returns the position after it.
  #finishCarried(chunk: Uint8Array): number {
    let position = 0;
    if (this.#wanted === 0) {
      const lineEnd = chunk.indexOf(LF);
      position = lineEnd < 0 ? chunk.length : lineEnd + 1;
      this.#append(chunk, 0, position);
      if (lineEnd < 0) return position;
      const carriedEnd = this.#carried - 1;
      if (!this.#parseMessageLine(this.#carry, 0, carriedEnd)) {
        const line = this.#carry;
        this.#carried = 0;
        this.#letGo();
        this.#control(line, 0, carriedEnd);
        if (line !== this.#carry) freeBuffer(line);
        return position;
      }
      this.#wanted = this.#carried + this.#size + 2;
    }
    const taken = Math.min(this.#wanted - this.#carried, chunk.length - position);
    this.#append(chunk, position, position + taken);
    position += taken;
    if (this.#carried < this.#wanted) return position;
    const frame = this.#carry;
    const payloadStart = this.#wanted - this.#size - 2;
    this.#carried = this.#wanted = 0;
    this.#letGo();
    this.#dispatch(frame, payloadStart);
    if (frame !== this.#carry) freeBuffer(frame);
    return position;
  }

  // Called when the carried frame is complete: one that was big must not cost its memory for ever.
  #letGo(): void {
    if (this.#carry.length > CARRY_KEPT_BYTES) this.#carry = new Uint8Array(4096);
  }

  #keep(chunk: Uint8Array, start: number, wanted: number): void {
    this.#wanted = wanted;
    // The positions that were parsed belong to the chunk; in the carry the frame starts at 0.
    this.#subjectStart -= start;
    this.#subjectEnd -= start;
    this.#append(chunk, start, chunk.length);
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const length = this.#carried + end - start;
    if (this.#wanted === 0 && length > LINE_LIMIT_BYTES) {
      this.#fail(`a line is longer than ${LINE_LIMIT_BYTES} bytes`);
    }
    if (length > this.#carry.length) {
      // Grows with what has come, not with what a line announces: a line alone must not cost the memory.
      const doubled = Math.max(length, 2 * this.#carry.length);
      const larger = new Uint8Array(this.#wanted === 0 ? doubled : Math.min(doubled, this.#wanted));
      larger.set(this.#carry.subarray(0, this.#carried));
      freeBuffer(this.#carry);
      this.#carry = larger;
    }
    this.#carry.set(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end), this.#carried);
    this.#carried = length;
  }

  #dispatch(bytes: Uint8Array, payloadStart: number): void {
    const end = payloadStart + this.#size;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) this.#fail("a payload is not as long as announced");
    const message = this.#message;
    message.bytes = bytes;
    message.start = payloadStart + this.#headerBytes;
    message.end = end;
    message.subjectStart = this.#subjectStart;
    message.subjectEnd = this.#subjectEnd;
    if (!this.#stopped) this.#handlers.onMessage(this.#sid, message);
  }

  #control(bytes: Uint8Array, start: number, lineEnd: number): void {
    const frame = bytes.subarray(start, lineEnd + 1);
    if (frame.length > LINE_LIMIT_BYTES) this.#fail(`a line is longer than ${LINE_LIMIT_BYTES} bytes`);
    const text = decoder.decode(frame);
    if (!CONTROL_LINE.test(text)) this.#fail("a line is no frame");
    this.#handlers.onControl(text.trimEnd(), frame);
  }

  // Reads "MSG subject sid [reply] size" or "HMSG subject sid [reply] headers size"; false for another line.
  #parseMessageLine(bytes: Uint8Array, start: number, lineEnd: number): boolean {
    const headers = (bytes[start]! & UPPER) === H;
    let position = headers ? start + 1 : start;
    if ((bytes[position]! & UPPER) !== M) return false;
    if ((bytes[position + 1]! & UPPER) !== S || (bytes[position + 2]! & UPPER) !== G) return false;
    position += 3;
    const end = bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (position >= end || !isBlank(bytes[position]!)) return false;

    while (position < end && isBlank(bytes[position]!)) position++;
    this.#subjectStart = position;
    while (position < end && !isBlank(bytes[position]!)) position++;
    this.#subjectEnd = position;

    let fields = 0, sid = -1, beforeLast = -1, last = -1;
    while (true) {
      while (position < end && isBlank(bytes[position]!)) position++;
      if (position >= end) break;
      beforeLast = last;
      last = 0;
      for (; position < end; position++) {
        const byte = bytes[position]!;
        if (isBlank(byte)) break;
        if (byte < DIGIT_0 || byte > DIGIT_9) last = NaN; // A reply subject, or no number where one belongs.
        else last = last * 10 + (byte - DIGIT_0);
      }
      if (fields++ === 0) sid = last;
    }
    const fewest = headers ? 3 : 2;
    const headerBytes = headers ? beforeLast : 0;
    const sane = (fields === fewest || fields === fewest + 1) && sid >= 0 && last >= 0 &&
      headerBytes >= 0 && headerBytes <= last;
    if (!sane) this.#fail("a message line is incomplete");
    if (last > this.payloadLimitBytes) this.#fail(`a payload is longer than ${this.payloadLimitBytes} bytes`);
    this.#sid = sid;
    this.#headerBytes = headerBytes;
    this.#size = last;
    return true;
  }

  #fail(reason: string): never {
    this.#stopped = true;
    throw new SyntaxError(`Cannot read what the server sends: ${reason}`);
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
