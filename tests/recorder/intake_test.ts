import assert from "node:assert/strict";
import { dayName } from "../../lib/day.ts";
import { recoverPayload } from "../../lib/line/envelope.ts";
import { Intake } from "../../lib/recorder/intake.ts";
import type { SourceMessage } from "../../lib/source/source.ts";
import { LineRules, type LineRulesSpec } from "../../lib/filter/rules.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const NOW_MS = Date.parse("2026-11-22T10:00:00Z");

/** What reached the archive: day, bytes as text, whether there are newlines to replace. */
type Appended = [day: string, line: string, hasNewline: boolean];

class IntakeRig {
  readonly clock = new FakeClock(NOW_MS);
  readonly appended: Appended[] = [];
  readonly intake: Intake;
  hasRoom = true;
  /** What was told of room. */
  readonly steps: string[] = [];
  /** What {@linkcode IntakeOptions.onLine} was told. */
  readonly told: [elapsedMs: number, stampMs: number | null][] = [];

  constructor(rules: Partial<LineRulesSpec> = {}) {
    this.intake = new Intake({
      clock: this.clock,
      archive: {
        append: (day, bytes, hasNewline) => {
          this.appended.push([dayName(day), new TextDecoder().decode(bytes), hasNewline]);
        },
      },
      rules: new LineRules({ ownApp: null, excludeApps: [], includeApps: [], excludeText: [], ...rules }),
      backpressure: {
        hasRoom: () => this.hasRoom,
        noteAppended: () => this.steps.push("appended"),
        noteDropped: () => this.steps.push("dropped"),
      },
      onLine: (elapsedMs, stampMs) => this.told.push([elapsedMs, stampMs]),
    });
  }

  take(payload: string | Uint8Array, subject = "logs.web.sjc.m1"): void {
    this.intake.take(message(payload, subject));
  }
}

function message(payload: string | Uint8Array, subject: string): SourceMessage {
  return { subject, payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload };
}

Deno.test("Intake.take() hands a record on as it is, on the day of its own timestamp", () => {
  const rig = new IntakeRig();
  const line = '{"message":"hello","timestamp":"2026-11-21T23:59:59.999999999Z","x":1.0}';
  rig.take(line);
  assert.deepEqual(rig.appended, [["2026-11-21", line, false]]);
  assert.deepEqual({ ...rig.intake.counters }, {
    received: 1,
    recorded: 1,
    rejected: 0,
    filtered: 0,
    empty: 0,
    dropped: 0,
    bytes: line.length,
  });
});

Deno.test("Intake.take() tells of newlines between the tokens of a record", () => {
  const rig = new IntakeRig();
  rig.take('{\n"message":"hello"}');
  assert.deepEqual(rig.appended, [["2026-11-22", '{\n"message":"hello"}', true]]);
});

for (
  const [what, timestamp, day] of [
    ["none", undefined, "2026-11-22"],
    ["one that is none", "yesterday", "2026-11-22"],
    ["one of year 1", "0001-01-01T00:00:00Z", "2026-11-22"],
    ["one of year 9999", "9999-12-31T23:59:59Z", "2026-11-22"],
    ["one with an offset", "2026-11-22T00:30:00+01:00", "2026-11-21"],
    ["one of eight days ago", "2026-11-14T10:00:00Z", "2026-11-14"],
    ["one of more than eight days ago", "2026-11-14T09:59:59Z", "2026-11-22"],
  ] as const
) {
  Deno.test(`Intake.take() puts a record whose timestamp is ${what} on ${day}`, () => {
    const rig = new IntakeRig();
    rig.take(JSON.stringify({ message: "hello", timestamp }));
    assert.equal(rig.appended[0]?.[0], day);
  });
}

Deno.test("Intake.take() puts what is no record into an envelope, on the day of its arrival", () => {
  const rig = new IntakeRig();
  rig.take("panic: no JSON");
  const [day, line] = rig.appended[0]!;
  assert.equal(day, "2026-11-22");
  const payload = recoverPayload(new TextEncoder().encode(line));
  assert.equal(new TextDecoder().decode(payload!), "panic: no JSON");
  assert.equal(JSON.parse(line).fly.app.name, "web");
  assert.equal(rig.intake.counters.rejected, 1);
  assert.equal(rig.intake.counters.recorded, 1);
});

Deno.test("Intake.take() counts a message without a payload and keeps nothing of it", () => {
  const rig = new IntakeRig();
  rig.take("");
  assert.deepEqual(rig.appended, []);
  assert.equal(rig.intake.counters.empty, 1);
  assert.equal(rig.intake.lastLineMs, null);
});

Deno.test("Intake.take() leaves out what the rules leave out, also of what is no record", () => {
  const rig = new IntakeRig({ excludeApps: ["web"] });
  rig.take('{"message":"hello","fly":{"app":{"name":"web"}}}', "logs.other.sjc.m1");
  rig.take("no JSON");
  assert.deepEqual(rig.appended, []);
  assert.equal(rig.intake.counters.filtered, 2);
});

Deno.test("Intake.take() drops and counts a line for which there is no room, and says so before", () => {
  const rig = new IntakeRig();
  rig.hasRoom = false;
  rig.take('{"message":"hello"}');
  assert.deepEqual(rig.appended, []);
  assert.deepEqual(rig.steps, ["dropped"]);
  assert.equal(rig.intake.counters.dropped, 1);
  assert.equal(rig.intake.counters.recorded, 0);
});

Deno.test("Intake.take() tells of a line that was appended after the archive has it", () => {
  const rig = new IntakeRig();
  rig.take('{"message":"hello"}');
  assert.deepEqual(rig.steps, ["appended"]);
  assert.equal(rig.appended.length, 1);
});

Deno.test("Intake.take() parses a payload that the scanner does not recognise once, whatever is asked of it", () => {
  const { parse } = JSON;
  let count = 0;
  JSON.parse = (...given) => (count++, parse(...given));
  try {
    const rig = new IntakeRig({ excludeApps: ["db"], excludeText: ["secret"] });
    rig.take('{"m\\u0065ssage":"hello","timestamp":"2026-11-21T10:00:00Z"}');
    assert.equal(count, 1);
    assert.equal(rig.appended[0]?.[0], "2026-11-21");
    rig.take('{"m\\u0065ssage":"a secret"}');
    assert.equal(count, 2);
    assert.equal(rig.intake.counters.filtered, 1);
    rig.take("no JSON");
    assert.equal(count, 3);
    rig.take('{"message":"recognised"}');
    assert.equal(count, 3);
  } finally {
    JSON.parse = parse;
  }
});

Deno.test("Intake tells of each message with a payload when it came and when it was stamped", () => {
  const rig = new IntakeRig({ excludeApps: ["web"] });
  rig.clock.advance(500);
  rig.take('{"message":"a","timestamp":"2026-11-22T09:58:59.9995Z"}');
  rig.take('{"message":"left out","timestamp":"2026-11-22T10:00:00Z","fly":{"app":{"name":"web"}}}');
  rig.take('{"message":"untimed"}');
  rig.take("no JSON");
  rig.take("");
  assert.deepEqual(rig.told, [[500, NOW_MS - 60_000.5], [500, NOW_MS], [500, null], [500, null]]);
  assert.equal(rig.intake.lagMs, 500);
  assert.equal(rig.intake.lastLineMs, NOW_MS + 500);
});
