/**
 * Promises a server that answers like another recorder as far as a test wants it to, and breaks the rules where it does not.
 *
 * @module
 */

/** Answers one request. */
export type PeerHandler = (request: Request, url: URL) => Response | Promise<Response>;

/** A real server on a free port of 127.0.0.1. */
export class HandMadePeer implements AsyncDisposable {
  /** Path and query of each request, in order. */
  readonly requests: string[] = [];
  /** What each request was asked with; null for nothing. */
  readonly authorizations: (string | null)[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(handler: PeerHandler) {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      const url = new URL(request.url);
      this.requests.push(url.pathname + url.search);
      this.authorizations.push(request.headers.get("authorization"));
      return handler(request, url);
    });
  }

  /** Starts one. */
  static start(handler: PeerHandler): HandMadePeer {
    return new HandMadePeer(handler);
  }

  /** Starts one that asks the recorder at `url` unless `lie` has an answer. */
  static inFrontOf(
    url: string,
    lie: (path: string, forward: () => Promise<Response>) => Response | Promise<Response> | null,
  ): HandMadePeer {
    return new HandMadePeer((request, { pathname, search }) => {
      const forward = () =>
        fetch(url + pathname + search, { method: request.method, headers: request.headers });
      return lie(pathname + search, forward) ?? forward();
    });
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A body that goes on with `text` until nobody reads it. */
export function endless(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({ pull: (controller) => controller.enqueue(bytes) });
}

/** A body that says `text` and then nothing, without an end. `onBegin` hears that it is read. */
export function stuck(text: string, onBegin: () => void = () => {}): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
    },
    pull: onBegin,
  });
}

/** The answer with `text`, of which the connection breaks before its end. */
export function cut(text: string): Response {
  const bytes = new TextEncoder().encode(text);
  return new Response(ReadableStream.from([bytes.subarray(0, Math.ceil(bytes.length / 2))]), {
    headers: { "content-type": "application/x-ndjson", "content-length": String(bytes.length) },
  });
}
