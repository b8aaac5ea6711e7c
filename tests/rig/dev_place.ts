/**
 * Promises what every recorder to play with stands on: ports that are free, a server, an archive that is gone afterwards.
 *
 * @module
 */

import { recordSinceYesterday } from "./earlier_archive.ts";
import { NatsServer } from "./nats_server.ts";

/** Something for a person to put right. Its message is all that is to be shown. */
export class DevFault extends Error {
  /** The name of the class. */
  override name = "DevFault";
}

/** Where lines come from. */
export interface DevSource {
  /** What the recorder is told. */
  url: string;
  /** The port of the server that is ours, to publish to; undefined for somebody else's. */
  port: number | undefined;
}

/**
 * The ports for `count` recorders: the one at `PORT`, 8080 if that is not set, and those after it. For port 0 any that are free.
 *
 * @throws {DevFault} If something else listens on one of them, or `PORT` is no port.
 */
export function choosePorts(count: number): number[] {
  const text = Deno.env.get("PORT") ?? "8080";
  const first = Number(text);
  if (!/^\d{1,5}$/.test(text) || first + count - 1 > 65_535) {
    throw new DevFault(`Cannot listen on port "${text}": set PORT to a number up to ${65_536 - count}`);
  }
  if (first === 0) return chooseFreePorts(count);
  const ports = Array.from({ length: count }, (_, index) => first + index);
  for (const port of ports) {
    if (isFree(port)) continue;
    throw new DevFault(
      `Cannot listen on port ${port}: something else does; choose another with PORT=${
        first + 10
      } deno task dev`,
    );
  }
  return ports;
}

/** The server at `NATS_URL`; without it one of our own, which ends with `stack`. */
export async function chooseSource(stack: AsyncDisposableStack): Promise<DevSource> {
  const url = Deno.env.get("NATS_URL");
  if (url !== undefined) return { url, port: undefined };
  const server = stack.use(await NatsServer.start());
  return { url: server.url, port: server.port };
}

/**
 * Makes the archive of a recorder that has been recording since yesterday: else all of that day, whose lines are published in a
 * moment, would be time before the first start, and missing. It is removed with `stack`.
 */
export async function makeArchive(stack: AsyncDisposableStack): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-dev-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  await recordSinceYesterday(directory);
  return directory;
}

/** What of the environment a recorder to play with gets; what the person has set goes before it. */
export function devEnvironment(): Record<string, string> {
  return {
    FLY_APP_NAME: "flightlog",
    SEAL_AFTER: "1s",
    METRICS_PORT: "0",
    HOST: "127.0.0.1",
    ...Deno.env.toObject(),
  };
}

// All are open at once, so that they are not the same one.
function chooseFreePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
