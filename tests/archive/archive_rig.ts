/**
 * Promises a directory to record in, lines that a reader can know by their number, and the bytes of files and
 * streams, for the tests of the archive.
 *
 * @module
 */

import { join } from "node:path";
import { Archive, type ArchiveOptions } from "../../lib/archive/archive.ts";
import { dayName, parseDayName } from "../../lib/day.ts";
import { type Logger, silentLogger } from "../../lib/logger.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";
import { FakeClock } from "../rig/fake_clock.ts";

/** The day that most tests record. */
export const DAY = 20_779;
/** The name of {@linkcode DAY}. */
export const DAY_NAME = "2026-11-22";
/** Noon of {@linkcode DAY}. */
export const NOON = "2026-11-22T12:00:00Z";

/** One hour, as `sealAfterMs`. */
export const HOUR_MS = 3_600_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A directory that goes with its test. */
export class TestDirectory implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "flightlog_archive_" });

  /** The path of a file in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The names in it, sorted, without the lock. */
  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).filter((name) => name !== "lock").sort();
  }

  /** The bytes of a file in it. */
  read(name: string): Uint8Array<ArrayBuffer> {
    return Deno.readFileSync(this.file(name));
  }

  /** The text of a file in it. */
  text(name: string): string {
    return Deno.readTextFileSync(this.file(name));
  }

  /** Writes a file in it. */
  write(name: string, content: string | Uint8Array): void {
    Deno.writeFileSync(this.file(name), typeof content === "string" ? encoder.encode(content) : content);
  }

  /** Removes a file in it. */
  remove(name: string): void {
    Deno.removeSync(this.file(name));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** The record with a number: `padding` makes its message that many bytes longer. */
export function record(number: number, padding = 0, app = "web"): string {
  const seconds = String(number % 60).padStart(2, "0");
  return `{"fly":{"app":{"name":"${app}"}},"message":"line ${number}${"x".repeat(padding)}",` +
    `"timestamp":"${DAY_NAME}T10:00:${seconds}.5Z"}`;
}

/** The lines with the numbers from `from` up to `end`, which is left out, as the text of a day. */
export function textOf(from: number, end: number, padding = 0): string {
  let text = "";
  for (let number = from; number < end; number++) text += record(number, padding) + "\n";
  return text;
}

/** The numbers of the lines in a text of {@linkcode record}s. */
export function numbersIn(text: string): number[] {
  return [...text.matchAll(/"message":"line (\d+)/g)].map(([, number]) => Number(number));
}

/** Appends the lines with the numbers from `from` up to `end`, which is left out, each as of `day` at 10:00. */
export function appendLines(archive: Archive, from: number, end: number, padding = 0, day = DAY): void {
  for (let number = from; number < end; number++) {
    const seconds = String(number % 60).padStart(2, "0");
    const time = parseTimestamp(`${dayName(day)}T10:00:${seconds}.5Z`);
    archive.append(day, encoder.encode(record(number, padding)), false, time);
  }
}

/** An archive that closes with its test. */
export class TestArchive implements AsyncDisposable {
  readonly archive: Archive;
  readonly clock: FakeClock;
  #open = true;

  constructor(archive: Archive, clock: FakeClock) {
    this.archive = archive;
    this.clock = clock;
  }

  /** Lets the day be over for long enough, and waits until it is sealed. */
  async seal(): Promise<void> {
    await this.archive.sync();
    this.clock.skip(2 * 86_400_000);
    await this.archive.maintain();
  }

  /** Closes it before the test's end; gives how many lines could not be written. */
  async close(): Promise<number> {
    this.#open = false;
    return await this.archive.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) await this.close();
  }
}

/** Opens the archive in a directory at noon of {@linkcode DAY}, or at the time of `clock`. */
export async function openArchive(
  directory: TestDirectory,
  options: Partial<Omit<ArchiveOptions, "clock">> & { clock?: FakeClock } = {},
): Promise<TestArchive> {
  const clock = options.clock ?? new FakeClock(NOON);
  const archive = await Archive.open({
    directory: directory.path,
    logger: silentLogger,
    syncIntervalMs: 1000,
    sealAfterMs: HOUR_MS,
    retentionDays: null,
    maxDiskPercent: null,
    ...options,
    clock,
  });
  return new TestArchive(archive, clock);
}

/** Reads a stream to its end. */
export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** Reads a stream of UTF-8 to its end. */
export async function textFrom(stream: ReadableStream<Uint8Array>): Promise<string> {
  return decoder.decode(await bytesOf(stream));
}

/** The whole text of a day. */
export function dayText(archive: Archive, day: number = DAY): Promise<string> {
  return textFrom(archive.openText(day));
}

/** Inflates a gzip file as browsers do. */
export async function inflateAsBrowser(gz: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return await bytesOf(new Blob([gz]).stream().pipeThrough(new DecompressionStream("gzip")));
}

/** Inflates a gzip file as zcat does, which also checks its trailer. */
export function inflateAsZcat(path: string): Uint8Array {
  return run("zcat", [path]);
}

/** Inflates a gzip file as Python does. */
export function inflateAsPython(path: string): Uint8Array {
  const program =
    "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(open(sys.argv[1], 'rb').read()))";
  return run("python3", ["-c", program, path]);
}

function run(command: string, args: string[]): Uint8Array {
  const { code, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  if (code !== 0) throw new Error(`Cannot run ${command}: ${decoder.decode(stderr)}`);
  return stdout;
}

/** A logger that keeps the names of its events and what they carry. */
export function keepingLogger(): Logger & { events: string[] } {
  const events: string[] = [];
  return {
    events,
    log: (level, event, details) => void events.push(`${level} ${event} ${JSON.stringify(details ?? {})}`),
  };
}

/** The number of a day that has a name. */
export function dayNumber(name: string): number {
  const day = parseDayName(name);
  if (day === null) throw new RangeError(`Cannot read day "${name}": it does not exist`);
  return day;
}
