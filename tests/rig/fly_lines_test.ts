import assert from "node:assert/strict";
import { flyLines, numberedLine } from "./fly_lines.ts";

Deno.test("flyLines() makes the same lines for the same seed, others for another", () => {
  const first = [...flyLines({ startMs: 0, count: 50 })];
  assert.deepEqual([...flyLines({ startMs: 0, count: 50 })], first);
  assert.notDeepEqual([...flyLines({ startMs: 0, count: 50, seed: 2 })], first);
});

Deno.test("flyLines() has every kind of line in a thousand", () => {
  const text = [...flyLines({ startMs: 0, count: 1000, ownApp: "recorder" })].map(({ payload }) => payload)
    .join("\n");
  const kinds = [
    /^panic: not a record/m,
    /"name":"fly-builder-/,
    /"name":"recorder"/,
    /\\u001b\[32m/,
    /🚀/,
    /\\t/,
    /"message":"\{\\"level/,
    /"message":" {4}at async handle/,
    /"provider":"proxy"/,
    /"provider":"runner"/,
    /"provider":"health"/,
    /"level":"(warn|error|debug)"/,
    /"region":"nrt"/,
  ];
  for (const kind of kinds) assert.match(text, kind);
});

Deno.test("numberedLine() carries its number, its app and its time", () => {
  assert.deepEqual(numberedLine(7, { app: "api", timestamp: "2026-11-22T10:00:00Z" }), {
    subject: "logs.api.sjc.0e286551c30586",
    payload:
      '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"api"},"region":"sjc"},"host":"0ad1","log":{"level":"info"},"message":"line=7","timestamp":"2026-11-22T10:00:00Z"}',
  });
  assert.match(numberedLine(1500).payload, /"timestamp":"2026-11-22T00:00:01\.500000000Z"/);
});
