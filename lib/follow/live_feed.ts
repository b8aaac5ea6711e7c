/**
 * Promises that what is written to the archive is read once for all who follow, and made into what they want
 * once for all who want the same. It knows a place up to which all of them have got everything: whoever joins
 * there misses nothing and gets nothing twice. Its places count what was recorded, without lines that were inserted later, so
 * that none of them shifts.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../archive/archive.ts";
import { LINE_FEED } from "../archive/format.ts";
import type { LineStyle } from "../archive/read/line_format.ts";
import type { Cancel, Clock } from "../clock.ts";
import type { DayNumber } from "../day.ts";
import type { FilterSpec } from "../filter/filter.ts";
import { Positions } from "./positions.ts";

/** What following needs of the archive. */
export type FollowedArchive = Pick<Archive, "days" | "held" | "onCommit" | "openRecordedText" | "lines">;

/** At most so much text is read and made into events at a time, in bytes. */
const PIECE_BYTES = 1024 * 1024;

/**
 * What is written within this time is handed on together, in milliseconds: the more followers there are, the
 * longer, since each of them costs the recording thread a few microseconds a time.
 */
const QUIET_MS = 8;
const MS_PER_FOLLOWER = 0.03;
const LONGEST_QUIET_MS = 25;

/** So many listeners send their lines in one go, a millisecond's work, before recording gets its turn again. */
const LISTENERS_PER_TURN = 40;

/** What of the stream somebody wants, and how. */
export interface FeedRequest {
  /** Which lines. */
  filter: FilterSpec;
  /** How they are written. */
  style: LineStyle;
  /** Whether each is an event with an id. */
  isEvents: boolean;
}

/** Gets what is new. Must not throw. */
export interface FeedListener {
  /** Takes lines; `before` is the place where they begin, to be copied if it is kept. Does not send them yet. */
  push(lines: Uint8Array, before: Positions): void;
  /** Sends what it has taken. */
  wake(): void;
}

interface Channel {
  request: FeedRequest;
  listeners: Set<FeedListener>;
}

/** The end of the archive, as it moves. Costs nothing while nobody has started it. */
export class LiveFeed {
  readonly #archive: FollowedArchive;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  readonly #channels = new Map<string, Channel>();
  #positions = new Positions();
  #ends = new Map<DayNumber, number>();
  #cancelListening: Cancel | null = null;
  #cancelRun: Cancel | null = null;
  #running: Promise<void> | null = null;
  #lastRunMs = -Infinity;
  #listeners = 0;

  /** `onFault` hears that something could not be read, after which nothing more comes. */
  constructor(options: { archive: FollowedArchive; clock: Clock; onFault: (error: unknown) => void }) {
    this.#archive = options.archive;
    this.#clock = options.clock;
    this.#onFault = options.onFault;
  }

  /** The place up to which everything was handed on. It moves in the same turn in which that is done. */
  get positions(): Positions {
    return this.#positions;
  }

