/**
 * Promises that each message becomes exactly one of: a line in the archive, as it came or in an envelope; a
 * message left out on purpose; an empty one; or one that nothing could hold. Each is counted.
 *
 * @module
 */

import type { Archive } from "../archive/archive.ts";
import type { Clock } from "../clock.ts";
import { createEnvelope, subjectParts } from "../line/envelope.ts";
import { dayOfLine, type FlyRecord, readPayload } from "../line/fly_log.ts";
import type { LineRules } from "../filter/rules.ts";
import { LineScanner } from "../line/scanner.ts";
import type { SourceMessage } from "../source/source.ts";
import type { RecorderCounters } from "./status.ts";
import { freeBuffer } from "../machine/spent_buffers.ts";
import type { Backpressure } from "./backpressure.ts";
import { parseTimestamp, type Timestamp, timestampFromMs } from "../timestamp.ts";

/** See {@linkcode Intake}. */
export interface IntakeOptions {
  /** Takes the lines. */
  archive: Pick<Archive, "append">;
  /** Tells when a message arrived. */
  clock: Clock;
  /** Which lines are left out. */
  rules: LineRules;
  /** Says whether there is room for a line; one that has none is dropped and counted. */
  backpressure: Pick<Backpressure, "hasRoom" | "noteAppended" | "noteDropped">;
  /**
   * Hears of each message that has a payload, whether or not there is room for its line, and before it is dropped:
   * when it came, by {@linkcode Clock.elapsed} or up to a millisecond earlier, and its own timestamp in milliseconds
   * since 1970, if it has one.
   */
  onLine(elapsedMs: number, stampMs: number | null): void;
}

/** Turns messages into lines. */
export class Intake {
  /** What became of the messages so far. */
  readonly counters: RecorderCounters = {
    received: 0,
    recorded: 0,
    rejected: 0,
    filtered: 0,
    empty: 0,
    dropped: 0,
    bytes: 0,
  };
  /** Arrival of the last message that has a payload, in milliseconds since 1970; null before the first. */
  lastLineMs: number | null = null;
  /** How long the last line was on its way; null before the first that has a timestamp. */
  lagMs: number | null = null;

  readonly #options: IntakeOptions;
  readonly #scanner = new LineScanner();
  /** The time passed, looked at once in a millisecond, which is when: it costs as much as a third of a line. */
  #elapsedMs = 0;
  #elapsedAtMs = NaN;

  /** Counts from zero. */
  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes one message. */
  take(message: SourceMessage): void {
    const { counters } = this;
    const { payload } = message;
    counters.received++;
    counters.bytes += payload.length;
    if (payload.length === 0) {
      counters.empty++;
      return;
    }
    const arrivalMs = this.#options.clock.now();
    this.lastLineMs = arrivalMs;
    const parsed = readPayload(payload, this.#scanner);
    if (parsed === null) this.#takeRecognized(message, payload, arrivalMs);
    else if (parsed.record !== undefined) this.#takeParsed(message, payload, arrivalMs, parsed.record);
    else this.#takeRejected(message, payload, arrivalMs, parsed.reason);
  }

  #takeRecognized(message: SourceMessage, payload: Uint8Array, arrivalMs: number): void {
    const scanner = this.#scanner;
    const time = scanner.timed ? scanner : null; // read at once, since the scanner is used again for the next line
    this.#noteTime(time, arrivalMs);
    if (this.#options.rules.leavesOut(payload, scanner, message)) this.counters.filtered++;
    else this.#append(payload, scanner.hasNewline, time, arrivalMs);
  }

  #takeParsed(message: SourceMessage, payload: Uint8Array, arrivalMs: number, record: FlyRecord): void {
    const time = parseTimestamp(record.timestamp ?? "");
    this.#noteTime(time, arrivalMs);
    if (this.#options.rules.leavesOutParsed(record, message)) this.counters.filtered++;
    else this.#append(payload, true, time, arrivalMs); // nobody has looked for newlines between its tokens
  }

  #takeRejected(message: SourceMessage, payload: Uint8Array, arrivalMs: number, reason: string): void {
    const { subject } = message;
    this.#noteTime(null, arrivalMs);
    if (this.#options.rules.leavesOutApp(subjectParts(subject).app)) {
      this.counters.filtered++;
      return;
    }
    this.counters.rejected++;
    const line = createEnvelope({ payload, subject, receivedMs: arrivalMs, reason });
    this.#append(line, false, timestampFromMs(arrivalMs), arrivalMs);
    freeBuffer(line); // the archive has copied it
  }

  #noteTime(time: Timestamp | null, arrivalMs: number): void {
    const stampMs = time === null ? null : time.seconds * 1000 + time.nanoseconds / 1e6;
    if (stampMs !== null) this.lagMs = arrivalMs - stampMs;
    if (arrivalMs !== this.#elapsedAtMs) {
      this.#elapsedAtMs = arrivalMs;
      this.#elapsedMs = this.#options.clock.elapsed();
    }
    this.#options.onLine(this.#elapsedMs, stampMs);
  }

  #append(line: Uint8Array, hasNewline: boolean, time: Timestamp | null, arrivalMs: number): void {
    const { archive, backpressure } = this.#options;
    if (!backpressure.hasRoom()) {
      backpressure.noteDropped();
      this.counters.dropped++;
      return;
    }
    archive.append(dayOfLine(time && time.seconds, arrivalMs), line, hasNewline, time);
    this.counters.recorded++;
    backpressure.noteAppended();
  }
}
