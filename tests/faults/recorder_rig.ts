/**
 * Promises a recorder with everything that it needs over a real server, in this process, with a
 * clock that a test moves: for what would take minutes otherwise.
 *
 * @module
 */

import type { ArchiveOptions } from "../../lib/archive/archive.ts";
import { readConfig } from "../../lib/config/config.ts";
import { dayName } from "../../lib/day.ts";
import type { Details, Logger } from "../../lib/logger.ts";
import { Flightlog } from "../../lib/flightlog.ts";
import type { RecorderOptions } from "../../lib/recorder/recorder.ts";
import { FlyStream } from "../../lib/source/nats/fly_stream.ts";
import type { Source } from "../../lib/source/source.ts";
import type { FakeClock } from "../rig/fake_clock.ts";
import type { FoundGap, NumberedLines, Verdict } from "./oracle.ts";

/** The most that a wait may take, in milliseconds of the real clock. */
const WAIT_LIMIT_MS = 20_000;

/** How the recorder is set up. */
export interface RecorderRigOptions {
  /** The time. */
  clock: FakeClock;
  /** Its environment; `NATS_URL` has to be in it. */
  env: Record<string, string>;
  /** Where the archive lies; it is left there. Default: a directory of its own, removed at the end. */
  directory?: string;
  /** For the archive. */
  openFile?: ArchiveOptions["openFile"];
  /** Where the lines come from, made of Fly's stream. Default: Fly's stream itself. */
  source?: (stream: Source) => Source;
  /** For the recorder. Default: null, so that a server is asked at moments that a test can tell. */
  askAfterMs?: RecorderOptions["askAfterMs"];
}

/** One event of the log. */
export interface RigEvent extends Details {
  /** Its name. */
  event: string;
}

/** A {@linkcode Flightlog} whose log, and whose progress, a test can wait for. */
export class RecorderRig implements AsyncDisposable {
  /** What the recorder has logged. */
  readonly events: RigEvent[] = [];
  /** What it has printed for Fly. */
  readonly printed: string[] = [];
  /** Where the archive lies. */
  readonly directory: string;
  readonly #options: RecorderRigOptions;
  #waiting = new Set<() => void>();
  #stopped = false;
  #flightlog!: Flightlog;

  private constructor(options: RecorderRigOptions, directory: string) {
    this.#options = options;
    this.directory = directory;
  }

  /** Opens the archive and starts to record. */
  static async start(options: RecorderRigOptions): Promise<RecorderRig> {
    const { clock, env, openFile, source = (stream) => stream, askAfterMs = null } = options;
    const rig = new RecorderRig(
      options,
      options.directory ?? await Deno.makeTempDir({ prefix: "flightlog-rig-" }),
    );
    const { directory } = rig;
    const logger: Logger = { log: (_level, event, details) => rig.#note({ ...details, event }) };
    const config = readConfig({ LOG_DIR: directory, SYNC_INTERVAL: "10ms", ...env });
    rig.#flightlog = await Flightlog.open({
      ...{ instance: "this one", resolve: () => Promise.reject(new Error("no name is looked up here")) },
      ...{ config, source: source(FlyStream.of(config, clock)), clock, logger, openFile, askAfterMs },
      print: (line) => {
        rig.printed.push(line);
        rig.#wake();
      },
    });
    rig.archive.onChange(() => rig.#wake());
    rig.archive.onCommit(() => rig.#wake());
    rig.#flightlog.start();
    return rig;
  }

  /** The days. */
  get archive(): Flightlog["archive"] {
    return this.#flightlog.archive;
  }

  /** The gaps. */
  get gaps(): Flightlog["ledger"] {
    return this.#flightlog.ledger;
  }

  /** Where the heartbeat is left. */
  get heartbeatFiles(): Flightlog["heartbeatFiles"] {
    return this.#flightlog.heartbeatFiles;
  }

  /** The recorder. */
  get recorder(): Flightlog["recorder"] {
    return this.#flightlog.recorder;
  }

  /** Waits for the event of that name that comes at or after place `from` of {@linkcode RecorderRig.events}. */
  async untilEvent(event: string, from = 0): Promise<RigEvent> {
    let found: RigEvent | undefined;
    await this.until(() => {
      found = this.events.slice(from).find((one) => one.event === event);
      return found !== undefined;
    }, `"${event}"`);
    return found!;
  }

  /** Waits until so many lines were recorded and are in the files. */
  async untilRecorded(count: number): Promise<void> {
    await this.until(
      () => this.recorder.status().counters.recorded >= count && this.archive.waitingBytes === 0,
      `${count} lines`,
    );
  }

  /** Waits until something is so; looked at when lines are committed, events are logged, and between. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, WAIT_LIMIT_MS);
    // What changes without an event of the recorder's is looked at again with each turn of the event loop.
    const looking = setInterval(() => this.#wake(), 1);
    try {
      while (!isSo()) {
        if (late) {
          const said = this.events.map((event) => JSON.stringify(event)).join("\n");
          throw new Error(`Cannot wait for ${what}: ${WAIT_LIMIT_MS} ms have passed\n${said}`);
        }
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
      clearInterval(looking);
    }
  }

  /** The text of each day, oldest first. */
  async texts(): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    for (const { day } of this.archive.days().reverse()) {
      texts.set(dayName(day), await new Response(this.archive.openText(day)).text());
    }
    return texts;
  }

  /** Every gap. */
  foundGaps(): FoundGap[] {
    return this.gaps.touching(-Infinity, Infinity)
      .map(({ sinceMs, untilMs, cause }) => ({ since: sinceMs, until: untilMs ?? Infinity, cause }));
  }

  /** The oracle's word on what was recorded. */
  async judge(lines: NumberedLines): Promise<Verdict> {
    const texts = [...(await this.texts()).values()];
    return await lines.judge(texts.flatMap((text) => text.split("\n").slice(0, -1)), this.foundGaps());
  }

  /** Stops everything. Returns how many lines could not be written. */
  async stop(): Promise<number> {
    if (this.#stopped) return 0;
    this.#stopped = true;
    return await this.#flightlog.stop();
  }

  /** Stops, and removes the directory unless a test has named it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#options.directory === undefined) await Deno.remove(this.directory, { recursive: true });
  }

  #note(event: RigEvent): void {
    this.events.push(event);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }
}
