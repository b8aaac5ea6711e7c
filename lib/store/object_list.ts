/**
 * Promises the pages of a bucket's lists, read from its answers, or an error: a page that cannot be read is never taken for an empty one.
 *
 * @module
 */

import type { BucketConnection } from "./bucket_connection.ts";
import { BucketError } from "./bucket_error.ts";
import { childrenOf, readXml, textOf, type XmlElement } from "./bucket_xml.ts";
import { bareETag, type StoredObject } from "./stored_object.ts";

/** An upload in parts that was begun and neither completed nor aborted. */
export interface OpenUpload {
  /** The name of the object that it was to become. */
  key: string;
  /** What the bucket knows it by. */
  uploadId: string;
  /** When it was begun, by the server's clock, in milliseconds since 1970. */
  initiatedMs: number;
}

/** How much is listed. */
export interface ListOptions {
  /** So many at each request, up to 1,000. */
  pageSize?: number;
  /** Ends it. */
  signal?: AbortSignal;
}

/** A page is no longer than this, in bytes: a thousand of the longest names, each byte of them encoded, have 4 MB. */
const PAGE_LIMIT_BYTES = 6 * 1024 * 1024;

/** A page of a list. `next` is what the next one is asked for with; null for the last page. */
interface Page<Entry> {
  entries: Entry[];
  next: Readonly<Record<string, string>> | null;
}

/**
 * The objects whose names begin with `prefix`, in the order of their names.
 *
 * @throws {BucketError} As {@linkcode BucketConnection.ask}.
 */
export function listObjects(
  connection: BucketConnection,
  prefix: string,
  { pageSize = 1000, signal }: ListOptions,
): AsyncGenerator<StoredObject, void> {
  const verb = `list "${prefix}" in bucket "${connection.bucket}"`;
  const query = { "list-type": "2", "max-keys": String(pageSize), prefix };
  return readPages(connection, { verb, query, signal }, readObjectPage);
}

/**
 * The uploads of objects whose names begin with `prefix` that were begun and neither completed nor aborted.
 *
 * @throws {BucketError} As {@linkcode BucketConnection.ask}.
 */
export function listUploads(
  connection: BucketConnection,
  prefix: string,
  { pageSize = 1000, signal }: ListOptions,
): AsyncGenerator<OpenUpload, void> {
  const verb = `list uploads of "${prefix}" in bucket "${connection.bucket}"`;
  const query = { uploads: "", "max-uploads": String(pageSize), prefix };
  return readPages(connection, { verb, query, signal }, readUploadPage);
}

async function* readPages<Entry>(
  connection: BucketConnection,
  { verb, query, signal }: { verb: string; query: Record<string, string>; signal?: AbortSignal },
  read: (body: Uint8Array, what: string) => Page<Entry>,
): AsyncGenerator<Entry, void> {
  const what = `Cannot ${verb}`;
  // Names may have characters in them that XML has not, so they are asked for encoded.
  const common = { method: "GET", verb, key: null, limitBytes: PAGE_LIMIT_BYTES, signal } as const;
  let next: Page<Entry>["next"] = {};
  while (next !== null) {
    const asked = next;
    const page: Page<Entry> = await connection.ask(
      { ...common, query: { "encoding-type": "url", ...query, ...asked } },
      ({ body }) => read(body, what),
    );
    yield* page.entries;
    next = page.next;
    if (next !== null && JSON.stringify(next) === JSON.stringify(asked)) {
      throw new BucketError("refused", `${what}: the server gives the same page again and again`);
    }
  }
}

/**
 * Reads an answer to `GET ?list-type=2&encoding-type=url`
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
 * Throws a BucketError `broken` if it is none; `what` is what does not work then, as `Cannot list "PREFIX"`.
 */
function readObjectPage(body: Uint8Array, what: string): Page<StoredObject> {
  const list = new ListReader(body, "ListBucketResult", what);
  const entries = list.all("Contents").map((one) => ({
    key: list.name(one, "Key"),
    size: list.number(one, "Size"),
    etag: bareETag(list.text(one, "ETag")),
    modifiedMs: list.time(one, "LastModified"),
  }));
  if (!list.isTruncated) return { entries, next: null };
  return { entries, next: { "continuation-token": list.text(list.top, "NextContinuationToken") } };
}

/**
 * Reads an answer to `GET ?uploads&encoding-type=url`
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html).
 * Throws as {@linkcode readObjectPage} does.
 */
function readUploadPage(body: Uint8Array, what: string): Page<OpenUpload> {
  const list = new ListReader(body, "ListMultipartUploadsResult", what);
  const entries = list.all("Upload").map((one) => ({
    key: list.name(one, "Key"),
    uploadId: list.text(one, "UploadId"),
    initiatedMs: list.time(one, "Initiated"),
  }));
  if (!list.isTruncated) return { entries, next: null };
  const next = {
    "key-marker": list.name(list.top, "NextKeyMarker"),
    "upload-id-marker": list.text(list.top, "NextUploadIdMarker"),
  };
  return { entries, next };
}

/** Reads the members of a list. */
class ListReader {
  readonly top: XmlElement;
  readonly #what: string;

  constructor(body: Uint8Array, name: string, what: string) {
    this.#what = what;
    const top = readXml(new TextDecoder().decode(body));
    if (top?.name !== name) throw this.#fault(name);
    this.top = top;
  }

  get isTruncated(): boolean {
    return this.text(this.top, "IsTruncated") === "true";
  }

  all(name: string): XmlElement[] {
    return childrenOf(this.top, name);
  }

  text(element: XmlElement, name: string): string {
    const text = textOf(element, name);
    if (text === null) throw this.#fault(name);
    return text;
  }

  /** The name of an object, which is encoded as in the query of a URL. */
  name(element: XmlElement, name: string): string {
    try {
      return decodeURIComponent(this.text(element, name).replaceAll("+", " "));
    } catch (error) {
      if (error instanceof BucketError) throw error;
      throw this.#fault(name);
    }
  }

  number(element: XmlElement, name: string): number {
    const text = this.text(element, name);
    if (!/^\d{1,15}$/.test(text)) throw this.#fault(name);
    return Number(text);
  }

  time(element: XmlElement, name: string): number {
    const timeMs = Date.parse(this.text(element, name));
    if (Number.isNaN(timeMs)) throw this.#fault(name);
    return timeMs;
  }

  #fault(name: string): BucketError {
    return new BucketError("broken", `${this.#what}: the server's answer has no readable ${name}`);
  }
}
