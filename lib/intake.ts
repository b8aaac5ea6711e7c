/**
 * Promises that each message becomes exactly one of: a line in the archive, as it came or in an envelope; a
 * message left out on purpose; an empty one; or one that nothing could hold. Each is counted.
 *
 * @module
 */

import type { Archive } from "./archive/archive.ts";
import type { Clock } from "./clock.ts";
import { createEnvelope, subjectParts } from "./envelope.ts";
import { dayOfLine, parseFlyRecord, rejection } from "./fly_log.ts";
import type { LineRules } from "./line_rules.ts";
import { LineScanner } from "./line_scanner.ts";
import type { RecorderCounters } from "./status.ts";
import { parseTimestamp, type Timestamp, timestampFromMs } from "./timestamp.ts";

/** A message as a source hands it over; valid only during the call. */
export interface SourceMessage {
  /** The message's bytes, a view on a buffer that is used again. */
  readonly payload: Uint8Array;
  /** Made when asked for. */
  readonly subject: string;
}

/**
 * A line whose timestamp is further than this from its arrival, in milliseconds, either way, says nothing about
 * how late others are.
 */
export const LAG_LIMIT_MS = 60_000;

/** See {@linkcode Intake}. */
export interface IntakeOptions {
  /** Takes the lines. */
  archive: Pick<Archive, "append">;
  /** Tells when a message arrived. */
  clock: Clock;
  /** Which lines are left out. */
  rules: LineRules;
  /** Whether there is room for a line now; one that has none is dropped and counted. */
  hasRoom(): boolean;
  /** Called before a line is dropped for want of room. */
  onDrop(): void;
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
  /** Arrival of the last line whose own timestamp is within {@linkcode LAG_LIMIT_MS} of it; null before. */
  lastTimedMs: number | null = null;
  /** How long the last line was on its way; null before the first that has a timestamp. */
  lagMs: number | null = null;

  readonly #options: IntakeOptions;
  readonly #scanner = new LineScanner();
  #largestLagMs = 0;
  #largestLagBeforeMs = 0;

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
    const reason = rejection(payload, this.#scanner);
    if (reason === null) this.#takeRecord(message, payload, arrivalMs);
    else this.#takeRejected(message, payload, arrivalMs, reason);
  }

  /**
   * The longest way of a line lately, in milliseconds, ways above {@linkcode LAG_LIMIT_MS} apart: a line that is
   * still on its way may be so much older than the last one that came.
   */
  get largestLagMs(): number {
    return Math.max(this.#largestLagMs, this.#largestLagBeforeMs);
  }

  /** Has {@linkcode Intake.largestLagMs} forget what was before the last call of this. */
  forgetOldLags(): void {
    this.#largestLagBeforeMs = this.#largestLagMs;
    this.#largestLagMs = 0;
  }

  #takeRecord(message: SourceMessage, payload: Uint8Array, arrivalMs: number): void {
    const { rules } = this.#options;
    const scanner = this.#scanner;
    const time = this.#timeOf(payload);
    this.#noteTime(time, arrivalMs);
    if (rules.leavesOut(payload, scanner.recognized ? scanner : null, message)) {
      this.counters.filtered++;
      return;
    }
    this.#append(payload, !scanner.recognized || scanner.hasNewline, time, arrivalMs);
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
  }

  /** The record's own timestamp; the object is used again for the next one. */
  #timeOf(payload: Uint8Array): Timestamp | null {
    const scanner = this.#scanner;
    if (!scanner.recognized) return parseTimestamp(parseFlyRecord(payload).record?.timestamp ?? "");
    return scanner.timed ? scanner : null;
  }

  #noteTime(time: Timestamp | null, arrivalMs: number): void {
    if (time === null) return;
    const stampMs = time.seconds * 1000 + time.nanoseconds / 1e6;
    const lagMs = arrivalMs - stampMs;
    this.lagMs = lagMs;
    if (Math.abs(lagMs) > LAG_LIMIT_MS) return;
    this.lastTimedMs = arrivalMs;
    if (lagMs > this.#largestLagMs) this.#largestLagMs = lagMs;
  }

  #append(line: Uint8Array, hasNewline: boolean, time: Timestamp | null, arrivalMs: number): void {
    if (!this.#options.hasRoom()) {
      this.#options.onDrop();
      this.counters.dropped++;
      return;
    }
    this.#options.archive.append(dayOfLine(time && time.seconds, arrivalMs), line, hasNewline, time);
    this.counters.recorded++;
  }
}
