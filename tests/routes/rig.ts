/**
 * An API over days that are spelt out in the test, on a real port, and a socket to ask it with whatever no
 * well-behaved client would send.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as v from "valibot";
import { MemoryBudget, type MemoryHold } from "../../lib/machine/memory_budget.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Finding } from "../../lib/archive/repair/aside.ts";
import type { DayInfo, HeldLines } from "../../lib/archive/archive.ts";
import { indexHeader } from "../../lib/archive/blocks/day_index.ts";
import { type ByteRange, OpenDay } from "../../lib/archive/day/open_day.ts";
import { IndexCache } from "../../lib/archive/read/index_cache.ts";
import { LineReader } from "../../lib/archive/read/line_reader.ts";
import { ReadPool } from "../../lib/archive/read/pool.ts";
import { MemoryBytes } from "../archive/read/memory_bytes.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { dayName, dayStartMs, parseDayName } from "../../lib/day.ts";
import type { Gap, GapSource } from "../../lib/gaps/gap.ts";
import { MinuteSums } from "../../lib/line/minute_sums.ts";
import { silentLogger } from "../../lib/logger.ts";
import { createApp } from "../../routes/app.ts";
import { serve as listen, type ServeOptions } from "../../routes/serve.ts";
import type { DaySource, Parts } from "../../routes/parts.ts";
import { eventSchemas } from "../../routes/wire/events.ts";
import { type ProblemAnswer, problemSchema } from "../../routes/wire/problem.ts";
import { within } from "../rig/wait.ts";

/** When everything in these tests happens: noon, so that today and yesterday are beyond doubt. */
export const NOW_MS = Date.parse("2026-11-22T12:00:00Z");

/** A clock that stands still. */
export const stoppedClock: Clock = {
  now: () => NOW_MS,
  elapsed: () => 0,
  after: () => () => {},
  every: () => () => {},
};

/** One day of a {@linkcode ListedDays}. */
export interface ListedDay {
  /** What it says. */
  text: string;
  /** Whether it is sealed; it is unless told otherwise. */
  sealed?: boolean;
  /** The size of the gzip file that the list tells, if not the real one. */
  gzBytes?: number;
  /** How many lines the disk does not take, in a chunk of the whole day. Default: none. */
  held?: number;
}

/** Days from a list, which counts what is opened and what is closed. */
export class ListedDays implements DaySource {
  /** What was out of order. */
  findings: Finding[] = [];
  /** How many streams were opened. */
  opened = 0;
  /** How many of them were read to their end or cancelled. */
  closed = 0;
  /** What the next stream does instead of ending, if anything. */
  failure: Error | null = null;
  /** The size of the pieces in which bytes are handed out. */
  pieceBytes = 4;
  readonly #days: Map<number, { info: DayInfo; text: Uint8Array<ArrayBuffer>; gz: Uint8Array<ArrayBuffer> }>;
  readonly #removed: ReadonlySet<number>;
  /** The days whose files cannot be read, and why. */
  readonly untouched: Map<number, string> = new Map();
  readonly #closing: (() => void)[] = [];
  readonly #pool = new ReadPool(stoppedClock, 1);

