import assert from "node:assert/strict";
import {
  compareTimestamps,
  formatTimestamp,
  parseTimestamp,
  readTimestamp,
  TIMESTAMP_LENGTH_LIMIT,
  timestampFromMs,
  timestampMs,
  timestampMsUp,
} from "../lib/timestamp.ts";

const READ: [text: string, seconds: number, nanoseconds: number][] = [
  ["1970-01-01T00:00:00Z", 0, 0],
  ["1970-01-01T00:00:01.5Z", 1, 500_000_000],
  ["1969-12-31T23:59:59.999999999Z", -1, 999_999_999],
  ["2022-09-27T20:34:37.252022967Z", 1_664_310_877, 252_022_967],
  ["2000-02-29T00:00:00Z", 951_782_400, 0],
  ["2024-12-31T00:00:00Z", 1_735_603_200, 0],
  ["2100-03-01T00:00:00Z", 4_107_542_400, 0],
  ["1970-01-01t00:00:00z", 0, 0],
  ["1970-01-01T00:00:00.0000000019Z", 0, 1],
  ["1970-01-01T00:00:00.1234567899999999999999Z", 0, 123_456_789],
  ["1970-01-01T01:00:00+01:00", 0, 0],
  ["1969-12-31T00:01:00-23:59", 0, 0],
  ["1970-01-01T23:59:00+23:59", 0, 0],
  ["1970-01-01T00:00:00-00:00", 0, 0],
  ["2016-12-31T23:59:60Z", 1_483_228_800, 0],
  ["2016-12-31T15:59:60.25-08:00", 1_483_228_800, 250_000_000],
  ["0001-01-01T00:00:00Z", -62_135_596_800, 0],
  ["9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999],
];

Deno.test("parseTimestamp() gives seconds and nanoseconds when the text is RFC 3339", () => {
  for (const [text, seconds, nanoseconds] of READ) {
    assert.deepEqual(parseTimestamp(text), { seconds, nanoseconds }, text);
  }
});

const REFUSED = [
  "",
  "now",
  "2026-11-22",
  "2026-11-22T10:00:00",
  "2026-11-22 10:00:00Z",
  "2026-11-22T10:00Z",
  "2026-11-22T10:00:00.Z",
  "2026-11-22T10:00:00,5Z",
  "2026-11-22T10:00:00ZZ",
  "2026-11-22T10:00:00Z ",
  " 2026-11-22T10:00:00Z",
  "2026-11-22T10:00:00+0100",
  "2026-11-22T10:00:00+01",
  "2026-11-22T10:00:00+24:00",
  "2026-11-22T10:00:00+00:60",
  "2026-11-22T10:00:00*01:00",
  "2026-11-22T24:00:00Z",
  "2026-11-22T23:60:00Z",
  "2026-11-22T23:59:61Z",
  "2026-11-22T10:00:60Z",
  "2026-12-31T23:59:60+01:00",
  "2026-02-30T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "2100-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "0000-01-01T00:00:00Z",
  "0001-01-01T00:00:00+00:01",
  "9999-12-31T23:59:00-00:01",
  "9999-12-31T23:59:60Z",
  "+2026-11-22T10:00:00Z",
  "-026-11-22T10:00:00Z",
  "2026-1a-22T10:00:00Z",
  "2026-11-22T10:00:0\u0130Z",
  "\u0132026-11-22T10:00:00Z",
  "２026-11-22T10:00:00Z",
  `2026-11-22T10:00:00.${"0".repeat(TIMESTAMP_LENGTH_LIMIT)}Z`,
];

Deno.test("parseTimestamp() gives null when the text is no RFC 3339 timestamp or no such moment exists", () => {
  for (const text of REFUSED) assert.equal(parseTimestamp(text), null, text);
});

Deno.test("parseTimestamp() agrees with Date on every day of four centuries and a few years", () => {
  for (let epochMs = Date.UTC(1890, 0, 1); epochMs < Date.UTC(2300, 0, 1); epochMs += 86_400_000) {
    const text = new Date(epochMs).toISOString();
    assert.equal(parseTimestamp(text)?.seconds, epochMs / 1000, text);
  }
});

Deno.test("readTimestamp() reads only the range and leaves the target alone when it refuses", () => {
  const bytes = new TextEncoder().encode('"1970-01-01T00:00:07Z"9');
  const target = { seconds: 1, nanoseconds: 2 };
  assert.equal(readTimestamp(bytes, 1, 22, target), false);
  assert.equal(readTimestamp(bytes, 1, 20, target), false);
  assert.deepEqual(target, { seconds: 1, nanoseconds: 2 });
  assert.equal(readTimestamp(bytes, 1, 21, target), true);
  assert.deepEqual(target, { seconds: 7, nanoseconds: 0 });
});

Deno.test("formatTimestamp() writes 30 characters of UTC when the moment has a four-digit year", () => {
  assert.equal(formatTimestamp({ seconds: 0, nanoseconds: 0 }), "1970-01-01T00:00:00.000000000Z");
  assert.equal(formatTimestamp({ seconds: -1, nanoseconds: 7 }), "1969-12-31T23:59:59.000000007Z");
  assert.equal(
    formatTimestamp({ seconds: -62_135_596_800, nanoseconds: 0 }),
    "0001-01-01T00:00:00.000000000Z",
  );
  assert.equal(
    formatTimestamp({ seconds: 253_402_300_799, nanoseconds: 999_999_999 }),
    "9999-12-31T23:59:59.999999999Z",
  );
});

Deno.test("formatTimestamp() throws when the moment cannot be written", () => {
  const outside = { name: "RangeError" };
  assert.throws(() => formatTimestamp({ seconds: 253_402_300_800, nanoseconds: 0 }), outside);
  assert.throws(() => formatTimestamp({ seconds: -62_135_596_801, nanoseconds: 0 }), outside);
  assert.throws(() => formatTimestamp({ seconds: 0.5, nanoseconds: 0 }), outside);
  assert.throws(() => formatTimestamp({ seconds: 0, nanoseconds: 1_000_000_000 }), outside);
  assert.throws(() => formatTimestamp({ seconds: 0, nanoseconds: -1 }), outside);
});

Deno.test("timestampFromMs() and timestampMs() keep milliseconds, also before 1970", () => {
  assert.deepEqual(timestampFromMs(1_500), { seconds: 1, nanoseconds: 500_000_000 });
  assert.deepEqual(timestampFromMs(-1), { seconds: -1, nanoseconds: 999_000_000 });
  assert.deepEqual(timestampFromMs(0.25), { seconds: 0, nanoseconds: 250_000 });
  assert.equal(timestampMs({ seconds: 1, nanoseconds: 500_999_999 }), 1_500);
  assert.equal(timestampMs({ seconds: -1, nanoseconds: 999_000_000 }), -1);
  assert.equal(timestampMsUp({ seconds: 1, nanoseconds: 500_000_001 }), 1_501);
  assert.equal(timestampMsUp({ seconds: 1, nanoseconds: 500_000_000 }), 1_500);
});

Deno.test("compareTimestamps() orders by seconds, then by nanoseconds", () => {
  const early = { seconds: 1, nanoseconds: 999_999_999 };
  const late = { seconds: 2, nanoseconds: 0 };
  assert.ok(compareTimestamps(early, late) < 0);
  assert.ok(compareTimestamps(late, early) > 0);
  assert.ok(compareTimestamps(late, { seconds: 2, nanoseconds: 1 }) < 0);
  assert.equal(compareTimestamps(late, { seconds: 2, nanoseconds: 0 }), 0);
});
