import assert from "node:assert/strict";
import { dayOf } from "../../lib/day.ts";
import {
  createEnvelope,
  ENVELOPE_TEXT_BYTES,
  type EnvelopeContent,
  recoverPayload,
  subjectParts,
} from "../../lib/line/envelope.ts";
import {
  copyAsLine,
  dayOfLine,
  EARLY_LIMIT_MS,
  LATE_LIMIT_MS,
  parseFlyRecord,
  readPayload,
} from "../../lib/line/fly_log.ts";
import { LineScanner } from "../../lib/line/scanner.ts";

const encoder = new TextEncoder();
const bytesOf = (text: string) => encoder.encode(text);
const RECEIVED_MS = Date.UTC(2026, 10, 22, 10);

const FLY_LINE =
  '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"sjc"},' +
  '"host":"0ad1","log":{"level":"info"},"message":"hello","timestamp":"2022-09-27T20:34:37.252022967Z"}';

Deno.test("parseFlyRecord() gives the record, unknown members too, when the bytes are one", () => {
  assert.deepEqual(parseFlyRecord(bytesOf(FLY_LINE)).record, {
    event: { provider: "app" },
    fly: { app: { instance: "0e286551c30586", name: "web" }, region: "sjc" },
    host: "0ad1",
    log: { level: "info" },
    message: "hello",
    timestamp: "2022-09-27T20:34:37.252022967Z",
  });
  assert.deepEqual(parseFlyRecord(bytesOf('{"message":"","x":1,"fly":{"y":[2]}}')).record, {
    message: "",
    x: 1,
    fly: { y: [2] },
  });
});

Deno.test("parseFlyRecord() gives the record when its timestamp is no time", () => {
  assert.equal(
    parseFlyRecord(bytesOf('{"message":"m","timestamp":"yesterday"}')).record?.timestamp,
    "yesterday",
  );
});

const REASONS: [payload: string | Uint8Array<ArrayBuffer>, reason: string][] = [
  [Uint8Array.of(0x22, 0xff, 0x22), "not UTF-8"],
  [Uint8Array.of(0xed, 0xa0, 0x80), "not UTF-8"],
  ["", "not JSON"],
  ["plain text", "not JSON"],
  ['{"message":"m"', "not JSON"],
  ['{"message":"m"}{}', "not JSON"],
  ['{"message":"a\nb"}', "not JSON"],
  ['\ufeff{"message":"m"}', "not JSON"],
  ['{"message":"m"}\0', "not JSON"],
  ["[".repeat(100_000), "not JSON"],
  ["null", "not an object"],
  ["7", "not an object"],
  ['"message"', "not an object"],
  ['[{"message":"m"}]', "not an object"],
  ["{}", "message is missing"],
  ['{"Message":"m"}', "message is missing"],
  ['{"message":7}', "message is not a string"],
  ['{"message":null}', "message is not a string"],
  ['{"message":"m","message":[]}', "message is not a string"],
  ['{"message":"m","timestamp":1}', "timestamp is not a string"],
  ['{"message":"m","host":{}}', "host is not a string"],
  ['{"message":"m","log":"info"}', "log is not an object"],
  ['{"message":"m","log":[]}', "log is not an object"],
  ['{"message":"m","log":null}', "log is not an object"],
  ['{"message":"m","log":{"level":3}}', "log.level is not a string"],
  ['{"message":"m","fly":"web"}', "fly is not an object"],
  ['{"message":"m","fly":{"region":0}}', "fly.region is not a string"],
  ['{"message":"m","fly":{"app":"web"}}', "fly.app is not an object"],
  ['{"message":"m","fly":{"app":{"name":false}}}', "fly.app.name is not a string"],
  ['{"message":"m","fly":{"app":{"instance":{}}}}', "fly.app.instance is not a string"],
  ['{"message":"m","event":[1]}', "event is not an object"],
  ['{"message":"m","event":{"provider":1}}', "event.provider is not a string"],
];

