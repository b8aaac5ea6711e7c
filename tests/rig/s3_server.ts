/**
 * Promises a real S3 server on a free port of the loopback, and nothing left of it when the test is over: Ceph's gateway with
 * its monitor and one store, which keeps everything in memory. It takes some ten seconds to start and 150 MB, so a test
 * file starts one for all its tests, each of which has buckets of its own: see s3_case.ts.
 *
 * @module
 */

import { ensureDir } from "@std/fs";
import { join } from "node:path";
import { AwsV4Signer } from "aws4fetch";
import type { S3Programs } from "./s3_programs.ts";
import { WAIT_LIMIT_MS, within } from "./wait.ts";

/** With what the server is asked. */
export const ACCESS_KEY_ID = "TESTACCESSKEYID";
/** The secret that belongs to {@linkcode ACCESS_KEY_ID}: tests look for it in everything that is said. */
export const SECRET_ACCESS_KEY = "test/secret+access=key";

/** The names of Ceph's own users; each has a key. */
const CLIENTS = ["client.admin", "osd.0", "client.rgw.a"];

/** So many characters of the log are shown where the server does not start. */
const LOG_SHOWN = 4000;

/** One S3 server. Its port stays the same. Disposal ends it. */
export class S3Server implements AsyncDisposable {
  readonly #programs: S3Programs;
  readonly #directory: string;
  readonly #processes: { name: string; process: Deno.ChildProcess }[] = [];
  #port = 0;
  #buckets = 0;

  private constructor(programs: S3Programs, directory: string) {
    this.#programs = programs;
    this.#directory = directory;
  }

  /**
   * Starts a server and waits until it answers.
   *
   * @throws {Error} If a part of it ends instead; the end of its log is in the message.
   */
  static async start(programs: S3Programs): Promise<S3Server> {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-s3-" });
    const server = new S3Server(programs, directory);
    try {
      await server.#launch();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port;
  }

  /** Its address, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Makes a bucket of a new name and returns that. */
  async makeBucket(): Promise<string> {
    const name = `test-${++this.#buckets}`;
    const url = `${this.url}/${name}`;
    const signer = new AwsV4Signer({
      method: "PUT",
      url,
      accessKeyId: ACCESS_KEY_ID,
      secretAccessKey: SECRET_ACCESS_KEY,
      service: "s3",
      region: "auto",
    });
    const { headers } = await signer.sign();
    const response = await fetch(url, { method: "PUT", headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot make bucket "${name}": ${response.status} ${text}`);
    return name;
  }

  /** Ends the server at once and removes what it left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#processes) end(process);
    for (const { name, process } of this.#processes) await within(process.status, `the end of ${name}`);
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #launch(): Promise<void> {
    for (const name of ["monitor", "store", "gateway", "run"]) await ensureDir(join(this.#directory, name));
    const [monitorPort, oldMonitorPort, port] = freePorts(3);
    this.#port = port!;
    const monitorPorts = `v2:127.0.0.1:${monitorPort},v1:127.0.0.1:${oldMonitorPort}`;
    const clusterId = crypto.randomUUID();
    await Deno.writeTextFile(this.#path("ceph.conf"), this.#config(clusterId, monitorPorts));
    await this.#makeKeys();
    const { monitorMap, monitor, store, gateway, gatewayAdmin, cluster } = this.#programs;
    const map = this.#path("monitor.map");
    await this.#run(monitorMap, "--create", "--fsid", clusterId, "--addv", "a", `[${monitorPorts}]`, map);
    await this.#run(monitor, "--mkfs", "-i", "a", "--monmap", map, "--keyring", this.#path("keyring"));
    this.#spawn("the monitor", monitor, "-i", "a", "-f");
    const storeId = crypto.randomUUID();
    // It waits for the monitor by itself.
    await this.#run(cluster, "--connect-timeout", "60", "osd", "new", storeId);
    await this.#run(store, "-i", "0", "--mkfs", "--osd-uuid", storeId);
    this.#spawn("the store", store, "-i", "0", "-f");
    this.#spawn("the gateway", gateway, "-n", "client.rgw.a", "-f");
    await this.#untilAnswering();
    const keys = ["--access-key", ACCESS_KEY_ID, "--secret-key", SECRET_ACCESS_KEY];
    await this.#run(gatewayAdmin, "user", "create", "--uid", "test", "--display-name", "test", ...keys);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #config(clusterId: string, monitorPorts: string): string {
    const lines = [
      `fsid = ${clusterId}`,
      `mon host = ${monitorPorts}`,
      "mon initial members = a",
      "public network = 127.0.0.0/8",
      // One copy of everything, on the one store there is.
      "osd pool default size = 1",
      "osd pool default min size = 1",
      "osd pool default pg num = 1",
      "osd crush chooseleaf type = 0",
      "mon allow pool size one = true",
      "mon warn on pool no redundancy = false",
      "osd objectstore = memstore",
      "memstore device bytes = 4294967296",
      `run dir = ${this.#path("run")}`,
      `admin socket = ${this.#path("run")}/$name.asok`,
      `keyring = ${this.#path("keyring")}`,
      `mon data = ${this.#path("monitor")}`,
      `osd data = ${this.#path("store")}`,
      `rgw data = ${this.#path("gateway")}`,
      // Not to a pipe, which somebody would have to read during all tests.
      `log file = ${this.#path("log")}`,
      // S3 wants parts of 5 MiB; with small ones tests are quick.
      "rgw multipart min part size = 65536",
      `rgw frontends = beast endpoint=127.0.0.1:${this.#port}`,
    ];
    return ["[global]", ...lines, ""].join("\n");
  }

  async #makeKeys(): Promise<void> {
    const { keys } = this.#programs;
    const keyring = this.#path("keyring");
    await this.#run(keys, "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *");
    for (const client of CLIENTS) {
      const rights = ["mon", "osd", "mgr"].flatMap((part) => ["--cap", part, "allow *"]);
      await this.#run(keys, keyring, "--gen-key", "-n", client, ...rights);
    }
  }

  /** Runs a program to its end. */
  async #run(program: string, ...args: string[]): Promise<void> {
    const command = new Deno.Command(program, { args, env: this.#environment(), stdin: "null" });
    const { success, stdout, stderr } = await within(command.output(), `the end of ${program}`);
    if (success) return;
    const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n").trim();
    throw new Error(`Cannot run ${program} ${args.join(" ")}: ${printed}`);
  }

  /** Starts a program that goes on running. */
  #spawn(name: string, program: string, ...args: string[]): void {
    const command = new Deno.Command(program, {
      args,
      env: this.#environment(),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    this.#processes.push({ name, process: command.spawn() });
  }

  /** The programs look for their configuration here. */
  #environment(): Record<string, string> {
    return { CEPH_CONF: this.#path("ceph.conf") };
  }

  async #untilAnswering(): Promise<void> {
    const endMs = performance.now() + WAIT_LIMIT_MS;
    let ended: string | null = null;
    for (const { name, process } of this.#processes) process.status.then(() => ended ??= name);
    while (ended === null && performance.now() < endMs) {
      try {
        const response = await fetch(this.url);
        await response.body?.cancel();
        return;
      } catch {
        // Nobody listens yet. The gateway listens once it has made its pools.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const log = await Deno.readTextFile(this.#path("log"));
    const what = ended === null ? `${WAIT_LIMIT_MS} ms have passed` : `${ended} has ended`;
    throw new Error(`Cannot start an S3 server: ${what}; its log ends with\n${log.slice(-LOG_SHOWN)}`);
  }
}

/** Ports of the loopback that were free a moment ago. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

function end(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself: that is what was wanted.
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
