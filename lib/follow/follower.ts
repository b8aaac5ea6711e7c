/**
 * Promises one client every line from its start on, each once and in order, however slowly it reads: what it
 * has not taken is on the disk, so it is read from there when the client comes for it, and only a little of it
 * is ever held in memory.
 *
 * A follower reads its way through the archive until it meets the end of it, joins the live feed there, and
 * goes back to the disk when it falls behind.
 *
 * @module
 */

import type { LineRequest } from "../archive/read/line_chunk.ts";
import { type DayRange, rangesFrom } from "../archive/read/plan.ts";
import type { Cancel } from "../clock.ts";
import type { DayNumber } from "../day.ts";
import type { FilterSpec } from "../filter/filter.ts";
import type { FeedListener, FeedRequest, FollowedArchive, LiveFeed } from "./live_feed.ts";
import { insertedInto, positionAt, type Positions } from "./positions.ts";

/** New lines wait for a client up to this size; one that has more to take falls back to the disk, in bytes. */
export const WAITING_BYTES_LIMIT = 64 * 1024;

/** At most so many notices wait for a client; the oldest go first. */
export const NOTICES_LIMIT = 64;

/** A follower that lacks no more than this joins the feed; while it reads the rest, new lines wait for it. In bytes. */
const JOIN_BYTES = 256 * 1024;

/** A look at the disk ends when it has given so many bytes, or looked at so many pieces. */
const STEP_BYTES = 64 * 1024;
const STEP_PIECES = 16;

/** What a follower reads before it follows: some ranges with some filter. */
export interface Reading {
  /** Where, oldest first. */
  ranges: DayRange[];
  /** Which lines. */
  filter: FilterSpec;
  /** How far it has come in each day when it has read its ranges. */
  ends: Positions;
}

/** Where a follower begins: how far it has come in each day, and what it reads first. */
export interface FollowerStart {
  /** The first byte of each day that it is to get; in the days of `reading` the start of their ranges. */
  positions: Positions;
  /** What it reads before it goes on from the ends of these ranges; null for nothing. */
  reading: Reading | null;
}

/** See {@linkcode Follower}. */
export interface FollowerOptions {
  /** What it is to get. */
  request: FeedRequest;
  /** Where the lines are. */
  archive: FollowedArchive;
  /** What is new. */
  feed: LiveFeed;
  /** Finds out where to begin; called once. `signal` says that the client has gone. */
  prepare(signal: AbortSignal): Promise<FollowerStart>;
  /** Waits for a turn at the disk, and says how many lines may be read in it; null for no limit. */
  takeTurn(): Promise<Disposable & { limit: number | null }>;
  /** Makes the notice for a client that took its lines too slowly and lacks so many bytes; null for no notice. */
  laggedNotice: ((bytes: number) => Uint8Array) | null;
  /** Called once, when it is over. */
  onEnd(): void;
}

/** One client that follows. */
export class Follower implements FeedListener {
  /** What the client gets. Cancelling it ends the follower. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: FollowerOptions;
  readonly #notices: Uint8Array[] = [];
  /** Lines that are next, and lines that come after what is still being read. */
  #ready: Uint8Array[] = [];
  #held: Uint8Array[] = [];
  #waitingBytes = 0;
  #positions: Positions | null = null;
  #reading: Reading | null = null;
  #leave: Cancel | null = null;
  #isLive = false;
  #isLagging = false;
  #isOver = false;
  #isCancelled = false;
  #failure: unknown = null;
  readonly #gone = new AbortController();
  #resume: (() => void) | null = null;

