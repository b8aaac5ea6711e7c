/**
 * Promises requests to a bucket that are signed, of which every step ends in time, and whose answers come whole or fail. What may
 * pass is tried again, a few times, less and less often.
 *
 * @module
 */

import { AwsV4Signer } from "aws4fetch";
import { Backoff } from "../backoff.ts";
import { type Clock, sleep } from "../clock.ts";
import { Deadline } from "../deadline.ts";
import { type Addressing, BucketAddress } from "./bucket_address.ts";
import { answerError } from "./bucket_answer.ts";
import { BucketError } from "./bucket_error.ts";
import type { ObjectDigest } from "./object_digest.ts";
import { RetryBudget } from "./retry_budget.ts";

/**
 * An answer begins within so many milliseconds. Connecting is part of it: the runtime does not tell when a connection stands. What
 * is sent has {@linkcode SLOWEST_BYTES_PER_SECOND} besides.
 */
export const ANSWER_TIMEOUT_MS = 20_000;

/** A body that is sent slower than this is given up: 8 MiB in two minutes. */
export const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** So many milliseconds may pass between two pieces of an answer. */
export const IDLE_TIMEOUT_MS = 20_000;

/** An answer is whole after so many milliseconds, however steadily it drips. */
export const BODY_TIMEOUT_MS = 180_000;

/** A request is made so many times at most. */
export const ATTEMPTS_LIMIT = 6;

/** The first wait between two attempts, and the longest one, in milliseconds: 100, 200, 400, 800, 1,600. */
export const FIRST_RETRY_MS = 100;
/** See {@linkcode FIRST_RETRY_MS}. */
export const LONGEST_RETRY_MS = 3_000;

/** `Retry-After` is followed up to so many milliseconds: whoever is told to wait longer comes back by himself. */
export const RETRY_AFTER_LIMIT_MS = 10_000;

/** Of an answer that is an error no more than so many bytes are read: they have some 500. */
const ERROR_LIMIT_BYTES = 64 * 1024;

/** A signing key is kept for each day and region; more than so many are not. */
const SIGNING_KEYS_LIMIT = 4;

/** Which bucket, and with what it is asked. */
export interface BucketOptions {
  /** The server, such as `https://fly.storage.tigris.dev`. */
  endpoint: string;
  /** The bucket's name. */
  bucket: string;
  /** With what it is asked. */
  accessKeyId: string;
  /** Belongs to {@linkcode accessKeyId}. Secret. */
  secretAccessKey: string;
  /** The region that is signed for; `auto` at Tigris. */
  region: string;
  /** Where the bucket's name stands in addresses. Default: by the endpoint. */
  addressing?: Addressing;
  /** What all times go by, and signatures are made at. */
  clock: Clock;
  /** Numbers from 0 to below 1, for the waits between attempts. */
  random?: () => number;
}

/** A request. */
export interface BucketRequest {
  /** What is done. */
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** What that is called in errors, as in `Cannot read "KEY"`. */
  verb: string;
  /** The name of the object; null for the bucket itself. */
  key: string | null;
  /** Which of the things that can be asked for. */
  query?: Readonly<Record<string, string>>;
  /** What is sent besides, and signed. */
  headers?: Readonly<Record<string, string>>;
  /** What is sent, and its digests. */
  body?: { bytes: Uint8Array<ArrayBuffer>; digest: ObjectDigest };
  /** The answer is no longer than this, in bytes. */
  limitBytes: number;
  /** Ends it. */
  signal?: AbortSignal;
}

/** An answer with a status of success, read whole. */
export interface BucketAnswer {
  /** 200, 204 or 206. */
  status: number;
  /** Its headers. */
  headers: Headers;
  /** Its body. */
  body: Uint8Array<ArrayBuffer>;
}

/** The statuses of an answer that has what was asked for. */
const SUCCESSES = [200, 204, 206];

/** The SHA-256 of nothing. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A failed attempt. */
interface Failed {
  error: BucketError;
  retryAfterMs: number;
}

/** Sends requests to one bucket. */
export class BucketConnection {
  readonly #address: BucketAddress;
  readonly #options: BucketOptions;
  readonly #budget = new RetryBudget();
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  /**
   * Nothing is sent yet.
   *
   * @throws {TypeError} If the address or the keys are none that can be used; neither a key nor an endpoint is in the message.
   */
  constructor(options: BucketOptions) {
    this.#address = new BucketAddress(options);
    const { accessKeyId, secretAccessKey, region } = options;
    // Checked here, because the error that fetch throws for a wrong header repeats it.
    if (![accessKeyId, secretAccessKey, region].every((text) => /^[\x21-\x7e]+$/.test(text))) {
      throw new TypeError(
        "Cannot use the keys of the bucket: they are empty or have characters that no key has",
      );
    }
    this.#options = options;
  }

  /** The bucket's name. */
  get bucket(): string {
    return this.#options.bucket;
  }

