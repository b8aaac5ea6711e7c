/**
 * Promises a bucket on a real server, with a proxy in front of it that a test can spoil, and a clock on which waits between attempts
 * take no time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Bucket } from "../../lib/store/bucket.ts";
import { type BucketOptions, RETRY_AFTER_LIMIT_MS } from "../../lib/store/bucket_connection.ts";
import { BucketError, type BucketFailure } from "../../lib/store/bucket_error.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { HttpProxy } from "../rig/http_proxy.ts";
import type { S3Case } from "../rig/s3_case.ts";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../rig/s3_server.ts";
import { WaitsClock } from "../rig/waits.ts";

/** See {@linkcode startBucket}. */
export interface BucketRig extends AsyncDisposable {
  /** The bucket, asked through {@linkcode proxy}. */
  bucket: Bucket;
  /** What is between. */
  proxy: HttpProxy;
  /** The clock beneath, by which limits go. */
  clock: FakeClock;
  /** The waits so far, limits of time left out. */
  waitsMs: readonly number[];
}

/** Asks for the bucket of a test. The clock starts at the server's time, for signatures are made at it. */
export function startBucket(
  given: S3Case,
  options: Partial<BucketOptions & { partBytes: number }> = {},
): BucketRig {
  const proxy = HttpProxy.start(given.server.port);
  const clock = new FakeClock(Date.now());
  const waits = new WaitsClock(clock, (delayMs) => delayMs > RETRY_AFTER_LIMIT_MS);
  const bucket = new Bucket({ ...keysFor(proxy.url, given.bucket), clock: waits, ...options });
  const { waitsMs } = waits;
  return { bucket, proxy, clock, waitsMs, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

/** With what a test server is asked. */
export function keysFor(endpoint: string, bucket: string): Omit<BucketOptions, "clock"> {
  return {
    endpoint,
    bucket,
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    region: "auto",
  };
}

/** Bytes that are unlike one another, so that a test finds what is at a wrong place. */
export function variedBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length).slice();
}

/** Makes sure that what is done fails so, with a message that has no secret in it. */
export async function assertFails(
  doing: Promise<unknown>,
  failure: BucketFailure,
  message: string | RegExp,
): Promise<BucketError> {
  const error = await doing.then(() => undefined, (error) => error);
  assert.ok(error instanceof BucketError, `${error?.stack ?? "it did not fail"}`);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  assert.equal(error.failure, failure, error.message);
  for (const secret of [ACCESS_KEY_ID, SECRET_ACCESS_KEY]) {
    assert.ok(!`${error.stack}${error.cause}`.includes(secret), "a secret is in the error");
  }
  return error;
}
