import assert from "node:assert/strict";
import type { Gap, GapCause, GapHealing } from "../../lib/gaps/gap.ts";
import { type GapLines, withGapLines } from "../../routes/gap_lines.ts";
import { gapLine, gapWords } from "../../routes/gap_words.ts";

function gap(since: string, until: string | null, cause: GapCause = "disconnect"): Gap {
  const untilMs = until === null ? null : Date.parse(until);
  return {
    id: 1,
    sinceMs: Date.parse(since),
    untilMs,
    cause,
    state: untilMs === null ? "open" : "lost",
    healing: null,
  };
}

const CUT = gap("2026-11-23T22:35:57.100Z", "2026-11-23T22:36:11.900Z");
const OPEN = gap("2026-11-23T23:00:00.000Z", null, "stall");
const BEFORE: Gap = { ...gap("1970-01-01T00:00:00Z", "2026-11-23T20:12:04.000Z", "before"), state: "lost" };

Deno.test("gapLine() has times of the day where the gap is of that day, else full dates", () => {
  assert.equal(gapLine(CUT, "2026-11-23"), "--- gap 22:35:57Z – 22:36:12Z (15 s): disconnect ---\n");
  const dated = "--- gap 2026-11-23T22:35:57Z – 2026-11-23T22:36:12Z (15 s): disconnect ---\n";
  assert.equal(gapLine(CUT, ""), dated);
  assert.equal(gapLine(CUT, "2026-11-24"), dated);
  assert.equal(gapLine(OPEN, "2026-11-23"), "--- gap 23:00:00Z – now: stall ---\n");
  assert.equal(gapLine(BEFORE, "2026-11-23"), "--- gap – 20:12:04Z: before ---\n");
  assert.equal(gapLine(BEFORE, "2026-11-24"), "--- gap – 2026-11-23T20:12:04Z: before ---\n");
  assert.equal(
    gapLine(gap("2026-11-22T22:35:57Z", "2026-11-23T08:00:00Z", "stop"), "2026-11-23"),
    "--- gap 2026-11-22T22:35:57Z – 2026-11-23T08:00:00Z (9 h 24 m): stop ---\n",
  );
});

const HEALING: GapHealing = {
  sources: [{ name: "fly", lines: 412 }, { name: "http://[fdaa::1]:8080", lines: 1 }],
  atMs: Date.parse("2026-11-23T22:51:12.900Z"),
  doneUntilMs: null,
  reason: null,
};
const HEALED: Gap = { ...CUT, state: "healed", healing: HEALING };
const DAYS_BEFORE: Gap = {
  ...{
    id: 2,
    sinceMs: Date.parse("2026-11-16T20:12:04Z"),
    untilMs: BEFORE.untilMs,
    cause: "before",
    state: "lost",
  },
  healing: {
    ...{ sources: [], atMs: 0, doneUntilMs: Date.parse("2026-11-18T00:00:00Z"), reason: null },
  },
};

Deno.test("gapLine() says of a healed gap who has brought how many lines, and of one that is healed in part", () => {
  assert.equal(
    gapLine(HEALED, "2026-11-23"),
    "--- gap healed: 15 s from 22:35:57Z, 412 lines from fly, 1 line from http://[fdaa::1]:8080 ---\n",
  );
  const none = { ...HEALING, sources: [{ name: "fly", lines: 0 }] };
  assert.equal(
    gapLine({ ...HEALED, healing: none }, ""),
    "--- gap healed: 15 s from 2026-11-23T22:35:57Z, no line was missing, says fly ---\n",
  );
  assert.equal(
    gapLine({ ...HEALED, healing: null }, "2026-11-23"),
    "--- gap healed: 15 s from 22:35:57Z ---\n",
  );
  const some = { ...HEALING, sources: [{ name: "fly", lines: 40 }], reason: "2 of 5 lines are not there" };
  assert.equal(
    gapLine({ ...CUT, state: "partial", healing: some }, "2026-11-23"),
    "--- gap 22:35:57Z – 22:36:12Z (15 s): disconnect, partly healed, 40 lines from fly ---\n",
  );
});

Deno.test("gapLine() gives both ends of the days before the first start that somebody else may have", () => {
  assert.equal(
    gapLine(DAYS_BEFORE, "2026-11-23"),
    "--- gap 2026-11-16T20:12:04Z – 2026-11-23T20:12:04Z (168 h 0 m): before ---\n",
  );
});