  /** Begins at the end of the archive; harmless when repeated. */
  start(): void {
    if (this.#cancelListening !== null) return;
    this.#ends = new Map(this.#archive.days().map(({ day, recordedBytes }) => [day, recordedBytes]));
    this.#positions = new Positions(this.#ends);
    this.#cancelListening = this.#archive.onCommit((day, end) => {
      this.#ends.set(day, end);
      this.#plan();
    });
  }

  /** Stops until it is started again. Listeners hear nothing more. */
  stop(): void {
    this.#cancelListening?.();
    this.#cancelListening = null;
    this.#cancelRun?.();
    this.#cancelRun = null;
    this.#channels.clear();
    this.#listeners = 0;
  }

  /** Has `listener` hear of everything after {@linkcode positions}; returns what ends that. */
  join(request: FeedRequest, listener: FeedListener): Cancel {
    const key = JSON.stringify(request);
    const channel = this.#channels.get(key) ?? { request, listeners: new Set() };
    this.#channels.set(key, channel);
    channel.listeners.add(listener);
    this.#listeners++;
    return () => {
      if (!channel.listeners.delete(listener)) return;
      this.#listeners--;
      if (channel.listeners.size === 0 && this.#channels.get(key) === channel) this.#channels.delete(key);
    };
  }

  /** Hands on what is written already, without waiting for more. */
  async flush(): Promise<void> {
    const ends = new Map(this.#ends);
    while (this.#cancelListening !== null && this.#isBehind(ends)) {
      this.#cancelRun?.();
      this.#cancelRun = null;
      if (this.#running === null) this.#start();
      await this.#running;
    }
  }

  /** Settles when nothing is being read, which after {@linkcode stop} stays so. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #plan(): void {
    if (this.#running !== null || this.#cancelRun !== null) return;
    const quietMs = Math.min(QUIET_MS + this.#listeners * MS_PER_FOLLOWER, LONGEST_QUIET_MS);
    const waitMs = this.#lastRunMs + quietMs - this.#clock.elapsed();
    if (waitMs > 0) {
      this.#cancelRun = this.#clock.after(waitMs, () => {
        this.#cancelRun = null;
        this.#start();
      });
    } else {
      this.#start();
    }
  }

  #start(): void {
    this.#running = this.#run().finally(() => {
      this.#running = null;
      if (this.#cancelListening !== null && this.#isBehind(this.#ends)) this.#plan();
    });
  }

  async #run(): Promise<void> {
    try {
      for (const [day, end] of [...this.#ends]) {
        while (this.#cancelListening !== null && this.#positions.get(day) < end) {
          await this.#advance(day, end);
        }
      }
    } catch (error) {
      this.stop();
      this.#onFault(error);
    }
    // The pause before the next run counts from the end of this one: its events are still being sent then.
    this.#lastRunMs = this.#clock.elapsed();
  }

  #isBehind(ends: ReadonlyMap<DayNumber, number>): boolean {
    for (const [day, end] of ends) {
      if (this.#positions.get(day) < end) return true;
    }
    return false;
  }

  /** Reads the next piece of a day and hands it on. */
  async #advance(day: DayNumber, end: number): Promise<void> {
    const positions = this.#positions;
    const start = positions.get(day);
    const text = await this.#readPiece(day, start, end);
    const rest = positions.restOfId(day);
    const events = () => ({ day, rest });
    const lines = new Map<Channel, Uint8Array>();
    // A channel that is opened while this runs begins before this piece, so the piece is made into its events too.
    for (let missing = this.#channelsWithout(lines); missing.length > 0;) {
      for (const channel of missing) {
        const { filter, style, isEvents } = channel.request;
        const request = { filter, style, events: isEvents ? events : null };
        lines.set(channel, await this.#archive.lines.selectText(text, { day, offset: start }, request));
      }
      missing = this.#channelsWithout(lines);
    }
    if (this.#positions !== positions || this.#cancelListening === null) return;
    const told: FeedListener[] = [];
    for (const [{ listeners }, bytes] of lines) {
      if (bytes.length === 0) continue;
      for (const listener of [...listeners]) {
        listener.push(bytes, positions);
        told.push(listener);
      }
    }
    positions.set(day, start + text.length);
    for (const [number, listener] of told.entries()) {
      if (number % LISTENERS_PER_TURN === LISTENERS_PER_TURN - 1) await nextTurn();
      listener.wake();
    }
  }

  #channelsWithout(lines: ReadonlyMap<Channel, Uint8Array>): Channel[] {
    return [...this.#channels.values()].filter((channel) => !lines.has(channel));
  }

  /** Whole lines from `start` on; commits end at the end of a line. */
  async #readPiece(day: DayNumber, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    for (let length = PIECE_BYTES;; length *= 2) {
      const upTo = Math.min(end, start + length);
      const text = new Uint8Array(upTo - start);
      let at = 0;
      for await (const bytes of this.#archive.openRecordedText(day, { start, end: upTo })) {
        text.set(bytes, at);
        at += bytes.length;
      }
      const cut = upTo === end ? text.length : text.lastIndexOf(LINE_FEED) + 1;
      if (cut > 0) return text.subarray(0, cut);
    }
  }
}
