import assert from "node:assert/strict";
import type { FlyLogRow } from "../../../lib/heal/fly/fly_log_page.ts";
import { flyRecordLine } from "../../../lib/heal/fly/fly_record.ts";
import { parseFlyRecord } from "../../../lib/line/fly_log.ts";
import { LineIdentifier } from "../../../lib/line/identity.ts";

const encoder = new TextEncoder();

const ROW: FlyLogRow = {
  id: "7",
  timestamp: "2026-11-22T10:00:00.123456Z",
  atNs: 1_795_341_600_123_456_000n,
  decimals: 6,
  message: 'caf\u00e9\n\u001b[31m"\u2028',
  level: "error",
  instance: "m1",
  region: "fra",
  provider: "proxy",
  more: { error: { code: 2 }, url: { full: "https://example.com/" } },
};

Deno.test("flyRecordLine() makes a record with all that the API knows, in one line", () => {
  const line = flyRecordLine("web", ROW);
  assert.ok(!line.includes(0x0a));
  assert.deepEqual(parseFlyRecord(line).record, {
    event: { provider: "proxy" },
    fly: { app: { instance: "m1", name: "web" }, region: "fra" },
    log: { level: "error" },
    error: { code: 2 },
    url: { full: "https://example.com/" },
    message: 'caf\u00e9\n\u001b[31m"\u2028',
    timestamp: "2026-11-22T10:00:00.123456Z",
    flightlog: { healed: "fly", id: "7" },
  });
});

Deno.test("flyRecordLine() leaves out what the API does not know", () => {
  const line = flyRecordLine("web", {
    ...ROW,
    level: null,
    instance: null,
    region: null,
    provider: null,
    more: {},
  });
  assert.deepEqual(parseFlyRecord(line).record, {
    fly: { app: { name: "web" } },
    message: ROW.message,
    timestamp: ROW.timestamp,
    flightlog: { healed: "fly", id: "7" },
  });
});

Deno.test("flyRecordLine() makes the line that the stream had, at the API's precision", () => {
  const stream = encoder.encode(JSON.stringify({
    event: { provider: "proxy" },
    fly: { app: { instance: "m1", name: "web" }, region: "fra" },
    host: "0ad1",
    log: { level: "error" },
    message: ROW.message,
    timestamp: "2026-11-22T10:00:00.123456789Z",
  }));
  const line = flyRecordLine("web", ROW);
  const identifier = new LineIdentifier({ decimals: 6, hasInstance: true });
  assert.equal(identifier.identify(line, 0, line.length), identifier.identify(stream, 0, stream.length));
  assert.notEqual(identifier.identify(line, 0, line.length), null);
});
