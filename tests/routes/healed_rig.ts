/**
 * An archive that is healed while it is asked and followed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Place } from "../../lib/archive/place.ts";
import { EVERY_LINE } from "../../lib/archive/read/line_chunk.ts";
import type { LineReader } from "../../lib/archive/read/line_reader.ts";
import { planRanges } from "../../lib/archive/read/plan.ts";
import { systemClock } from "../../lib/clock.ts";
import { Followers } from "../../lib/follow/followers.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { type Logger, silentLogger } from "../../lib/logger.ts";
import type { Parts } from "../../routes/parts.ts";
import { DAY, dayText, openArchive, type TestArchive, type TestDirectory } from "../archive/archive_rig.ts";
import { heal, type NamedLine, namesIn, recordNamed } from "../archive/healed_rig.ts";
import { within } from "../rig/wait.ts";
import { createParts, serve, type ServedApi } from "./rig.ts";

/** What a client says that wants events. */
export const EVENTS = { Accept: "text/event-stream" };
/** What a client says that wants a page. */
export const PAGE = { Accept: "text/html" };

/** An archive that is healed while it is asked and followed. */
export class Healed implements AsyncDisposable {
  readonly archive: TestArchive["archive"];
  readonly api: ServedApi;
  readonly #test: TestArchive;
  readonly #directory: TestDirectory;
  readonly #followers: Followers;
  readonly #gaps: GapLedger;

  private constructor(test: TestArchive, directory: TestDirectory, lines?: Parts["lines"]) {
    this.#test = test;
    this.#directory = directory;
    const { archive, clock } = test;
    this.archive = archive;
    this.#gaps = GapLedger.open(directory.path, { clock, logger: silentLogger });
    const gaps = this.#gaps;
    this.#followers = new Followers({ archive, gaps, clock: systemClock, logger: silentLogger });
    const followers = this.#followers;
    this.api = serve(createParts({ archive, lines: lines ?? archive.lines, followers, gaps, clock }));
  }

  /** `wrap` may put something between the API and the reader. */
  static async open(directory: TestDirectory, { wrap, logger = silentLogger }: {
    wrap?: (lines: LineReader, heal: (lines: NamedLine[]) => Promise<void>) => Parts["lines"];
    logger?: Logger;
  } = {}): Promise<Healed> {
    const test = await openArchive(directory, { logger });
    const { archive } = test;
    return new Healed(test, directory, wrap?.(archive.lines, (lines) => heal(archive, directory, lines)));
  }

  /** Records lines, and has them written. */
  async record(lines: readonly NamedLine[], day = DAY): Promise<void> {
    recordNamed(this.archive, lines, day);
    await this.archive.sync();
  }

  /** Brings lines back. */
  async heal(lines: readonly NamedLine[], day = DAY): Promise<void> {
    await heal(this.archive, this.#directory, lines, day);
  }

  async seal(): Promise<void> {
    await this.#test.seal();
  }

  /** The names of all lines of a day, as they stand. */
  async names(day = DAY): Promise<string[]> {
    return namesIn(await dayText(this.archive, day));
  }

  /** The names of the lines of an answer. */
  async ask(path: string): Promise<string[]> {
    const answer = await this.api.ask(path);
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return namesIn(text);
  }

  /** The line that the page around a place is about. */
  async around(place: string): Promise<string | undefined> {
    const text = await (await this.api.ask(`/?around=${place}`, { headers: PAGE })).text();
    const row = text.split("<li ").find((row) => row.includes('aria-current="true"'));
    assert.ok(row !== undefined && row.includes(`id="${place}"`), `nothing at #${place}`);
    return /class="message">(\S+) /.exec(row)?.[1];
  }

  /** Follows from an event's id on until so many lines have come; gives the events. */
  async follow(query: string, id: string | null, count: number): Promise<{ id: string; name: string }[]> {
    const headers = { ...EVENTS, ...(id === null ? {} : { "Last-Event-ID": id }) };
    const answer = await this.api.ask(`/tail${query}`, { headers });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const events = () =>
      [...text.matchAll(/^id: (.*)\ndata: .*"message":"(\S+) .*\n\n/gm)]
        .map(([, id, name]) => ({ id: id!, name: name! }));
    try {
      while (events().length < count) {
        const { done, value } = await within(
          reader.read(),
          `line ${events().length} of ${count} of ${query} ${id}`,
        );
        if (done) break;
        text += value;
      }
    } finally {
      await reader.cancel();
    }
    return events();
  }

  /** Where each line begins and ends, in the edition that there is now. */
  async places(): Promise<{ name: string; start: Place; end: Place }[]> {
    const ranges = planRanges(this.archive.days(), EVERY_LINE, { day: null, start: null });
    const request = { ranges, filter: EVERY_LINE, style: "jsonl", events: null, limit: null } as const;
    const found = [];
    for await (const { placed } of this.archive.lines.read({ ...request, withPlaces: true })) {
      for (const { start, end, bytes } of placed!) {
        found.push({ name: namesIn(new TextDecoder().decode(bytes))[0]!, start, end });
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#followers.close();
    await this.api[Symbol.asyncDispose]();
    await this.#gaps.close();
    await this.#test[Symbol.asyncDispose]();
  }
}

/** A reader as the API has it, of which a test may put something else in the place of some. */
export function readerOf(lines: LineReader): Parts["lines"] {
  return {
    read: (request) => lines.read(request),
    readTail: (request, signal) => lines.readTail(request, signal),
    lineStart: (place) => lines.lineStart(place),
    timeBefore: (place) => lines.timeBefore(place),
    translate: (place, side) => lines.translate(place, side),
    isBetweenLines: (place) => lines.isBetweenLines(place),
    reserve: (signal, bytes) => lines.reserve(signal, bytes),
    tryKeep: (bytes) => lines.tryKeep(bytes),
    appLists: (ranges, filter) => lines.appLists(ranges, filter),
  };
}

/** Lines of every ten seconds from 10:00 on, named by their number, of which three or so make a block. */
export function lineEvery10s(from: number, end: number, padding = 0): NamedLine[] {
  return Array.from({ length: end - from }, (_, i) => ({
    name: `old${from + i}`,
    second: 36_000 + (from + i) * 10,
    padding,
  }));
}

/** Lines that belong here and there among those of {@linkcode lineEvery10s}, before the first and after the last. */
export function scattered(random: () => number, letter: string, lines: number): NamedLine[] {
  const seconds = [
    -5,
    lines * 10 + 5,
    ...Array.from({ length: 12 }, () => Math.floor(random() * lines * 10)),
  ];
  return seconds.map((second, number) => ({
    name: `${letter}${number}`,
    second: 36_000 + second,
    padding: Math.floor(random() * 3000),
  }));
}
