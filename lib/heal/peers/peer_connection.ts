/**
 * Promises requests to another recorder of which every step ends in time, that are followed nowhere else, and whose bodies come whole
 * or fail: what breaks off is never a short success.
 *
 * @module
 */

import { type Clock, sleep } from "../../clock.ts";
import { Deadline } from "../../deadline.ts";
import { PeerError } from "./peer_error.ts";

/** So many milliseconds may pass between two pieces of a body. */
export const PIECE_TIMEOUT_MS = 30_000;

/** A body is whole after so many milliseconds, however steadily it drips. */
export const BODY_TIMEOUT_MS = 300_000;

/**
 * Of a body so many bytes come at once at the most. They are some hundred lines: between two pieces whoever else has something to do
 * gets a turn, about a millisecond later.
 */
export const PIECE_BYTES: number = 32 * 1024;

/** Whoever has too many readers is asked so many times more. */
export const BUSY_RETRIES = 3;

/** `Retry-After` is followed up to so many milliseconds, and so long is waited where it is missing. */
export const RETRY_AFTER_LIMIT_MS = 60_000;

/** Whom to ask, and with what. */
export interface PeerConnectionOptions {
  /** The beginning of its addresses, such as `http://[fdaa::1]:8080`; it is the peer's name, too. */
  url: string;
  /** With what it is asked; null for nothing. */
  token: string | null;
  /** What all times go by. */
  clock: Clock;
}

/** A request. */
export interface PeerRequest {
  /** Default: GET. */
  method?: "HEAD";
  /** Besides the token. */
  headers?: Record<string, string>;
  /** Ends it. */
  signal: AbortSignal;
  /** Its answer begins within so many milliseconds. */
  timeoutMs: number;
}

/** An answer that has begun. Disposed of, it is given up. */
export interface PeerAnswer extends Disposable {
  /** Its status and its headers. */
  readonly response: Response;
  /**
   * The pieces of its body, of which there are no more than `limitBytes`. Each holds until the next one is asked for.
   *
   * @throws {PeerError} `down` if it breaks off or takes too long, `broken` if it is too large; the reason of the request's
   * signal, if that aborts.
   */
  body(limitBytes: number): AsyncGenerator<Uint8Array, void>;
  /** Its body as text. Throws as {@linkcode PeerAnswer.body} does. */
  text(limitBytes: number): Promise<string>;
}

/** Sends requests to one other recorder. */
export class PeerConnection {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #headers: Record<string, string>;

  /** Nothing is sent yet. */
  constructor({ url, token, clock }: PeerConnectionOptions) {
    this.#url = url;
    this.#clock = clock;
    this.#headers = token === null ? {} : { authorization: `Bearer ${token}` };
  }

  /**
   * Asks for `path`, and again if there are too many readers. Whatever is answered then is returned.
   *
   * @throws {PeerError} `down` if there is no answer in time; the reason of the request's signal, if that aborts.
   */
  async ask(path: string, request: PeerRequest): Promise<PeerAnswer> {
    for (let retries = 0;; retries++) {
      const answer = await this.#askOnce(path, request);
      const { status, headers } = answer.response;
      if (status !== 503 || !headers.has("retry-after") || retries === BUSY_RETRIES) return answer;
      answer[Symbol.dispose]();
      await sleep(this.#clock, retryAfterMs(headers.get("retry-after")!), request.signal);
      request.signal.throwIfAborted();
    }
  }

  async #askOnce(path: string, request: PeerRequest): Promise<PeerAnswer> {
    const { method, headers, signal, timeoutMs } = request;
    signal.throwIfAborted();
    const deadline = new Deadline(this.#clock);
    try {
      deadline.expect(timeoutMs, "no answer");
      const response = await fetch(this.#url + path, {
        method,
        headers: { ...this.#headers, ...headers },
        // A redirect is not followed: the token is for this recorder only, and another one has not what was asked for.
        redirect: "manual",
        signal: AbortSignal.any([signal, deadline.signal]),
      });
      const body = (limitBytes: number) => this.#body(response, deadline, limitBytes, signal);
      return {
        response,
        body,
        text: (limitBytes) => textOf(body(limitBytes)),
        [Symbol.dispose]: () => deadline[Symbol.dispose](),
      };
    } catch (error) {
      deadline[Symbol.dispose]();
      throw this.#explain(error, deadline, signal);
    }
  }

  async *#body(
    { body }: Response,
    deadline: Deadline,
    limitBytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void> {
    if (body === null) return;
    const endMs = this.#clock.elapsed() + BODY_TIMEOUT_MS;
    let bytes = 0;
    // All pieces come into one buffer: with a new one for each, the recording thread would stop again and again to collect them.
    const reader = body.getReader({ mode: "byob" });
    let buffer = new Uint8Array(PIECE_BYTES);
    try {
      deadline.expect(PIECE_TIMEOUT_MS, "no more of the answer");
      while (true) {
        const { value: piece } = await reader.read(buffer);
        if (piece === undefined || piece.length === 0) return;
        bytes += piece.length;
        if (bytes > limitBytes) {
          throw new PeerError(
            "broken",
            `"${this.#url}" sends more than the ${limitBytes} bytes that an answer may have`,
          );
        }
        yield piece;
        buffer = new Uint8Array(piece.buffer);
        const leftMs = endMs - this.#clock.elapsed();
        if (leftMs <= 0) throw new Error(`no whole answer within ${BODY_TIMEOUT_MS / 1000} s`);
        deadline.expect(Math.min(PIECE_TIMEOUT_MS, leftMs), "no more of the answer");
      }
    } catch (error) {
      throw this.#explain(error, deadline, signal);
    } finally {
      reader.cancel().catch(() => {}); // whoever reads no more needs no reason
    }
  }

  /** What is thrown for `error`, which something of a request has thrown. */
  #explain(error: unknown, { missed }: Deadline, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof PeerError) return error;
    const why = missed ?? (error as Error).message;
    return new PeerError("down", `Cannot ask "${this.#url}": ${why}; try again later`);
  }
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of pieces) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

/** Reads `Retry-After` (RFC 9110 section 10.2.3) in seconds, the form in which a Flightlog writes it. */
function retryAfterMs(header: string): number {
  return /^\d{1,9}$/.test(header)
    ? Math.min(Number(header) * 1000, RETRY_AFTER_LIMIT_MS)
    : RETRY_AFTER_LIMIT_MS;
}
