import assert from "node:assert/strict";
import { createEnvelope } from "../../lib/line/envelope.ts";
import { type Decimals, FULL_IDENTITY, type IdentityForm, LineIdentifier } from "../../lib/line/identity.ts";
import { flyLines } from "../rig/fly_lines.ts";

const encoder = new TextEncoder();

const LINE =
  '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"sjc"},' +
  '"host":"0ad1","log":{"level":"info"},"message":"caf\u00e9 \\"1\\"","timestamp":"2026-11-22T10:00:00.123456789Z"}';

Deno.test("LineIdentifier.identify() returns the identity of version 1 that other recorders have", () => {
  // printf '\x01\x01\x09\x01\x41\xda\xc0\xaf\x48\0\0\0\x07\x5b\xcd\x15\0\0\0\x03\0\0\0\x0eweb0e286551c30586café "1"' |
  // sha256sum | cut -c -32
  assert.equal(identify(LINE), "d7aa18a72362819a53aaba7bd2a8b935");
});

const SAME: [how: string, line: string][] = [
  ["another host", LINE.replace("0ad1", "ffff")],
  ["no host, level, region and provider", without(LINE, "host", "log", "event", "region")],
  ["escapes in place of characters", LINE.replace("caf\u00e9", "\\u0063af\\u00E9")],
  ["escapes in app and instance", LINE.replace('"web"', '"w\\u0065b"').replace("0e28", "\\u0030e28")],
  ["escaped names of members", LINE.replace('"message"', '"m\\u0065ssage"')],
  ["white space", LINE.replaceAll(",", ", ").replaceAll(":{", " : { ")],
  ["another order of members", reversed(LINE)],
  ["another offset", LINE.replace("T10:00:00.123456789Z", "T15:30:00.123456789+05:30")],
  ["lower-case letters in the time", LINE.replace("T10", "t10").replace("789Z", "789z")],
  ["decimals beyond the ninth", LINE.replace("789Z", "7899999Z")],
  ["members that nobody knows", LINE.replace('"host"', '"x":[1,{}],"host"')],
  [
    "the mark that it was brought back",
    LINE.replace('"host"', '"flightlog":{"healed":"fly","id":"7"},"host"'),
  ],
];

for (const [how, line] of SAME) {
  Deno.test(`LineIdentifier.identify() returns the same for a line with ${how}`, () => {
    assert.notEqual(line, LINE);
    assert.equal(identify(line), identify(LINE));
  });
}

const OTHER: [what: string, line: string][] = [
  ["message", LINE.replace("caf", "Caf")],
  ["app", LINE.replace('"web"', '"we"')],
  ["instance", LINE.replace("0e286551c30586", "0e286551c30587")],
  ["nanosecond", LINE.replace("789Z", "788Z")],
  ["second", LINE.replace(":00.", ":01.")],
  ["border between instance and app", LINE.replace("0586", "058").replace('"web"', '"6web"')],
  ["border between app and instance", LINE.replace("0e2", "e2").replace('"web"', '"web0"')],
  ["border between instance and message", LINE.replace("0586", "058").replace("caf", "6caf")],
];

for (const [what, line] of OTHER) {
  Deno.test(`LineIdentifier.identify() returns another for a line with another ${what}`, () => {
    assert.notEqual(line, LINE);
    assert.notEqual(identify(line), identify(LINE));
  });
}

Deno.test("LineIdentifier.identify() takes half of a surrogate pair for the character that UTF-8 has in its place", () => {
  assert.equal(identify(LINE.replace("caf", "\\ud83d")), identify(LINE.replace("caf", "\ufffd")));
  assert.equal(identify(LINE.replace("caf", "\\ud83d\\ude00")), identify(LINE.replace("caf", "\u{1f600}")));
});

Deno.test("LineIdentifier.identify() takes a missing app or instance for an empty one", () => {
  const line = '{"message":"m","timestamp":"2026-11-22T10:00:00Z"}';
  const empty = line.replace("{", '{"fly":{"app":{"name":"","instance":""}},');
  assert.equal(identify(line), identify(empty));
});

const NONE: [what: string, line: string][] = [
  ["is no JSON", "hello"],
  ["is no record", '{"message":1,"timestamp":"2026-11-22T10:00:00Z"}'],
  ["has no timestamp", '{"message":"m"}'],
  ["has no timestamp and an escaped name", '{"m\\u0065ssage":"m"}'],
  ["has a timestamp that is no moment", '{"message":"m","timestamp":"2026-02-30T10:00:00Z"}'],
  ["has such a timestamp and an escaped name", '{"m\\u0065ssage":"m","timestamp":"yesterday"}'],
  ["a wrapped command printed", LINE.replace('"host"', '"flightlog":{"source":"tee"},"host"')],
  ["has a mark that is no object", LINE.replace('"host"', '"flightlog":null,"host"')],
];

for (const [what, line] of NONE) {
  Deno.test(`LineIdentifier.identify() returns null for a line that ${what}`, () => {
    assert.equal(identify(line), null);
  });
}

Deno.test("LineIdentifier.identify() returns null for an envelope", () => {
  const payload = encoder.encode("no JSON");
  const receivedMs = Date.UTC(2026, 10, 22);
  const line = createEnvelope({ payload, subject: "logs.web.fra.1", receivedMs, reason: "not JSON" });
  assert.equal(new LineIdentifier().identify(line, 0, line.length), null);
});