  /** Takes the days by name, and the names of those that retention removed. */
  constructor(days: Record<string, ListedDay>, removed: readonly string[] = []) {
    this.#removed = new Set(removed.map((name) => parseDayName(name)!));
    this.#days = new Map(
      Object.entries(days).map(([name, { text, sealed = true, gzBytes, held = 0 }]) => {
        const day = parseDayName(name)!;
        const bytes = new TextEncoder().encode(text);
        const gz = new Uint8Array(gzipSync(bytes));
        const lines = text.split("\n").length - 1;
        const info: DayInfo = {
          day,
          lines,
          bytes: bytes.length,
          edition: 0,
          recordedBytes: bytes.length,
          gzBytes: gzBytes ?? gz.length,
          first: lines === 0 ? null : `${name}T00:00:01.000000000Z`,
          last: lines === 0 ? null : `${name}T11:22:33.000000000Z`,
          sealed,
          crc32: sealed ? "9a3f01c2" : null,
          modifiedMs: Date.parse("2026-11-22T01:00:00.250Z"),
          held,
        };
        return [day, { info, text: bytes, gz }];
      }),
    );
  }

  days(): DayInfo[] {
    return [...this.#days.values()].map(({ info }) => info).sort((a, b) => b.day - a.day);
  }

  day(day: number): DayInfo | undefined {
    return this.#days.get(day)?.info;
  }

  wasRemoved(day: number): boolean {
    return this.#removed.has(day);
  }

  held(sinceMs = -Infinity, untilMs = Infinity): HeldLines | null {
    let lines = 0;
    for (const [day, { info }] of this.#days) {
      if (dayStartMs(day) < untilMs && dayStartMs(day + 1) > sinceMs) lines += info.held;
    }
    return lines === 0 ? null : { lines, sinceMs: NOW_MS, reason: "No space left on device (os error 28)" };
  }

  openText(day: number, range?: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#open(this.#days.get(day)!.text, range);
  }

  openGzip(day: number, range?: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#open(this.#days.get(day)!.gz, range);
  }

  /** A day that is read from memory, which counts as one stream. */
  openDay(day: number): OpenDay {
    const { info, text } = this.#days.get(day)!;
    this.opened++;
    const bytes = new MemoryBytes(`${dayName(day)}.jsonl`, text);
    const end = info.bytes;
    const { failure } = this;
    if (failure !== null) bytes.read = () => nextTurn().then(() => Promise.reject(failure));
    bytes[Symbol.dispose] = () => {
      this.closed++;
      for (const resolve of this.#closing.splice(0)) resolve();
    };
    return new OpenDay({
      day,
      seal: null,
      gz: null,
      index: null,
      edits: null,
      plain: { bytes, from: 0, start: 0, end },
      part: { bytes: null, index: { header: indexHeader(day, 0, 0), blocks: [], seal: null } },
      reading: { pool: this.#pool, indexes: new IndexCache() },
      damage: { mendIndex: (reason) => Promise.reject(new Error(reason)), onMasked: () => {} },
    });
  }

  /** What finds lines in these days. */
  get lines(): LineReader {
    const memory = new MemoryBudget({ limitBytes: Infinity, clock: stoppedClock });
    return new LineReader({ pool: this.#pool, memory, open: (day) => this.openDay(day) });
  }

  /** Settles when as many streams are closed as were opened, and ends the threads that read lines of them. */
  async allClosed(): Promise<void> {
    while (this.closed < this.opened) {
      await within(new Promise<void>((resolve) => this.#closing.push(resolve)), "the end of every stream");
    }
    this.#pool.close();
  }

  #open(bytes: Uint8Array<ArrayBuffer>, range?: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.opened++;
    let { start: at, end } = range ?? { start: 0, end: bytes.length };
    const close = () => {
      this.closed++;
      for (const resolve of this.#closing.splice(0)) resolve();
    };
    return new ReadableStream({
      pull: (controller) => {
        const next = Math.min(at + this.pieceBytes, end);
        if (next > at) return controller.enqueue(bytes.slice(at, at = next));
        close();
        if (this.failure === null) controller.close();
        else controller.error(this.failure);
      },
      cancel: close,
    }, { highWaterMark: 0 });
  }
}

/** The gaps of a list. */
export function listedGaps(gaps: readonly Gap[]): GapSource {
  return {
    touching: (sinceMs, untilMs) =>
      gaps.filter((gap) => gap.sinceMs < untilMs && (gap.untilMs ?? Infinity) > sinceMs),
    latest: () => gaps.at(-1) ?? null,
  };
}

/** A reader that finds nothing. */
export const noLines: Parts["lines"] = {
  reserve: () => Promise.resolve(anyHold()),
  tryKeep: anyHold,
  read: async function* () {},
  lineStart: (place) => Promise.resolve(place),
  timeBefore: () => Promise.resolve(null),
  translate: (place) => Promise.resolve(place),
  isBetweenLines: () => Promise.resolve(true),
  appLists: async function* () {},
  readTail: () => Promise.resolve({ start: null, chunks: [], [Symbol.dispose]: () => {} }),
};

/** Room in a memory without bounds. */
export function anyHold(): MemoryHold {
  return { await: () => {}, resume: () => {}, [Symbol.dispose]: () => {} };
}

/** Parts with nothing in them but what a test gives. */
export function createParts(given: Partial<Parts> = {}): Parts {
  return {
    archive: new ListedDays({}),
    lines: given.archive instanceof ListedDays ? given.archive.lines : noLines,
    digests: { digest: (day) => Promise.resolve(new MinuteSums(day).table()) },
    followers: { follow: () => new ReadableStream() },
    gaps: listedGaps([]),
    recorder: {
      status: () => ({
        state: "recording",
        sinceMs: Date.parse("2026-11-22T10:00:00Z"),
        server: "nats://127.0.0.1:4222",
        counters: { received: 7, recorded: 4, rejected: 1, filtered: 2, empty: 1, dropped: 0, bytes: 900 },
        lagMs: 12,
        lastLineMs: Date.parse("2026-11-22T11:59:59Z"),
        canary: null,
        lastError: null,
      }),
      readiness: () => ({ ready: true, reasons: [] }),
    },
    healer: {
      hasSource: false,
      healNow: () => Promise.reject(new Error("nobody is there to ask")),
      status: () => ({ due: 0, working: null, beforeDoneMs: null, lines: { peers: 0, fly: 0 } }),
    },
    scrub: { status: () => ({ lastFinishedMs: null, daysChecked: 0, damaged: [] }) },
    volumeUsage: () => Promise.resolve({ totalBytes: 1000, availableBytes: 400, usedPercent: 60 }),
    clock: stoppedClock,
    logger: silentLogger,
    config: { apiTokens: [], onFly: false },
    version: "1.2.3",
    self: { instance: "an-instance", org: null, records: null },
    ...given,
  };
}

/** The API on a port of its own, which listens a moment after it was made: whatever asks it waits for that. */
export interface ServedApi extends AsyncDisposable {
  /** Asks it. `path` begins with a slash. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Sends bytes as they are and returns all that comes back until the server closes. */
  askRaw(text: string): Promise<string>;
  /** Opens a connection and leaves it to the test. */
  connect(): Promise<Deno.TcpConn>;
  /** The port, once it listens. */
  port(): Promise<number>;
}

/** Serves parts on a free port of 127.0.0.1. */
export function serve(parts: Parts, given: Partial<ServeOptions> = {}): ServedApi {
  const listening = listen(createApp(parts), {
    ...{ hostname: "127.0.0.1", port: 0, maxConnections: 1000, event: "api listening" },
    ...{ clock: systemClock, logger: silentLogger },
    ...given,
  });
  const port = async () => (await listening).port;
  const connect = async () => Deno.connect({ hostname: "127.0.0.1", port: await port() });
  return {
    port,
    connect,
    ask: async (path, init) => await fetch(`http://127.0.0.1:${await port()}${path}`, init),
    async askRaw(text) {
      using connection = await connect();
      await connection.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
      return await readAll(connection);
    },
    [Symbol.asyncDispose]: async () => await (await listening).shutdown(),
  };
}

/** Reads a connection until it ends or breaks, one character for each byte. */
export async function readAll(connection: Deno.TcpConn): Promise<string> {
  let text = "";
  try {
    for await (const bytes of connection.readable) text += String.fromCharCode(...bytes);
  } catch {
    // A broken connection is an end, too.
  }
  return text;
}

/** What a problem says about itself, checked against its schema. */
export async function readProblem(response: Response): Promise<ProblemAnswer> {
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  const problem = v.parse(problemSchema, await response.json());
  assert.equal(problem.status, response.status);
  return problem;
}

/** Checks the data of each named event in a text of events against its schema; returns the names. */
export function checkNamedEvents(text: string): string[] {
  return [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(([, name, data]) => {
    const schema = Object.entries(eventSchemas).find(([known]) => known === name)?.[1];
    assert.ok(schema !== undefined, `no schema for the event "${name}"`);
    v.parse(schema, JSON.parse(data!));
    return name!;
  });
}
