import assert from "node:assert/strict";
import {
  formatRecordedLines,
  leftOutOf,
  readRecordedLines,
  type RecordedLines,
} from "../../../lib/heal/peers/recorded_lines.ts";

const ALL: RecordedLines = {
  subject: "logs.>",
  queue: null,
  ownApp: "flightlog",
  excludeApps: ["fly-builder-*"],
  includeApps: [],
  excludeText: ["GET /health"],
};

for (
  const [what, theirs, left] of [
    ["the same", {}, null],
    ["more apps and texts", { excludeApps: [], excludeText: [] }, null],
    ["fewer apps", { excludeApps: ["fly-builder-*", "worker"] }, "EXCLUDE_APPS=worker"],
    ["fewer texts", { excludeText: ["GET /health", "debug"] }, "EXCLUDE_TEXT=debug"],
    ["only some apps", { includeApps: ["web"] }, "all but INCLUDE_APPS=web"],
    ["another subject", { subject: "logs.web.>" }, "SUBJECT=logs.web.>"],
    ["the widest subject", { subject: ">" }, null],
    ["a share of the stream", { queue: "shared" }, "QUEUE=shared"],
    ["all but another app of its own", { ownApp: "recorder" }, "its own app, recorder"],
  ] as [string, Partial<RecordedLines>, string | null][]
) {
  Deno.test(`leftOutOf() tells what a recorder leaves out that records ${what}`, () => {
    assert.equal(leftOutOf({ ...ALL, ...theirs }, ALL), left);
  });
}

Deno.test("leftOutOf() finds nothing left out where this recorder has less of it", () => {
  const ours = {
    ...ALL,
    subject: "logs.web.>",
    includeApps: ["web"],
    excludeApps: [...ALL.excludeApps, "recorder"],
  };
  assert.equal(leftOutOf({ ...ALL, includeApps: ["web", "api"], ownApp: "recorder" }, ours), null);
});

Deno.test("formatRecordedLines() can be read back, whatever is in it, and says nothing that is too long", () => {
  const lines = { ...ALL, excludeText: ['caf\u00e9, "quoted"', "\u2713"] };
  assert.deepEqual(readRecordedLines(formatRecordedLines(lines)!), lines);
  assert.equal(formatRecordedLines({ ...ALL, excludeText: ["x".repeat(5000)] }), null);
  for (const text of ["", "%", "{}", "x".repeat(5000)]) assert.equal(readRecordedLines(text), null);
});
