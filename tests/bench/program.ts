/**
 * Promises that a program under measurement is ended with its scope, and that its CPU time and memory are
 * read from the kernel's own books.
 *
 * @module
 */

import { LineLog } from "../rig/line_log.ts";

/** Ticks in a second in `/proc/PID/stat`; fixed in the interface of every Linux. */
const TICKS_PER_SECOND = 100;

/** How long a program has to end after SIGTERM, in milliseconds. */
const STOP_LIMIT_MS = 8_000;

/** How often a program is looked at while it comes to rest, in milliseconds. */
const REST_POLL_MS = 250;

/** How many of its last lines are shown when a program ends by itself. */
const LAST_WORDS = 10;

/** What is started. */
export interface ProgramOptions {
  /** Stands in messages. */
  name: string;
  /** The executable. */
  command: string;
  /** Its arguments. */
  args: string[];
  /** Where it runs. Default: here. */
  cwd?: string;
  /** Variables beside {@linkcode inheritedEnvironment}. */
  env?: Record<string, string>;
}

/** Variables that Flightlog would take from whoever starts the bench; they are kept from it. */
const OWN_VARIABLES =
  /^(ORG|ACCESS_TOKEN|SUBJECT|QUEUE|NETWORK|NATS_URL|LOG_DIR|RETENTION_DAYS|MAX_DISK_PERCENT|SYNC_INTERVAL|SEAL_AFTER|BUFFER_LIMIT|CANARY_INTERVAL|STALL_AFTER|HEAL_FROM_FLY|PEERS|PEER_TOKEN|MAX_CONNECTIONS|EXCLUDE_\w+|INCLUDE_\w+|API_TOKEN|PORT|HOST|METRICS_PORT|FLY_\w+)$/;

/** The environment of the bench without what would configure a program under measurement. */
export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !OWN_VARIABLES.test(name)),
  );
}

/** One running program. */
export class Program implements AsyncDisposable {
  /** What it prints on stdout and stderr. */
  readonly log: LineLog;
  #name: string;
  #process: Deno.ChildProcess;
  #ended = false;
  #stopping = false;

  private constructor(name: string, process: Deno.ChildProcess) {
    this.#name = name;
    this.#process = process;
    this.log = new LineLog(name, [process.stdout, process.stderr]);
    process.status.then(async ({ code, signal }) => {
      this.#ended = true;
      if (this.#stopping) return;
      await this.log.ended();
      const lines = this.log.lines.slice(-LAST_WORDS).map((line) => `\n  ${line}`).join("");
      Deno.stderr.writeSync(
        new TextEncoder().encode(`${name} has ended by itself (${signal ?? `code ${code}`}):${lines}\n`),
      );
    });
  }

  /**
   * Starts a program.
   *
   * @throws {Deno.errors.NotFound} If there is no such executable.
   */
  static start(options: ProgramOptions): Program {
    const command = new Deno.Command(options.command, {
      args: options.args,
      cwd: options.cwd,
      clearEnv: true,
      env: { ...inheritedEnvironment(), NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    return new Program(options.name, command.spawn());
  }

  /** The process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** User and system time of all its threads so far, in seconds. */
  cpuSeconds(): number {
    const stat = this.#book("stat");
    // The second field is the name in brackets and may hold spaces; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Its resident memory now, in bytes. */
  residentBytes(): number {
    return this.#memory("VmRSS");
  }

  /** The most resident memory it has had, in bytes. */
  peakBytes(): number {
    return this.#memory("VmHWM");
  }

  /** Its resident memory now that is of no file: what cannot be given back, in bytes. */
  anonymousBytes(): number {
    return this.#memory("RssAnon");
  }

  /** Waits until it uses next to no CPU, at most `limitMs`. */
  async rest(limitMs: number): Promise<void> {
    const end = performance.now() + limitMs;
    let quiet = 0;
    for (let before = this.cpuSeconds(); quiet < 3 && performance.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, REST_POLL_MS));
      const now = this.cpuSeconds();
      quiet = now - before <= 0.02 ? quiet + 1 : 0;
      before = now;
    }
  }

  /** Ends it: SIGTERM, and SIGKILL if that is not enough. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), STOP_LIMIT_MS);
    await this.#process.status;
    clearTimeout(timer);
    await this.log.ended();
  }

  /** As {@linkcode Program.stop}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #kill(signal: Deno.Signal): void {
    if (!this.#ended) this.#process.kill(signal);
  }

  /** Through `cat`: Deno itself reads /proc only for who may do everything. */
  #book(name: string): string {
    const { success, stdout } = new Deno.Command("cat", {
      args: [`/proc/${this.pid}/${name}`],
      stdin: "null",
      stderr: "null",
    }).outputSync();
    if (!success) {
      throw new Error(`Cannot measure ${this.#name}: it has ended`);
    }
    return new TextDecoder().decode(stdout);
  }

  #memory(field: string): number {
    const status = this.#book("status");
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`Cannot read the memory of ${this.#name}: no "${field}"`);
    return Number(kilobytes) * 1024;
  }
}
