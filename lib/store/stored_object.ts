/**
 * Promises what an answer's headers say of the object that it is about.
 *
 * @module
 */

import { BucketError } from "./bucket_error.ts";
import { isOtherThan, type SaidDigest } from "./object_digest.ts";

/** An object as it is in the bucket. */
export interface StoredObject {
  /** Its name. */
  key: string;
  /** How long it is, in bytes. */
  size: number;
  /** What its bytes are told from others by, without quotation marks. */
  etag: string;
  /** When it was written, by the server's clock, to the second, in milliseconds since 1970; null where that is not said. */
  modifiedMs: number | null;
}

/** What the headers of an answer about `key` say; `size` is taken where they do not say one. */
export function storedObject(key: string, headers: Headers, size: number): StoredObject {
  const modifiedMs = Date.parse(headers.get("last-modified") ?? "");
  return {
    key,
    size: Number(headers.get("content-length") ?? size),
    etag: bareETag(headers.get("etag")),
    modifiedMs: Number.isNaN(modifiedMs) ? null : modifiedMs,
  };
}

/** An ETag without its quotation marks; empty where there is none. */
export function bareETag(etag: string | null): string {
  return (etag ?? "").replace(/^"(.*)"$/, "$1");
}

/**
 * What an answer's ETag says of the bytes. Where they are encrypted with a key of the key service or of the client, the ETag is no digest of
 * them (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html).
 */
export function saidDigest(headers: Headers): SaidDigest {
  const encryption = headers.get("x-amz-server-side-encryption") ?? "";
  const isClients = headers.has("x-amz-server-side-encryption-customer-algorithm");
  return { etag: bareETag(headers.get("etag")), isEncrypted: encryption.includes("kms") || isClients };
}

/**
 * Checks what the server says of bytes that it has, or has sent, against what their ETag would be.
 *
 * @throws {BucketError} `broken` if it has others. `what` is what does not work then, as `Cannot write "KEY"`.
 */
export function checkDigest(said: SaidDigest, expected: string, what: string): void {
  if (!isOtherThan(said, expected)) return;
  throw new BucketError("broken", `${what}: the server's digest is ${said.etag}, the bytes have ${expected}`);
}
