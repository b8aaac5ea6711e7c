import assert from "node:assert/strict";
import { type LineSelection, selectLines } from "../../../lib/archive/read/line_selection.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const LINES = ["a1", "b2", "a3", "a4", "b5"].map((message) => `{"message":"${message}"}\n`);
const TEXT = encoder.encode(LINES.join(""));
const LENGTH = LINES[0]!.length;

function select(options: Partial<LineSelection> & { text?: string } = {}, text: Uint8Array = TEXT) {
  const filter = {
    apps: [],
    regions: [],
    instances: [],
    levels: [],
    texts: options.text === undefined ? [] : [options.text],
  };
  const { bytes, marks } = selectLines(text, {
    filter,
    filterKey: JSON.stringify(filter),
    style: "jsonl",
    events: null,
    baseOffset: 1000,
    from: 0,
    to: text.length,
    limit: null,
    fromEnd: false,
    withMarks: false,
    ...options,
  });
  return {
    text: decoder.decode(bytes),
    marks: marks && { starts: [...marks.starts], ends: [...marks.ends] },
  };
}

Deno.test("selectLines() gives the lines that match", () => {
  assert.equal(select({ text: "a" }).text, LINES[0]! + LINES[2] + LINES[3]);
  assert.equal(select({ text: "c" }).text, "");
  assert.equal(select().text, LINES.join(""));
});

Deno.test("selectLines() gives the first or the last of them, and where they stand", () => {
  const places = (lines: number[]) => ({
    starts: lines.map((line) => line * LENGTH),
    ends: lines.map((line) => (line + 1) * LENGTH),
  });
  assert.deepEqual(select({ text: "a", limit: 2 }), { text: LINES[0]! + LINES[2], marks: places([0, 2]) });
  assert.deepEqual(select({ text: "a", limit: 2, fromEnd: true }), {
    text: LINES[2]! + LINES[3],
    marks: places([2, 3]),
  });
});

Deno.test("selectLines() leaves out a line that is cut by either end", () => {
  assert.equal(select({ from: 1, to: 3 * LENGTH + 1 }).text, LINES[1]! + LINES[2]);
  assert.equal(select({ from: LENGTH, to: 2 * LENGTH }).text, LINES[1]);
  assert.equal(select({ from: 4 * LENGTH + 1 }).text, "");
});

Deno.test("selectLines() tells where all lines are when that is asked", () => {
  const { text, marks } = select({ withMarks: true });
  assert.equal(text, LINES.join(""));
  assert.deepEqual(marks!.starts, LINES.map((_, line) => line * LENGTH));
});

Deno.test("selectLines() counts the places in events from where the text begins in its day", () => {
  const events = { day: 20_779, rest: ";-1.rs" };
  assert.equal(
    select({ text: "b", events, from: LENGTH }).text,
    `id: 2026-11-22:${1000 + 2 * LENGTH};-1.rs\ndata: {"message":"b2"}\n\n` +
      `id: 2026-11-22:${1000 + 5 * LENGTH};-1.rs\ndata: {"message":"b5"}\n\n`,
  );
});

Deno.test("selectLines() finds every line among many of any length", () => {
  const lines = Array.from(
    { length: 3000 },
    (_, i) => `{"message":"${i} ${"x".repeat(i % 500 === 0 ? 200_000 : i % 97)}"}\n`,
  );
  const text = encoder.encode(lines.join(""));
  assert.equal(select({ limit: 100_000 }, text).text, lines.join(""));
  assert.equal(select({ text: "7 " }, text).text, lines.filter((line) => line.includes("7 ")).join(""));
  assert.equal(
    select({ text: "7 ", limit: 250 }, text).text,
    lines.filter((line) => line.includes("7 ")).slice(0, 250).join(""),
  );
});
