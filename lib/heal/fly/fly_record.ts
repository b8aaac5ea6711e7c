/**
 * Promises a line as the stream would have had it, as far as Fly's logs API knows: host, unknown members and the form of the
 * bytes are lost, and the timestamp has the decimals of the API.
 *
 * @module
 */

import { ENVELOPE_MEMBER } from "../../line/fly_log.ts";
import type { FlyLogRow } from "./fly_log_page.ts";

/** What the mark of a line says that came from Fly's logs API. */
export const HEALED_BY_FLY = "fly";

const encoder = new TextEncoder();

/**
 * Makes the line, without a line feed, of a row of `app`'s logs. It is a record, marked as one that was brought back.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { flyRecordLine } from "./fly_record.ts";
 *
 * const line = flyRecordLine("web", {
 *   id: "7", timestamp: "2026-11-22T10:00:00.123Z", atNs: 1_795_341_600_123_000_000n, decimals: 3, message: "hello",
 *   level: "info", instance: "0e286551c30586", region: "fra", provider: "app", more: {},
 * });
 * assert.equal(
 *   new TextDecoder().decode(line),
 *   '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"fra"},' +
 *     '"log":{"level":"info"},"message":"hello","timestamp":"2026-11-22T10:00:00.123Z",' +
 *     '"flightlog":{"healed":"fly","id":"7"}}',
 * );
 * ```
 */
export function flyRecordLine(app: string, row: FlyLogRow): Uint8Array<ArrayBuffer> {
  const { id, timestamp, message, level, instance, region, provider, more } = row;
  // Members that are undefined are not written.
  return encoder.encode(JSON.stringify({
    event: provider === null ? undefined : { provider },
    fly: { app: { instance: instance ?? undefined, name: app }, region: region ?? undefined },
    log: level === null ? undefined : { level },
    ...more,
    message,
    timestamp,
    [ENVELOPE_MEMBER]: { healed: HEALED_BY_FLY, id },
  }));
}
