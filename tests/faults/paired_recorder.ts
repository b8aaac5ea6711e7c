/**
 * Promises one of two recorders of the same lines, as its own process, with a server of its own behind a proxy that can be spoilt,
 * and an address for the other one that stays the same however often it is started again.
 *
 * @module
 */

import * as v from "valibot";
import { FlightlogProcess, type LogEvent } from "../rig/flightlog_process.ts";
import { MessageFilter } from "../rig/message_filter.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { RequestLog } from "../rig/request_log.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { ask } from "./oracle.ts";
import type { RepeatedLines } from "./repeated_lines.ts";
import { SmallVolume } from "./small_volume.ts";

/** So much waits for the disk before lines are lost: little, so that a full disk costs some soon. */
const BUFFER_LIMIT = "256KiB";

/** The most that a wait for a line may take, in milliseconds: one that was lost by chance is back before that. */
const WAIT_LIMIT_MS = 180_000;

/** The port of the API before there is one: nothing listens there. */
const NO_PORT = 1;

const healLineSchema = v.variant("event", [
  v.object({ event: v.literal("progress"), what: v.string() }),
  v.object({ event: v.literal("done"), lines: v.number() }),
  v.object({ event: v.literal("failed"), reason: v.string() }),
]);

/** A span of time, in milliseconds since 1970. */
export interface AskedSpan {
  /** Where it begins. */
  sinceMs: number;
  /** The first moment after it. */
  untilMs: number;
}

/** How one is set up. */
export interface PairedOptions {
  /** Stands in errors and reports. */
  name: string;
  /**
   * How large a disk it has that can be filled, in bytes; null, the default, for none of its own. That takes the right to mount a tmpfs, and an
   * insertion wants 64 MiB free besides what it writes.
   */
  volumeBytes?: number | null;
  /** Its server puts it out when it has taken nothing for so long, in milliseconds. Default: the server's, 10 s. */
  evictAfterMs?: number;
  /** The environment of the clock that it goes by. Default: the real one. */
  clockEnv?: Record<string, string>;
}

/** One of two recorders. Disposal ends it, its server and its proxies, and removes its archive. */
export class PairedRecorder implements AsyncDisposable {
  /** See {@linkcode PairedOptions.name}. */
  readonly name: string;
  /** Its server. */
  readonly server: NatsServer;
  /** What publishes to it. */
  readonly publisher: Publisher;
  /** Between the server and it. */
  readonly stream: TcpProxy;
  /** Between the other recorder and it. */
  readonly door: TcpProxy;
  /** What the other recorder has asked it. */
  readonly asked: RequestLog;
  /** Where its archive lies. */
  readonly directory: string;
  /** What it lies on, where that can be filled. */
  readonly volume: SmallVolume | null;
  /** Decides of each message whether it is lost on its way without a word. */
  isLost: () => boolean = () => false;
  readonly #clockEnv: Record<string, string>;
  readonly #stack: AsyncDisposableStack;
  #process: FlightlogProcess | null = null;
  #peer: PairedRecorder | null = null;

  private constructor(
    { name, clockEnv = {} }: PairedOptions,
    parts: { server: NatsServer; publisher: Publisher; directory: string; volume: SmallVolume | null },
    stack: AsyncDisposableStack,
  ) {
    this.name = name;
    this.#clockEnv = clockEnv;
    this.server = parts.server;
    this.publisher = parts.publisher;
    this.directory = parts.directory;
    this.volume = parts.volume;
    this.asked = new RequestLog();
    this.stream = stack.use(TcpProxy.start(parts.server.port, {
      fromTarget: () => new MessageFilter(() => this.isLost()),
    }));
    this.door = stack.use(TcpProxy.start(NO_PORT, { toTarget: () => this.asked.filter() }));
    this.#stack = stack;
  }

  /** Prepares one, and starts all of it but the recorder. */
  static async prepare(options: PairedOptions): Promise<PairedRecorder> {
    const { volumeBytes = null, evictAfterMs } = options;
    await using stack = new AsyncDisposableStack();
    const server = stack.use(
      await NatsServer.start({ writeDeadlineMs: evictAfterMs }),
    );
    const publisher = stack.use(await Publisher.connect({ port: server.port }));
    const volume = volumeBytes === null ? null : stack.use(await SmallVolume.mount(volumeBytes));
    const directory = volume?.directory ?? await Deno.makeTempDir({ prefix: "flightlog-pair-" });
    if (volume === null) stack.defer(() => Deno.remove(directory, { recursive: true }));
    return new PairedRecorder(options, { server, publisher, directory, volume }, stack.move());
  }

  /** Names the other one. */
  pairWith(peer: PairedRecorder): void {
    this.#peer = peer;
  }

  /** The running process. */
  get process(): FlightlogProcess {
    if (this.#process === null) throw new Error(`Cannot ask the ${this.name} recorder: it does not run`);
    return this.#process;
  }

  /** Starts the recorder, again where it has ended, and waits until it records. */
  async start(): Promise<void> {
    await this.listen();
    await this.process.untilLog("recording");
  }

  /** Starts the recorder and waits until it answers. */
  async listen(): Promise<void> {
    this.#process = await FlightlogProcess.start({
      logDirectory: this.directory,
      env: {
        ...this.#clockEnv,
        NATS_URL: `nats://127.0.0.1:${this.stream.port}`,
        ...this.#peer === null ? {} : { PEERS: `http://127.0.0.1:${this.#peer.door.port}` },
        MAX_DISK_PERCENT: "0",
        BUFFER_LIMIT,
      },
    });
    this.door.retarget(this.process.port);
  }

  /** Ends the recorder at once (SIGKILL). */
  async kill(): Promise<void> {
    await this.process.kill();
    this.#process = null;
  }

  /** Has it look now for what is missing since then, and returns how many lines were brought. */
  async heal(sinceMs: number): Promise<number> {
    const since = new Date(sinceMs).toISOString();
    const response = await fetch(`${this.process.url}/heal?since=${since}`, { method: "POST" });
    const text = await response.text();
    const last = text.trimEnd().split("\n").at(-1)!;
    if (!response.ok) throw new Error(`Cannot heal the ${this.name} recorder: ${response.status} ${text}`);
    const line = v.parse(healLineSchema, JSON.parse(last));
    if (line.event === "done") return line.lines;
    throw new Error(`Cannot heal the ${this.name} recorder: it ended with ${last}`);
  }

  /** Asks until what was published last before this call can be read. */
  async untilReadable({ last, span: { untilMs } }: RepeatedLines): Promise<void> {
    const endMs = performance.now() + WAIT_LIMIT_MS;
    const since = new Date(untilMs - 1).toISOString();
    while (
      await (await ask(this.process, `/search?q=line%3D${last}%20&since=${since}&limit=1`)).text() === ""
    ) {
      if (performance.now() > endMs) {
        throw new Error(`Cannot wait for line ${last}: the ${this.name} recorder does not have it`);
      }
    }
  }

  /** The first event of that name after the log had `from` lines. */
  untilLog(event: string, from = 0): Promise<LogEvent> {
    return this.process.untilLog(event, from);
  }

  /** See the class. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}

/** The span as parameters of a query. */
export function spanQuery({ sinceMs, untilMs }: AskedSpan): string {
  const [since, until] = [sinceMs, untilMs].map((ms) => new Date(ms).toISOString());
  return `since=${since}&until=${until}`;
}
