/**
 * Promises a moment up to which everything that was received is on the disk, kept where a kill or a loss of
 * power cannot reach it: the start of the gap that a crash makes.
 *
 * There are two such moments, each in a file of its own. The *mark* is the time of modification of the file `alive`. It is
 * synced, and holds whatever happens. The *note* is the text of `alive.kept`. It is written several times a second and not
 * synced; it says how far the text of each day has to reach for it to hold, and the next start looks whether it does. After
 * a kill it does: the system keeps what a process has written. See recorder/heartbeat.ts for who writes them when.
 *
 * The note also says what was on the disk when it was written: how many bytes of each day that is not sealed, and the
 * number of the last gap. What of that is missing at the next start was lost on the disk; see losses.ts.
 *
 * @module
 */

import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as v from "valibot";
import { dayName, type DayNumber, parseDayName } from "../day.ts";
import { parseJson } from "../json.ts";
import { readAt, writeAll } from "../archive/disk.ts";
import { formatCrc32 } from "../archive/blocks/block.ts";
import { ALIVE_FILE, KEPT_BYTES, KEPT_FILE } from "../archive/format.ts";

/** How often the mark is moved while lines are recorded, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 5000;

/** How far the text of a day was when a note was written. */
export interface KeptDay {
  /** Which day it is. */
  day: DayNumber;
  /** What the moment of the note rests on, in bytes from the day's start. */
  bytes: number;
  /** How much of that was on the disk already. */
  synced: number;
}

/** A moment that holds where the archive has what it rests on, and what was on the disk then. */
export interface KeptNote {
  /** Milliseconds since 1970. */
  sinceMs: number;
  /** The days that are not sealed. */
  days: readonly KeptDay[];
  /** The number of the last gap that the ledger has on the disk; 0 for none, or where that is not known. */
  lastGap: number;
}

const since = v.pipe(v.string(), v.isoTimestamp());
const day = v.pipe(v.string(), v.check((day) => parseDayName(day) !== null));
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const noteSchema = v.strictObject({
  flightlog: v.literal("kept"),
  version: v.literal(2),
  since,
  lastGap: size,
  days: v.array(v.strictTuple([day, size, size])),
});

/** What notes were before they told what was synced: they named only the days of which something was not. */
const oldNoteSchema = v.strictObject({
  flightlog: v.literal("kept"),
  version: v.literal(1),
  since,
  days: v.array(v.strictObject({ day, bytes: size })),
});

/** The mark and the note of an archive. Neither takes room on a full disk once its file is there. */
export class HeartbeatFiles {
  readonly #path: string;
  readonly #notePath: string;
  #writing: Promise<unknown> = Promise.resolve();

  /** Those in an archive's directory; neither file need be there. */
  constructor(directory: string) {
    this.#path = join(directory, ALIVE_FILE);
    this.#notePath = join(directory, KEPT_FILE);
  }

  /** The mark as it was left, in milliseconds since 1970; null where there is none that can be read. Never fails. */
  read(): number | null {
    try {
      return Deno.statSync(this.#path).mtime?.getTime() ?? null;
    } catch {
      return null; // the gap begins earlier then
    }
  }

  /** Moves the mark to `epochMs`, and makes it last. The last call is the last to move it. */
  move(epochMs: number): Promise<void> {
    return this.#inTurn(() => this.#move(epochMs));
  }

  /** The note as it was left; null where there is none. Never fails: what cannot be read is damaged. */
  readNote(): KeptNote | "damaged" | null {
    let text: string;
    try {
      using file = Deno.openSync(this.#notePath, { read: true });
      text = new TextDecoder().decode(readAt(file, 0, KEPT_BYTES)); // whatever somebody has made of it
    } catch (error) {
      return error instanceof Deno.errors.NotFound ? null : "damaged";
    }
    return text === "" ? null : parseNote(text) ?? "damaged";
  }

  /** Writes the note; in the order of the calls. One that names too many days is not written, and that before it goes on to hold. */
  note(note: KeptNote): Promise<void> {
    return this.#inTurn(async () => {
      const bytes = noteBytes(note);
      if (bytes === null) return;
      using file = await Deno.open(this.#notePath, { write: true, create: true });
      await file.write(bytes);
    });
  }

  /** Writes the note at once, and makes it last. Blocks. As {@linkcode note} otherwise. */
  noteAtOnce(note: KeptNote): void {
    const bytes = noteBytes(note);
    if (bytes === null) return;
    using file = Deno.openSync(this.#notePath, { write: true, create: true });
    writeAll(file, bytes);
    file.syncSync();
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const writing = this.#writing.then(write, write);
    this.#writing = writing;
    return writing;
  }

  async #move(epochMs: number): Promise<void> {
    using file = await Deno.open(this.#path, { write: true, create: true });
    await file.utime(epochMs / 1000, epochMs / 1000);
    await file.sync();
  }
}

/** The whole file; null where it would be longer. Days of which all is synced are the first to be left out. */
function noteBytes(note: KeptNote): Uint8Array<ArrayBuffer> | null {
  let text = noteText(note);
  if (text.length >= KEPT_BYTES) {
    text = noteText({ ...note, days: note.days.filter(({ bytes, synced }) => bytes > synced) });
  }
  if (text.length >= KEPT_BYTES) return null;
  return new TextEncoder().encode(`${text.padEnd(KEPT_BYTES - 1)}\n`);
}

function noteText({ sinceMs, days, lastGap }: KeptNote): string {
  const json = JSON.stringify({
    flightlog: "kept",
    version: 2,
    since: new Date(sinceMs).toISOString(),
    lastGap,
    days: days.map(({ day, bytes, synced }) => [dayName(day), bytes, Math.min(bytes, synced)]),
  });
  return `${json} ${checksumOf(json)}`;
}

function parseNote(text: string): KeptNote | null {
  const [json = "", checksum] = text.trimEnd().split(" ");
  if (checksum !== checksumOf(json)) return null;
  const value = parseJson(json);
  const parsed = v.safeParse(noteSchema, value);
  if (parsed.success) {
    const { since, lastGap, days } = parsed.output;
    const kept = days.map(([day, bytes, synced]) => ({ day: parseDayName(day)!, bytes, synced }));
    return { sinceMs: Date.parse(since), lastGap, days: kept };
  }
  const old = v.safeParse(oldNoteSchema, value);
  if (!old.success) return null;
  const kept = old.output.days.map(({ day, bytes }) => ({ day: parseDayName(day)!, bytes, synced: 0 }));
  return { sinceMs: Date.parse(old.output.since), lastGap: 0, days: kept };
}

function checksumOf(text: string): string {
  return formatCrc32(crc32(text));
}