Deno.test("LineIdentifier.identify() at three decimals takes a line for what a source with three calls it", () => {
  const short = LINE.replace("123456789Z", "123Z");
  assert.notEqual(identify(LINE), identify(short));
  assert.equal(
    identify(LINE, { decimals: 3, hasInstance: true }),
    identify(short, { decimals: 3, hasInstance: true }),
  );
  const late = LINE.replace("123456789Z", "123999999Z");
  assert.equal(
    identify(late, { decimals: 3, hasInstance: true }),
    identify(short, { decimals: 3, hasInstance: true }),
  );
});

Deno.test("LineIdentifier.identify() at six decimals cuts off the last three", () => {
  const form: IdentityForm = { decimals: 6, hasInstance: true };
  assert.equal(identify(LINE, form), identify(LINE.replace("123456789Z", "123456Z"), form));
  assert.notEqual(identify(LINE, form), identify(LINE.replace("123456789Z", "123457Z"), form));
});

Deno.test("LineIdentifier.identify() never returns the same at two precisions", () => {
  const line = LINE.replace("123456789Z", "120Z");
  const all = ([3, 6, 9] as Decimals[]).flatMap((decimals) => [
    identify(line, { decimals, hasInstance: true }),
    identify(line, { decimals, hasInstance: false }),
  ]);
  assert.equal(new Set(all).size, 6);
});

Deno.test("LineIdentifier.identify() without the instance takes lines of two instances for one", () => {
  const form: IdentityForm = { decimals: 9, hasInstance: false };
  assert.equal(identify(LINE, form), identify(without(LINE, "instance"), form));
  const escaped = LINE.replace('"message"', '"m\\u0065ssage"');
  assert.equal(identify(LINE, form), identify(escaped, form));
});

Deno.test("LineIdentifier.identify() returns the same within a larger buffer, and after longer lines", () => {
  const identifier = new LineIdentifier();
  const long = encoder.encode(LINE.replace("caf", "x".repeat(100_000)));
  const longIdentity = identifier.identify(long, 0, long.length);
  const padded = encoder.encode(`xx${LINE}yy`);
  assert.equal(identifier.identify(padded, 2, padded.length - 2), identify(LINE));
  assert.equal(identifier.identify(long, 0, long.length), longIdentity);
});

Deno.test("LineIdentifier.identify() returns the same for what JSON.stringify makes of a stream's lines", () => {
  const identifier = new LineIdentifier();
  for (const { payload } of flyLines({ seed: 7, count: 2000, startMs: Date.UTC(2026, 10, 22) })) {
    let parsed;
    try {
      parsed = JSON.parse(payload);
    } catch {
      continue;
    }
    const bytes = encoder.encode(payload);
    const again = encoder.encode(JSON.stringify(parsed, null, 1));
    assert.equal(
      identifier.identify(again, 0, again.length),
      identifier.identify(bytes, 0, bytes.length),
      payload,
    );
  }
});

Deno.test("LineIdentifier.seconds is the second of the last line that has an identity", () => {
  const identifier = new LineIdentifier();
  const secondsOf = (line: string) => {
    const bytes = encoder.encode(line);
    identifier.identify(bytes, 0, bytes.length);
    return identifier.seconds;
  };
  const seconds = Date.UTC(2026, 10, 22, 10) / 1000;
  assert.equal(secondsOf(LINE), seconds);
  assert.equal(secondsOf("hello"), seconds);
  // A line that only the schema reads, and one before 1970, of which a part of a second counts forwards.
  assert.equal(secondsOf('{"m\\u0065ssage":"m","timestamp":"2026-11-22T12:00:01.9+02:00"}'), seconds + 1);
  assert.equal(secondsOf('{"message":"m","timestamp":"1969-12-31T23:59:58.5Z"}'), -2);
});

Deno.test("LineIdentifier.identifyBytes() tells lines apart that differ in a byte", () => {
  const identifier = new LineIdentifier();
  const bytes = encoder.encode("hello hallo hello");
  assert.equal(identifier.identifyBytes(bytes, 0, 5), identifier.identifyBytes(bytes, 12, 17));
  assert.notEqual(identifier.identifyBytes(bytes, 0, 5), identifier.identifyBytes(bytes, 6, 11));
  assert.notEqual(identifyBytes(LINE), identify(LINE));
});

Deno.test("LineIdentifier.identifyBytes() takes a line that is longer than any before", () => {
  const long = "x".repeat(100_000);
  assert.notEqual(identifyBytes(long), identifyBytes(`${long}x`));
});

function identify(line: string, form: IdentityForm = FULL_IDENTITY): string | null {
  const bytes = encoder.encode(line);
  return new LineIdentifier(form).identify(bytes, 0, bytes.length);
}

function identifyBytes(line: string): string {
  const bytes = encoder.encode(line);
  return new LineIdentifier().identifyBytes(bytes, 0, bytes.length);
}

/** The line without members of these names, at any depth. */
function without(line: string, ...names: string[]): string {
  return JSON.stringify(JSON.parse(line, (name, value) => names.includes(name) ? undefined : value));
}

/** The line with the members of every object in the opposite order. */
function reversed(line: string): string {
  return JSON.stringify(JSON.parse(line, (_, value) => {
    return typeof value === "object" ? Object.fromEntries(Object.entries(value).reverse()) : value;
  }));
}