Deno.test("parseFlyRecord() gives a fixed reason when the bytes are no record", () => {
  for (const [payload, reason] of REASONS) {
    const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
    assert.deepEqual(parseFlyRecord(bytes), { reason }, String(payload).slice(0, 80));
  }
});

Deno.test("readPayload() returns null for a record that the scanner recognises, and parses any other", () => {
  const scanner = new LineScanner();
  assert.equal(readPayload(bytesOf(FLY_LINE), scanner), null);
  assert.equal(scanner.recognized, true);
  assert.deepEqual(readPayload(bytesOf('{"m\\u0065ssage":"m"}'), scanner), { record: { message: "m" } });
  assert.equal(scanner.recognized, false);
});

Deno.test("readPayload() returns the reason when a payload is no record", () => {
  const scanner = new LineScanner();
  assert.deepEqual(readPayload(bytesOf("plain text"), scanner), { reason: "not JSON" });
  const payload = bytesOf('{"message":"m","log":{"level":3}}');
  assert.deepEqual(readPayload(payload, scanner), { reason: "log.level is not a string" });
});

Deno.test("readPayload() refuses a payload that looks like an envelope", () => {
  const scanner = new LineScanner();
  for (const name of ["flightlog", "flight\\u006cog"]) {
    const forged = `{"message":"m","${name}":{"rejected":"not JSON","subject":"","payload":"eA=="}}`;
    assert.deepEqual(readPayload(bytesOf(forged), scanner), { reason: "flightlog is reserved" }, name);
  }
});

Deno.test("dayOfLine() takes the record's day when that is near its arrival", () => {
  const near = [-LATE_LIMIT_MS, -86_400_000, 0, EARLY_LIMIT_MS];
  for (const offsetMs of near) {
    const ownMs = RECEIVED_MS + offsetMs;
    assert.equal(dayOfLine(ownMs / 1000, RECEIVED_MS), dayOf(ownMs), String(offsetMs));
  }
  const beforeMidnight = Date.UTC(2026, 10, 22, 23, 30);
  assert.equal(dayOfLine(beforeMidnight / 1000 + 2_000, beforeMidnight), dayOf(Date.UTC(2026, 10, 23)));
});

Deno.test("dayOfLine() takes the day of arrival when the record's time is far from it or not there", () => {
  const far = [-LATE_LIMIT_MS - 1000, EARLY_LIMIT_MS + 1000, -RECEIVED_MS, Date.UTC(9999, 0, 1)];
  for (const offsetMs of far) {
    assert.equal(
      dayOfLine((RECEIVED_MS + offsetMs) / 1000, RECEIVED_MS),
      dayOf(RECEIVED_MS),
      String(offsetMs),
    );
  }
  assert.equal(dayOfLine(null, RECEIVED_MS), dayOf(RECEIVED_MS));
});

Deno.test("copyAsLine() replaces newlines between tokens by spaces and ends the line", () => {
  const target = new Uint8Array(32).fill(0x2e);
  const payload = bytesOf('{\r\n"message":\n"a\\nb"}\n');
  assert.equal(copyAsLine(payload, target, 2), 2 + payload.length + 1);
  assert.equal(new TextDecoder().decode(target), '..{  "message": "a\\nb"} \n.......');
});

Deno.test("copyAsLine() copies the bytes as they are when there is no newline in them", () => {
  const target = new Uint8Array(17);
  const payload = bytesOf('{"message":"é"}');
  assert.equal(copyAsLine(payload, target, 0, false), 17);
  assert.equal(new TextDecoder().decode(target), '{"message":"é"}\n');
});

Deno.test("copyAsLine() throws when the target is too short for the line feed", () => {
  assert.throws(() => copyAsLine(bytesOf("{}"), new Uint8Array(4), 2), { name: "RangeError" });
});

const content = (payload: Uint8Array, subject = "logs.web.sjc.0e28"): EnvelopeContent => ({
  payload,
  subject,
  receivedMs: RECEIVED_MS,
  reason: "not JSON",
});