  /**
   * Sends a request and returns what `read` makes of the answer. What passes, also what `read` throws, is tried again.
   *
   * @throws {BucketError} If there is no answer that can be used, after all attempts.
   * @throws The reason of the request's signal, if that aborts.
   */
  async ask<Result>(
    request: BucketRequest,
    read: (answer: BucketAnswer) => Result | Promise<Result>,
  ): Promise<Result> {
    const { clock, random } = this.#options;
    const backoff = new Backoff(random, FIRST_RETRY_MS, LONGEST_RETRY_MS);
    for (let attempts = 1;; attempts++) {
      request.signal?.throwIfAborted();
      const result = await this.#attempt(request, read);
      if ("value" in result) {
        this.#budget.succeed();
        return result.value;
      }
      const { error, retryAfterMs } = result;
      request.signal?.throwIfAborted();
      if (!error.isPassing || attempts === ATTEMPTS_LIMIT || !this.#budget.take()) throw error;
      await sleep(clock, Math.max(backoff.next(), retryAfterMs), request.signal);
    }
  }

  async #attempt<Result>(
    request: BucketRequest,
    read: (answer: BucketAnswer) => Result | Promise<Result>,
  ): Promise<{ value: Result } | Failed> {
    const { clock } = this.#options;
    const what = `Cannot ${request.verb}`;
    try {
      const answer = await this.#exchange(request, what);
      const { status, headers, body } = answer;
      if (SUCCESSES.includes(status)) return { value: await read(answer) };
      const error = answerError({ what, status, headers, body, nowMs: clock.now() });
      return { error, retryAfterMs: retryAfterMs(headers.get("retry-after")) };
    } catch (error) {
      if (error instanceof BucketError) return { error, retryAfterMs: 0 };
      throw error;
    }
  }

  /** Sends a request and reads its answer, whatever status it has. */
  async #exchange(request: BucketRequest, what: string): Promise<BucketAnswer> {
    const { method, key, query, body, signal } = request;
    const url = this.#address.url(key, query);
    const headers = await this.#sign(request, url);
    using deadline = new Deadline(this.#options.clock);
    const sendMs = Math.ceil((body?.bytes.length ?? 0) / SLOWEST_BYTES_PER_SECOND) * 1000;
    deadline.expect(ANSWER_TIMEOUT_MS + sendMs, "no answer");
    try {
      const response = await fetch(url, {
        method,
        headers,
        body: body?.bytes,
        // A redirect is not followed: what is signed is for this server only.
        redirect: "manual",
        signal: signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]),
      });
      const { status } = response;
      const limitBytes = SUCCESSES.includes(status) ? request.limitBytes : ERROR_LIMIT_BYTES;
      return { status, headers: response.headers, body: await this.#read(response, deadline, limitBytes) };
    } catch (error) {
      if (error instanceof BucketError) throw error;
      throw new BucketError(
        "down",
        `${what}: ${deadline.missed ?? (error as Error).message}; try again later`,
      );
    }
  }

  /** The headers of a request with its signature. */
  async #sign({ method, headers, body }: BucketRequest, url: URL): Promise<Headers> {
    const { accessKeyId, secretAccessKey, region, clock } = this.#options;
    if (this.#signingKeys.size > SIGNING_KEYS_LIMIT) this.#signingKeys.clear();
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, "x-amz-content-sha256": body?.digest.sha256 ?? EMPTY_SHA256 },
      accessKeyId,
      secretAccessKey,
      region,
      service: "s3",
      cache: this.#signingKeys,
      datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    });
    const signed = (await signer.sign()).headers;
    // Not signed, since what is in between may change it. Without it the runtime asks for compressed answers and unpacks them.
    signed.set("accept-encoding", "identity");
    return signed;
  }

  async #read(response: Response, deadline: Deadline, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const { clock } = this.#options;
    const pieces: Uint8Array[] = [];
    const endMs = clock.elapsed() + BODY_TIMEOUT_MS;
    let length = 0;
    deadline.expect(IDLE_TIMEOUT_MS, "no more of the answer");
    for await (const piece of response.body ?? []) {
      length += piece.length;
      if (length > limitBytes) {
        throw new BucketError(
          "refused",
          `Cannot use an answer of bucket "${this.bucket}": it has more than ${limitBytes} bytes`,
        );
      }
      pieces.push(piece);
      const leftMs = Math.max(0, endMs - clock.elapsed());
      deadline.expect(Math.min(IDLE_TIMEOUT_MS, leftMs), "no more of the answer");
    }
    if (pieces.length === 1) return pieces[0] as Uint8Array<ArrayBuffer>;
    const body = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      body.set(piece, at);
      at += piece.length;
    }
    return body;
  }
}

/** Reads `Retry-After` (RFC 9110 section 10.2.3) in seconds, the form in which S3 servers write it. */
function retryAfterMs(header: string | null): number {
  return header !== null && /^\d{1,9}$/.test(header)
    ? Math.min(Number(header) * 1000, RETRY_AFTER_LIMIT_MS)
    : 0;
}
