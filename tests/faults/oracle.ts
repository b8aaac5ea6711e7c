/**
 * Promises to find out whether anything was lost without a word: numbered lines go in, and afterwards each is
 * readable exactly once and byte for byte, or bears a time inside a gap that is written down; and by how much the
 * gaps claim more than was lost.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as v from "valibot";
import { isLostLine } from "../../lib/line/lost_line.ts";
import { daysSchema } from "../../routes/wire/days.ts";
import type { FlightlogProcess } from "../rig/flightlog_process.ts";
import { type FlyLine, numberedLine } from "../rig/fly_lines.ts";
import type { Publisher } from "../rig/publisher.ts";

/** The most that a wait for the recorder may take, in milliseconds. */
const WAIT_LIMIT_MS = 120_000;

/**
 * Keeps no connection: a server that has too many closes those that wait, and who asks over such a one at that moment
 * gets no answer.
 */
const UNPOOLED = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

/** A span in which lines may be missing, in milliseconds since 1970; `until` is Infinity while it lasts. */
export interface FoundGap {
  /** Where it begins. */
  since: number;
  /** Where it ends. */
  until: number;
  /** Why there is one. */
  cause: string;
}

/** What became of the lines. */
export interface Verdict {
  /** How many lines say that others are lost in their place. */
  told: number;
  /** Lines that are readable. */
  kept: number;
  /** Lines that are not; each was published inside a gap. */
  missing: number;
  /** The causes of the gaps, in alphabetical order. */
  causes: string[];
  /** Each gap that has ended, oldest first. */
  claims: Claim[];
  /** The times of the first and the last of each run of lines that are missing. */
  edges: number[];
}

/** What a gap says and what was lost in it. */
export interface Claim {
  /** See {@linkcode FoundGap.cause}. */
  cause: string;
  /** How many lines are missing whose time lies in it. */
  missing: number;
  /** The time from the first to the last line missing in it, in milliseconds. */
  lostMs: number;
  /** How long it is less that, in milliseconds. */
  excessMs: number;
}

/** The API that is asked, and what it asks for. */
export interface Asked extends Pick<FlightlogProcess, "url" | "untilLog"> {
  /** One of `API_TOKEN`, where there are some. */
  token?: string;
}

/** Makes lines numbered from 0, each with the time of its making, and knows every one of them. */
export class NumberedLines {
  readonly #publishedMs: number[] = [];
  readonly #now: () => number;

  /** `now` tells the time that stands in the lines. Default: the real one. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** How many there are. */
  get count(): number {
    return this.#publishedMs.length;
  }

  /**
   * Makes the next `count` lines, each when it is asked for: the publisher asks as it publishes. They were `lateMs`
   * milliseconds on their way.
   */
  *take(count: number, lateMs = 0): Generator<FlyLine, void> {
    for (let i = 0; i < count; i++) yield this.#line(this.#publishedMs.push(this.#now() - lateMs) - 1);
  }

  /** Publishes the next `count` lines, `lateMs` milliseconds late; resolves when the server has them. */
  async publish(publisher: Publisher, count: number, lateMs = 0): Promise<void> {
    await publisher.publishAll(this.take(count, lateMs));
  }

