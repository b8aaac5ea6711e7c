/**
 * Promises to tell what two recorders have of a day minute by minute, as far as it can be compared at all.
 *
 * @module
 */

import * as v from "valibot";
import type { DayNumber } from "../../day.ts";
import { dayName } from "../../day.ts";
import { FULL_IDENTITY, IDENTITY_VERSION } from "../../line/identity.ts";
import { type MinuteTable, sumText } from "../../line/minute_sums.ts";
import { parseTimestamp } from "../../timestamp.ts";
import { digestSchema } from "../../../routes/wire/digest.ts";
import { PeerError } from "./peer_error.ts";

/** The lines of one UTC minute. */
export interface MinuteDigest {
  /** How many there are. */
  readonly lines: number;
  /** The sum of their identities, in hexadecimal; see minute_sums.ts. */
  readonly sum: string;
}

/** The lines of a day. */
export interface DayDigest {
  /** Those of each minute that has any, by minutes since 1970, in order. Some may lie outside of the day. */
  readonly minutes: ReadonlyMap<number, MinuteDigest>;
  /** How many lines there are of minutes far outside of the day, which are not compared. */
  readonly distantLines: number;
  /** How many lines there are without an identity. */
  readonly withoutIdentity: number;
}

/** The digest of a day without lines. */
export const NO_LINES: DayDigest = { minutes: new Map(), distantLines: 0, withoutIdentity: 0 };

const MINUTE_SECONDS = 60;

/** What of a digest is read first: if this is not as here, the rest may have another shape. */
const versionSchema = v.looseObject({ identity: v.looseObject({ version: v.number() }) });

/** The same of a digest that was made here. */
export function ownDigest(table: MinuteTable): DayDigest {
  const minutes = new Map<number, MinuteDigest>();
  for (const [index, minute] of table.minutes.entries()) {
    minutes.set(minute, { lines: table.lines[index]!, sum: sumText(table.sums, index) });
  }
  return { minutes, distantLines: table.distantLines, withoutIdentity: table.withoutIdentity };
}

/**
 * Reads the answer of `GET /logs/{day}/digest`, from `peer`, for `day`.
 *
 * @throws {PeerError} `version` if its sums are made differently, `foreign` if it is no digest, `broken` if it is of another
 * day.
 */
export function readDigest(text: string, peer: string, day: DayNumber): DayDigest {
  const json = parse(text);
  const version = v.safeParse(versionSchema, json);
  if (version.success && version.output.identity.version !== IDENTITY_VERSION) {
    throw new PeerError(
      "version",
      `"${peer}" compares lines by version ${version.output.identity.version}, this recorder by version ` +
        `${IDENTITY_VERSION}; update the older of the two`,
    );
  }
  const result = v.safeParse(digestSchema, json);
  if (!result.success) {
    throw new PeerError(
      "foreign",
      `"${peer}" answers with no digest of a Flightlog; check its address in PEERS`,
    );
  }
  const { identity, minutes, distant, withoutIdentity } = result.output;
  if (identity.decimals !== FULL_IDENTITY.decimals || identity.hasInstance !== FULL_IDENTITY.hasInstance) {
    throw new PeerError(
      "version",
      `"${peer}" compares lines by ${identity.decimals} decimals and ${
        identity.hasInstance ? "with" : "without"
      } the ` +
        "instance, this recorder by all there is; update the older of the two",
    );
  }
  if (result.output.day !== dayName(day)) {
    throw new PeerError("broken", `"${peer}" answers with another day than "${dayName(day)}"`);
  }
  return {
    minutes: new Map(
      minutes.map((
        { minute, lines, sum },
      ) => [parseTimestamp(minute)!.seconds / MINUTE_SECONDS, { lines, sum }]),
    ),
    distantLines: distant?.lines ?? 0,
    withoutIdentity,
  };
}

/** Whether a minute has the same lines in both, or none in either. */
export function isSame(one: MinuteDigest | undefined, other: MinuteDigest | undefined): boolean {
  return one?.lines === other?.lines && one?.sum === other?.sum;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
