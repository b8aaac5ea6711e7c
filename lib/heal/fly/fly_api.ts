/**
 * Promises one answer of Fly's API for one question, or an error that says what to do: requests end in time, are repeated as
 * far as this helps, leave no faster than they may, and show the token to nobody but the API.
 *
 * Rules from flyctl and from what people report: waits grow from 64 ms to 4 s; what is down (502, 503, and here also every
 * other 5xx, no connection, no answer in time, an answer that breaks off) is asked three more times; nine errors of any kind
 * end it. Whoever pages too fast is answered 429, or 401, which then does not mean that the token is wrong.
 *
 * @module
 */

import { type Cancel, type Clock, sleep } from "../../clock.ts";
import { Backoff } from "../../backoff.ts";
import { FlyApiError } from "./fly_api_error.ts";
import { Pace, type PaceLimit } from "./pace.ts";

/** The first wait before a request is repeated, in milliseconds; each is twice the one before, less up to a half at random. */
export const FIRST_RETRY_MS = 64;

/** The longest wait before a request is repeated, in milliseconds, unless the answer asks for a longer one. */
export const LONGEST_RETRY_MS = 4096;

/** What is down is asked so many times more. */
export const DOWN_RETRIES = 3;

/** So many errors end a request. */
export const ERRORS_LIMIT = 9;

/** `Retry-After` is followed up to so many milliseconds. */
export const RETRY_AFTER_LIMIT_MS = 60_000;

/** An answer that is not whole after so many milliseconds is given up, unless another time is given. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** An answer with more bytes is not read to its end. A page has 100 lines, most of which have less than 1 KiB. */
export const ANSWER_LIMIT_BYTES: number = 16 * 1024 * 1024;

/** The word that Fly's API wants before a token. `Bearer` is answered 401. */
const AUTHORIZATION_WORD = "FlyV1";

/** What a {@linkcode FlyApi} is made with. */
export interface FlyApiOptions {
  /** Where the API is: `https://api.fly.io`, `https://api.machines.dev`, `http://_api.internal:4280`. A path in it comes first. */
  url: string;
  /** The token, with or without `FlyV1 ` or `Bearer ` before it. */
  token: string;
  /** What all waits go by. */
  clock: Clock;
  /** How fast requests may leave. Default: as fast as they are asked for. */
  pace?: PaceLimit;
  /** Default: {@linkcode REQUEST_TIMEOUT_MS}. */
  timeoutMs?: number;
  /** Returns numbers from 0 to below 1. */
  random?: () => number;
}

/** What a request is made with. */
export interface FlyApiRequest {
  /** Parameters; those that are empty are left out. */
  query?: Record<string, string>;
  /** Whether the same was answered before, so that 401 means "too fast" and is tried again. Default: no. */
  isPaging?: boolean;
  /** Ends the request and its waits. */
  signal?: AbortSignal;
}

/** An error, and how long its answer asks to wait, in milliseconds. */
interface Failed {
  error: FlyApiError;
  retryAfterMs: number;
}

/** Asks one of Fly's APIs. */
export class FlyApi {
  readonly #base: string;
  readonly #authorization: string;
  readonly #clock: Clock;
  readonly #pace: Pace | null;
  readonly #timeoutMs: number;
  readonly #random: () => number;

  /**
   * Takes where to ask, and with what. Nothing is sent yet.
   *
   * @throws {TypeError} If `url` is not http or https or has credentials, a query or a fragment, or if `token` is empty or
   * has characters that cannot be in a header. The message repeats neither.
   */
  constructor(options: FlyApiOptions) {
    const { url, token, clock, pace, timeoutMs = REQUEST_TIMEOUT_MS, random = Math.random } = options;
    this.#base = readBase(url);
    this.#authorization = `${AUTHORIZATION_WORD} ${readToken(token)}`;
    this.#clock = clock;
    this.#pace = pace === undefined ? null : new Pace(clock, pace);
    this.#timeoutMs = timeoutMs;
    this.#random = random;
  }

