/**
 * Promises a real nats-server on a free port of the loopback, which a test may stop, kill, freeze and start
 * again, and of which nothing is left when the test is over.
 *
 * @module
 */

import { join } from "node:path";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { LineLog } from "./line_log.ts";
import { findNatsServer } from "./nats_executable.ts";
import { within } from "./wait.ts";

/** How the server is set up. Everything may be left out. */
export interface NatsServerOptions {
  /** The loopback address to listen on. Default: `127.0.0.1`. */
  host?: "127.0.0.1" | "::1";
  /** The port for clients. Default: a free one. */
  port?: number;
  /** The one user, with {@linkcode NatsServerOptions.password}. */
  user?: string;
  /** The password of {@linkcode NatsServerOptions.user}. */
  password?: string;
  /** The token, if there are no users. */
  token?: string;
  /** Whether clients must speak TLS; see {@linkcode NatsServer.caCertificate}. */
  tls?: boolean;
  /** Whether there is a WebSocket port too, with TLS if {@linkcode NatsServerOptions.tls} is set. */
  websocket?: boolean;
  /** Bytes that may wait for a client before it is evicted as a slow consumer. Default: the server's, 64 MiB. */
  maxPendingBytes?: number;
  /** How long a write to a client may block before it is evicted, in milliseconds. Default: the server's, 10 s. */
  writeDeadlineMs?: number;
  /** Whether the server's log tells of each client. */
  debug?: boolean;
  /** More lines for the configuration file. */
  config?: string;
}

/**
 * One nats-server. Its port stays the same however often it is started again. At most one process of it runs
 * at a time; {@linkcode NatsServer.stop} and disposal are harmless when none does.
 */
export class NatsServer implements AsyncDisposable {
  #executable: string;
  #directory: string;
  #certificate: Certificate | undefined;
  #options: NatsServerOptions;
  #process: Deno.ChildProcess | undefined;
  #log: LineLog | undefined;
  #port = 0;
  #webSocketPort = 0;

  private constructor(executable: string, directory: string, options: NatsServerOptions) {
    this.#executable = executable;
    this.#directory = directory;
    this.#options = options;
  }

