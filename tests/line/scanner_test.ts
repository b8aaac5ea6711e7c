import assert from "node:assert/strict";
import { type FlyRecord, parseFlyRecord } from "../../lib/line/fly_log.ts";
import { DEPTH_LIMIT } from "../../lib/line/json_reader.ts";
import { APP, INSTANCE, LEVEL, LineScanner, MESSAGE, PROVIDER, REGION } from "../../lib/line/scanner.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";
import { createRandomBelow } from "../rig/random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const scanner = new LineScanner();

const FLY_LINE =
  '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"sjc"},' +
  '"host":"0ad1","log":{"level":"info"},"message":"hello","timestamp":"2022-09-27T20:34:37.252022967Z"}';

function scan(text: string): boolean {
  const bytes = encoder.encode(text);
  return scanner.scan(bytes, 0, bytes.length);
}

/** What the scanner found, read the way its documentation says. */
function found(bytes: Uint8Array): Record<string, string | undefined> {
  const text = (start: number, end: number, bit: number) => {
    if (start === -1) return undefined;
    const raw = decoder.decode(bytes.subarray(start, end));
    assert.equal(raw.includes("\\"), (scanner.escaped & bit) !== 0);
    return JSON.parse(`"${raw}"`);
  };
  return {
    timestamp: text(scanner.timestampStart, scanner.timestampEnd, 0),
    message: text(scanner.messageStart, scanner.messageEnd, MESSAGE),
    level: text(scanner.levelStart, scanner.levelEnd, LEVEL),
    app: text(scanner.appStart, scanner.appEnd, APP),
    instance: text(scanner.instanceStart, scanner.instanceEnd, INSTANCE),
    region: text(scanner.regionStart, scanner.regionEnd, REGION),
    provider: text(scanner.providerStart, scanner.providerEnd, PROVIDER),
  };
}

function fieldsOf(record: FlyRecord): Record<string, string | undefined> {
  return {
    timestamp: record.timestamp,
    message: record.message,
    level: record.log?.level,
    app: record.fly?.app?.name,
    instance: record.fly?.app?.instance,
    region: record.fly?.region,
    provider: record.event?.provider,
  };
}

/** Holds the scanner to its promise on one input: whatever it says true to, the schema reads the same. */
function assertAgrees(bytes: Uint8Array): boolean {
  if (!scanner.scan(bytes, 0, bytes.length)) return false;
  const { record, reason } = parseFlyRecord(bytes);
  const shown = () => JSON.stringify(new TextDecoder().decode(bytes));
  assert.ok(record !== undefined, `${reason}: ${shown()}`);
  assert.deepEqual(found(bytes), fieldsOf(record), shown());
  const moment = record.timestamp === undefined ? null : parseTimestamp(record.timestamp);
  const { timed, seconds, nanoseconds } = scanner;
  assert.deepEqual(timed ? { seconds, nanoseconds } : null, moment, shown());
  assert.equal(scanner.hasNewline, bytes.includes(0x0a) || bytes.includes(0x0d), shown());
  assert.equal(scanner.hasEnvelope, Object.hasOwn(record, "flightlog"), shown());
  return true;
}

Deno.test("scan() finds every field of a Fly line", () => {
  assert.equal(scan(FLY_LINE), true);
  assert.deepEqual(found(encoder.encode(FLY_LINE)), {
    timestamp: "2022-09-27T20:34:37.252022967Z",
    message: "hello",
    level: "info",
    app: "web",
    instance: "0e286551c30586",
    region: "sjc",
    provider: "app",
  });
  assert.equal(scanner.recognized, true);
  assert.equal(scanner.timed, true);
  assert.equal(scanner.seconds, 1_664_310_877);
  assert.equal(scanner.nanoseconds, 252_022_967);
  assert.equal(scanner.hasNewline, false);
  assert.equal(scanner.hasEnvelope, false);
});

Deno.test("scan() forgets the line before", () => {
  assert.equal(scan(FLY_LINE.replace("hello", "\\t")), true);
  assert.equal(scan('{"message":"m"}'), true);
  assert.deepEqual({ ...found(encoder.encode('{"message":"m"}')) }, {
    timestamp: undefined,
    message: "m",
    level: undefined,
    app: undefined,
    instance: undefined,
    region: undefined,
    provider: undefined,
  });
  assert.equal(scanner.timed, false);
  assert.equal(scan("plain text"), false);
  assert.equal(scanner.recognized, false);
});

