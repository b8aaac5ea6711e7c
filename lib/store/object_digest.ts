/**
 * Promises the digests of bytes that an S3 server checks and answers with, without holding up the thread that records for as long
 * as a part of 8 MiB takes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

/** So much is digested before others on this thread get a turn, in bytes: less than a millisecond's work. */
const PIECE_BYTES = 256 * 1024;

/** The digests of some bytes. */
export interface ObjectDigest {
  /** How many bytes. */
  size: number;
  /** MD5, in hexadecimal: what the ETag of an object is that was written in one piece. */
  md5: string;
  /** SHA-256, in hexadecimal: what is signed. */
  sha256: string;
}

/** Digests `bytes`, which do not change meanwhile. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<ObjectDigest> {
  const sha256 = crypto.subtle.digest("SHA-256", bytes);
  const md5 = createHash("md5");
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (at > 0) await nextTurn();
    md5.update(bytes.subarray(at, at + PIECE_BYTES));
  }
  return { size: bytes.length, md5: md5.digest("hex"), sha256: new Uint8Array(await sha256).toHex() };
}

/**
 * The ETag of an object that was written in parts with these MD5s: the MD5 of all of them, and how many they are.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const ofNothing = "d41d8cd98f00b204e9800998ecf8427e";
 * assert.equal(partsETag([ofNothing]), "59adb24ef3cdbe0297f05b395827453f-1");
 * ```
 */
export function partsETag(md5s: readonly string[]): string {
  const all = createHash("md5");
  for (const md5 of md5s) all.update(Uint8Array.fromHex(md5));
  return `${all.digest("hex")}-${md5s.length}`;
}

/** What an ETag says of an object's bytes. */
export interface SaidDigest {
  /** The ETag without its quotation marks. */
  etag: string;
  /** Whether the object is encrypted with a key of the server's own, so that the ETag says nothing of its bytes. */
  isEncrypted: boolean;
}

/**
 * Whether an ETag says that the object has other bytes than `expected`, which is what it would be for those that were written. An
 * ETag in another form than the expected one says nothing.
 */
export function isOtherThan({ etag, isEncrypted }: SaidDigest, expected: string): boolean {
  if (isEncrypted || etag === expected) return false;
  const parts = /^[0-9a-f]{32}(-\d+)?$/.exec(etag);
  return parts !== null && (parts[1] === undefined) === !expected.includes("-");
}
