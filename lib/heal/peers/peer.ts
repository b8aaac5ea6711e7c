/**
 * Promises answers of one other recorder that are whole and bounded, or an error that says what to do: every step ends in time,
 * nothing is followed elsewhere, and a body that breaks off is a failure and never a short success.
 *
 * @module
 */

import { dayName, type DayNumber } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { INSTANCE_HEADER, ORG_HEADER, RECORDED_LINES_HEADER } from "../../../routes/wire/digest.ts";
import { answerLines } from "./answer_lines.ts";
import { type DayDigest, NO_LINES, readDigest } from "./peer_digest.ts";
import { readPeerGaps } from "./peer_gaps.ts";
import { type PeerAnswer, PeerConnection, type PeerConnectionOptions } from "./peer_connection.ts";
import { readRecordedLines, type RecordedLines } from "./recorded_lines.ts";
import { PeerError } from "./peer_error.ts";

/** A digest is made when it is asked for, from up to a day's lines, so it may begin after so many milliseconds. */
export const DIGEST_TIMEOUT_MS = 120_000;

/** Any other answer begins after so many milliseconds at most. */
export const ANSWER_TIMEOUT_MS = 30_000;

/** A digest has no more bytes. Its 2,880 minutes take 90 bytes each. */
export const DIGEST_LIMIT_BYTES: number = 1024 * 1024;

/** A list of gaps has no more bytes. A recorder remembers 4,096 gaps, which take 300 bytes each where they are not healed. */
export const GAPS_LIMIT_BYTES: number = 4 * 1024 * 1024;

/** An answer with lines has no more bytes. It is asked for in slices of about 5,000 lines, and records without a time come along. */
export const LINES_LIMIT_BYTES: number = 512 * 1024 * 1024;

/** A longer line is left out, in bytes. A message of NATS has up to 1 MiB, and an envelope around it a third more. */
export const LINE_LIMIT_BYTES: number = 4 * 1024 * 1024;

/** Of an answer that is a problem so many bytes are read, to see whether a Flightlog wrote it. */
export const PROBLEM_LIMIT_BYTES: number = 16 * 1024;

/** The digests of so many days are remembered, those asked for last; each takes up to 600 KB. */
export const REMEMBERED_DAYS_LIMIT = 8;

/** The header that says how much of what was asked for was recorded; see routes/coverage.ts. */
const COVERAGE_HEADER = "Log-Coverage";

/** How the `type` of every problem of a Flightlog begins. */
const PROBLEM_PREFIX = "urn:flightlog:problem:";

/** What a recorder says of a day that it cannot hand out, by the problem that it answers with. */
const DAY_REFUSALS: Readonly<Record<string, string>> = {
  "removed-day": "has removed",
  "unreadable-day": "cannot read its files of",
};

/** What a peer says of one day. */
export interface PeerDay {
  /** Its lines by minute; of a day that it has not, none. */
  digest: DayDigest;
  /** Which run of a recorder it is; null if it does not say. */
  instance: string | null;
  /** What it records; null if it does not say. */
  records: RecordedLines | null;
  /** The slug of its organisation; null if it does not say. */
  org: string | null;
  /** Why it cannot hand out lines of the day, a sentence; null if it can. */
  refusal: string | null;
}

/** Lines that are asked for. */
export interface LinesRequest {
  /** Of which day. */
  day: DayNumber;
  /** Of which time, in whole milliseconds: their own timestamps are within, or they have none. */
  span: Span;
  /** Only those of this level, and those without a time of it; null for all. */
  level?: string | null;
  /** An answer with more is given up. */
  linesLimit: number;
  /** Hears of each line that is left out since it has more than {@linkcode LINE_LIMIT_BYTES}. */
  onTooLong(): void;
}

/** Asks one other recorder. */
export class Peer {
  /** Its name. */
  readonly name: string;
  readonly #connection: PeerConnection;
  readonly #remembered = new Map<DayNumber, { etag: string; digest: DayDigest }>();

  /** Nothing is sent yet. */
  constructor(options: PeerConnectionOptions) {
    this.name = options.url;
    this.#connection = new PeerConnection(options);
  }

  /**
   * What it has of `day`. Of a sealed day that has not changed since it was asked last, only that is sent.
   *
   * @throws {PeerError} If it does not say; the reason of `signal`, if it aborts.
   */
  async digest(day: DayNumber, signal: AbortSignal): Promise<PeerDay> {
    const remembered = this.#remembered.get(day);
    const headers = remembered && { "if-none-match": remembered.etag };
    const path = `/logs/${dayName(day)}/digest`;
    using answer = await this.#connection.ask(path, { headers, signal, timeoutMs: DIGEST_TIMEOUT_MS });
    const { status, headers: said } = answer.response;
    const from = {
      instance: said.get(INSTANCE_HEADER),
      org: readOrg(said.get(ORG_HEADER)),
      records: readRecordedLines(said.get(RECORDED_LINES_HEADER) ?? ""),
      refusal: null,
    };
    if (status === 304 && remembered !== undefined) return { ...from, digest: remembered.digest };
    if (status !== 200) {
      const problem = await this.#problem(answer);
      if (problem === "unknown-day") return { ...from, digest: NO_LINES };
      const refusal = DAY_REFUSALS[problem ?? ""];
      if (refusal === undefined) throw this.#refusal(answer, problem);
      return { ...from, digest: NO_LINES, refusal: `"${this.name}" ${refusal} ${dayName(day)}` };
    }
    const digest = readDigest(await answer.text(DIGEST_LIMIT_BYTES), this.name, day);
    this.#remember(day, said.get("etag"), digest);
    return { ...from, digest };
  }

