/**
 * Promises one HTTP exchange: a request as it came over a socket becomes a Fetch `Request`, and what the app
 * answers goes out as fast as the client takes it and no faster. An answer that cannot be finished breaks the
 * connection; it never ends as if it were whole.
 *
 * @module
 */

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import { freeWhenSent } from "../lib/machine/spent_buffers.ts";
import type { App } from "./app.ts";
import { Turns } from "./turns.ts";

/** A body is handed to the socket in pieces of this size, so that a client that stops holds no more of it, in bytes. */
const PIECE_BYTES = 64 * 1024;

/** The pieces of all answers; one more would be another in the same turn. */
const turns = new Turns();

/** An answer that cannot be made: the request is none that has a meaning here. */
const BAD_REQUEST = "This is no request that can be understood\n";

/** `.` and `..` would lead from the path that is asked for to another one (RFC 3986 section 5.2.4); nobody needs that. */
const DOT_SEGMENT = /^[^?]*[/\\](\.|%2e){1,2}([/\\?#]|$)/i;

/**
 * `Headers` joins fields of one name. RFC 9110 section 11.6.1 allows challenges in one field, but Chromium then
 * sees the first one only, and asks for no password where that is Bearer.
 */
const BETWEEN_CHALLENGES = /, (?=(?:Bearer|Basic) )/;

/** See {@linkcode answerExchange}. */
export interface ExchangeOptions {
  /** Measures {@linkcode ExchangeOptions.stallMs}. */
  clock: Clock;
  /** A client that has taken nothing of its answer for this long is cut off, in milliseconds. */
  stallMs: number;
}

/**
 * Answers one request. Never fails: what goes wrong breaks the connection. Settles when the answer is sent or given up,
 * and nothing reads for it any more.
 */
export async function answerExchange(
  app: App,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  const leaving = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) leaving.abort();
  });
  // No route reads a body, so the connection is closed instead of waiting for the end of one.
  if (incoming.method !== "GET" && incoming.method !== "HEAD") outgoing.setHeader("Connection", "close");
  try {
    const request = readRequest(incoming, leaving.signal);
    if (request === null) {
      outgoing.writeHead(400, { "Content-Type": "text/plain", "Connection": "close" });
      outgoing.end(BAD_REQUEST);
      return;
    }
    await send(freeWhenSent(await app.fetch(request)), outgoing, options);
  } catch {
    // The app itself logs its failures. What gets here is a body that broke off, or a client that has gone.
    outgoing.destroy();
  }
}

/**
 * The request without its body, which no route reads; null where it names no resource of this server. The target
 * is put after the host as it is (RFC 9112 section 3.3): `//other/path` must not become a host.
 */
function readRequest(incoming: IncomingMessage, signal: AbortSignal): Request | null {
  const { method = "GET", url: target = "/" } = incoming;
  if (DOT_SEGMENT.test(target)) return null;
  const host = incoming.headers.host ?? localHost(incoming);
  try {
    const url = target.startsWith("/") ? `http://${host}${target}` : new URL(target).href;
    const headers = new Headers();
    for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
      headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
    }
    return new Request(url, { method, headers, signal });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** HTTP/1.0 need not name a host: then it is the address that was asked. */
function localHost({ socket: { localAddress = "127.0.0.1" } }: IncomingMessage): string {
  return localAddress.includes(":") ? `[${localAddress}]` : localAddress;
}

async function send(response: Response, outgoing: ServerResponse, options: ExchangeOptions): Promise<void> {
  const { status, headers } = response;
  const reader = response.body?.getReader();
  if (reader === undefined || outgoing.req.method === "HEAD") {
    void reader?.cancel();
    outgoing.writeHead(status, fieldsOf(headers));
    outgoing.end();
    return;
  }
  let cancelled: Promise<void> | undefined;
  const cancel = () => cancelled ??= reader.cancel().catch(() => {}); // nobody is left to hear of it
  outgoing.once("close", cancel);
  try {
    if (outgoing.destroyed) cancel();
    else await sendBody(response, reader, outgoing, options);
  } finally {
    // An answer that was cancelled may have files open until this is done.
    await cancelled;
  }
}

async function sendBody(
  { status, headers }: Response,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  outgoing: ServerResponse,
  options: ExchangeOptions,
): Promise<void> {
  const reads = [reader.read()];
  const short = await shortBody(reads, reader);
  if (short !== null) {
    outgoing.writeHead(status, fieldsOf(headers, short.length));
    outgoing.end(short);
    return;
  }
  outgoing.writeHead(status, fieldsOf(headers));
  outgoing.flushHeaders();
  while (true) {
    const { done, value } = await (reads.shift() ?? reader.read());
    if (outgoing.destroyed) return;
    if (done) break;
    await write(value, outgoing, options);
  }
  outgoing.end();
}

/**
 * A body that is there at once and in one small piece, as pages and errors are, so that its length can be told;
 * null for any other. What was read ahead to find out is added to `reads`.
 */
async function shortBody(
  reads: Promise<ReadableStreamReadResult<Uint8Array>>[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | null> {
  const first = await Promise.race([reads[0]!, nextTurn()]);
  if (first?.done) return new Uint8Array();
  if (first === undefined || first.value.length > PIECE_BYTES) return null;
  reads.push(reader.read());
  const second = await Promise.race([reads[1]!, nextTurn()]);
  return second?.done ? first.value : null;
}

/** The header fields, with the length of the body where it is known and they do not tell it. */
function fieldsOf(headers: Headers, length?: number): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = Object.fromEntries(headers);
  const challenges = headers.get("www-authenticate")?.split(BETWEEN_CHALLENGES);
  if (challenges !== undefined) fields["www-authenticate"] = challenges;
  if (length !== undefined) fields["content-length"] ??= length;
  return fields;
}

/**
 * Hands `bytes` to the system, one piece in a turn, and returns when it has all of them, so that they may be freed; a
 * client that takes nothing for too long is cut off.
 */
async function write(bytes: Uint8Array, outgoing: ServerResponse, options: ExchangeOptions): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    await turns.next();
    if (outgoing.destroyed) return;
    await writePiece(bytes.subarray(at, at + PIECE_BYTES), outgoing, options);
  }
}

function writePiece(piece: Uint8Array, outgoing: ServerResponse, options: ExchangeOptions): Promise<void> {
  return new Promise((resolve) => {
    const cancelStall = options.clock.after(options.stallMs, () => outgoing.destroy());
    outgoing.once("close", done);
    outgoing.write(piece, done);
    function done(): void {
      cancelStall();
      outgoing.off("close", done);
      resolve();
    }
  });
}
