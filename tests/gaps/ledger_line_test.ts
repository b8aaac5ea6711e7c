import assert from "node:assert/strict";
import type { Gap } from "../../lib/gaps/gap.ts";
import { gapLine, readGapLine } from "../../lib/gaps/ledger_line.ts";

const GAP: Gap = {
  id: 7,
  sinceMs: Date.parse("2026-11-22T12:00:00.250Z"),
  untilMs: Date.parse("2026-11-22T12:00:01Z"),
  cause: "stall",
  state: "partial",
  healing: null,
};

Deno.test("readGapLine() reads what gapLine() wrote", () => {
  for (const gap of [GAP, { ...GAP, untilMs: null, state: "open" as const }]) {
    const { healing: _none, ...said } = gap;
    assert.deepEqual(readGapLine(gapLine(gap).trimEnd()), { ...said, isChecked: true });
  }
});

const HEALED: Gap = {
  ...GAP,
  healing: {
    sources: [{ name: "http://[fdaa::1]:8080", lines: 0 }, { name: "fly", lines: 412 }],
    atMs: Date.parse("2026-11-22T12:15:01Z"),
    doneUntilMs: Date.parse("2026-11-22T12:00:00.750Z"),
    reason: 'Fly said "503": it will be asked again',
  },
};

Deno.test("A line tells after the state what was done to heal a gap, and is read back", () => {
  const line = gapLine(HEALED).trimEnd();
  const told = '"state":"partial","healing":{"sources":[{"name":"http://[fdaa::1]:8080","lines":0},' +
    '{"name":"fly","lines":412}],"at":"2026-11-22T12:15:01.000Z","until":"2026-11-22T12:00:00.750Z",' +
    '"reason":"Fly said \\"503\\": it will be asked again"},"check":"';
  assert.ok(line.includes(told), line);
  assert.deepEqual(readGapLine(line), { ...HEALED, isChecked: true });
  assert.equal(readGapLine(line.replace("412", "413")), "its checksum is wrong");
});

Deno.test("readGapLine() takes no healing that gapLine() could not have written", () => {
  const right = {
    sources: [{ name: "fly", lines: 1 }],
    at: "2026-11-22T12:15:01.000Z",
    until: null,
    reason: null,
  };
  const read = (healing: unknown) => readGapLine(JSON.stringify({ id: 1, state: "healed", healing }));
  assert.equal(typeof read(right), "object");
  for (
    const wrong of [
      ...[null, [], "fly", {}, { ...right, more: 1 }, { ...right, at: "soon" }, { ...right, at: null }],
      ...[{ ...right, until: 5 }, { ...right, reason: 5 }, { ...right, sources: null }],
      ...[[{ name: "fly" }], [{ name: "fly", lines: -1 }], [{ name: "fly", lines: 0.5 }], [{
        name: 1,
        lines: 1,
      }]]
        .map((sources) => ({ ...right, sources })),
      { ...right, sources: Array.from({ length: 9 }, (_, number) => ({ name: `peer ${number}`, lines: 1 })) },
    ]
  ) assert.equal(read(wrong), "it is no entry", JSON.stringify(wrong));
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