Deno.test("scan() looks at the range only, wherever it is in whichever buffer", () => {
  const around = encoder.encode(`}${FLY_LINE}{"message":"second"}{`);
  const view = around.subarray(1);
  assert.equal(scanner.scan(view, 0, FLY_LINE.length), true);
  assert.equal(scanner.messageStart, FLY_LINE.indexOf("hello"));
  assert.equal(scanner.scan(view, FLY_LINE.length, FLY_LINE.length + 20), true);
  assert.equal(scanner.messageStart, FLY_LINE.length + 12);
  assert.equal(scanner.scan(view, 0, FLY_LINE.length + 1), false);
  assert.equal(scanner.scan(view, 0, FLY_LINE.length - 1), false);
  assert.equal(scanner.scan(view, 1, FLY_LINE.length), false);
});

const RECOGNISED = [
  '{"message":""}',
  '{"message":"\\u001b[31mred\\u001b[0m \\ud800 \\"\\\\\\/\\b\\f\\n\\r\\t"}',
  '{"message":"é€😀\u007f\u2028"}',
  ' \t{ "message" : "m" , "x" : [ ] , "y" : { } } ',
  '\r\n{\n"message":"m"\r}\n',
  '{"message":"m","x":[0,-0,1.5,1e9,-2.5E-10,10e+2,true,false,null,"\\u0041",{"a":{"b":[[]]}}]}',
  '{"message":"m","x":1,"x":2}',
  '{"message":"m","log":{},"fly":{"app":{}},"event":{}}',
  '{"message":"m","log":{"message":1},"fly":{"name":1,"app":{"region":2}},"level":3}',
  '{"message":"m","__proto__":{"fly":1},"constructor":2}',
  '{"message":"m","timestamp":""}',
  '{"message":"m","timestamp":"2026-02-30T00:00:00Z"}',
  '{"message":"m","flightlog":{"rejected":"not JSON"}}',
  '{"message":"m","fly":{"region":"s\\u006ac","app":{"name":"\\/","instance":"\\t"}},"log":{"level":"\\n"}}',
  '{"message":"m","event":{"provider":"\\""}}',
  `{"message":"m","x":${"[".repeat(DEPTH_LIMIT)}${"]".repeat(DEPTH_LIMIT)}}`,
];

Deno.test("scan() recognises records in every shape of JSON", () => {
  assert.equal(assertAgrees(encoder.encode(FLY_LINE)), true);
  for (const line of RECOGNISED) assert.equal(assertAgrees(encoder.encode(line)), true, line);
});

const LEFT_TO_THE_SCHEMA = [
  '{"message":"m","message":"m"}',
  '{"message":"m","log":{},"log":{}}',
  '{"message":"m","fly":{"region":"a","region":"b"}}',
  '{"message":"m","fly":{"app":{"name":"a","name":"b"}}}',
  '{"message":"m","flightlog":1,"flightlog":2}',
  '{"m\\u0065ssage":"m"}',
  '{"message":"m","\\u0078":1}',
  '{"message":"m","timestamp":"2026\\u002d11-22T10:00:00Z"}',
  `{"message":"m","x":${"[".repeat(DEPTH_LIMIT + 1)}${"]".repeat(DEPTH_LIMIT + 1)}}`,
];

Deno.test("scan() leaves a record to the schema when it is unusual", () => {
  for (const line of LEFT_TO_THE_SCHEMA) {
    assert.equal(scan(line), false, line);
    assert.notEqual(parseFlyRecord(encoder.encode(line)).record, undefined, line);
  }
});

