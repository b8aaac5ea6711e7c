/**
 * Promises that the address of a NATS server is read once into its parts, and that its credentials stand in
 * no text that is made of it: neither in `redacted` nor in an error.
 *
 * @module
 */

/** What a client shows to the server. */
export type Credentials = { user: string; password: string } | { token: string };

/** Where a NATS server is and how to speak to it. */
export interface ServerUrl {
  /** `nats` is TCP, encrypted if the server demands it; `tls` is TCP, always encrypted; `ws` and `wss` are WebSocket. */
  scheme: "nats" | "tls" | "ws" | "wss";
  /** A name or an IP address; an IPv6 address has no brackets. */
  hostname: string;
  /** 1 to 65535. */
  port: number;
  /** Path and query, for WebSocket only; starts with `/`. */
  path: string;
  /** Undefined for a server that asks for none. */
  credentials: Credentials | undefined;
  /** The address without credentials, fit for logs. */
  redacted: string;
}

/** The usual ports: those of nats-server, and of HTTP for WebSocket. */
const DEFAULT_PORTS = { nats: 4222, tls: 4222, ws: 80, wss: 443 } as const;

/**
 * Reads `nats://`, `tls://`, `ws://` or `wss://`, then optional credentials, a host and an optional port:
 * `nats://[fdaa::3]:4223`, `tls://user:password@host`, `nats://token@host` as other NATS clients take it.
 * Credentials in the address are percent-encoded; `beside` is taken as it is, and only if the address has
 * none of its own.
 *
 * @throws {TypeError} If the address cannot be read. The message repeats nothing of it but the scheme.
 */
export function parseServerUrl(text: string, beside?: Credentials): ServerUrl {
  const [, schemeText = "", rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text.trim()) ??
    fail("no scheme");
  const scheme = schemeText.toLowerCase();
  if (!isScheme(scheme)) fail(`the scheme is "${scheme}"`);
  const { authority, path } = scheme === "nats" || scheme === "tls"
    ? { authority: rest.replace(/\/$/, ""), path: "/" }
    : splitPath(rest);
  const at = authority.lastIndexOf("@");
  const own = at < 0 ? undefined : parseCredentials(authority.slice(0, at));
  const { hostname, port } = parseHost(authority.slice(at + 1), DEFAULT_PORTS[scheme]);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const redacted = `${scheme}://${host}:${port}`;
  return { scheme, hostname, port, path, credentials: own ?? beside, redacted };
}

function isScheme(text: string): text is keyof typeof DEFAULT_PORTS {
  return Object.hasOwn(DEFAULT_PORTS, text);
}

function splitPath(rest: string): { authority: string; path: string } {
  const end = rest.search(/[/?#]/);
  if (end < 0) return { authority: rest, path: "/" };
  const path = rest.slice(end).replace(/#.*$/s, "");
  return { authority: rest.slice(0, end), path: path.startsWith("/") ? path : `/${path}` };
}

function parseCredentials(text: string): Credentials {
  const colon = text.indexOf(":");
  if (colon < 0) return { token: decode(text) };
  return { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('the credentials are not percent-encoded, "%" itself is written "%25"');
  }
}

function parseHost(text: string, defaultPort: number): { hostname: string; port: number } {
  const match = /^(\[[0-9a-f:.]+\]|[^\s,:/?#@[\]\\]+)(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return fail("no host and port, an IPv6 address stands in brackets");
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port < 1 || port > 65_535) fail("the port is not between 1 and 65535");
  const url = URL.parse(`http://${match[1]}`);
  if (url === null) return fail("the host is not a name or an IP address");
  return { hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

function fail(reason: string): never {
  throw new TypeError(
    `Cannot read the NATS address: ${reason}; it looks like "nats://host:4222", with nats, tls, ws or wss`,
  );
}
