/**
 * Many clients that follow, over sockets of their own, as a worker beside the publisher. They read and throw
 * away; the first one notes how old each line was when it came.
 *
 * @module
 */

/// <reference lib="deno.worker" />

/** Whom to follow. */
export interface FollowJob {
  /** The port of the API on the loopback. */
  port: number;
  /** How many clients. */
  followers: number;
  /** How many of them read nothing. */
  stalled: number;
}

/** What those who read have got. */
export interface FollowResult {
  /** How many lines each client has got; some are from before. */
  lines: number[];
  /** The time from a line's timestamp until the first client had it, in milliseconds. */
  delaysMs: number[];
}

const REQUEST = "GET /tail?q=latency-line- HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";

/** How long the last line may take, in milliseconds. */
const LIMIT_MS = 20_000;

const clients: Client[] = [];

/** One client. */
class Client {
  lines = 0;
  readonly delaysMs: number[] = [];
  #rest = "";
  readonly #connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  async open(): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(REQUEST));
    await this.#connection.read(new Uint8Array(16_384));
  }

  /** Reads for ever. */
  async read(notesDelays: boolean): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const decoder = new TextDecoder("latin1");
    while (true) {
      const size = await this.#connection.read(buffer);
      if (size === null) return;
      const nowMs = performance.timeOrigin + performance.now();
      const text = this.#rest + decoder.decode(buffer.subarray(0, size));
      const end = text.lastIndexOf("\n");
      this.#rest = text.slice(end + 1);
      for (let at = text.indexOf("data: "); at !== -1 && at < end; at = text.indexOf("data: ", at + 6)) {
        this.lines++;
        if (notesDelays) this.#noteDelay(text, at, nowMs);
      }
    }
  }

  #noteDelay(text: string, at: number, nowMs: number): void {
    const time = /"timestamp":"([^"]+)"/.exec(text.slice(at, at + 1000))?.[1];
    if (time !== undefined) this.delaysMs.push(nowMs - Date.parse(time.slice(0, 23) + "Z"));
  }
}

async function follow({ port, followers, stalled }: FollowJob): Promise<void> {
  for (let i = 0; i < followers; i++) {
    const client = new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
    await client.open();
    if (i >= followers - stalled) continue;
    clients.push(client);
    client.read(i === 0);
  }
}

/** Waits until each has `lines` lines. */
async function finish(lines: number): Promise<FollowResult> {
  const endMs = performance.now() + LIMIT_MS;
  while (clients.some((client) => client.lines < lines) && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { lines: clients.map((client) => client.lines), delaysMs: clients[0]!.delaysMs };
}

if (typeof DedicatedWorkerGlobalScope !== "undefined" && self instanceof DedicatedWorkerGlobalScope) {
  self.onmessage = async (event: MessageEvent<FollowJob | number>) => {
    if (typeof event.data !== "number") {
      await follow(event.data);
      self.postMessage("following");
    } else {
      self.postMessage(await finish(event.data));
    }
  };
  self.postMessage("ready");
}
