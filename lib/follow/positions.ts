/**
 * Promises that one short text says how far a follower has come in every day, so that it can go on there later,
 * also in another process and after midnight, and gets each line once. Lines come late: for a day before the
 * one that is being written, in any mixture.
 *
 * @module
 */

import type { Position } from "../archive/read/plan.ts";
import { DAY_MS, dayName, type DayNumber, parseDayName } from "../day.ts";
import { LATE_LIMIT_MS } from "../line/fly_log.ts";

/**
 * So many days before that of a line are named in its event's id: further back no line is recorded. Lines that
 * are put there by other means are in the archive and are not followed across a resumption.
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

  /** The same places, on their own from now on. */
  copy(): Positions {
    return new Positions(this.#offsets);
  }

  /** The days and their offsets. */
  entries(): Iterable<[DayNumber, number]> {
    return this.#offsets;
  }

  /**
   * What stands in an event's id behind the `day:offset` of its own line: `;` and for each other day that is
   * named how many days it lies from this one, a point, and the offset in it to the base of 36. A day of which
   * nothing was given is left out.
   */
  restOfId(day: DayNumber): string {
    let rest = ";";
    for (const [other, offset] of this.#offsets) {
      if (other === day || other < day - NAMED_DAYS || offset === 0) continue;
      rest += `${rest === ";" ? "" : ","}${other - day}.${offset.toString(36)}`;
    }
    return rest;
  }

  /** The id of the event of a line of `day` that ends at `offset`. */
  eventId(day: DayNumber, offset: number): string {
    return `${dayName(day)}:${offset}${this.restOfId(day)}`;
  }
}

/** What an id says: the place of its line, and where the other days stood; those are null in a plain cursor. */
export interface EventId {
  /** Behind the line. */
  own: Position;
  /** The other days that it names, which are all that were there and are not long over. */
  others: Positions | null;
}

/** Reads an id, or a plain cursor `day:offset`; null for anything else. */
export function parseEventId(text: string): EventId | null {
  if (text.length > EVENT_ID_LIMIT) return null;
  const [cursor, rest, ...more] = text.split(";");
  const match = /^(.{10}):(0|[1-9]\d{0,14})$/.exec(cursor!);
  const day = match && parseDayName(match[1]!);
  if (match === null || day === null || more.length > 0) return null;
  const own = { day, offset: Number(match[2]) };
  if (rest === undefined) return { own, others: null };
  const others = new Positions();
  for (const entry of rest === "" ? [] : rest.split(",")) {
    const match = /^(-?\d{1,7})\.([0-9a-z]{1,10})$/.exec(entry);
    if (match === null) return null;
    others.set(day + Number(match[1]), parseInt(match[2]!, 36));
  }
  return { own, others };
}

/**
 * Where to go on after `id`, in the days that there are now. Of a day that the id could have named and does not
 * nothing was given. One before that is over. After a plain cursor earlier days are over and
 * later ones new. An offset behind the end of its day, which only a broken disk explains, means the end.
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
