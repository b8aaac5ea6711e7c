/**
 * Promises a moment up to which everything that was received is on the disk, kept where a kill or a loss of
 * power cannot reach it: the start of the gap that a crash makes.
 *
 * There are two. The mark is synced, and holds whatever happens. The note is written several times a second and
 * not synced; it says how far the text of each day has to reach for it to hold, and the next start looks whether
 * it does. After a kill it does: the system keeps what a process has written.
 *
 * @module
 */

import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as v from "valibot";
import { dayName, parseDayName } from "../day.ts";
import { removeIfThere } from "./disk.ts";
import { ALIVE_FILE, KEPT_FILE } from "./format.ts";

/** How often the mark is moved while lines are recorded, in milliseconds. */
export const ALIVE_INTERVAL_MS = 5000;

/** The size of the note, in bytes: a sector, so that it is written in one piece and always in the same place. */
export const NOTE_BYTES = 512;

/** A moment that holds where the archive has what it rests on. */
export interface KeptNote {
  /** Milliseconds since 1970. */
  sinceMs: number;
  /** How far the text of days has to reach at least, in bytes. */
  days: readonly { day: number; bytes: number }[];
}

const noteSchema = v.strictObject({
  flightlog: v.literal("kept"),
  version: v.literal(1),
  since: v.pipe(v.string(), v.isoTimestamp()),
  days: v.array(v.strictObject({
    day: v.pipe(v.string(), v.check((day) => parseDayName(day) !== null)),
    bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  })),
});

/** The time of modification of a file: moving it takes no room on a full disk. */
export class AliveMark {
  readonly #path: string;
  readonly #notePath: string;
  #moving: Promise<unknown> = Promise.resolve();

  /** The mark in an archive's directory. */
  constructor(directory: string) {
    this.#path = join(directory, ALIVE_FILE);
    this.#notePath = join(directory, KEPT_FILE);
  }

  /** The mark as it was left, in milliseconds since 1970; null where there never was one. */
  read(): number | null {
    try {
      return Deno.statSync(this.#path).mtime?.getTime() ?? null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Moves the mark to `epochMs`, and makes it last. The last call is the last to move it. */
  move(epochMs: number): Promise<void> {
    const move = () => this.#move(epochMs);
    const moving = this.#moving.then(move, move);
    this.#moving = moving;
    return moving;
  }

  /** The note as it was left; null where there is none that is whole. */
  readNote(): KeptNote | null {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#notePath);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
    const [json = "", checksum] = text.trimEnd().split(" ");
    if (checksum !== checksumOf(json)) return null;
    const parsed = v.safeParse(noteSchema, JSON.parse(json));
    if (!parsed.success) return null;
    const { since, days } = parsed.output;
    return {
      sinceMs: Date.parse(since),
      days: days.map(({ day, bytes }) => ({ day: parseDayName(day)!, bytes })),
    };
  }

  /**
   * Writes the note. One that names too many days for {@linkcode NOTE_BYTES} is not written, and that before it
   * goes on to hold.
   */
  async note({ sinceMs, days }: KeptNote): Promise<void> {
    const json = JSON.stringify({
      flightlog: "kept",
      version: 1,
      since: new Date(sinceMs).toISOString(),
      days: days.map(({ day, bytes }) => ({ day: dayName(day), bytes })),
    });
    const text = `${json} ${checksumOf(json)}`;
    if (text.length >= NOTE_BYTES) return;
    const bytes = new TextEncoder().encode(`${text.padEnd(NOTE_BYTES - 1)}\n`);
    using file = await Deno.open(this.#notePath, { write: true, create: true });
    await file.write(bytes);
  }

  /** Removes the note: what it says is of a process before this one. */
  forgetNote(): void {
    removeIfThere(this.#notePath);
  }

  async #move(epochMs: number): Promise<void> {
    using file = await Deno.open(this.#path, { write: true, create: true });
    await file.utime(epochMs / 1000, epochMs / 1000);
    await file.sync();
  }
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
