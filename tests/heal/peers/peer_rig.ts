/**
 * Promises recorders' archives that serve each other over real connections, and what heals one of them from the others.
 *
 * @module
 */

import type { Archive } from "../../../lib/archive/archive.ts";
import { type FoundLines, PLACING_BYTES, readPlacing } from "../../../lib/archive/found_lines.ts";
import { type Config, readConfig } from "../../../lib/config/config.ts";
import { dayOf } from "../../../lib/day.ts";
import type { Gap } from "../../../lib/gaps/gap.ts";
import {
  type PeerHealedArchive,
  PeerHealer,
  type PeerHealerOptions,
} from "../../../lib/heal/peers/peer_healer.ts";
import { type Logger, silentLogger } from "../../../lib/logger.ts";
import { parseTimestamp, timestampMs } from "../../../lib/timestamp.ts";
import type { RecordedLines } from "../../../lib/heal/peers/recorded_lines.ts";
import type { Parts } from "../../../routes/parts.ts";
import { WHOLE_ARCHIVE } from "../../../routes/principal.ts";
import { NOON, openArchive, type TestArchive, TestDirectory, textFrom } from "../../archive/archive_rig.ts";
import { createParts, listedGaps, serve, type ServedApi } from "../../routes/rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What stands in a line of {@linkcode lineAt}. */
export interface LineOptions {
  /** Default: `web`. */
  app?: string;
  /** Default: `0e28`; null for none. */
  instance?: string | null;
  /** Members that stand at its end, such as `,"flightlog":{…}`. */
  more?: string;
}

/** A line of the stream: `time` is that of 2026-11-22, or a whole timestamp. */
export function lineAt(time: string, message: string, options: LineOptions = {}): string {
  const { app = "web", instance = "0e28", more = "" } = options;
  const timestamp = time.includes("T") ? time : `2026-11-22T${time}Z`;
  const named = instance === null ? `"name":"${app}"` : `"instance":"${instance}","name":"${app}"`;
  return `{"fly":{"app":{${named}}},"message":${JSON.stringify(message)},"timestamp":"${timestamp}"${more}}`;
}

/** The moment of a time of 2026-11-22, or of a whole timestamp, in milliseconds. */
export function momentOf(time: string): number {
  return timestampMs(parseTimestamp(time.includes("T") ? time : `2026-11-22T${time}Z`)!);
}

/** A recorder that others can ask. */
export class ServedRecorder implements AsyncDisposable {
  /** Its gaps. */
  readonly gaps: Gap[] = [];
  /** Path and query of each request that came, in order. */
  readonly requests: string[] = [];
  /** Tells this run from the others. */
  readonly instance: string = crypto.randomUUID();
  /** Where it lies. */
  readonly directory: TestDirectory = new TestDirectory();
  readonly #test: TestArchive;
  #api!: ServedApi;
  #url = "";

  private constructor(test: TestArchive, directory: TestDirectory) {
    this.#test = test;
    this.directory = directory;
  }