  /**
   * Publishes `perSecond` lines a second, by the real clock, in portions of a 20th of a second: for what depends
   * on how fast lines come against a server's own deadlines.
   */
  async publishEvenly(publisher: Publisher, perSecond: number, seconds: number): Promise<void> {
    const startMs = performance.now();
    for (let portion = 1; portion <= seconds * 20; portion++) {
      await this.publish(publisher, Math.round(perSecond / 20));
      const leftMs = startMs + portion * 50 - performance.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, leftMs)));
    }
  }

  /**
   * Holds every line that can be read against those that were made, and the missing ones against the gaps.
   *
   * @throws {assert.AssertionError} If a line is there twice, changed, unknown, or missing without a gap.
   */
  async judge(
    readable: AsyncIterable<string> | Iterable<string>,
    gaps: readonly FoundGap[],
  ): Promise<Verdict> {
    const isKept = new Uint8Array(this.count);
    let kept = 0;
    let told = 0;
    for await (const line of readable) {
      if (isLostLine(line)) {
        told++;
        continue;
      }
      const number = Number(/"line=(\d+)"/.exec(line)?.[1]);
      if (!(number < this.count)) assert.fail(`a line that nobody published: ${line.slice(0, 200)}`);
      if (line !== this.#line(number).payload) assert.fail(`line ${number} is another one: ${line}`);
      if (isKept[number]) assert.fail(`line ${number} is there twice`);
      isKept[number] = 1;
      kept++;
    }
    const missing: number[] = [];
    const edges = new Set<number>();
    for (const [number, publishedMs] of this.#publishedMs.entries()) {
      if (isKept[number]) continue;
      missing.push(publishedMs);
      if (number === 0 || isKept[number - 1] || number === this.count - 1 || isKept[number + 1]) {
        edges.add(publishedMs);
      }
      if (gaps.some((gap) => isIn(gap, publishedMs))) continue;
      const when = new Date(publishedMs).toISOString();
      assert.fail(
        `line ${number} of ${when} is missing outside of every gap: ${gaps.map(showGap).join(", ")}`,
      );
    }
    return {
      told,
      kept,
      missing: missing.length,
      causes: gaps.map(({ cause }) => cause).sort(),
      claims: gaps.filter(({ until }) => until !== Infinity).map((gap) => claimOf(gap, missing)),
      edges: [...edges],
    };
  }

  #line(number: number): FlyLine {
    return numberedLine(number, { timestamp: new Date(this.#publishedMs[number]!).toISOString() });
  }
}

/**
 * Asks a running Flightlog for all days and all gaps, and judges them; see {@linkcode NumberedLines.judge}.
 */
export async function checkOracle(flightlog: Asked, lines: NumberedLines): Promise<Verdict> {
  await untilWritten(flightlog);
  const all = await readAllGaps(flightlog);
  const gaps = all.filter(isRecorders);
  const verdict = await lines.judge(readLines(flightlog), gaps);
  for (const timeMs of verdict.edges) {
    assert.match(
      await askCoverage(flightlog, timeMs),
      /^partial; gaps=[1-9]/,
      `${timeMs}: a line is missing`,
    );
  }
  await checkEdges(flightlog, all);
  return verdict;
}

/** Asks /search for the milliseconds on either side of both ends of each gap. */
async function checkEdges(flightlog: Asked, gaps: readonly FoundGap[]): Promise<void> {
  const nowMs = Date.now();
  for (const { since, until } of gaps.filter((gap) => gap.since > 0)) {
    for (const timeMs of [since - 1, since, until - 1, until].filter((timeMs) => timeMs < nowMs - 1)) {
      const isGap = gaps.some((gap) => isIn(gap, timeMs));
      const coverage = await askCoverage(flightlog, timeMs);
      assert.equal(/^partial; gaps=[1-9]/.test(coverage), isGap, `${timeMs}: "${coverage}"`);
    }
  }
}

/** What /search says of the span of one millisecond. */
async function askCoverage(flightlog: Asked, timeMs: number): Promise<string> {
  const [since, until] = [timeMs, timeMs + 1].map((ms) => new Date(ms).toISOString());
  const { headers, body } = await ask(flightlog, `/search?since=${since}&until=${until}&limit=1`);
  await body?.cancel();
  return headers.get("Log-Coverage") ?? "";
}

function isIn({ since, until }: FoundGap, timeMs: number): boolean {
  return since <= timeMs && timeMs < until;
}

function claimOf(gap: FoundGap, missing: readonly number[]): Claim {
  const within = missing.filter((timeMs) => isIn(gap, timeMs));
  const lostMs = within.length === 0
    ? 0
    : within.reduce((a, b) => Math.max(a, b)) - within.reduce((a, b) => Math.min(a, b));
  return { cause: gap.cause, missing: within.length, lostMs, excessMs: gap.until - gap.since - lostMs };
}

/** Every line of every day, as the API returns them. */
async function* readLines(flightlog: Asked): AsyncGenerator<string, void> {
  const { days } = v.parse(daysSchema, await askJson(flightlog, "/logs"));
  for (const { links } of days) {
    const { body } = await ask(flightlog, links.jsonl);
    let rest = "";
    for await (const text of body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
    if (rest !== "") assert.fail(`the text of a day ends in mid-line: ${rest}`);
  }
}

/** Asks for every gap since the first start: what was before it is no lost line's. */
export async function readGaps(flightlog: Asked): Promise<FoundGap[]> {
  return (await readAllGaps(flightlog)).filter(isRecorders);
}

function isRecorders({ cause }: FoundGap): boolean {
  return cause !== "before";
}

async function readAllGaps(flightlog: Asked): Promise<FoundGap[]> {
  const { gaps } = await askJson(flightlog, "/gaps?since=1970-01-01T00:00:00Z") as {
    gaps: { since: string; until: string | null; cause: string }[];
  };
  return gaps.map(({ since, until, cause }) => ({
    since: Date.parse(since),
    until: until === null ? Infinity : Date.parse(until),
    cause,
  }));
}

/** Asks until the recorder has taken `count` lines since its process started. */
export async function untilRecorded(flightlog: Asked, count: number): Promise<void> {
  await untilStatus(flightlog, ({ counters }) => counters.recorded! >= count, `${count} lines`);
}

/** Asks until the last of `lines` can be read: every other that came has come before it. */
export async function untilLastReadable(flightlog: Asked, lines: NumberedLines): Promise<void> {
  const endMs = performance.now() + WAIT_LIMIT_MS;
  const path = `/search?q=line%3D${lines.count - 1}&since=1970-01-01T00:00:00Z`;
  while (await (await ask(flightlog, path)).text() === "") {
    if (performance.now() > endMs) {
      throw new Error(`Cannot wait for line ${lines.count - 1}: it is not there`);
    }
  }
}

/** Asks until there is an answer: a server whose connections are all being answered turns others away for that time. */
export async function untilAnswered(flightlog: Asked): Promise<void> {
  const endMs = performance.now() + WAIT_LIMIT_MS;
  while (true) {
    try {
      return await (await ask(flightlog, "/health")).body?.cancel();
    } catch (error) {
      if (!(error instanceof TypeError) || performance.now() > endMs) throw error;
    }
  }
}

/** Asks until everything that was taken can be read. */
export async function untilWritten(flightlog: Asked): Promise<void> {
  const { port } = await flightlog.untilLog("metrics listening");
  const endMs = performance.now() + WAIT_LIMIT_MS;
  while (true) {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    if (/^flightlog_buffer_bytes 0$/m.test(metrics)) return;
    if (performance.now() > endMs) throw new Error(`Cannot wait for the disk:\n${metrics}`);
  }
}

/** Asks /status until it says what is wanted. */
export async function untilStatus(
  flightlog: Asked,
  isSo: (status: Status) => boolean,
  what: string,
): Promise<Status> {
  const endMs = performance.now() + WAIT_LIMIT_MS;
  while (true) {
    const status = await askJson(flightlog, "/status") as Status;
    if (isSo(status)) return status;
    if (performance.now() > endMs) {
      throw new Error(`Cannot wait for ${what}: ${WAIT_LIMIT_MS} ms have passed; ${JSON.stringify(status)}`);
    }
  }
}

/** The part of `/status` that tests look at. */
export interface Status {
  /** See there. */
  ready: boolean;
  /** See there. */
  reasons: string[];
  /** See there. */
  session: { state: string; lastError: { message: string } | null };
  /** See there. */
  counters: Record<string, number>;
}

/** Asks for a path that is there. */
export async function ask(flightlog: Asked, path: string): Promise<Response> {
  const { url, token } = flightlog;
  const headers: HeadersInit = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { headers, client: UNPOOLED });
  if (response.ok) return response;
  throw new Error(`Cannot ask for ${path}: ${response.status} ${await response.text()}`);
}

async function askJson(flightlog: Asked, path: string): Promise<unknown> {
  return await (await ask(flightlog, path)).json();
}

function showGap({ since, until, cause }: FoundGap): string {
  const end = until === Infinity ? "now" : new Date(until).toISOString();
  return `${cause} ${new Date(since).toISOString()} to ${end}`;
}
