/**
 * Promises objects in an S3 bucket that are written whole or not at all, and reads of exactly the bytes that are asked for, or an
 * error that says what the caller can do. Every body is checked by digests on its way there, and by length and digests on its way back.
 *
 * @module
 */

import type { Bytes } from "../archive/read/bytes.ts";
import { BucketConnection, type BucketOptions, type BucketRequest } from "./bucket_connection.ts";
import { BucketError, isBucketFailure } from "./bucket_error.ts";
import { digestOf, type SaidDigest } from "./object_digest.ts";
import { listObjects, type ListOptions, listUploads, type OpenUpload } from "./object_list.ts";
import { PartsUpload, type UploadRequest } from "./parts_upload.ts";
import { checkDigest, saidDigest, type StoredObject, storedObject } from "./stored_object.ts";

/**
 * What is larger is written in parts of this size, each of which is held in memory while it is sent; in bytes. S3 wants parts of 5 MiB
 * at least, and 10,000 of them at most: 80 GB.
 */
export const PART_BYTES = 8 * 1024 * 1024;

/**
 * An object that is read whole, or written in one piece, is no larger than this, in bytes: an index of 20,000 blocks, 20 GB of text, has some
 * 7 MB, and 25 MB if each block has lines of sixty apps.
 */
export const WHOLE_LIMIT_BYTES = 32 * 1024 * 1024;

/** More than this is not read in one request, in bytes. */
export const RANGE_LIMIT_BYTES = 8 * 1024 * 1024;

/** What is answered to a request that only does something is no longer than this, in bytes: it has some 500. */
const DONE_LIMIT_BYTES = 64 * 1024;

/** How an object is written. */
export interface PutOptions {
  /** `"*"`: only where no object has the name. */
  ifNoneMatch?: "*";
  /** What it is, such as `application/gzip`. */
  contentType?: string;
  /** Ends it. */
  signal?: AbortSignal;
}

/** How an object is read. */
export interface GetOptions {
  /** It has to be the one with this ETag. */
  etag?: string;
  /** Ends it. */
  signal?: AbortSignal;
}

/** One bucket. */
export class Bucket {
  readonly #connection: BucketConnection;
  readonly #partBytes: number;

  /**
   * Nothing is sent yet. What is larger than `partBytes` is written in parts of that size.
   *
   * @throws {TypeError} If the address or the keys are none that can be used; neither a key nor an endpoint is in the message.
   */
  constructor({ partBytes = PART_BYTES, ...options }: BucketOptions & { partBytes?: number }) {
    this.#connection = new BucketConnection(options);
    this.#partBytes = partBytes;
  }

  /** The bucket's name. */
  get name(): string {
    return this.#connection.bucket;
  }

