/**
 * Promises the addresses of a bucket and of the objects in it, encoded so that a server reads the names that were meant.
 *
 * @module
 */

/** Where a bucket's name stands in an address: in its path, `https://host/bucket/key`, or in its host, `https://bucket.host/key`. */
export type Addressing = "path" | "host";

/** Which bucket, and where. */
export interface BucketPlace {
  /** The server, `https://fly.storage.tigris.dev`: http or https, and nothing but a host and a port. */
  endpoint: string;
  /** The bucket's name. */
  bucket: string;
  /** Where the name stands in addresses. Default: what {@linkcode usualAddressing} says. */
  addressing?: Addressing;
}

/** The addresses of one bucket. */
export class BucketAddress {
  readonly #base: string;

  /**
   * Those of a bucket.
   *
   * @throws {TypeError} If the endpoint is no such URL, or the name is none that a bucket can have.
   */
  constructor({ endpoint, bucket, addressing }: BucketPlace) {
    if (!isEndpoint(endpoint)) {
      throw new TypeError(
        "Cannot use the endpoint of the bucket: it is no http or https URL of nothing but a host and a port",
      );
    }
    if (!isBucketName(bucket)) {
      throw new TypeError(`Cannot use bucket ${JSON.stringify(bucket)}: that is no name of a bucket`);
    }
    const url = new URL(endpoint);
    const isInHost = (addressing ?? usualAddressing(url, bucket)) === "host";
    this.#base = isInHost
      ? `${url.protocol}//${bucket}.${url.host}`
      : `${url.protocol}//${url.host}/${bucket}`;
  }

  /**
   * The address of the object named `key`, or of the bucket itself, with a query.
   *
   * @throws {TypeError} If no address can name the object: see {@linkcode isObjectKey}.
   */
  url(key: string | null, query: Readonly<Record<string, string>> = {}): URL {
    if (key !== null && !isObjectKey(key)) {
      throw new TypeError(`Cannot address object ${JSON.stringify(key)}: no address can name it`);
    }
    const path = key === null ? "" : key.split("/").map(encode).join("/");
    const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
    return new URL(`${this.#base}/${path}${search === "" ? "" : `?${search}`}`);
  }
}

/** Whether `text` is an http or https URL of nothing but a host and a port. */
export function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return false;
  return url.href === `${url.origin}/`;
}

/** Whether a bucket can have this name: 3 to 63 of lower-case letters, digits, dots and hyphens, as S3's rules say. */
export function isBucketName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(text) && !text.includes("..");
}

/**
 * Whether an address can name an object `key`. One with an empty part or with `.` or `..` for a part cannot be named, for URLs
 * leave these out.
 */
export function isObjectKey(key: string): boolean {
  return key !== "" && key.isWellFormed() && key.split("/").every((part) => !["", ".", ".."].includes(part));
}

/**
 * In the host, as Tigris and AWS want it of new buckets, wherever that can be: not where the server is an address or a name of
 * one part, as `127.0.0.1`, `localhost` and `minio`, since no name in front of those leads to it; nor where the bucket's
 * name has a dot in it and the connection is encrypted, since no certificate is made out to `a.b.host`.
 */
export function usualAddressing(endpoint: URL, bucket: string): Addressing {
  const { hostname, protocol } = endpoint;
  const isNumber = /^\d+(\.\d+){3}$/.test(hostname) || hostname.startsWith("[");
  if (isNumber || !hostname.includes(".")) return "path";
  return bucket.includes(".") && protocol === "https:" ? "path" : "host";
}

/** As signing encodes it (RFC 3986 section 2.3): everything but letters, digits, hyphen, dot, underscore and tilde. */
function encode(text: string): string {
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, hex);
}
