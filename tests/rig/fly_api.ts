/**
 * Promises a stand-in for Fly's API: the logs API of `https://api.fly.io` and the list of apps of
 * `https://api.machines.dev`, both at one address of 127.0.0.1.
 *
 * **Nothing here was ever tried against Fly.** It is made from fly-go's resource_logs.go, Fly's documentation, and what people
 * report; where these disagree or are silent, the test chooses ({@linkcode StoreManners}, {@linkcode FlyApiServer.refuseWith}).
 * Never tried are above all:
 *
 * - whether the cursor's own row comes again, the JSON type and the precision of `next_token`, what it is after a page without
 *   rows, and whether a token may be made by the client, as Flightlog does;
 * - the decimals of `timestamp` and whether they are cut or rounded (here: cut), the order of rows of one moment (here: as
 *   they came), whether `id` is the same each time, which rows have `"instance": null`;
 * - what exactly is answered, with which body, to a wrong token, to a token that may not, to an unknown app, to an unknown
 *   organisation, and to a client that is too fast (here: after how many requests the test says);
 * - whether the machines API takes `Bearer` (here: yes) and whether it shares its limit with the logs API (here: no);
 * - after how long exactly rows go (here: seven days sharp) and how late they come (here: as the test says).
 *
 * @module
 */

import type { Clock } from "../../lib/clock.ts";
import { FlyLogStore, type StoreManners } from "./fly_log_store.ts";

/** What may go wrong with one request. */
export type Fault =
  /** This status, with a `Retry-After` if there is one. */
  | { status: number; retryAfter?: string }
  /** The page breaks off in the middle, with the connection. */
  | "die"
  /** The answer waits until {@linkcode FlyApiServer.release}. */
  | "hold"
  /** HTML with status 200, as a proxy in between may send. */
  | "html";

/** A limit of requests, reckoned by the injected clock. */
export interface RequestLimit {
  /** What is answered to those above it. */
  status: 401 | 429;
  /** So many requests at once. */
  burst: number;
  /** After which one more is let through each so many milliseconds. */
  intervalMs: number;
}

/** The machines API's documented limit: one request a second, three at once. */
export const MACHINES_LIMIT: RequestLimit = { status: 429, burst: 3, intervalMs: 1000 };

/** How a {@linkcode FlyApiServer} starts. */
export interface FlyApiServerOptions {
  /** Tells the present, and when limits let one through again. */
  clock: Clock;
  /** The organisation's slug. Default: `personal`. */
  org?: string;
  /** The organisation's apps. Default: `web`. */
  apps?: string[];
  /** The token without the word before it. Default: {@linkcode TEST_TOKEN}. */
  token?: string;
  /** What differs from the usual manners. */
  manners?: Partial<StoreManners>;
}

/** The token that is taken by default. */
export const TEST_TOKEN = "fm2_one,fm2_two";

/** A real HTTP server on a free port of 127.0.0.1. */
export class FlyApiServer implements AsyncDisposable {
  /** The lines, and the manners in which they are handed out. */
  readonly store: FlyLogStore;
  /** The apps that there are. A test may take one out. */
  readonly apps: Set<string>;
  /** What is answered to a wrong token and for an unknown app: at Fly, 401 and 404 can both mean both. */
  refuseWith: { token: 401 | 404; app: 401 | 404 } = { token: 401, app: 404 };
  /** The limit of the logs API; null for none. */
  logsLimit: RequestLimit | null = null;
  /** The limit of the machines API; null for none. */
  machinesLimit: RequestLimit | null = MACHINES_LIMIT;
  /** Whether the token may ask the machines API. */
  mayListApps = true;
  /** Whether the token may read logs. */
  mayReadLogs = true;
  /** The apps whose logs the token may not read, though they exist. */
  readonly refuseLogsOf = new Set<string>();
  /** Path and query of every request that came, in order. */
  readonly requests: string[] = [];
  readonly #clock: Clock;
  readonly #org: string;
  readonly #token: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #faults: Fault[] = [];
  readonly #buckets = new Map<RequestLimit, { tokens: number; atMs: number }>();
  #lasting: { requests: number; fault: Fault } | null = null;
  #held = Promise.withResolvers<void>();
  #holding = 0;

