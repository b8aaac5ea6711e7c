/**
 * Promises that one short text says how far a follower has come in every day, so that it can go on there later,
 * also in another process and after midnight, and gets each line once.
 *
 * One place is not enough, because lines come late: while lines of 22 November are written, a machine that was cut
 * off delivers lines of 21 November, in any mixture. So the id of an event names its own line, and how far the
 * follower has come in each of the other days. `2026-11-22:123;-1.rs` says: the line ends at byte 123 of 22 November,
 * and of the day before (-1) the follower has the first 1000 bytes (`rs` to the base of 36).
 *
 * @module
 */

import { formatPlace, parsePlace, type Place } from "../archive/place.ts";
import { DAY_MS, type DayNumber } from "../day.ts";
import { LATE_LIMIT_MS } from "../line/fly_log.ts";

/**
 * An event's id names so many days before that of its line: no line is recorded into an older one. Lines that get
 * there by other means are in the archive, but a follower that resumes is not sent them.
 */
export const NAMED_DAYS: number = Math.ceil(LATE_LIMIT_MS / DAY_MS) + 1;

/** An id is at most this long: a day's entry takes some ten characters. */
export const EVENT_ID_LIMIT = 1024;

/** How far a follower has come: an offset for each day that it knows. */
export class Positions {
  readonly #offsets: Map<DayNumber, number>;

  /** Takes offsets in bytes by day. */
  constructor(offsets: Iterable<readonly [DayNumber, number]> = []) {
    this.#offsets = new Map(offsets);
  }

  /** How far it has come in a day; 0 in one that it does not know. */
  get(day: DayNumber): number {
    return this.#offsets.get(day) ?? 0;
  }

  /** Notes that it has come to `offset`. */
  set(day: DayNumber, offset: number): void {
    this.#offsets.set(day, offset);
  }

  /** The same places, which change on their own from now on. */
  copy(): Positions {
    return new Positions(this.#offsets);
  }

  /** The days and their offsets. */
  entries(): Iterable<[DayNumber, number]> {
    return this.#offsets;
  }

  /**
   * What stands in an event's id after the place of its own line: `;` and for each other day that is named how many
   * days it lies from this one, a point, and the offset in it to the base of 36. Days of which the follower has
   * nothing are left out, which {@linkcode resumePositions} reads as offset 0.
   */
  restOfId(day: DayNumber): string {
    let rest = ";";
    for (const [other, offset] of this.#offsets) {
      if (other === day || other < day - NAMED_DAYS || offset === 0) continue;
      rest += `${rest === ";" ? "" : ","}${other - day}.${offset.toString(36)}`;
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
  others: Positions | null;
}

/**
 * Reads an event's id, or a plain cursor `day:offset`. Returns null for anything else.
 *
 * @example An id of 22 November, with 1000 bytes of the day before
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseEventId } from "./positions.ts";
 *
 * const { own, others } = parseEventId("2026-11-22:123;-1.rs")!;
 * assert.equal(own.offset, 123);
 * assert.equal(others!.get(own.day - 1), 1000);
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
  const others = new Positions();
  for (const entry of rest === "" ? [] : rest.split(",")) {
    const match = /^(-?\d{1,7})\.([0-9a-z]{1,10})$/.exec(entry);
    if (match === null) return null;
    others.set(own.day + Number(match[1]), parseInt(match[2]!, 36));
  }
  return { own, others };
}

/**
 * Where a follower goes on after `id`, for each of `days`, the days that there are now, with their lengths in bytes.
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
 * import { parseEventId, resumePositions } from "./positions.ts";
 *
 * const id = parseEventId("2026-11-22:123;-1.rs")!;
 * const { day } = id.own;
 * const positions = resumePositions(id, [
 *   { day: day - 40, bytes: 5 },
 *   { day: day - 2, bytes: 70 },
 *   { day: day - 1, bytes: 2000 },
 *   { day, bytes: 500 },
 * ]);
 * assert.equal(positions.get(day - 40), 5); // too old for any more lines: read to its end
 * assert.equal(positions.get(day - 2), 0); // could be named and is not: its 70 bytes came later
 * assert.equal(positions.get(day - 1), 1000);
 * assert.equal(positions.get(day), 123);
 * ```
 */
export function resumePositions(
  { own, others }: EventId,
  days: readonly { day: DayNumber; bytes: number }[],
): Positions {
  const positions = new Positions();
  const known = new Map(others?.entries());
  const firstNamed = others === null ? own.day : own.day - NAMED_DAYS;
  for (const { day, bytes } of days) {
    const offset = day === own.day ? own.offset : known.get(day) ?? (day < firstNamed ? bytes : 0);
    positions.set(day, Math.min(offset, bytes));
  }
  return positions;
}
