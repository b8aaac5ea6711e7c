/**
 * Promises a bounded number of clients that follow, each from its own start, and their end before the server's.
 *
 * @module
 */

import type { HeldLines } from "../archive/archive.ts";
import { type DayRange, lastBytes, planRanges, rangesFrom } from "../archive/read/plan.ts";
import type { Place } from "../archive/place.ts";
import type { Cancel, Clock } from "../clock.ts";
import { dayStartMs } from "../day.ts";
import type { FilterSpec } from "../filter/filter.ts";
import type { Gap } from "../gaps/gap.ts";
import type { Logger } from "../logger.ts";
import { FOLLOWER_BYTES, type MemoryBudget, type MemoryHold } from "../machine/memory_budget.ts";
import type { RecordedSpan } from "../gaps/recorded_span.ts";
import { type Timestamp, timestampMs } from "../timestamp.ts";
import { COMMENT, COMMENT_INTERVAL_MS, namedEvent, OPENING } from "./events.ts";
import { Follower, type FollowerStart, joinBytes } from "./follower.ts";
import { type FeedRequest, type FollowedArchive, LiveFeed } from "./live_feed.ts";
import { type EventId, insertedInto, positionAt, Positions, resumePositions } from "./positions.ts";

/** At most so many clients follow. Each may hold {@linkcode WAITING_BYTES_LIMIT} and a step's lines. */
export const FOLLOWERS_LIMIT = 1000;

/** So many followers read from the disk at a time; the others wait for their turn. */
const TURNS_LIMIT = 4;

/** While more than so many read from the disk, each gets only {@linkcode LINES_PER_TURN} at a time. */
const LARGE_TURNS_LIMIT = 32;
const LINES_PER_TURN = 256;

/** While somebody follows, it is looked so often whether lines are held, in milliseconds. */
const HELD_LOOK_MS = 1000;

/** While lines are held, it is told again so often how many there are, in milliseconds. */
export const HELD_INTERVAL_MS = 15_000;

/** Told instead of an answer when {@linkcode FOLLOWERS_LIMIT} follow already, or the end has come. */
export class FollowersBusy extends Error {
  /** The name of the class. */
  override name = "FollowersBusy";
}

/** What a follower gets before what is new. */
export type FollowContext =
  /** The lines since a moment. */
  | { kind: "since"; since: Timestamp }
  /** The last lines, of those since a moment if one is given, within the last bytes if there is a limit. */
  | { kind: "tail"; lines: number; since: Timestamp | null; withinBytes: number | null }
  /** What it has not got yet. */
  | { kind: "resume"; id: EventId };

/** What a client asks for. */
export interface FollowRequest extends FeedRequest {
  /** Where to begin. */
  context: FollowContext;
  /**
   * What is told of a gap that is there at the start, or, where `isNews`, that has just begun or ended, or of which lines
   * were just brought back: then it is `healed` or `partial`. Null where nothing is told among lines.
   */
  gapNotice(gap: Gap, isNews: boolean): Uint8Array | null;
  /**
   * What is told while lines are held, and once more with none when that is over; null where nothing is told
   * among lines.
   */
  heldNotice(held: HeldLines): Uint8Array | null;
}

/** See {@linkcode Followers}. */
export interface FollowersOptions {
  /** Where the lines are. */
  archive: FollowedArchive;
  /** Where lines may be missing. */
  gaps: Pick<RecordedSpan, "onChange" | "touching">;
  /** The time. */
  clock: Clock;
  /** Takes what went wrong. */
  logger: Logger;
  /** What there is room for. Default: for as many as may follow. */
  memory?: MemoryBudget;
}

interface Client {
  follower: Follower;
  request: FollowRequest;
}

/** Everyone who follows. */
export class Followers {
  readonly #options: FollowersOptions;
  readonly #feed: LiveFeed;
  readonly #clients = new Set<Client>();
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #turns = 0;
  #cancels: Cancel[] = [];
  /** What was last told of lines that are held, and when by {@linkcode Clock.elapsed}; null while none are. */
  #held: { lines: HeldLines; toldMs: number } | null = null;
  #isClosed = false;

