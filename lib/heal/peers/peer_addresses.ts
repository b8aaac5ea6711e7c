/**
 * Promises the addresses behind the names of other recorders, without this machine's own.
 *
 * On Fly `flightlog.internal` is a name of all machines of the app, this one among them. A name with several addresses means
 * each of them: `http://flightlog.internal:8080` with `fdaa::1` and `fdaa::2` becomes `http://[fdaa::1]:8080` and
 * `http://[fdaa::2]:8080`. A machine that knows itself as `fdaa::1` asks the second only. Left as they are:
 *
 * - addresses, and names of this machine such as `localhost`, which mean one recorder, told apart by the port;
 * - names for `https`, since the certificate is for the name;
 * - names that have one address, so that whoever reads of it knows who that is;
 * - names that the resolver does not know: the system may, from a file of its own, and if it does not, asking says so.
 *
 * @module
 */

/** Of a name no more than so many addresses are asked, in alphabetical order. */
export const ADDRESSES_LIMIT = 16;

/** Returns the addresses of `name`; throws if there are none or it cannot tell. Of the shape of `Deno.resolveDns`. */
export type ResolveName = (
  name: string,
  type: "A" | "AAAA",
  options: { signal: AbortSignal },
) => Promise<string[]>;

/**
 * The beginnings of the addresses to ask for `peer`, which is the beginning of one, such as `http://flightlog.internal:8080`.
 * `own` are the addresses of this machine.
 *
 * @throws The reason of `signal`, if it aborts.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { peerAddresses } from "./peer_addresses.ts";
 *
 * const resolve = (_name: string, type: string) => Promise.resolve(type === "AAAA" ? ["fdaa::1", "fdaa::2", "fdaa::3"] : []);
 * const { signal } = new AbortController();
 * assert.deepEqual(await peerAddresses("http://flightlog.internal:8080", { own: ["fdaa::1"], resolve, signal }), [
 *   "http://[fdaa::2]:8080",
 *   "http://[fdaa::3]:8080",
 * ]);
 * ```
 */
export async function peerAddresses(
  peer: string,
  { own, resolve, signal }: { own: readonly string[]; resolve: ResolveName; signal: AbortSignal },
): Promise<string[]> {
  const { protocol, hostname, port } = new URL(peer);
  if (protocol !== "http:" || isOneMachine(hostname)) return [peer];
  const lookUp = (type: "A" | "AAAA") => resolve(hostname, type, { signal }).catch(() => []);
  const found = (await Promise.all([lookUp("AAAA"), lookUp("A")])).flat();
  signal.throwIfAborted();
  const hosts = new Set(found.map(hostOf));
  if (hosts.size === 0) return [peer];
  const isAlone = hosts.size === 1;
  for (const address of own) hosts.delete(hostOf(address));
  if (hosts.size > 0 && isAlone) return [peer];
  return [...hosts].sort().slice(0, ADDRESSES_LIMIT).map((host) => `http://${host}${port && `:${port}`}`);
}

/** Whether a host is an address, or a name that every machine has for itself. */
function isOneMachine(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname) || /(^|\.)localhost$/.test(hostname);
}

/** An address as it stands in a URL, which has one way to write it: `fdaa:0:0::1` is `[fdaa::1]`. */
function hostOf(address: string): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return URL.parse(`http://${host}`)?.hostname ?? host;
}
