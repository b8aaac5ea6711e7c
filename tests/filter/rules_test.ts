import assert from "node:assert/strict";
import { LineRules, type LineRulesSpec } from "../../lib/filter/rules.ts";
import { parseFlyRecord } from "../../lib/line/fly_log.ts";
import { LineScanner } from "../../lib/line/scanner.ts";

const NONE: LineRulesSpec = { ownApp: null, excludeApps: [], includeApps: [], excludeText: [] };

/** Whether a record is left out: the same answer whether the scanner recognises it or it is parsed. */
function leavesOut(spec: Partial<LineRulesSpec>, record: string, subject = "logs.web.sjc.m1"): boolean {
  const rules = new LineRules({ ...NONE, ...spec });
  const bytes = new TextEncoder().encode(record);
  const parsed = rules.leavesOutParsed(parseFlyRecord(bytes).record!, { subject });
  const scanner = new LineScanner();
  if (scanner.scan(bytes, 0, bytes.length)) {
    assert.equal(rules.leavesOut(bytes, scanner, { subject }), parsed);
  }
  return parsed;
}

function recordOf(app: string, message = "hello"): string {
  return JSON.stringify({ fly: { app: { name: app } }, message });
}

Deno.test("LineRules leaves nothing out when nothing is asked for", () => {
  assert.equal(leavesOut({}, recordOf("web")), false);
  assert.equal(leavesOut({}, '{"message":"of no app"}', "elsewhere"), false);
});

Deno.test("LineRules leaves out the recorder's own app, also when it is asked for", () => {
  assert.equal(leavesOut({ ownApp: "flightlog" }, recordOf("flightlog")), true);
  assert.equal(leavesOut({ ownApp: "flightlog", includeApps: ["*"] }, recordOf("flightlog")), true);
  assert.equal(leavesOut({ ownApp: "flightlog" }, recordOf("flightlog2")), false);
});

Deno.test("LineRules leaves out apps by glob", () => {
  const spec = { excludeApps: ["fly-builder-*"] };
  assert.equal(leavesOut(spec, recordOf("fly-builder-quiet-dawn-4711")), true);
  assert.equal(leavesOut(spec, recordOf("fly-builder")), false);
});

Deno.test("LineRules keeps only the apps that are included", () => {
  const spec = { includeApps: ["web", "api-*"] };
  assert.equal(leavesOut(spec, recordOf("web")), false);
  assert.equal(leavesOut(spec, recordOf("api-2")), false);
  assert.equal(leavesOut(spec, recordOf("db")), true);
  assert.equal(leavesOut(spec, '{"message":"of no app"}', "elsewhere"), true);
});

Deno.test("LineRules lets an exclusion go before an inclusion", () => {
  assert.equal(leavesOut({ includeApps: ["web"], excludeApps: ["w*"] }, recordOf("web")), true);
});

Deno.test("LineRules takes the app from the subject where the record names none", () => {
  const spec = { excludeApps: ["web"] };
  assert.equal(leavesOut(spec, '{"message":"hello"}', "logs.web.sjc.m1"), true);
  assert.equal(leavesOut(spec, recordOf(""), "logs.web.sjc.m1"), true);
  assert.equal(leavesOut(spec, recordOf("api"), "logs.web.sjc.m1"), false);
});

Deno.test("LineRules knows an app whose name is escaped", () => {
  assert.equal(
    leavesOut({ excludeApps: ["web"] }, '{"fly":{"app":{"name":"\\u0077eb"}},"message":"x"}'),
    true,
  );
});

Deno.test("LineRules leaves out messages by a text in them, and looks nowhere else", () => {
  const spec = { excludeText: ["GET /healthz", 'say "hi"'] };
  assert.equal(leavesOut(spec, recordOf("web", "10.0.0.1 GET /healthz 200")), true);
  assert.equal(leavesOut(spec, recordOf("web", 'they say "hi"\n')), true);
  assert.equal(leavesOut(spec, recordOf("web", "get /healthz")), false);
  assert.equal(leavesOut(spec, recordOf("GET /healthz", "hello")), false);
});
