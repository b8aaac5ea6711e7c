/**
 * Promises the whole program as its own process, started as the `start` task starts it, and nothing left of
 * it at the end.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LineLog } from "./line_log.ts";
import type { MemoryCgroup } from "./memory_cgroup.ts";
import { within } from "./wait.ts";

/** How the program is started. Everything may be left out. */
export interface FlightlogOptions {
  /** Its environment. `LOG_DIR`, `PORT`, `METRICS_PORT` have defaults here; nothing of this process's leaks in. */
  env?: Record<string, string>;
  /** Where the archive lies; it is left there. Default: a directory of its own, removed at the end. */
  logDirectory?: string;
  /** Whether to wait for the API. Default: true. Without, {@linkcode FlightlogProcess.listening} is the one to wait for. */
  untilListening?: boolean;
  /** More arguments for `deno run`. */
  args?: string[];
  /** How many files it may have open. Default: as many as this process. */
  openFiles?: number;
  /** The module to run. Default: the repository's `main.ts`. */
  module?: string;
  /** A memory cgroup that it enters before anything else. */
  cgroup?: Pick<MemoryCgroup, "entrance">;
  /** Whether what is not in Deno's cache may be fetched. Default: false, since no test is to wait for a registry. */
  mayFetch?: boolean;
  /** Called with each line that it prints. */
  onLine?: (line: string) => void;
}

/** One line of the program's own log. */
export interface LogEvent {
  /** When, RFC 3339. */
  time: string;
  /** How grave: `debug`, `info`, `warn` or `error`. */
  level: string;
  /** What has happened. */
  event: string;
  /** What belongs to it. */
  [detail: string]: unknown;
}

/** What of this process's environment a child needs to find Deno's cache and a place for temporary files. */
const INHERITED = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "TMPDIR", "DENO_COVERAGE_DIR"];

/** What the `start` task and the Dockerfile tell V8. */
export const START_FLAGS: readonly string[] = ["--v8-flags=--max-semi-space-size=1,--optimize-for-size"];

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** The running program. Disposal kills it, if it still runs, and removes the directory that was made for it. */
export class FlightlogProcess implements AsyncDisposable {
  /** What it has printed, standard output and standard error. */
  readonly log: LineLog;
  /** Where its archive lies. */
  readonly logDirectory: string;
  #process: Deno.ChildProcess;
  #temporary: string | undefined;
  #host: string;
  #port: number | undefined;
  #running = true;

  private constructor(
    process: Deno.ChildProcess,
    log: LineLog,
    options: { logDirectory: string; temporary: string | undefined; host: string },
  ) {
    this.#process = process;
    this.log = log;
    this.logDirectory = options.logDirectory;
    this.#temporary = options.temporary;
    this.#host = options.host;
    process.status.then(() => this.#running = false);
  }

  /**
   * Starts the program and waits until its API answers.
   *
   * @throws {Error} If it ends instead; its log is in the message.
   */
  static async start(options: FlightlogOptions = {}): Promise<FlightlogProcess> {
    const temporary = options.logDirectory === undefined
      ? await Deno.makeTempDir({ prefix: "flightlog-" })
      : undefined;
    const logDirectory = options.logDirectory ?? temporary!;
    const env = { ...inherited(), LOG_DIR: logDirectory, PORT: "0", METRICS_PORT: "0", ...options.env };
    const module = options.module ?? join(repository, "main.ts");
    const enter = options.cgroup === undefined
      ? []
      : ["sh", "-c", 'echo $$ > "$0" && exec "$@"', options.cgroup.entrance];
    const limit = options.openFiles === undefined
      ? []
      : ["sh", "-c", 'ulimit -n "$0" && exec "$@"', String(options.openFiles)];
    const [command, ...args] = [...enter, ...limit, Deno.execPath()];
    const process = new Deno.Command(command!, {
      args: [
        ...args,
        "run",
        "--config",
        join(repository, "deno.json"),
        ...options.mayFetch ? [] : ["--cached-only"],
        ...START_FLAGS,
        "-P=start",
        ...options.args ?? [],
        module,
      ],
      cwd: repository,
      clearEnv: true,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = new LineLog("flightlog", [process.stdout, process.stderr], options.onLine);
    const host = options.env?.HOST ?? "127.0.0.1";
    const flightlog = new FlightlogProcess(process, log, { logDirectory, temporary, host });
    if (options.untilListening === false) return flightlog;
    try {
      await flightlog.listening();
    } catch (error) {
      await flightlog[Symbol.asyncDispose]();
      throw error;
    }
    return flightlog;
  }

  /** The process, for measuring it. */
  get pid(): number {
    return this.#process.pid;
  }

  /** How it has ended, once it has. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#process.status;
  }

  /** The events of its log so far, the oldest first; lines that are none are left out. */
  get events(): LogEvent[] {
    return this.log.lines.map(parseEvent).filter((event) => event !== null);
  }

  /**
   * The port of the API.
   *
   * @throws {Error} If it does not answer yet.
   */
  get port(): number {
    if (this.#port === undefined) {
      throw new Error("Cannot tell the port of flightlog: its API does not answer yet");
    }
    return this.#port;
  }

  /** The address of the API, without a slash at the end. Throws as {@linkcode FlightlogProcess.port} does. */
  get url(): string {
    return `http://${this.#host.includes(":") ? `[${this.#host}]` : this.#host}:${this.port}`;
  }

  /** Waits until the API answers. */
  async listening(): Promise<void> {
    const { port } = await this.untilLog("api listening");
    if (typeof port !== "number") throw new TypeError(`Cannot find the port of flightlog: it says "${port}"`);
    this.#port = port;
  }

  /**
   * The first event of that name at or after line `from` of the log (see {@linkcode LineLog.count}), waiting
   * for it.
   *
   * @throws {Error} If the program ends without it, or too much time passes.
   */
  async untilLog(event: string, from = 0): Promise<LogEvent> {
    const line = await this.log.until((line) => parseEvent(line)?.event === event, `"${event}"`, from);
    return parseEvent(line)!;
  }

  /** Sends a signal; harmless when it has ended. */
  signal(signal: Deno.Signal): void {
    if (this.#running) this.#process.kill(signal);
  }

  /** Asks it to stop (SIGTERM) and waits for its end. */
  async stop(): Promise<Deno.CommandStatus> {
    this.signal("SIGTERM");
    return await this.#ended();
  }

  /** Ends it at once (SIGKILL) and waits for its end. */
  async kill(): Promise<Deno.CommandStatus> {
    this.signal("SIGKILL");
    return await this.#ended();
  }

  /** Ends it and removes what it left, unless the caller has named the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#temporary === undefined) return;
    const directory = this.#temporary;
    this.#temporary = undefined;
    await Deno.remove(directory, { recursive: true });
  }

  async #ended(): Promise<Deno.CommandStatus> {
    const status = await within(this.#process.status, "the end of flightlog");
    await this.log.ended();
    return status;
  }
}

function inherited(): Record<string, string> {
  const env: Record<string, string> = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  for (const name of INHERITED) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

function parseEvent(line: string): LogEvent | null {
  if (!line.startsWith("{")) return null;
  try {
    const event = JSON.parse(line);
    return typeof event.event === "string" ? event : null;
  } catch {
    return null;
  }
}