  /**
   * Asks for `path`, which begins with `/` and whose parts are encoded, and returns the text of the answer.
   *
   * @throws {FlyApiError} If there is none that can be used, after all retries.
   * @throws The reason of `signal`, if it aborts.
   */
  async get(path: string, request: FlyApiRequest = {}): Promise<string> {
    const { query = {}, isPaging = false, signal } = request;
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query)) if (value !== "") url.searchParams.set(name, value);
    const backoff = new Backoff(this.#random, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    let errors = 0;
    let downs = 0;
    for (;;) {
      await this.#pace?.turn(signal);
      signal?.throwIfAborted();
      const answer = await this.#ask(url, isPaging, signal);
      if (typeof answer === "string") return answer;
      signal?.throwIfAborted();
      const { error, retryAfterMs } = answer;
      errors++;
      if (error.failure === "down") downs++;
      const isRetried = error.failure === "down" || error.failure === "busy";
      if (!isRetried || downs > DOWN_RETRIES || errors >= ERRORS_LIMIT) throw error;
      await sleep(this.#clock, Math.max(backoff.next(), retryAfterMs), signal);
    }
  }

  /** Makes one request. */
  async #ask(url: URL, isPaging: boolean, signal: AbortSignal | undefined): Promise<string | Failed> {
    const late = new AbortController();
    const cancel: Cancel = this.#clock.after(this.#timeoutMs, () => late.abort());
    try {
      const response = await fetch(url, {
        headers: { authorization: this.#authorization, accept: "application/json" },
        // A redirect is not followed: the token is for this host only, and another one has not what was asked for.
        redirect: "manual",
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      });
      if (response.status === 200) return await this.#read(url, response);
      await response.body?.cancel();
      const retryAfterMs = this.#retryAfterMs(response.headers.get("retry-after"));
      return { error: statusError(url, response.status, isPaging), retryAfterMs };
    } catch (error) {
      if (error instanceof FlyApiError) return { error, retryAfterMs: 0 };
      const why = late.signal.aborted
        ? `no answer within ${this.#timeoutMs / 1000} s`
        : (error as Error).message;
      return {
        error: new FlyApiError("down", `${cannotAsk(url)}: ${why}; try again later`),
        retryAfterMs: 0,
      };
    } finally {
      cancel();
    }
  }

  async #read(url: URL, response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > ANSWER_LIMIT_BYTES) {
        throw new FlyApiError(
          "answer",
          `${cannotAsk(url)}: the answer has more than ${ANSWER_LIMIT_BYTES} bytes`,
        );
      }
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  }

  /** Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date. */
  #retryAfterMs(header: string | null): number {
    if (header === null) return 0;
    const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - this.#clock.now();
    return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(0, waitMs), RETRY_AFTER_LIMIT_MS);
  }
}

function statusError(url: URL, status: number, isPaging: boolean): FlyApiError {
  const answered = `${cannotAsk(url)}: answered ${status}`;
  if (status === 429 || (status === 401 && isPaging)) {
    return new FlyApiError("busy", `${answered}, too many requests; try again later`, status);
  }
  if (status === 401 || status === 403) {
    const advice = "check that the token is right and may read this: fly tokens create readonly ORG";
    return new FlyApiError("refused", `${answered}; ${advice}`, status);
  }
  if (status === 404) {
    return new FlyApiError("missing", `${answered}: it does not exist, or the token may not see it`, status);
  }
  if (status >= 500) return new FlyApiError("down", `${answered}; try again later`, status);
  return new FlyApiError("answer", `${answered}, which is no answer of this API; check its URL`, status);
}

/** Names what was asked for, without the query. */
function cannotAsk(url: URL): string {
  return `Cannot ask Fly's API for "${url.origin}${url.pathname}"`;
}

function readBase(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError("Cannot use the URL of Fly's API: it is no http or https URL");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("Cannot use the URL of Fly's API: it has more than a host, a port and a path");
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Checked here, because the error that fetch throws for a wrong header repeats it. */
function readToken(text: string): string {
  const token = text.trim().replace(/^(FlyV1|Bearer)(\s+|$)/i, "");
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError(
      "Cannot use the token for Fly's API: it is empty or has characters that no token has",
    );
  }
  return token;
}
