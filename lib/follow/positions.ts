/**
 * Promises that one short text says how far a follower has come in every day, so that it can go on there later,
 * also in another process and after midnight, and gets each line once.
 *
 * One place is not enough, because lines come late: while lines of 22 November are written, a machine that was cut
 * off delivers lines of 21 November, in any mixture. So the id of an event names its own line, and how far the
 * follower has come in each of the other days. `2026-11-22:123;-1.rs` says: the line ends at byte 123 of 22 November,
 * and of the day before (-1) the follower has the first 1000 bytes (`rs` to the base of 36). Where lines were inserted into a
 * day since it was recorded, the edition follows: `2026-11-22:123.2;-1.rs.1` says that byte 123 is one of edition 2, and the
 * 1000 bytes are of edition 1 of the day before; see {@linkcode Place}.
 *
 * What is new is handed on by its offsets in what was recorded, edition 0, which no insertion moves. So how far a follower is
 * from the end is told in what was recorded, and where it goes on in places of any edition.
 *
 * @module
 */

import type { DayInfo } from "../archive/day/day_info.ts";
import { formatPlace, parsePlace, type Place, placeSuffix } from "../archive/place.ts";
import { DAY_MS, type DayNumber } from "../day.ts";
import { LATE_LIMIT_MS } from "../line/fly_log.ts";

/**
 * An event's id names so many days before that of its line: no line is recorded into an older one. Lines that get
 * there by other means are in the archive, but a follower that resumes is not sent them.
 */
export const NAMED_DAYS: number = Math.ceil(LATE_LIMIT_MS / DAY_MS) + 1;

/** An id is at most this long: a day's entry takes some ten characters. */
export const EVENT_ID_LIMIT = 1024;

/** How far somebody has come in a day. */
export interface Position {
  /** The offset in its text, in bytes. */
  offset: number;
  /** Which edition of the text that is. */
  edition: number;
  /**
   * How many bytes of what was recorded lie before it, as far as is known without reading: no more than that, and at the end
   * of the day exactly that.
   */
  recorded: number;
}

const NOWHERE: Readonly<Position> = { offset: 0, edition: 0, recorded: 0 };

/**
 * A place as a position, in a day into which so many bytes were `inserted` by now.
 *
 * @example Where a day of 1000 bytes and 50 that were inserted ends, and a place that may be before or behind those 50
 * ```ts
 * import assert from "node:assert/strict";
 * import { positionAt } from "./positions.ts";
 *
 * assert.equal(positionAt({ offset: 1050, edition: 1 }, 50).recorded, 1000);
 * assert.equal(positionAt({ offset: 700, edition: 1 }, 50).recorded, 650);
 * assert.equal(positionAt({ offset: 700, edition: 0 }, 50).recorded, 700);
 * ```
 */
export function positionAt(
  { offset, edition }: Pick<Place, "offset" | "edition">,
  inserted: number,
): Position {
  return { offset, edition, recorded: Math.max(0, edition === 0 ? offset : offset - inserted) };
}

/** How many bytes were inserted into a day, of which nothing else is left where `info` is undefined. */
export function insertedInto(info: Pick<DayInfo, "bytes" | "recordedBytes"> | undefined): number {
  return info === undefined ? 0 : info.bytes - info.recordedBytes;
}

/** Where the text of a day ends. */
export function endPosition(
  { bytes, edition, recordedBytes }: Pick<DayInfo, "bytes" | "edition" | "recordedBytes">,
): Position {
  return { offset: bytes, edition, recorded: recordedBytes };
}

/** How far a follower has come: a position for each day that it knows. */
export class Positions {
  readonly #days: Map<DayNumber, Readonly<Position>>;

  /** Takes positions by day. */
  constructor(days: Iterable<readonly [DayNumber, Readonly<Position>]> = []) {
    this.#days = new Map(days);
  }

  /** How far it has come in a day; at the start of one that it does not know. */
  get(day: DayNumber): Readonly<Position> {
    return this.#days.get(day) ?? NOWHERE;
  }

  /** Notes how far it has come. */
  set(day: DayNumber, position: Readonly<Position>): void {
    this.#days.set(day, position);
  }

