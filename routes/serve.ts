/**
 * Promises a listening server that nobody outside can end. Its address stands in the log: somebody who started it
 * with port 0 finds there which port it got.
 *
 * Connections have a limit, and each that does nothing is closed after a time, so that neither many idle clients
 * nor slow ones use up the open files that recording needs. `Deno.serve` has neither limit nor times, and rejects
 * for good once a connection cannot be accepted; Node's server, which Deno has too, has all of them.
 *
 * @module
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { App } from "./app.ts";
import { Connections } from "./connections.ts";
import { answerExchange } from "./exchange.ts";
import { RequestGate } from "./request_gate.ts";

/** How long a client may take, in milliseconds. */
export interface ServeTimes {
  /** From the connection, or the end of the answer before, to the end of a request's headers. */
  headersMs: number;
  /** From its first byte to the end of a request, body included. */
  requestMs: number;
  /** Between two requests. */
  keepAliveMs: number;
  /** Without taking anything of its answer. */
  stallMs: number;
  /** How often the first two are looked at. */
  checkMs: number;
}

/**
 * A browser or curl sends its headers in one packet; a proxy keeps a connection for a minute at most. A pager
 * (`curl … | less`) may take nothing of its answer while somebody reads a page of it, so that is long.
 */
export const SERVE_TIMES: ServeTimes = {
  headersMs: 10_000,
  requestMs: 20_000,
  keepAliveMs: 60_000,
  stallMs: 15 * 60_000,
  checkMs: 1_000,
};

/** The headers of a request are refused with 431 beyond this size, in bytes. */
export const HEADER_BYTES_LIMIT = 16 * 1024;

/** That connections are turned away is told at most once in so many milliseconds. */
const TELL_INTERVAL_MS = 60_000;

/** Where to listen, and how many may connect. */
export interface ServeOptions {
  /** An address or a name. */
  hostname: string;
  /** The port; 0 is any that is free. */
  port: number;
  /** At most so many connections; see {@linkcode Connections}. */
  maxConnections: number;
  /** Measures the time that a client takes nothing. */
  clock: Clock;
  /** Takes the address, and that connections are turned away. */
  logger: Logger;
  /** What the log calls it when it listens. */
  event: string;
  /** For tests. Default: {@linkcode SERVE_TIMES}. */
  times?: ServeTimes;
}

/** A server that listens. */
export interface ListeningServer {
  /** The port. */
  readonly port: number;
  /**
   * Takes no more connections, and resolves when the answers under way are sent or given up, and nothing reads for them
   * any more. Connections that wait for a request are closed at once.
   */
  shutdown(): Promise<void>;
}

/**
 * Serves `app`, and goes on doing so whatever clients do.
 *
 * @throws {Error} If the port is taken or the address is not this machine's.
 */
export async function serve(app: App, options: ServeOptions): Promise<ListeningServer> {
  const { hostname, clock, logger, event, times = SERVE_TIMES } = options;
  const server = createServer({
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    keepAliveTimeout: times.keepAliveMs,
    connectionsCheckingInterval: times.checkMs,
    maxHeaderSize: HEADER_BYTES_LIMIT,
  });
  const { port } = await listen(server, hostname, options.port);
  const connections = new Connections(options.maxConnections);
  const exchanges = new Set<Promise<void>>();
  let toldMs = -Infinity;
  const gates = new WeakMap<Socket, RequestGate>();
  server.on("connection", (socket: Socket) => {
    gates.set(socket, new RequestGate(socket));
    if (connections.add(socket) || clock.elapsed() - toldMs < TELL_INTERVAL_MS) return;
    toldMs = clock.elapsed();
    logger.log("warn", "connections turned away", { server: event, limit: options.maxConnections });
  });
  server.on("request", (incoming, outgoing) => {
    connections.noteBusy(incoming.socket);
    const gate = gates.get(incoming.socket)!;
    gate.close();
    outgoing.once("close", () => {
      connections.noteIdle(incoming.socket);
      void gate.open();
    });
    const exchange = answerExchange(app, incoming, outgoing, { clock, stallMs: times.stallMs });
    exchanges.add(exchange);
    void exchange.finally(() => exchanges.delete(exchange));
  });
  server.on("error", (error) => logger.log("error", "connection not accepted", { reason: error.message }));
  logger.log("info", event, { hostname, port });
  return {
    port,
    async shutdown() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      connections.close();
      await closed;
      await Promise.all(exchanges);
    },
  };
}

/** What to do where the system does not let a server listen, by its error code (man 2 bind). */
const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "something listens there already; stop it, or choose another port",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this user may not; choose a port above 1023",
};

function listen(server: Server, hostname: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: Error & { code?: string }) => {
      const reason = LISTEN_FAULTS[error.code ?? ""] ?? error.message;
      reject(new Error(`Cannot listen on port ${port} of ${hostname}: ${reason}`));
    });
    server.listen(port, hostname, () => {
      server.removeAllListeners("error");
      resolve(server.address() as AddressInfo);
    });
  });
}