  /** Opens an archive and serves it. */
  static async start(
    { clock = new FakeClock(NOON), org = null, records = null, parts = {} }: {
      clock?: FakeClock;
      org?: string | null;
      records?: RecordedLines | null;
      parts?: Partial<Parts>;
    } = {},
  ): Promise<ServedRecorder> {
    const directory = new TestDirectory();
    const recorder = new ServedRecorder(await openArchive(directory, { clock }), directory);
    const { archive } = recorder;
    recorder.#api = serve(createParts({
      ...{ archive, lines: archive.lines, digests: archive.digests, clock, gaps: listedGaps(recorder.gaps) },
      self: { instance: recorder.instance, org, records },
      identify: ({ url }) => {
        const { pathname, search } = new URL(url);
        recorder.requests.push(pathname + search);
        return WHOLE_ARCHIVE;
      },
      ...parts,
    }));
    recorder.#url = `http://127.0.0.1:${await recorder.#api.port()}`;
    return recorder;
  }

  /** What it records in. */
  get archive(): Archive {
    return this.#test.archive;
  }

  /** The time. */
  get clock(): FakeClock {
    return this.#test.clock;
  }

  /** Where it is. */
  get url(): string {
    return this.#url;
  }

  /** Records lines, each on the day of its timestamp, or of `day`. */
  async record(lines: Iterable<string>, day?: number): Promise<void> {
    for (const line of lines) {
      const time = parseTimestamp(/"timestamp":"([^"]*)"/.exec(line)?.[1] ?? "");
      const own = time === null ? dayOf(momentOf(NOON)) : dayOf(timestampMs(time));
      this.archive.append(day ?? own, encoder.encode(line), false, time);
    }
    await this.archive.sync();
  }

  /** All its lines, sorted. */
  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for (const { day } of this.archive.days()) {
      lines.push(...(await textFrom(this.archive.openText(day))).split("\n").slice(0, -1));
    }
    return lines.sort();
  }

  /** Lets all days be over, and waits until they are sealed. */
  async seal(): Promise<void> {
    await this.#test.seal();
  }

  /** Returns the requests since it was asked last. */
  takeRequests(): string[] {
    return this.requests.splice(0);
  }

  /** What heals it from `peers`, the beginnings of their addresses. */
  healer(
    peers: readonly string[],
    { env = {}, ...options }: Partial<PeerHealerOptions> & { env?: Record<string, string> } = {},
  ): PeerHealer {
    const { archive } = this;
    const config: Config = readConfig({
      NATS_URL: "nats://127.0.0.1:4222",
      LOG_DIR: this.directory.path,
      PEERS: peers.join(),
      ...env,
    });
    return new PeerHealer({
      archive: healedArchive(archive),
      config,
      instance: this.instance,
      clock: this.clock,
      logger: silentLogger,
      resolve: () => Promise.reject(new Error("not to be asked")),
      ...options,
    });
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]();
    await this.#test[Symbol.asyncDispose]();
    this.directory[Symbol.dispose]();
  }
}

/**
 * An archive into which lines can be inserted. Where it cannot do so by itself, they are recorded at the end of their day, which is
 * as good for telling which lines are there.
 */
export function healedArchive(archive: Archive): PeerHealedArchive {
  const inserting = archive as Archive & Partial<Pick<PeerHealedArchive, "insert">>;
  return {
    days: () => archive.days(),
    day: (day) => archive.day(day),
    wasRemoved: (day) => archive.wasRemoved(day),
    get untouched() {
      return archive.untouched;
    },
    get trouble() {
      return archive.trouble;
    },
    held: (sinceMs, untilMs) => archive.held(sinceMs, untilMs),
    sync: () => archive.sync(),
    lines: archive.lines,
    digests: archive.digests,
    insert: (found) => inserting.insert?.(found) ?? appendFound(archive, found),
  };
}

/** Records found lines, in their order. */
async function appendFound(archive: Archive, found: FoundLines): Promise<{ lines: number; bytes: number }> {
  await found.close();
  const bytes = Deno.readFileSync(found.path);
  let lines = 0;
  for (let at = 0; at < bytes.length; lines++) {
    const end = bytes.indexOf(0x0a, at);
    if (readPlacing(bytes, at) === null) throw new Error(`Cannot read line ${lines} of the found file`);
    const line = bytes.slice(at + PLACING_BYTES + 1, end);
    const time = parseTimestamp(/"timestamp":"([^"]*)"/.exec(decoder.decode(line))?.[1] ?? "");
    archive.append(found.day, line, false, time);
    at = end + 1;
  }
  await archive.sync();
  return { lines, bytes: bytes.length - lines * (PLACING_BYTES + 1) };
}

/** A logger that keeps what it is told, as `event {details}`. */
export function noteLogger(): Logger & { notes: string[] } {
  const notes: string[] = [];
  return {
    notes,
    log: (_level, event, details) => void notes.push(`${event} ${JSON.stringify(details ?? {})}`),
  };
}
