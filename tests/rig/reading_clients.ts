/**
 * Many clients that read all they can, and many that ask and then read nothing, over sockets of their own, as a
 * worker beside the publisher.
 *
 * @module
 */

/// <reference lib="deno.worker" />

/** Who reads what. */
export interface ReadJob {
  /** The port of the API on the loopback. */
  port: number;
  /** Each list is asked for by one client, one address after the other, for ever. */
  loops: string[][];
  /** The address that so many clients ask for without reading the answer. */
  stalled: { path: string; clients: number };
}

/** What became of the requests. */
export interface ReadCounts {
  /** Answers that were read to their end, by status. */
  answers: Record<string, number>;
  /** Answers that were broken off. */
  broken: number;
  /** The bytes of all bodies. */
  bytes: number;
  /** Stalled clients that were hung up on or sent away, and came back. */
  returned: number;
}

/** How long a client that was sent away waits, in milliseconds. */
const AWAY_MS = 1_000;

const counts: ReadCounts = { answers: {}, broken: 0, bytes: 0, returned: 0 };
const leaving = new AbortController();

async function readForEver(origin: string, paths: string[]): Promise<void> {
  for (let next = 0; !leaving.signal.aborted; next++) {
    try {
      const headers = { "Accept-Encoding": "identity" };
      const response = await fetch(origin + paths[next % paths.length], { headers, signal: leaving.signal });
      for await (const bytes of response.body!) counts.bytes += bytes.length;
      counts.answers[response.status] = (counts.answers[response.status] ?? 0) + 1;
      if (response.status === 503) await pass(AWAY_MS);
    } catch {
      if (leaving.signal.aborted) return;
      counts.broken++;
      await pass(AWAY_MS);
    }
  }
}

/** Reads the first bytes of the answer and no more, until the server closes the connection. */
async function stallForEver(port: number, path: string): Promise<void> {
  const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  while (!leaving.signal.aborted) {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(request);
      const buffer = new Uint8Array(64);
      const size = await connection.read(buffer) ?? 0;
      const isAnswer = new TextDecoder().decode(buffer.subarray(0, size)).includes(" 200 ");
      // Without reading, a reset is not noticed. One byte now and then takes nothing from the answer that matters.
      while (isAnswer && !leaving.signal.aborted) {
        await pass(AWAY_MS);
        if (await connection.read(new Uint8Array(1)) === null) break;
      }
    } catch {
      // Hung up on, which is what it is here for.
    }
    counts.returned++;
    await pass(AWAY_MS);
  }
}

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

if (typeof DedicatedWorkerGlobalScope !== "undefined" && self instanceof DedicatedWorkerGlobalScope) {
  self.onmessage = (event: MessageEvent<ReadJob | "count" | "leave">) => {
    if (event.data === "leave") leaving.abort();
    if (typeof event.data === "string") return self.postMessage(counts);
    const { port, loops, stalled } = event.data;
    for (const paths of loops) readForEver(`http://127.0.0.1:${port}`, paths);
    for (let client = 0; client < stalled.clients; client++) stallForEver(port, stalled.path);
    self.postMessage("reading");
  };
  self.postMessage("ready");
}
