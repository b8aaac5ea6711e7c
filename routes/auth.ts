/**
 * Promises that nobody reads a line without a token, except off Fly, where no token and loopback go together.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { type Principal, type PrincipalEnv, WHOLE_ARCHIVE } from "./principal.ts";
import { Problem, show } from "./problem.ts";

/** The schemes that are understood: for programs, and for browsers, which ask for a password. */
const CHALLENGES = [
  ["WWW-Authenticate", 'Bearer realm="flightlog"'],
  ["WWW-Authenticate", 'Basic realm="flightlog", charset="UTF-8"'],
] as const;

/** The only route that needs no token: it is asked by health checks, and tells nothing. */
export const OPEN_PATH = "/health";

/** What of a request tells who asks. */
export interface Credentials {
  /** The header `Authorization`, if there is one. */
  authorization: string | undefined;
  /** The address that was asked. */
  url: string;
}

/** Tells who asks, or throws a {@linkcode Problem} that says what is missing. */
export type Identify = (credentials: Credentials) => Principal;

/** Tells every route who asks, except {@linkcode OPEN_PATH}, which anybody may ask. */
export function authenticate(identify: Identify): MiddlewareHandler<PrincipalEnv> {
  return function authentication(c, next) {
    if (c.req.path === OPEN_PATH || c.req.path === `${OPEN_PATH}/`) return next();
    c.set("principal", identify({ authorization: c.req.header("Authorization"), url: c.req.url }));
    return next();
  };
}

/**
 * Lets a request pass that carries one of the tokens, as Bearer (RFC 6750) or as the password of Basic (RFC
 * 7617), whatever the user name. Without tokens, nobody passes on Fly; elsewhere everyone who asks for a
 * loopback host, so that a web page whose name was pointed at 127.0.0.1 cannot read the archive. Each of them may see
 * the whole archive.
 */
export function identifyByToken(options: { apiTokens: readonly string[]; onFly: boolean }): Identify {
  const digests = options.apiTokens.map(digest);

  return function identify({ authorization, url }) {
    if (digests.length > 0) {
      checkToken(authorization);
    } else if (options.onFly) {
      throw new Problem(
        "no-api-token",
        'Make a token with "openssl rand -hex 32", keep it, set it with "fly secrets set API_TOKEN=TOKEN" and ask ' +
          "again with it; lines are being recorded meanwhile",
        { headers: [["Retry-After", "60"]] },
      );
    } else {
      checkHost(url);
    }
    return WHOLE_ARCHIVE;
  };

  function checkToken(header: string | undefined): void {
    const token = header === undefined ? null : readToken(header);
    if (token === null) {
      throw new Problem(
        "unauthorized",
        'Send one of the tokens in API_TOKEN as "Authorization: Bearer TOKEN", or as the password of Basic ' +
          "authentication",
        { headers: CHALLENGES },
      );
    }
    const asked = digest(token);
    let known = false;
    for (const one of digests) known = timingSafeEqual(one, asked) || known;
    if (!known) {
      throw new Problem("unauthorized", "The token is none of those in API_TOKEN", { headers: CHALLENGES });
    }
  }
}

/** Digests are of one length whatever the tokens are, so comparing them tells nothing about those. */
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function readToken(header: string): string | null {
  const match = /^(Bearer|Basic) +(\S+) *$/i.exec(header);
  if (match === null) return null;
  const credentials = match[2]!;
  if (match[1]!.toLowerCase() === "bearer") return credentials;
  const decoded = Buffer.from(credentials, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon < 0 ? null : decoded.slice(colon + 1);
}

function checkHost(url: string): void {
  const { hostname } = new URL(url);
  if (/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return;
  throw new Problem(
    "misdirected",
    `Without API_TOKEN only localhost is answered for, not ${show(hostname)}; ` +
      "set API_TOKEN to be asked under other names",
  );
}