  /**
   * Writes `bytes`, which do not change meanwhile, as the object `key`. With `ifNoneMatch: "*"`, an object there with exactly these
   * bytes is taken for the one that is written: it was, by an attempt whose answer was lost, or by somebody with the same to
   * say. Where several claim something by writing first, what each of them writes must therefore be unlike the others'.
   *
   * @throws {BucketError} `exists` if there is another object and it was to be written only if there is none; `broken` if the
   * server says that it has other bytes; and as {@linkcode BucketConnection.ask}.
   * @throws {RangeError} If there are more than {@linkcode WHOLE_LIMIT_BYTES}: see {@linkcode upload}.
   */
  async put(key: string, bytes: Uint8Array<ArrayBuffer>, options: PutOptions = {}): Promise<StoredObject> {
    if (bytes.length > WHOLE_LIMIT_BYTES) {
      throw new RangeError(
        `Cannot write ${bytes.length} bytes in one piece: ${WHOLE_LIMIT_BYTES} is the limit`,
      );
    }
    const { ifNoneMatch, contentType, signal } = options;
    const digest = await digestOf(bytes);
    const headers: Record<string, string> = { "content-md5": Uint8Array.fromHex(digest.md5).toBase64() };
    if (ifNoneMatch !== undefined) headers["if-none-match"] = ifNoneMatch;
    if (contentType !== undefined) headers["content-type"] = contentType;
    const { verb, ...rest } = this.#about(key, "write", signal);
    try {
      return await this.#connection.ask(
        { method: "PUT", verb, headers, body: { bytes, digest }, ...rest },
        ({ headers }) => {
          const said = saidDigest(headers);
          checkDigest(said, digest.md5, `Cannot ${verb}`);
          return { key, size: bytes.length, etag: said.etag, modifiedMs: null };
        },
      );
    } catch (error) {
      if (ifNoneMatch === undefined || !isBucketFailure(error, "changed")) throw error;
      const { bytes: there, ...object } = await this.get(key, { signal });
      if (there.length === bytes.length && there.every((byte, at) => byte === bytes[at])) return object;
      throw new BucketError("exists", `Cannot ${verb}: another object has that name`);
    }
  }

  /**
   * Writes all of `source` as the object `key`: in one piece, or if it is larger than a part, in parts, one of which is in
   * memory at a time, read one after another. What fails is taken back as far as the bucket can be reached: see {@linkcode uploads} for
   * what was not.
   *
   * @throws {BucketError} As {@linkcode put}.
   * @throws What `source` throws.
   */
  async upload(
    key: string,
    source: Pick<Bytes, "size" | "read">,
    { contentType, signal }: Omit<PutOptions, "ifNoneMatch"> = {},
  ): Promise<StoredObject> {
    const size = await source.size();
    const partBytes = this.#partBytes;
    if (size <= partBytes) return await this.put(key, await source.read(0, size), { contentType, signal });
    const request = this.#about(key, "write", signal);
    const upload = await PartsUpload.begin(this.#connection, request, contentType);
    try {
      for (let at = 0; at < size; at += partBytes) {
        await upload.send(await source.read(at, Math.min(partBytes, size - at)));
      }
      await upload.complete();
      return await this.#confirm(request, size, upload.etag);
    } catch (error) {
      const isInReach = !signal?.aborted && !isBucketFailure(error, "down");
      // What cannot be given up now is found by uploads().
      if (isInReach) await this.abort({ key, uploadId: upload.uploadId }).catch(() => {});
      throw error;
    }
  }

  /**
   * The whole object `key`. Its bytes are checked by its digest, where it was written in one piece: the digest of parts is only known to who
   * knows how large they were.
   *
   * @throws {BucketError} `missing` if there is none; `changed` if it is another one than that of the ETag; `broken` if it does not
   * come whole; `refused` if it is larger than `limitBytes`; and as {@linkcode BucketConnection.ask}.
   */
  async get(
    key: string,
    { etag, signal, limitBytes = WHOLE_LIMIT_BYTES }: GetOptions & { limitBytes?: number } = {},
  ): Promise<StoredObject & { bytes: Uint8Array<ArrayBuffer> }> {
    const { verb, ...rest } = this.#about(key, "read", signal);
    const headers = matching(etag);
    return await this.#connection.ask(
      { method: "GET", verb, headers, ...rest, limitBytes },
      async ({ headers, body }) => {
        const object = storedObject(key, headers, body.length);
        checkLength(verb, body, object.size);
        checkETag(verb, object.etag, etag);
        checkDigest(saidDigest(headers), (await digestOf(body)).md5, `Cannot ${verb}`);
        return { ...object, bytes: body };
      },
    );
  }

  /**
   * `length` bytes from `offset` on of the object `key`, which has `size` bytes and this ETag.
   *
   * @throws {BucketError} As {@linkcode get}. The bytes have no digest of their own: who has one checks them.
   * @throws {RangeError} If the object ends before, or it is more than {@linkcode RANGE_LIMIT_BYTES}, or nothing.
   */
  async getRange(
    { key, size, etag }: Pick<StoredObject, "key" | "size" | "etag">,
    { offset, length }: { offset: number; length: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const end = offset + length;
    if (offset < 0 || length < 1 || end > size || length > RANGE_LIMIT_BYTES) {
      throw new RangeError(
        `Cannot read ${length} bytes at ${offset} of ${size}: up to ${RANGE_LIMIT_BYTES} can be`,
      );
    }
    const { verb, ...rest } = this.#about(key, "read", signal);
    const wanted = `bytes ${offset}-${end - 1}/${size}`;
    const headers = { ...matching(etag), range: `bytes=${offset}-${end - 1}` };
    return await this.#connection.ask(
      { method: "GET", verb, headers, ...rest, limitBytes: length },
      ({ status, headers, body }) => {
        const range = status === 206 ? headers.get("content-range") ?? "no range" : "a whole object";
        if (range !== wanted) {
          throw new BucketError("broken", `Cannot ${verb}: "${range}" came where "${wanted}" was asked for`);
        }
        checkLength(verb, body, length);
        checkETag(verb, saidDigest(headers).etag, etag);
        return body;
      },
    );
  }

  /**
   * Tells of the object `key`; null where there is none.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  async head(key: string, signal?: AbortSignal): Promise<StoredObject | null> {
    return (await this.#look(key, signal))?.object ?? null;
  }

  /**
   * The objects whose names begin with `prefix`, in the order of their names, a page of up to `pageSize` at each request.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<StoredObject, void> {
    yield* listObjects(this.#connection, prefix, options);
  }

  /**
   * Removes the object `key`; harmless where there is none.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  async remove(key: string, signal?: AbortSignal): Promise<void> {
    await this.#delete(this.#about(key, "remove", signal));
  }

  /**
   * Uploads in parts that were begun and neither completed nor aborted, of objects whose names begin with `prefix`. Their parts take
   * up room that nobody sees.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  async *uploads(prefix: string, options: ListOptions = {}): AsyncGenerator<OpenUpload, void> {
    yield* listUploads(this.#connection, prefix, options);
  }

  /**
   * Gives an upload up, and the room that its parts take; harmless where there is none.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  async abort({ key, uploadId }: Pick<OpenUpload, "key" | "uploadId">, signal?: AbortSignal): Promise<void> {
    await this.#delete({ ...this.#about(key, "give up an upload of", signal), query: { uploadId } });
  }

  /** What a request about an object begins with. */
  #about(key: string, verb: string, signal: AbortSignal | undefined): UploadRequest {
    return { key, verb: `${verb} "${key}" in bucket "${this.name}"`, limitBytes: DONE_LIMIT_BYTES, signal };
  }

  /** Makes sure that an object was written in parts as it should be. */
  async #confirm({ key, verb, signal }: UploadRequest, size: number, etag: string): Promise<StoredObject> {
    const there = await this.#look(key, signal);
    if (there === null) {
      throw new BucketError("missing", `Cannot ${verb}: the upload was given up by somebody`);
    }
    const { object, said } = there;
    if (object.size !== size) {
      throw new BucketError("broken", `Cannot ${verb}: it has ${object.size} bytes of ${size}`);
    }
    checkDigest(said, etag, `Cannot ${verb}`);
    return object;
  }

  async #look(
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{ object: StoredObject; said: SaidDigest } | null> {
    const { verb, ...rest } = this.#about(key, "look up", signal);
    try {
      return await this.#connection.ask({ method: "HEAD", verb, ...rest }, ({ headers }) => {
        if (headers.has("content-length")) {
          return { object: storedObject(key, headers, 0), said: saidDigest(headers) };
        }
        throw new BucketError("refused", `Cannot ${verb}: the server does not say how long it is`);
      });
    } catch (error) {
      if (isBucketFailure(error, "missing")) return null;
      throw error;
    }
  }

  async #delete(request: Omit<BucketRequest, "method">): Promise<void> {
    try {
      await this.#connection.ask({ method: "DELETE", ...request }, () => {});
    } catch (error) {
      if (!isBucketFailure(error, "missing") || (error as BucketError).code === "NoSuchBucket") throw error;
    }
  }
}

/** The header by which only the object with an ETag is read. */
function matching(etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { "if-match": `"${etag}"` };
}

function checkLength(verb: string, { length }: Uint8Array, expected: number): void {
  if (length === expected) return;
  throw new BucketError("broken", `Cannot ${verb}: ${length} of ${expected} bytes came; try again later`);
}

function checkETag(verb: string, etag: string, expected: string | undefined): void {
  if (expected === undefined || etag === expected) return;
  throw new BucketError("changed", `Cannot ${verb}: it is not the object that was meant`);
}