  /**
   * What it says of how much of `span`, which is within `day`, it has recorded: `complete`, or what is missing. Of a day of
   * which it has no lines it is said of the whole day.
   *
   * @throws {PeerError} If it does not say; the reason of `signal`, if it aborts.
   */
  async coverage(day: DayNumber, span: Span, signal: AbortSignal): Promise<string> {
    const path = linesPath(day, span);
    using answer = await this.#connection.ask(path, { method: "HEAD", signal, timeoutMs: ANSWER_TIMEOUT_MS });
    const { status, headers } = answer.response;
    const coverage = headers.get(COVERAGE_HEADER);
    if ((status === 200 || status === 404) && coverage !== null) return coverage.slice(0, 100);
    throw this.#refusal(answer, null);
  }

  /**
   * The spans within `span` of which it may lack lines: its gaps that are not healed, sorted, none touching the next one. Those of
   * the time before its first recording are among them.
   *
   * @throws {PeerError} If it does not say; the reason of `signal`, if it aborts.
   */
  async gaps(span: Span, signal: AbortSignal): Promise<Span[]> {
    const path = `/gaps?${spanQuery(span)}`;
    using answer = await this.#connection.ask(path, { signal, timeoutMs: ANSWER_TIMEOUT_MS });
    if (answer.response.status !== 200) throw this.#refusal(answer, await this.#problem(answer));
    return readPeerGaps(await answer.text(GAPS_LIMIT_BYTES), this.name, span);
  }

  /**
   * The lines that are asked for, without their line feeds, in the order in which it has them, those without a time of
   * the whole day among them. Each holds until the next one is asked for. Only when all came is the end of them reached.
   *
   * @throws {PeerError} If they do not all come; the reason of `signal`, if it aborts.
   */
  async *lines(request: LinesRequest, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const { day, span, level = null, linesLimit, onTooLong } = request;
    const path = linesPath(day, span) + (level === null ? "" : `&level=${encodeURIComponent(level)}`);
    using answer = await this.#connection.ask(path, { signal, timeoutMs: ANSWER_TIMEOUT_MS });
    if (answer.response.status !== 200) {
      const problem = await this.#problem(answer);
      if (problem === "unknown-day") return; // whoever has its digest sees whether that can be
      throw this.#refusal(answer, problem);
    }
    let lines = 0;
    const count = () => {
      if (++lines <= linesLimit) return;
      throw new PeerError(
        "broken",
        `"${this.name}" sends more than ${linesLimit} lines, which its digest of "${
          dayName(day)
        }" does not have`,
      );
    };
    const pieces = answer.body(LINES_LIMIT_BYTES);
    try {
      for await (
        const line of answerLines(pieces, LINE_LIMIT_BYTES, {
          onTooLong: () => {
            count();
            onTooLong();
          },
        })
      ) {
        count();
        yield line;
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new PeerError(
        "down",
        `${this.#cannotAsk()}: the answer ends in the middle of a line; try again later`,
      );
    }
  }

  #remember(day: DayNumber, etag: string | null, digest: DayDigest): void {
    this.#remembered.delete(day);
    if (etag === null) return;
    this.#remembered.set(day, { etag, digest });
    if (this.#remembered.size <= REMEMBERED_DAYS_LIMIT) return;
    this.#remembered.delete(this.#remembered.keys().next().value!);
  }

  /** Which problem of a Flightlog an answer is; null if it is none. */
  async #problem(answer: PeerAnswer): Promise<string | null> {
    if (answer.response.headers.get("content-type") !== "application/problem+json") return null;
    try {
      const { type } = JSON.parse(await answer.text(PROBLEM_LIMIT_BYTES));
      const isOurs = typeof type === "string" && type.startsWith(PROBLEM_PREFIX);
      return isOurs ? type.slice(PROBLEM_PREFIX.length) : null;
    } catch (error) {
      if (error instanceof PeerError && error.failure === "down") throw error;
      return null;
    }
  }

  /** The error for an answer that is not the one that was asked for. */
  #refusal(answer: PeerAnswer, problem: string | null): PeerError {
    const { status } = answer.response;
    const answered = `${this.#cannotAsk()}: it answers ${status}`;
    if (status === 401 || status === 403) {
      return new PeerError(
        "refused",
        `${answered}; set PEER_TOKEN to one of the tokens in its API_TOKEN, which may see all lines`,
      );
    }
    if (problem === "no-api-token") {
      return new PeerError("refused", `${answered}: it has no API_TOKEN; set one there`);
    }
    if (problem === "misdirected") {
      return new PeerError(
        "refused",
        `${answered}: without API_TOKEN it answers its own machine only; set one there`,
      );
    }
    if (status === 503) return new PeerError("busy", `${answered}: it has too many readers; try again later`);
    if (status >= 500) return new PeerError("down", `${answered}; look at its log, and try again later`);
    return new PeerError("foreign", `${answered}, which no Flightlog does; check its address in PEERS`);
  }

  #cannotAsk(): string {
    return `Cannot ask "${this.name}"`;
  }
}

function linesPath(day: DayNumber, span: Span): string {
  return `/logs/${dayName(day)}.jsonl?${spanQuery(span)}`;
}

function spanQuery({ sinceMs, untilMs }: Span): string {
  const [since, until] = [sinceMs, untilMs].map((ms) => new Date(ms).toISOString());
  return `since=${since}&until=${until}`;
}

function readOrg(header: string | null): string | null {
  try {
    return header === null ? null : decodeURIComponent(header);
  } catch {
    return header;
  }
}