  private constructor(options: FlyApiServerOptions) {
    const { clock, org = "personal", apps = ["web"], token = TEST_TOKEN, manners } = options;
    this.#clock = clock;
    this.#org = org;
    this.#token = token;
    this.apps = new Set(apps);
    this.store = new FlyLogStore(clock);
    Object.assign(this.store.manners, manners);
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** Starts a server. */
  static start(options: FlyApiServerOptions): FlyApiServer {
    return new FlyApiServer(options);
  }

  /** Where it is, for both APIs. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** How many answers are held back now. */
  get holding(): number {
    return this.#holding;
  }

  /** Lets the next `times` requests, to whichever route, meet `fault`. Further faults come after those before. */
  fail(fault: Fault, times = 1): void {
    for (let i = 0; i < times; i++) this.#faults.push(fault);
  }

  /** Lets every request meet `fault` once so many have come in all. */
  failAfter(requests: number, fault: Fault): void {
    this.#lasting = { requests, fault };
  }

  /** Ends all faults. */
  recover(): void {
    this.#faults.length = 0;
    this.#lasting = null;
  }

  /** Sends the answers that are held back. */
  release(): void {
    this.#held.resolve();
    this.#held = Promise.withResolvers();
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.requests.push(url.pathname + url.search);
    const lasting = this.#lasting !== null && this.requests.length > this.#lasting.requests;
    const fault = lasting ? this.#lasting!.fault : this.#faults.shift();
    if (fault === "hold") await this.#hold();
    if (fault === "html") return new Response("<html></html>", { headers: { "content-type": "text/html" } });
    if (typeof fault === "object") return refusal(fault.status, fault.retryAfter);
    const response = this.#route(request, url);
    return fault === "die" ? broken(await response.text()) : response;
  }

  async #hold(): Promise<void> {
    this.#holding++;
    await this.#held.promise;
    this.#holding--;
  }

  #route(request: Request, url: URL): Response {
    const logs = /^\/api\/v1\/apps\/([^/]+)\/logs$/.exec(url.pathname);
    if (logs !== null) return this.#logs(request, decodeURIComponent(logs[1]!), url.searchParams);
    const app = /^\/v1\/apps\/([^/]+)$/.exec(url.pathname);
    if (app !== null) return this.#app(request, decodeURIComponent(app[1]!));
    if (url.pathname === "/v1/apps") return this.#list(request, url.searchParams.get("org_slug"));
    return refusal(404);
  }

  #logs(request: Request, app: string, query: URLSearchParams): Response {
    const isFlyV1 = request.headers.get("authorization") === `FlyV1 ${this.#token}`;
    if (!isFlyV1 || !this.mayReadLogs || this.refuseLogsOf.has(app)) return refusal(this.refuseWith.token);
    if (!this.apps.has(app)) return refusal(this.refuseWith.app);
    if (!this.#isWithin(this.logsLimit)) return refusal(this.logsLimit!.status);
    const token = query.get("next_token") || null;
    if (token !== null && !/^\d+$/.test(token)) return refusal(400);
    return json(this.store.page({
      app,
      nextToken: token === null ? null : BigInt(token),
      region: query.get("region") || null,
      instance: query.get("instance") || null,
    }));
  }

  #app(request: Request, app: string): Response {
    const refused = this.#refuseMachines(request);
    if (refused !== null) return refused;
    if (!this.apps.has(app)) return refusal(404);
    const organization = { name: this.#org, slug: this.#org };
    return json(JSON.stringify({ id: `id-of-${app}`, name: app, organization, status: "deployed" }));
  }

  #list(request: Request, org: string | null): Response {
    const refused = this.#refuseMachines(request);
    if (refused !== null) return refused;
    if (org !== this.#org) return refusal(404);
    const apps = Array.from(
      this.apps,
      (name) => ({ id: `id-of-${name}`, name, machine_count: 1, volume_count: 0, network: "default" }),
    );
    return json(JSON.stringify({ total_apps: apps.length, apps }));
  }

  #refuseMachines(request: Request): Response | null {
    const [word, token] = request.headers.get("authorization")?.split(" ") ?? [];
    const isKnown = (word === "FlyV1" || word === "Bearer") && token === this.#token;
    if (!isKnown || !this.mayListApps) return refusal(401);
    return this.#isWithin(this.machinesLimit) ? null : refusal(this.machinesLimit!.status);
  }

  /** Takes a request from the bucket of a limit, which fills as time passes. */
  #isWithin(limit: RequestLimit | null): boolean {
    if (limit === null) return true;
    const nowMs = this.#clock.elapsed();
    const bucket = this.#buckets.get(limit) ?? { tokens: limit.burst, atMs: nowMs };
    bucket.tokens = Math.min(limit.burst, bucket.tokens + (nowMs - bucket.atMs) / limit.intervalMs);
    bucket.atMs = nowMs;
    this.#buckets.set(limit, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

function json(text: string): Response {
  return new Response(text, { headers: { "content-type": "application/json" } });
}

function refusal(status: number, retryAfter?: string): Response {
  const headers = {
    "content-type": "application/json",
    ...(retryAfter ? { "retry-after": retryAfter } : {}),
  };
  return new Response(`{"error":"status ${status}"}`, { status, headers });
}

/** The first half of `text`, after which the connection breaks, since more bytes were announced. */
function broken(text: string): Response {
  const bytes = new TextEncoder().encode(text);
  const half = ReadableStream.from([bytes.subarray(0, Math.ceil(bytes.length / 2))]);
  return new Response(half, {
    headers: { "content-type": "application/json", "content-length": `${bytes.length}` },
  });
}
