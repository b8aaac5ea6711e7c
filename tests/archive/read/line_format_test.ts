import assert from "node:assert/strict";
import { type LineFormat, writeLines } from "../../../lib/archive/read/line_format.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What becomes of `lines`, which stand at 1000 of their day, and where that of each ends. */
function write(lines: readonly string[], format: Partial<LineFormat>): { text: string; ends: number[] } {
  const text = encoder.encode(lines.map((line) => `${line}\n`).join(""));
  const starts = new Uint32Array(lines.length);
  const ends = new Uint32Array(lines.length);
  let at = 0;
  for (const [number, line] of lines.entries()) {
    starts[number] = at;
    at = (ends[number] = at + encoder.encode(line).length) + 1;
  }
  const found = { starts, ends, count: lines.length };
  const written = writeLines(text, 1000, found, { style: "jsonl", events: null, ...format });
  return { text: decoder.decode(written.bytes), ends: [...written.ends] };
}

const ONE = '{"message":"one"}';
const COLORED = '{"message":"\\u001b[31mred\\u001b[0m"}';

Deno.test("writeLines() copies lines as they are stored", () => {
  assert.deepEqual(write([ONE, COLORED], {}), {
    text: `${ONE}\n${COLORED}\n`,
    ends: [ONE.length + 1, ONE.length + COLORED.length + 2],
  });
  assert.deepEqual(write([], {}), { text: "", ends: [] });
});

Deno.test("writeLines() writes text, with colours only when they are wanted", () => {
  const text = "- -[-] - [-] one\n";
  assert.deepEqual(write([ONE], { style: "text" }), { text, ends: [text.length] });
  assert.equal(write([COLORED], { style: "text" }).text, "- -[-] - [-] red\n");
  assert.ok(write([COLORED], { style: "color" }).text.includes("\x1b[31mred\x1b[0m"));
});

Deno.test("writeLines() writes text that is longer than the lines", () => {
  const bells = Array.from({ length: 1000 }, () => `{"message":"${"\\u0007".repeat(5)}"}`);
  const line = `- -[-] - [-] ${"\\x07".repeat(5)}\n`;
  assert.equal(write(bells, { style: "text" }).text, line.repeat(1000));
});

Deno.test("writeLines() makes events with the place after each line", () => {
  const events = { day: 20_779, rest: ";-1.rs" };
  const first = `id: 2026-11-22:${1000 + ONE.length + 1};-1.rs\ndata: ${ONE}\n\n`;
  const second = `id: 2026-11-22:${1000 + 2 * (ONE.length + 1)};-1.rs\ndata: ${ONE}\n\n`;
  assert.deepEqual(write([ONE, ONE], { events }), {
    text: first + second,
    ends: [first.length, first.length + second.length],
  });
});

Deno.test("writeLines() makes events of text", () => {
  const events = { day: 20_779, rest: ";" };
  assert.equal(
    write([ONE], { style: "text", events }).text,
    "id: 2026-11-22:1018;\ndata: - -[-] - [-] one\n\n",
  );
});

Deno.test("writeLines() lets no line end its event early", () => {
  assert.equal(
    write(['{"mess\r\rdata: evil'], { events: { day: 20_779, rest: ";" } }).text,
    'id: 2026-11-22:1019;\ndata: {"mess  data: evil\n\n',
  );
});