  /** Does nothing until somebody follows. */
  constructor(options: FollowersOptions) {
    this.#options = options;
    this.#feed = new LiveFeed({
      archive: options.archive,
      clock: options.clock,
      onFault: (error) => this.#endAll(error),
    });
  }

  /** How many there are. */
  get count(): number {
    return this.#clients.size;
  }

  /**
   * Adds one. Its stream ends when it is cancelled, or with {@linkcode close}.
   *
   * @throws {FollowersBusy} If there are {@linkcode FOLLOWERS_LIMIT}, or the program is about to stop.
   */
  follow(request: FollowRequest): ReadableStream<Uint8Array> {
    if (this.#isClosed) throw new FollowersBusy("Cannot follow: the recorder is stopping");
    if (this.#clients.size >= FOLLOWERS_LIMIT) {
      throw new FollowersBusy(`Cannot follow for one more: ${FOLLOWERS_LIMIT} do`);
    }
    const hold = this.#takeRoom();
    if (this.#clients.size === 0) this.#start();
    const { filter, style, isEvents } = request;
    const follower = new Follower({
      request: { filter, style, isEvents },
      archive: this.#options.archive,
      feed: this.#feed,
      prepare: (signal) => this.#prepare(client, signal),
      takeTurn: () => this.#takeTurn(),
      laggedNotice: isEvents ? (bytes) => namedEvent("lagged", { bytes }) : null,
      onEnd: () => {
        hold?.[Symbol.dispose]();
        this.#remove(client);
      },
    });
    const client: Client = { follower, request };
    this.#clients.add(client);
    if (isEvents) follower.notify(OPENING);
    return follower.stream;
  }

  /**
   * Hands everyone what is written already and ends their streams. Nobody can follow from then on. Settles when
   * nothing reads the archive any more, also not for clients that have gone: whoever closes it may do so then.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#feed.flush();
    this.#endAll(null);
    await this.#feed.idle();
    while (this.#turns > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #start(): void {
    const { gaps, clock } = this.#options;
    this.#feed.start();
    this.#cancels = [
      gaps.onChange((gap, was) => {
        if (was === null || isNews(gap, was)) this.#tellGap(gap);
      }),
      clock.every(COMMENT_INTERVAL_MS, () => this.#comment()),
      clock.every(HELD_LOOK_MS, () => this.#lookForHeld()),
    ];
    this.#held = null;
  }

  /** Room for one more. Half of all room is kept for those who read. */
  #takeRoom(): MemoryHold | null {
    const { memory } = this.#options;
    if (memory === undefined) return null;
    const isMore = (this.#clients.size + 1) * FOLLOWER_BYTES > memory.limitBytes / 2;
    const hold = isMore ? null : memory.tryTake(FOLLOWER_BYTES);
    if (hold === null) throw new FollowersBusy("Cannot follow for one more: there is no memory for it");
    return hold;
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#feed.stop();
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #endAll(error: unknown): void {
    if (error !== null) {
      this.#options.logger.log("error", "followers ended", { reason: String(error) });
    }
    for (const { follower } of [...this.#clients]) follower.end(error);
  }

  #tellGap(gap: Gap): void {
    for (const { follower, request } of this.#clients) {
      const notice = request.gapNotice(gap, true);
      if (notice !== null) follower.notify(notice);
    }
  }

  #lookForHeld(): void {
    const lines = this.#options.archive.held();
    const nowMs = this.#options.clock.elapsed();
    if (lines === null) {
      if (this.#held !== null) this.#tellHeld({ ...this.#held.lines, lines: 0, reason: null });
      this.#held = null;
    } else if (this.#held === null || nowMs - this.#held.toldMs >= HELD_INTERVAL_MS) {
      this.#held = { lines, toldMs: nowMs };
      this.#tellHeld(lines);
    }
  }

  #tellHeld(held: HeldLines): void {
    for (const { follower, request } of this.#clients) {
      const notice = request.heldNotice(held);
      if (notice !== null) follower.notify(notice);
    }
  }

  #comment(): void {
    for (const { follower, request } of this.#clients) {
      if (request.isEvents && !follower.hasNotices) follower.notify(COMMENT);
    }
  }

  async #takeTurn(): Promise<Disposable & { limit: number | null }> {
    while (this.#turns >= TURNS_LIMIT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#turns++;
    let reading = 0;
    for (const { follower } of this.#clients) {
      if (follower.isReading) reading++;
    }
    return {
      limit: reading > LARGE_TURNS_LIMIT ? LINES_PER_TURN : null,
      [Symbol.dispose]: () => {
        this.#turns--;
        this.#waiting.shift()?.();
        if (this.#turns === 0) { for (const resolve of this.#idle.splice(0)) resolve(); }
      },
    };
  }

  /** Where a client begins, and from when on it is told of gaps. */
  async #prepare({ request, follower }: Client, signal: AbortSignal): Promise<FollowerStart> {
    using _turn = await this.#takeTurn();
    // A client may have read lines, by another answer, that the feed has not reached yet. The feed is brought up to them
    // first, since a client joins it where it stands.
    await this.#feed.flush();
    this.#feed.passInserted();
    const ends = this.#feed.positions.copy();
    const { start, sinceMs } = await this.#begin(request, ends, signal);
    const gaps = this.#options.gaps.touching(sinceMs, Infinity)
      .map((gap) => request.gapNotice(gap, false))
      .filter((notice) => notice !== null);
    if (gaps.length > 0) follower.notify(joinBytes(gaps));
    if (this.#held === null) this.#lookForHeld();
    else {
      const notice = request.heldNotice(this.#options.archive.held() ?? this.#held.lines);
      if (notice !== null) follower.notify(notice);
    }
    return start;
  }

  async #begin(
    request: FollowRequest,
    ends: Positions,
    signal: AbortSignal,
  ): Promise<{ start: FollowerStart; sinceMs: number }> {
    const { context } = request;
    const nowMs = this.#options.clock.now();
    if (context.kind === "resume") {
      const id = await this.#translated(context.id);
      const sinceMs = await this.#timeBefore(id.own);
      const { archive } = this.#options;
      const days = [...ends.entries()]
        .map(([day, end]) => ({ day, end, inserted: insertedInto(archive.day(day)) }));
      return { start: { positions: resumePositions(id, days), reading: null }, sinceMs: sinceMs ?? nowMs };
    }
    const filter: FilterSpec = { ...request.filter, since: context.since };
    const ranges = this.#plan(filter, ends);
    if (context.kind === "since") {
      return { start: this.#startAt(ranges, filter, ends), sinceMs: timestampMs(context.since) };
    }
    const within = context.withinBytes === null ? ranges : lastBytes(ranges, context.withinBytes);
    const { start } = await this.#options.archive.lines.readTail({
      ranges: within,
      filter,
      style: "jsonl",
      events: null,
      limit: context.lines,
    }, signal);
    const from = start === null ? [] : rangesFrom(within, start);
    const sinceMs = start === null ? null : await this.#timeBefore(start) ?? dayStartMs(start.day);
    return { start: this.#startAt(from, filter, ends), sinceMs: sinceMs ?? nowMs };
  }

  /** What is to be read of the days, up to `ends`. */
  #plan(filter: FilterSpec, ends: Positions): DayRange[] {
    const days = this.#options.archive.days().map((info) => {
      const { offset, edition } = ends.get(info.day);
      return { ...info, bytes: offset, edition };
    });
    return planRanges(days, filter, { day: null, start: null });
  }

  /** A client that is to get `ranges`, which go as far as `ends`, and then what comes after `ends`. */
  #startAt(ranges: DayRange[], filter: FilterSpec, ends: Positions): FollowerStart {
    if (ranges.length === 0) return { positions: ends, reading: null };
    const positions = ends.copy();
    for (const { day, start, edition, startEdition = edition } of ranges) {
      const inserted = insertedInto(this.#options.archive.day(day));
      positions.set(day, positionAt({ offset: start, edition: startEdition }, inserted));
    }
    return { positions, reading: { ranges, filter, ends } };
  }

  /** An id whose places are those of the days as they are now, as far as these are there. */
  async #translated({ own, others }: EventId): Promise<EventId> {
    const { archive } = this.#options;
    const translate = async (place: Place): Promise<Place> => {
      const info = archive.day(place.day);
      if (info === undefined || info.edition === place.edition) return place;
      return await archive.lines.translate(place, "end");
    };
    return { own: await translate(own), others: others && await Promise.all(others.map(translate)) };
  }

  /** The time of the last line before a place, in milliseconds since 1970; null where there is none. */
  async #timeBefore(place: Place): Promise<number | null> {
    const { archive } = this.#options;
    const bytes = archive.day(place.day)?.bytes ?? 0;
    const offset = Math.min(place.offset, bytes);
    return offset === 0 ? null : await archive.lines.timeBefore({ ...place, offset });
  }
}

/** Whether followers are told of a change: not where only more is known of how a gap is being healed. */
function isNews(gap: Gap, was: Gap): boolean {
  return gap.sinceMs !== was.sinceMs || gap.untilMs !== was.untilMs || gap.state !== was.state;
}
