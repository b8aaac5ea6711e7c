/**
 * Promises to know what was asked over HTTP/1.1, from the bytes alone, without changing any: so that a test can count the requests
 * between two programs.
 *
 * @module
 */

import type { ByteFilter } from "./byte_filter.ts";

/** A request line has at most so many characters; of a longer one the beginning is kept. */
const LINE_LIMIT = 8 * 1024;

const decoder = new TextDecoder();

/** The requests of all connections that it was given to. Bodies of requests are not told apart from lines: for GET only. */
export class RequestLog {
  /** The method and the path of each request, such as `GET /logs/2026-11-22/digest`, in the order in which they came. */
  readonly requests: string[] = [];

  /** What looks at one connection. */
  filter(): ByteFilter {
    let rest = "";
    return {
      pass: (bytes) => {
        const lines = (rest + decoder.decode(bytes)).split("\n");
        rest = lines.pop()!.slice(0, LINE_LIMIT);
        for (const line of lines) {
          const request = /^([A-Z]+ \S+) HTTP\/1\.[01]\r$/.exec(line)?.[1];
          if (request !== undefined) this.requests.push(request);
        }
        return bytes;
      },
    };
  }
}
