import assert from "node:assert/strict";
import type { Gap } from "../../lib/gaps/gap.ts";
import { gapLine, readGapLine } from "../../lib/gaps/ledger_line.ts";

const GAP: Gap = {
  id: 7,
  sinceMs: Date.parse("2026-11-22T12:00:00.250Z"),
  untilMs: Date.parse("2026-11-22T12:00:01Z"),
  cause: "stall",
  state: "partial",
};

Deno.test("readGapLine() reads what gapLine() wrote", () => {
  for (const gap of [GAP, { ...GAP, untilMs: null, state: "open" as const }]) {
    assert.deepEqual(readGapLine(gapLine(gap).trimEnd()), { ...gap, isChecked: true });
  }
});

Deno.test("readGapLine() reads the two lines that a gap had before lines had checksums", () => {
  assert.deepEqual(readGapLine('{"id":1,"since":"2026-11-22T12:00:00.250Z","cause":"stop","state":"open"}'), {
    ...{ id: 1, sinceMs: GAP.sinceMs, cause: "stop", state: "open", isChecked: false },
  });
  assert.deepEqual(readGapLine('{"id":1,"until":"2026-11-22T12:00:01.000Z","state":"lost"}'), {
    ...{ id: 1, untilMs: GAP.untilMs, cause: undefined, state: "lost", isChecked: false },
  });
});

Deno.test("readGapLine() says why a line is none", () => {
  assert.equal(readGapLine(gapLine(GAP).trimEnd().replace("stall", "stale")), "its checksum is wrong");
  const lines = [
    ...[
      "",
      "null",
      "{}",
      '{"id":0}',
      '{"id":1.5}',
      '{"id":"1"}',
      '{"id":1,"since":5}',
      '{"id":1,"until":"soon"}',
    ],
    ...['{"id":1,"cause":"rain"}', '{"id":1,"state":"gone"}', '{"id":1,"colour":"red"}'],
  ];
  for (const line of lines) assert.equal(readGapLine(line), "it is no entry", line);
});
