import assert from "node:assert/strict";
import { LineRules, type LineRulesSpec } from "../../../lib/filter/rules.ts";
import { LineSight, type SeenLine } from "../../../lib/heal/peers/seen_line.ts";
import { createEnvelope } from "../../../lib/line/envelope.ts";
import { lostLines } from "../../../lib/line/lost_line.ts";
import { lineAt } from "./peer_rig.ts";

const FLY = ',"flightlog":{"healed":"fly","id":"7"}';

function see(line: string | Uint8Array, rules: Partial<LineRulesSpec> | null = null): SeenLine {
  const bytes = typeof line === "string" ? new TextEncoder().encode(line) : line;
  const spec = { ownApp: null, excludeApps: [], includeApps: [], excludeText: [], ...rules };
  return new LineSight(rules && new LineRules(spec)).see(bytes, 0, bytes.length);
}

function envelope(payload: string, receivedMs: number, subject = "logs.web.fra.0e28"): Uint8Array {
  return createEnvelope({
    payload: new TextEncoder().encode(payload),
    subject,
    receivedMs,
    reason: "not JSON",
  });
}

Deno.test("LineSight.see() knows a record by its identity and its time, also where the scanner leaves it to the parser", () => {
  const plain = see(lineAt("10:00:00.5", "m"));
  const escaped = see(lineAt("10:00:00.5", "m").replace('"message"', '"m\\u0065ssage"'));
  assert.deepEqual(plain, escaped);
  assert.ok(plain.kind === "record");
  assert.deepEqual(plain.time, { seconds: 1_795_341_600, nanoseconds: 500_000_000 });
  assert.equal(plain.form, null);
});

for (
  const [time, instance, form] of [
    ["10:00:00.123", "0e28", { decimals: 3, hasInstance: true }],
    ["10:00:00", "0e28", { decimals: 3, hasInstance: true }],
    ["10:00:00.1234", null, { decimals: 6, hasInstance: false }],
    ["10:00:00.123456789", null, { decimals: 9, hasInstance: false }],
    ["10:00:00.123456789", "0e28", null],
  ] as const
) {
  Deno.test(`LineSight.see() knows what Fly's logs API told of ${time}, instance ${instance}`, () => {
    const seen = see(lineAt(time, "m", { instance, more: FLY }));
    assert.ok(seen.kind === "record");
    assert.deepEqual(seen.form, form);
  });
}

Deno.test("LineSight.see() knows an envelope by subject and payload, whenever it came", () => {
  const [one, same, other, elsewhere] = [
    see(envelope("panic", 1_795_341_600_000)),
    see(envelope("panic", 1_795_341_600_007)),
    see(envelope("other", 1_795_341_600_000)),
    see(envelope("panic", 1_795_341_600_000, "logs.web.fra.9999")),
  ];
  assert.ok(one.kind === "envelope" && same.kind === "envelope");
  assert.ok(other.kind === "envelope" && elsewhere.kind === "envelope");
  assert.equal(one.key, same.key);
  assert.equal(new Set([one.key, other.key, elsewhere.key]).size, 3);
});

Deno.test("LineSight.see() knows a record without a time by its bytes", () => {
  const keyOf = (line: string) => {
    const seen = see(line);
    assert.ok(seen.kind === "untimed");
    return seen.key;
  };
  assert.equal(keyOf('{"message":"m"}'), keyOf('{"message":"m"}'));
  assert.notEqual(keyOf('{"message":"m"}'), keyOf('{"message":"m" }'));
});

const [lost] = lostLines(200, "2026-11-22T10:00:00Z");

for (
  const [what, line] of [
    ["text", "not JSON"],
    ["no record", '{"timestamp":"2026-11-22T10:00:00Z"}'],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["a carriage return between tokens", lineAt("10:00:00", "m").replace(',"message"', ',\r"message"')],
    ["a line that stands for lost ones", lost!.subarray(0, 199)],
    ["a line whose time is not Fly's", lineAt("10:00:00", "m", { more: ',"flightlog":{"source":"tee"}' })],
    ["a marked line without a time", '{"message":"m","flightlog":{"healed":"fly"}}'],
  ] as [string, string | Uint8Array][]
) {
  Deno.test(`LineSight.see() wants nothing of ${what}`, () => {
    assert.deepEqual(see(line), { kind: "other" });
  });
}

Deno.test("LineSight.see() leaves out what recording leaves out", () => {
  const rules = { ownApp: "flightlog", excludeApps: ["noisy-*"], excludeText: ["/health"] };
  const kinds = [
    lineAt("10:00:00", "m", { app: "flightlog" }),
    lineAt("10:00:00", "m", { app: "noisy-1" }),
    lineAt("10:00:00", "GET /health 200"),
    lineAt("10:00:00", "m", { app: "noisy-1", more: FLY }),
    lineAt("10:00:00", "GET /health").replace('"message"', '"m\\u0065ssage"'),
    envelope("panic", 0, "logs.noisy-1.fra.0e28"),
    lineAt("10:00:00", "m"),
    envelope("panic", 0),
  ].map((line) => see(line, rules).kind);
  assert.deepEqual(kinds, [...Array(6).fill("unwanted"), "record", "envelope"]);
});