const NO_RECORDS = [
  "",
  " ",
  "{",
  "{}",
  "[]",
  "null",
  "7",
  '"message"',
  '{"message":7}',
  '{"message":null}',
  '{"message":"m","timestamp":null}',
  '{"message":"m","host":0}',
  '{"message":"m","log":[]}',
  '{"message":"m","log":"info"}',
  '{"message":"m","fly":{"app":"web"}}',
  '{"message":"m","fly":{"app":{"name":null}}}',
  '{"message":"m","event":true}',
  '{"message":"m"',
  '{"message":"m',
  '{"message":',
  '{"message"',
  '{"message":"m",}',
  '{,"message":"m"}',
  '{"message":"m"}}',
  '{"message":"m"}{}',
  '{"message":"m"} x',
  '{"message" "m"}',
  '{"message":"m";"x":1}',
  "{message:1}",
  "{'message':'m'}",
  '{"message":"m","x":[1,]}',
  '{"message":"m","x":[,1]}',
  '{"message":"m","x":[1 2]}',
  '{"message":"m","x":[1}',
  '{"message":"m","x":{"a":1]}',
  '{"message":"m","x":{"a"}}',
  '{"message":"m","x":{a:1}}',
  '{"message":"m","x":01}',
  '{"message":"m","x":-}',
  '{"message":"m","x":+1}',
  '{"message":"m","x":.5}',
  '{"message":"m","x":1.}',
  '{"message":"m","x":1e}',
  '{"message":"m","x":1e+}',
  '{"message":"m","x":0x1}',
  '{"message":"m","x":NaN}',
  '{"message":"m","x":tru}',
  '{"message":"m","x":True}',
  '{"message":"m","x":nullx}',
  '{"message":"m","x":}',
  '{"message":"\\x"}',
  '{"message":"\\u12g4"}',
  '{"message":"\\u12"}',
  '{"message":"\\"}',
  '{"message":"a\nb"}',
  '{"message":"a\tb"}',
  '{"message":"a\0b"}',
  '\ufeff{"message":"m"}',
  '{"message":"m"}\ufeff',
  '\u00a0{"message":"m"}',
  '{"message":"m"}\0',
  '{"message":"m"}\v',
  '/**/{"message":"m"}',
];

Deno.test("scan() says false to what is no record", () => {
  for (const line of NO_RECORDS) {
    assert.equal(scan(line), false, line);
    assert.equal(parseFlyRecord(encoder.encode(line)).record, undefined, line);
  }
});