  /**
   * Starts a server and waits until it takes clients.
   *
   * @throws {Error} If there is no nats-server, or it ends instead; its log is in the message.
   */
  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const executable = await findNatsServer();
    const directory = await Deno.makeTempDir({ prefix: "flightlog-nats-" });
    const server = new NatsServer(executable, directory, options);
    try {
      await server.#launch();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** The port for clients. */
  get port(): number {
    return this.#port;
  }

  /** The address for clients: `nats://` or, with TLS, `tls://`. No credentials in it. */
  get url(): string {
    return `${this.#options.tls ? "tls" : "nats"}://${this.#address(this.#port)}`;
  }

  /**
   * The address for WebSocket clients: `ws://` or, with TLS, `wss://`.
   *
   * @throws {Error} If the server was started without `websocket`.
   */
  get webSocketUrl(): string {
    if (!this.#options.websocket) {
      throw new Error("Cannot name the WebSocket address: started without websocket");
    }
    return `${this.#options.tls ? "wss" : "ws"}://${this.#address(this.#webSocketPort)}`;
  }

  /**
   * The certificate of the authority that a client has to trust, PEM.
   *
   * @throws {Error} If the server was started without `tls`.
   */
  get caCertificate(): string {
    if (this.#certificate === undefined) throw new Error("Cannot give the certificate: started without tls");
    return this.#certificate.caCertificate;
  }

  /** The server's process, for measuring it; undefined while none runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What the running or last process has logged. */
  get log(): LineLog {
    return this.#log!;
  }

  /** Ends the server in good order (SIGTERM). Clients see their connections closed. */
  async stop(): Promise<void> {
    // A frozen process would keep the signal for later.
    await this.#end(["SIGTERM", "SIGCONT"]);
  }

  /** Ends the server at once (SIGKILL). The kernel closes its connections. */
  async kill(): Promise<void> {
    await this.#end(["SIGKILL"]);
  }

  /** Freezes the server (SIGSTOP): connections stay up, and nothing is answered. */
  freeze(): void {
    this.#running().kill("SIGSTOP");
  }

  /** Lets a frozen server go on. */
  thaw(): void {
    this.#running().kill("SIGCONT");
  }

  /** Puts the server into lame-duck mode: it says so to each client, closes them, then ends. Resolves at its end. */
  async lameDuck(): Promise<void> {
    await this.#end(["SIGUSR2"]);
  }

  /** Ends the server if it runs, and starts it again on the same port, with other `options` where given. */
  async restart(options: NatsServerOptions = {}): Promise<void> {
    await this.stop();
    this.#options = { ...this.#options, ...options };
    await this.#launch();
  }

  /** Changes the running server's configuration (SIGHUP). Clients whose credentials became wrong are put out. */
  async reload(options: NatsServerOptions): Promise<void> {
    this.#options = { ...this.#options, ...options };
    await this.#writeConfig();
    const from = this.log.count;
    this.#running().kill("SIGHUP");
    await this.log.until((line) => line.includes("Reloaded server configuration"), "the reload", from);
  }

  /** Ends the server and removes what it left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #launch(): Promise<void> {
    if (this.#options.tls) this.#certificate ??= await makeCertificate(this.#directory);
    const args = ["--config", await this.#writeConfig()];
    const command = new Deno.Command(this.#executable, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    this.#process = command.spawn();
    this.#log = new LineLog("nats-server", [this.#process.stderr]);
    await this.#log.until((line) => line.includes("Server is ready"), "its readiness");
    this.#port = this.#listeningPort("Listening for client connections on ");
    if (this.#options.websocket) {
      this.#webSocketPort = this.#listeningPort("Listening for websocket clients on ");
    }
  }

  #listeningPort(words: string): number {
    const line = this.log.lines.find((line) => line.includes(words));
    const port = /:(\d+)$/.exec(line?.trimEnd() ?? "")?.[1];
    if (port === undefined) throw new Error(`Cannot find the port of nats-server: its log has no "${words}"`);
    return Number(port);
  }

  async #writeConfig(): Promise<string> {
    const { host = "127.0.0.1", port, user, password, token, tls, websocket, debug, config } = this.#options;
    const { maxPendingBytes, writeDeadlineMs } = this.#options;
    const encryption = tls
      ? `tls { cert_file: ${quote(this.#certificate!.certificateFile)}, key_file: ${
        quote(this.#certificate!.keyFile)
      } }`
      : "";
    const lines = [
      `listen: ${quote(`${this.#bracketed(host)}:${this.#port || (port ?? -1)}`)}`,
      // The shortest that the server takes: a test does not want to wait the usual two minutes.
      `lame_duck_duration: "30s"`,
      `lame_duck_grace_period: "100ms"`,
      encryption,
    ];
    if (websocket) {
      const listen = `host: ${quote(host)}, port: ${this.#webSocketPort || -1}`;
      lines.push(`websocket { ${listen}, ${tls ? encryption : "no_tls: true"} }`);
    }
    if (user !== undefined) {
      lines.push(`authorization { user: ${quote(user)}, password: ${quote(password ?? "")} }`);
    }
    if (token !== undefined) lines.push(`authorization { token: ${quote(token)} }`);
    if (maxPendingBytes !== undefined) lines.push(`max_pending: ${maxPendingBytes}`);
    if (writeDeadlineMs !== undefined) lines.push(`write_deadline: "${writeDeadlineMs}ms"`);
    if (debug) lines.push("debug: true");
    if (config !== undefined) lines.push(config);
    const path = join(this.#directory, "nats.conf");
    await Deno.writeTextFile(path, lines.filter((line) => line !== "").join("\n") + "\n");
    return path;
  }

  async #end(signals: Deno.Signal[]): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    for (const signal of signals) {
      try {
        process.kill(signal);
      } catch (error) {
        // It has ended by itself: that is what was wanted.
        if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await within(process.status, "the end of nats-server");
    await this.log.ended();
  }

  #running(): Deno.ChildProcess {
    if (this.#process === undefined) throw new Error("Cannot signal nats-server: it is not running");
    return this.#process;
  }

  #address(port: number): string {
    return `${this.#bracketed(this.#options.host ?? "127.0.0.1")}:${port}`;
  }

  #bracketed(host: string): string {
    return host.includes(":") ? `[${host}]` : host;
  }
}

// The server's configuration takes JSON's escapes in double quotes.
function quote(text: string): string {
  return JSON.stringify(text);
}