  /** Reads nothing before the stream is. */
  constructor(options: FollowerOptions) {
    this.#options = options;
    this.stream = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const bytes = await this.#next();
          if (this.#isCancelled) return;
          if (bytes !== null) controller.enqueue(bytes);
          else controller.close();
        } catch (error) {
          this.end();
          throw error;
        }
      },
      cancel: () => {
        this.#isCancelled = true;
        this.end();
      },
    }, { highWaterMark: 0 });
  }

  /** Whether it reads from the disk. */
  get isReading(): boolean {
    return !this.#isLive;
  }

  /** See {@linkcode FeedListener.push}. */
  push(lines: Uint8Array, before: Positions): void {
    if (this.#waitingBytes > 0 && this.#waitingBytes + lines.length > WAITING_BYTES_LIMIT) {
      return this.#fallBack(before);
    }
    (this.#isLive ? this.#ready : this.#held).push(lines);
    this.#waitingBytes += lines.length;
  }

  /** See {@linkcode FeedListener.wake}. */
  wake(): void {
    this.#resume?.();
    this.#resume = null;
  }

  /** Sends a notice before the next lines. */
  notify(notice: Uint8Array): void {
    if (this.#notices.length === NOTICES_LIMIT) this.#notices.shift();
    this.#notices.push(notice);
    this.wake();
  }

  /** Whether the client has not even taken the notices. */
  get hasNotices(): boolean {
    return this.#notices.length > 0;
  }

  /** Ends it once the client has what waits for it, or breaks it off with an error; harmless when repeated. */
  end(failure: unknown = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#gone.abort();
    this.#leave?.();
    this.#leave = null;
    this.wake();
    this.#options.onEnd();
  }

  async #next(): Promise<Uint8Array | null> {
    while (true) {
      const notice = this.#notices.shift();
      if (notice !== undefined) return notice;
      const lines = this.#ready.shift();
      if (lines !== undefined) {
        this.#waitingBytes -= lines.length;
        return lines;
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.#isOver) return null;
      if (this.#isLive) {
        await new Promise<void>((resolve) => this.#resume = resolve);
        continue;
      }
      const found = await this.#readOn();
      if (found !== null) return found;
    }
  }

  /** The client does not take what comes: from `before` on, it gets it from the disk. */
  #fallBack(before: Positions): void {
    this.#leave?.();
    this.#leave = null;
    this.#isLagging = true;
    if (this.#isLive) {
      this.#isLive = false;
      this.#positions = before.copy();
    } else {
      for (const { length } of this.#held.splice(0)) this.#waitingBytes -= length;
    }
    this.wake();
  }

  /** Takes one step towards the end of the archive; returns what it has found, if anything. */
  async #readOn(): Promise<Uint8Array | null> {
    if (this.#positions === null) {
      const { positions, reading } = await this.#options.prepare(this.#gone.signal);
      this.#positions = positions;
      this.#reading = reading;
      return null; // what is told of the gaps before comes first
    }
    if (this.#isLagging) {
      this.#isLagging = false;
      const notice = this.#options.laggedNotice?.(this.#missingBytes());
      if (notice !== undefined) return notice;
    }
    if (this.#reading === null) this.#chooseReading();
    if (this.#reading === null) return null;
    using turn = await this.#options.takeTurn();
    return this.#isOver ? null : await this.#read(this.#reading, turn.limit);
  }

  /** Joins the feed where there is nothing to read; reads a little first, or much without joining. */
  #chooseReading(): void {
    const { feed, request } = this.#options;
    const ranges = this.#missingRanges();
    if (this.#leave === null && this.#missingBytes() <= JOIN_BYTES) this.#leave = feed.join(request, this);
    else if (this.#leave !== null) ranges.length = 0;
    if (ranges.length > 0) {
      this.#reading = { ranges, filter: request.filter, ends: feed.positions.copy() };
      return;
    }
    this.#isLive = true;
    this.#ready.push(...this.#held.splice(0));
  }

  /** What lies between this follower and the feed. */
  #missingRanges(): DayRange[] {
    const ranges: DayRange[] = [];
    for (const [day, end] of this.#options.feed.positions.entries()) {
      const start = this.#positions!.get(day);
      if (start.recorded >= end.recorded) continue;
      const range = { day, start: 0, end: end.offset, edition: end.edition, timedOnly: false };
      ranges.push(...rangesFrom([range], { day, offset: start.offset, edition: start.edition }));
    }
    return ranges.sort((a, b) => a.day - b.day);
  }

  /** How much lies between this follower and the feed, in bytes. */
  #missingBytes(): number {
    let bytes = 0;
    for (const [day, { recorded }] of this.#options.feed.positions.entries()) {
      bytes += Math.max(0, recorded - this.#positions!.get(day).recorded);
    }
    return bytes;
  }

  async #read(reading: Reading, limit: number | null): Promise<Uint8Array | null> {
    const { archive, request } = this.#options;
    const positions = this.#positions!;
    const found: Uint8Array[] = [];
    let size = 0;
    let pieces = 0;
    const lines: LineRequest = {
      ranges: [...reading.ranges],
      filter: reading.filter,
      style: request.style,
      events: request.isEvents ? idsWithin(reading, positions) : null,
      limit,
    };
    for await (const chunk of archive.lines.read(lines)) {
      if (this.#isOver) return null;
      passDaysBefore(reading, positions, chunk.end.day);
      reading.ranges = rangesFrom(reading.ranges, chunk.end);
      positions.set(chunk.end.day, positionAt(chunk.end, insertedInto(archive.day(chunk.end.day))));
      if (chunk.bytes.length > 0) found.push(chunk.bytes);
      size += chunk.bytes.length;
      if (limit !== null) limit -= chunk.lines!;
      if (size >= STEP_BYTES || ++pieces >= STEP_PIECES || limit === 0) {
        return found.length === 0 ? null : joinBytes(found);
      }
    }
    passDaysBefore(reading, positions, Infinity);
    this.#reading = null;
    return found.length === 0 ? null : joinBytes(found);
  }
}

/** The ids of lines that are read: days before that of the line are read, later ones are not. */
function idsWithin(reading: Reading, positions: Positions): LineRequest["events"] {
  const before = positions.copy();
  const { ranges, ends } = reading;
  return (day: DayNumber) => {
    for (const range of ranges) {
      if (range.day < day) before.set(range.day, ends.get(range.day));
    }
    return { day, rest: before.restOfId(day) };
  };
}

/** Notes that the ranges of days before `day` are read. */
function passDaysBefore(reading: Reading, positions: Positions, day: DayNumber): void {
  while (reading.ranges.length > 0 && reading.ranges[0]!.day < day) {
    const passed = reading.ranges.shift()!.day;
    positions.set(passed, reading.ends.get(passed));
  }
}

/** Several pieces as one. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