const BAD_UTF8: [name: string, bytes: number[]][] = [
  ["a continuation alone", [0x80]],
  ["two bytes cut short", [0xc3]],
  ["three bytes cut short", [0xe2, 0x82]],
  ["four bytes cut short", [0xf0, 0x9f, 0x98]],
  ["overlong of two", [0xc0, 0xaf]],
  ["overlong of two, C1", [0xc1, 0xbf]],
  ["overlong of three", [0xe0, 0x9f, 0xbf]],
  ["overlong of four", [0xf0, 0x8f, 0xbf, 0xbf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["a lead of five", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["FF", [0xff]],
  ["a wrong third", [0xe2, 0x82, 0x41]],
  ["a wrong fourth", [0xf0, 0x9f, 0x98, 0xc0]],
];

Deno.test("scan() says false when a string is not UTF-8, at any distance from its ends", () => {
  for (const [name, bad] of BAD_UTF8) {
    for (let before = 0; before < 5; before++) {
      for (let after = 0; after < 5; after++) {
        const line = Uint8Array.of(
          ...encoder.encode(`{"message":"${"x".repeat(before)}`),
          ...bad,
          ...encoder.encode(`${"x".repeat(after)}"}`),
        );
        assert.equal(scanner.scan(line, 0, line.length), false, name);
      }
    }
  }
});

Deno.test("scan() recognises the first and last character of each length in UTF-8, at any place in a word", () => {
  for (const code of [0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]) {
    for (let before = 0; before < 5; before++) {
      const line = `{"message":"${"x".repeat(before)}${String.fromCodePoint(code)}"}`;
      assert.equal(assertAgrees(encoder.encode(line)), true, line);
    }
  }
});

Deno.test("scan() sees each byte that ends or breaks a string, at any place in a word", () => {
  for (let byte = 0; byte < 256; byte++) {
    for (let before = 0; before < 9; before++) {
      const line = encoder.encode(`{"message":"${"x".repeat(before)}?${"~".repeat(9)}"}`);
      line[12 + before] = byte;
      const plain = byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;
      assert.equal(assertAgrees(line), plain, `byte ${byte} after ${before}`);
    }
  }
});

Deno.test("scan() agrees with the schema on 100,000 lines with broken bytes", () => {
  const random = createRandomBelow(20_261_122);
  const lines = [FLY_LINE, ...RECOGNISED, ...LEFT_TO_THE_SCHEMA].map((line) => encoder.encode(line));
  const likely = encoder.encode('"\\{}[]:,0-9.eEtfnu \n\r\t\x80\xbf\xc2\xed\xf0abglmrs');
  let accepted = 0;
  for (let i = 0; i < 100_000; i++) {
    const line = lines[random(lines.length)]!;
    const from = random(line.length);
    const change = random(5);
    let bytes: Uint8Array;
    if (change === 0) {
      bytes = line.subarray(0, from);
    } else if (change === 1) {
      bytes = Uint8Array.of(...line.subarray(0, from), ...line.subarray(from + 1 + random(3)));
    } else if (change === 2) {
      const to = from + random(40);
      bytes = Uint8Array.of(...line.subarray(0, to), ...line.subarray(from));
    } else {
      bytes = line.slice();
      for (let n = random(3); n >= 0; n--) {
        bytes[random(bytes.length)] = change === 3 ? random(256) : likely[random(likely.length)]!;
      }
    }
    if (assertAgrees(bytes)) accepted++;
  }
  assert.ok(accepted > 5_000, `only ${accepted} of the lines were recognised`);
});

Deno.test("scan() agrees with the schema on a Fly line with any one byte changed, cut or doubled", () => {
  const line = encoder.encode(FLY_LINE);
  for (let at = 0; at < line.length; at++) {
    const changed = line.slice();
    for (let byte = 0; byte < 256; byte++) {
      changed[at] = byte;
      // The line itself in between: the scanner takes what follows for another like it.
      assert.equal(scanner.scan(line, 0, line.length), true);
      assertAgrees(changed);
    }
    assertAgrees(line.subarray(0, at));
    assertAgrees(Uint8Array.of(...line.subarray(0, at), ...line.subarray(at + 1)));
    assertAgrees(Uint8Array.of(...line.subarray(0, at + 1), ...line.subarray(at)));
  }
});

const SHAPES = [
  FLY_LINE,
  '{"message":"m"}',
  '{"message":"\\t","fly":{"region":"\\u0041"},"flightlog":{},"timestamp":"2026-11-22T10:00:00Z"}',
  '{\n"message":"é","log":{"level":""},"timestamp":"never"}',
  `{"message":"m","x":"${"x".repeat(600)}"}`,
  '{"host":"","x":{"level":"7"},"event":{"provider":"p"},"message":""}',
];

Deno.test("scan() agrees with the schema when the shape of the lines changes, after however many of each", () => {
  const random = createRandomBelow(7);
  for (let i = 0; i < 200; i++) {
    const line = encoder.encode(SHAPES[random(SHAPES.length)]);
    for (let n = 1 + random(40); n > 0; n--) assert.equal(assertAgrees(line), true);
  }
});

Deno.test("scan() agrees with the schema on random records", () => {
  const random = createRandomBelow(5);
  const names = ["message", "timestamp", "log", "fly", "host", "event", "level", "app", "name", "instance"];
  names.push("region", "provider", "flightlog", "x", "messagf", "");
  const strings = [
    "",
    "info",
    "é€😀",
    '"\\\n\u001b[0m',
    "\ud800",
    "2026-11-22T10:00:00.5+01:00",
    "x".repeat(33),
  ];
  const pick = <Item>(items: Item[]) => items[random(items.length)]!;
  const scalar = () => pick<unknown>([pick(strings), random(1e9) / 7, -random(9), true, null, {}, []]);
  const object = (depth: number): Record<string, unknown> => {
    const members: Record<string, unknown> = {};
    for (let n = random(5); n > 0; n--) {
      const name = pick(names);
      const nested = ["log", "fly", "app", "event"].includes(name) ? random(8) > 0 : random(8) === 0;
      members[name] = nested && depth > 0 ? object(depth - 1) : random(4) > 0 ? pick(strings) : scalar();
    }
    return members;
  };
  let accepted = 0;
  for (let i = 0; i < 20_000; i++) {
    const record = object(3);
    if (random(4) > 0) record.message = pick(strings);
    const bytes = encoder.encode(
      JSON.stringify(record, null, pick([0, 0, 1, "\t", "\r\n".slice(random(2))])),
    );
    if (assertAgrees(bytes)) accepted++;
    // A record without anything unusual must not be left to the schema: that would be right, but slow.
    else if (!/["\\\ud800]/.test(String(record.timestamp ?? ""))) {
      assert.equal(parseFlyRecord(bytes).record, undefined, JSON.stringify(record));
    }
  }
  assert.ok(accepted > 5_000, `only ${accepted} of the records were recognised`);
});