  /** The same places, which change on their own from now on. */
  copy(): Positions {
    return new Positions(this.#days);
  }

  /** The days and their positions. */
  entries(): Iterable<[DayNumber, Readonly<Position>]> {
    return this.#days;
  }

  /**
   * What stands in an event's id after the place of its own line: `;` and for each other day that is named how many
   * days it lies from this one, a point, the offset in it to the base of 36, and its edition as {@linkcode placeSuffix} has
   * it. Days of which the follower has nothing are left out, which {@linkcode resumePositions} reads as offset 0.
   */
  restOfId(day: DayNumber): string {
    let rest = ";";
    for (const [other, { offset, edition }] of this.#days) {
      if (other === day || other < day - NAMED_DAYS || offset === 0) continue;
      rest += `${rest === ";" ? "" : ","}${other - day}.${offset.toString(36)}${placeSuffix(edition)}`;
    }
    return rest;
  }

  /** The id of the event of a line that ends at `place`. */
  eventId(place: Place): string {
    return formatPlace(place) + this.restOfId(place.day);
  }
}

/** What an event's id, or a plain cursor, says. */
export interface EventId {
  /** Where the line ends that the follower got last. */
  own: Place;
  /** How far it had come in the other days, as far as they are named; null in a plain cursor, which names none. */
  others: readonly Place[] | null;
}

/** What names another day in an id: how many days it lies from that of the line, the offset, and the edition from 1 on. */
const OTHER_DAY = /^(-?\d{1,7})\.([0-9a-z]{1,10})(?:\.([1-9]\d{0,5}))?$/;

/**
 * Reads an event's id, or a plain cursor `day:offset`. Returns null for anything else.
 *
 * @example An id of 22 November, with 1000 bytes of edition 1 of the day before
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseEventId } from "./positions.ts";
 *
 * const { own, others } = parseEventId("2026-11-22:123;-1.rs.1")!;
 * assert.equal(own.offset, 123);
 * assert.deepEqual(others, [{ day: own.day - 1, offset: 1000, edition: 1 }]);
 * assert.equal(parseEventId("2026-11-22:123")!.others, null);
 * assert.equal(parseEventId("yesterday"), null);
 * ```
 */
export function parseEventId(text: string): EventId | null {
  if (text.length > EVENT_ID_LIMIT) return null;
  const [cursor, rest, ...more] = text.split(";");
  const own = parsePlace(cursor!);
  if (own === null || more.length > 0) return null;
  if (rest === undefined) return { own, others: null };
  const others: Place[] = [];
  for (const entry of rest === "" ? [] : rest.split(",")) {
    const match = OTHER_DAY.exec(entry);
    if (match === null) return null;
    const [, days, offset, edition = "0"] = match;
    others.push({ day: own.day + Number(days), offset: parseInt(offset!, 36), edition: Number(edition) });
  }
  return { own, others };
}

/** A day that there is now. */
export interface ResumedDay {
  /** The day. */
  day: DayNumber;
  /** How far those have come in it who get what is new: its end. */
  end: Readonly<Position>;
  /** How many bytes were inserted into it. */
  inserted: number;
}

/**
 * Where a follower goes on after `id`, whose places are translated to the days as they are now, for each of `days`.
 *
 * The id names every day of the {@linkcode NAMED_DAYS} before its own, and every later one, of which the follower
 * had got something. So of a day in that reach that is not named it has nothing yet: it goes on at 0 there. A day before
 * that reach cannot be named and takes no more lines: it goes on at its end. A plain cursor names no other day, so all
 * days before its own count as read, and all after it as new. No place lies after the end of its day; only a disk that
 * lost what it had confirmed leads there.
 *
 * @example Going on after an id in which the day before yesterday is not named
 * ```ts
 * import assert from "node:assert/strict";
 * import { endPosition, parseEventId, resumePositions } from "./positions.ts";
 *
 * const id = parseEventId("2026-11-22:123;-1.rs")!;
 * const { day } = id.own;
 * const end = (bytes: number) => endPosition({ bytes, edition: 0, recordedBytes: bytes });
 * const positions = resumePositions(id, [
 *   { day: day - 40, end: end(5), inserted: 0 },
 *   { day: day - 2, end: end(70), inserted: 0 },
 *   { day: day - 1, end: end(2000), inserted: 0 },
 *   { day, end: end(500), inserted: 0 },
 * ]);
 * assert.equal(positions.get(day - 40).offset, 5); // too old for any more lines: read to its end
 * assert.equal(positions.get(day - 2).offset, 0); // could be named and is not: its 70 bytes came later
 * assert.equal(positions.get(day - 1).offset, 1000);
 * assert.equal(positions.get(day).offset, 123);
 * ```
 */
export function resumePositions({ own, others }: EventId, days: readonly ResumedDay[]): Positions {
  const positions = new Positions();
  const known = new Map([...others ?? [], own].map((place) => [place.day, place]));
  const firstNamed = others === null ? own.day : own.day - NAMED_DAYS;
  for (const { day, end, inserted } of days) {
    const place = known.get(day);
    if (place === undefined) {
      positions.set(day, day < firstNamed ? end : NOWHERE);
      continue;
    }
    const position = positionAt(place, inserted);
    positions.set(day, position.recorded < end.recorded ? position : end);
  }
  return positions;
}