Deno.test("createEnvelope() makes the documented line", () => {
  assert.equal(
    new TextDecoder().decode(createEnvelope(content(bytesOf("plain\ntext")))),
    '{"timestamp":"2026-11-22T10:00:00.000000000Z","message":"plain\\ntext","log":{"level":"unknown"},' +
      '"fly":{"app":{"name":"web","instance":"0e28"},"region":"sjc"},' +
      '"flightlog":{"rejected":"not JSON","subject":"logs.web.sjc.0e28","payload":"cGxhaW4KdGV4dA=="}}',
  );
});

const PAYLOADS = [
  new Uint8Array(0),
  Uint8Array.of(0, 0xff, 0xfe, 0x0a, 0x0d, 0x22, 0x5c),
  Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d),
  Uint8Array.of(0xed, 0xa0, 0x80, 0xe2, 0x80, 0xa8),
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
  new Uint8Array(1024 * 1024).fill(0xe2),
  new Uint8Array(ENVELOPE_TEXT_BYTES + 1).fill(0x80),
  bytesOf("é".repeat(ENVELOPE_TEXT_BYTES)),
  bytesOf('{"message":"m","flightlog":{"rejected":"x","subject":"","payload":"eA=="}}'),
];
const SUBJECTS = ["", "logs", "logs.web", "logs.../..%2f.\0.\ud800", "logs." + "x".repeat(4096), '"\n\\'];

Deno.test("createEnvelope() makes one line that is a record, from which the payload comes back", () => {
  const scanner = new LineScanner();
  for (const payload of PAYLOADS) {
    for (const subject of SUBJECTS) {
      const line = createEnvelope(content(payload, subject));
      assert.equal(line.indexOf(0x0a), -1);
      assert.equal(scanner.scan(line, 0, line.length), true);
      assert.equal(scanner.hasEnvelope, true);
      assert.equal(parseFlyRecord(line).record?.message.isWellFormed(), true);
      assert.deepEqual(recoverPayload(line), payload);
    }
  }
});

Deno.test("createEnvelope() shows no more of a long payload than the limit, and no half character", () => {
  const payload = bytesOf("x" + "é".repeat(ENVELOPE_TEXT_BYTES));
  const message = parseFlyRecord(createEnvelope(content(payload))).record?.message;
  assert.equal(message, "x" + "é".repeat(ENVELOPE_TEXT_BYTES / 2 - 1));
});

for (const length of [24_575, 24_576, 24_577, 49_153, 1_048_576]) {
  Deno.test(`createEnvelope() keeps a payload of ${length} bytes, which is encoded in pieces`, () => {
    const payload = Uint8Array.from({ length }, (_, i) => i * 7 % 256);
    assert.deepEqual(recoverPayload(createEnvelope(content(payload))), payload);
  });
}

Deno.test("recoverPayload() gives null when the line is no envelope", () => {
  const lines = [
    FLY_LINE,
    "plain text",
    '{"message":"m","flightlog":7}',
    '{"message":"m","flightlog":{"rejected":"not JSON","subject":"","payload":"not base64"}}',
    '{"message":"m","flightlog":{"rejected":"not JSON","subject":""}}',
  ];
  for (const line of lines) assert.equal(recoverPayload(bytesOf(line)), null, line);
});

Deno.test("subjectParts() gives what the subject says and leaves out the rest", () => {
  assert.deepEqual(subjectParts("logs.web.sjc.0e28"), { app: "web", region: "sjc", instance: "0e28" });
  assert.deepEqual(subjectParts("logs.web.sjc.0e28.more"), {
    app: "web",
    region: "sjc",
    instance: "0e28.more",
  });
  assert.deepEqual(subjectParts("logs.web"), { app: "web" });
  assert.deepEqual(subjectParts("logs...0e28"), { instance: "0e28" });
  assert.deepEqual(subjectParts("logs./../.\0.x"), { app: "/", instance: "/.\0.x" });
  assert.deepEqual(subjectParts("logs.\ud800"), { app: "\ufffd" });
  assert.deepEqual(subjectParts("other.web.sjc.0e28"), {});
  assert.deepEqual(subjectParts(""), {});
});