Deno.test("gapWords() says by whom and when a gap was healed, or why it is not", () => {
  assert.equal(
    gapWords(HEALED),
    "Gap healed: 15 s from 2026-11-23 22:35:57 (disconnect), 412 lines from fly, " +
      "1 line from http://[fdaa::1]:8080, at 2026-11-23 22:51:12",
  );
  const reason = "Fly no longer has it: it keeps about seven days";
  assert.equal(
    gapWords({ ...CUT, healing: { ...HEALING, sources: [], reason } }),
    `2026-11-23 22:35:57 to 22:36:12 (15 s): disconnect, lost; ${reason}`,
  );
  assert.equal(
    gapWords(DAYS_BEFORE),
    "2026-11-16 20:12:04 to 2026-11-23 20:12:04 (168 h 0 m): before, lost, looked through up to 2026-11-18 00:00:00",
  );
});

Deno.test("gapWords() says what gapLine() does, and what became of the gap", () => {
  assert.equal(gapWords(CUT), "2026-11-23 22:35:57 to 22:36:12 (15 s): disconnect, lost");
  assert.equal(gapWords(OPEN), "2026-11-23 23:00:00 to now: stall, open");
  assert.equal(gapWords(BEFORE), "Nothing was recorded before 2026-11-23 20:12:04");
});

/** What comes of lines that each begin with a time and come in these chunks. */
async function shown(chunks: string[], options: Partial<GapLines>): Promise<string[]> {
  const body = ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
  const given = { gaps: [CUT], day: "2026-11-23", beginsWithLine: false, endsWithLine: false, ...options };
  const text = await new Response(withGapLines(body, given)).text();
  return text.split("\n").slice(0, -1);
}

const at = (time: string) => `2026-11-23T${time}Z web[1] fra [info] x\n`;
const EARLY = at("22:35:57.099");
const LATE = at("22:36:12.500");
const GAP = "--- gap 22:35:57Z – 22:36:12Z (15 s): disconnect ---";

function rows(...lines: string[]): string[] {
  return lines.map((line) => line.trimEnd());
}

Deno.test("withGapLines() puts a gap before the first line that is not older than its end", async () => {
  const wanted = rows(EARLY, EARLY, GAP, LATE, EARLY, LATE);
  assert.deepEqual(await shown([EARLY + EARLY + LATE + EARLY + LATE], {}), wanted);
  assert.deepEqual(await shown([EARLY, EARLY, LATE, EARLY + LATE], {}), wanted);
  assert.deepEqual(
    await shown([at("22:36:11.899") + at("22:36:11.900")], {}),
    rows(at("22:36:11.899"), GAP, at("22:36:11.900")),
  );
});

Deno.test("withGapLines() ends with the gaps that no line came after, unless a next page has them", async () => {
  assert.deepEqual(
    await shown([EARLY], { gaps: [OPEN, CUT] }),
    rows(EARLY, GAP, gapLine(OPEN, "2026-11-23")),
  );
  assert.deepEqual(await shown([], {}), [GAP]);
  assert.deepEqual(await shown([EARLY], { endsWithLine: true }), rows(EARLY));
});

Deno.test("withGapLines() leaves out what ended before the first of the last lines", async () => {
  assert.deepEqual(await shown([LATE], { beginsWithLine: true }), rows(LATE));
  assert.deepEqual(await shown([EARLY, LATE], { beginsWithLine: true }), rows(EARLY, GAP, LATE));
  assert.deepEqual(
    await shown([at("22:36:00.000")], { beginsWithLine: true }),
    rows(at("22:36:00.000"), GAP),
  );
});

Deno.test("withGapLines() leaves healed gaps out, and lines without a time where they are", async () => {
  assert.deepEqual(await shown([EARLY + LATE], { gaps: [{ ...CUT, state: "healed" }] }), rows(EARLY, LATE));
  const odd = ["- web[1] fra [info] 2026-11-23T23:00:00.000Z\n", "{}\n", "\n", "2026-11-23T22:3"];
  assert.deepEqual(
    await shown([odd.slice(0, 3).join("") + LATE], {}),
    rows(...odd.slice(0, 3), GAP, LATE),
  );
});

Deno.test("withGapLines() names the day of the line that follows where no day is given", async () => {
  assert.deepEqual(await shown([EARLY + LATE], { day: "" }), rows(EARLY, GAP, LATE));
  assert.deepEqual(
    await shown(["2026-11-24T00:00:00.000Z web[1] fra [info] x\n"], { day: "" }),
    rows(
      "--- gap 2026-11-23T22:35:57Z – 2026-11-23T22:36:12Z (15 s): disconnect ---",
      "2026-11-24T00:00:00.000Z web[1] fra [info] x",
    ),
  );
});

Deno.test("withGapLines() cancels what it reads from", async () => {
  let cancelled: unknown = null;
  const body = new ReadableStream<Uint8Array>({ cancel: (reason) => void (cancelled = reason) });
  const all = { gaps: [CUT], day: "", beginsWithLine: false, endsWithLine: false };
  await withGapLines(body, all).cancel("gone");
  assert.equal(cancelled, "gone");
});
