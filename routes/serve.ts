/**
 * Promises a listening server whose address stands in the log, where whoever started it with port 0 finds it.
 *
 * @module
 */

import type { Logger } from "../lib/logger.ts";
import { freeWhenSent } from "../lib/spent_buffers.ts";
import type { App } from "./app.ts";

/** Where to listen; port 0 is any that is free. */
export interface ServeOptions {
  hostname: string;
  port: number;
  logger: Logger;
  /** What the log calls it when it listens. */
  event: string;
}

/**
 * Serves `app`.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function serve(app: App, options: ServeOptions): Deno.HttpServer {
  const { hostname, port, logger, event } = options;
  const onListen = (address: Deno.NetAddr): void =>
    logger.log("info", event, { hostname, port: address.port });
  return Deno.serve({ hostname, port, onListen }, async (request) => {
    return freeWhenSent(await app.fetch(request));
  });
}
