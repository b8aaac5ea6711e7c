import assert from "node:assert/strict";
import { textLine, visibleText } from "../lib/text_line.ts";

const encoder = new TextEncoder();

function write(line: string, color = false): string {
  const bytes = encoder.encode(line);
  return textLine(bytes, 0, bytes.length, { color });
}

const FLY_LINE =
  '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"sjc"},' +
  '"host":"0ad1","log":{"level":"info"},"message":"hello","timestamp":"2022-09-27T20:34:37.252022967Z"}';

Deno.test("textLine() writes time, instance, region, level and message", () => {
  assert.equal(write(FLY_LINE), "2022-09-27T20:34:37.252022967Z [0e286551c30586] sjc [info] hello");
});

Deno.test("textLine() fills a short timestamp up to 30 characters", () => {
  assert.equal(
    write('{"message":"m","timestamp":"2022-09-27T20:34:37Z"}'),
    "2022-09-27T20:34:37Z           [-] - [-] m",
  );
});

Deno.test("textLine() writes a dash for what is missing or empty", () => {
  assert.equal(
    write('{"message":"","fly":{"app":{"instance":""}}}'),
    "-                              [-] - [-] ",
  );
});

Deno.test("textLine() reads characters beyond ASCII and escapes in every field", () => {
  assert.equal(
    write('{"message":"Gr\\u00fc\\u00dfe, 😀","fly":{"region":"é\\/"},"log":{"level":"\\"i\\""}}'),
    '-                              [-] é/ ["i"] Grüße, 😀',
  );
});

Deno.test("textLine() looks at the range only", () => {
  const bytes = encoder.encode(`é\n${FLY_LINE}\nx`);
  assert.equal(
    textLine(bytes, 3, bytes.length - 2, { color: false }),
    "2022-09-27T20:34:37.252022967Z [0e286551c30586] sjc [info] hello",
  );
});

Deno.test("textLine() writes a record that only the schema knows the same way", () => {
  assert.equal(
    write(
      '{"message":"first","message":"m\\n","timestamp":"t","fly":{"app":{"instance":"i"}},"log":{"level":"l"}}',
    ),
    "t                              [i] - [l] m\\n",
  );
});

Deno.test("textLine() writes a line that is no record as it stands", () => {
  assert.equal(write("plain \x1b]0;title\x07 text"), "plain \\x1b]0;title\\x07 text");
  assert.equal(textLine(Uint8Array.of(0x41, 0xff, 0x00), 0, 3, { color: false }), "A\ufffd\\x00");
});

Deno.test("textLine() keeps colours in the message only, and only if asked", () => {
  const line =
    '{"message":"\\u001b[1;32mok\\u001b[0m.","fly":{"region":"\\u001b[31ms"},"timestamp":"t\\u001b[31m"}';
  assert.equal(write(line), "t                              [-] s [-] ok.");
  assert.equal(write(line, true), "t                              [-] s [-] \x1b[1;32mok\x1b[0m.\x1b[0m");
});

const HIDDEN: [text: string, shown: string][] = [
  ["plain\ttext é😀", "plain\ttext é😀"],
  ["a\nb\r\nc", "a\\nb\\r\\nc"],
  ["\0\x07\x08\x1f\x7f", "\\x00\\x07\\x08\\x1f\\x7f"],
  ["\x80\x9b31m\x9f\xa0", "\\x80\\x9b31m\\x9f\xa0"],
  ["\u2027\u2028\u2029\u202a\u202e\u202f", "\u2027\\u2028\\u2029\\u202a\\u202e\u202f"],
  ["\u2065\u2066\u2069\u206a", "\u2065\\u2066\\u2069\u206a"],
  ["\ud800x\udc00\ud83d", "\\ud800x\\udc00\\ud83d"],
  ["\x1b[2J\x1b[H\x1b]8;;x\x1b\\", "\\x1b[2J\\x1b[H\\x1b]8;;x\\x1b\\"],
  ["\x1b[38;5;1mred\x1b[m", "red"],
  ["\x1b[?25m", "\\x1b[?25m"],
  ["\x1b[31", "\\x1b[31"],
  ["\x1b", "\\x1b"],
  [`\x1b[${"1;".repeat(40)}m`, `\\x1b[${"1;".repeat(40)}m`],
];

Deno.test("visibleText() shows what a terminal would act on and leaves out colours", () => {
  for (const [text, shown] of HIDDEN) assert.equal(visibleText(text, false), shown, JSON.stringify(text));
});

Deno.test("visibleText() lets nothing but colours through when colours are kept", () => {
  assert.equal(visibleText("\x1b[31mred\x1b[2J", true), "\x1b[31mred\\x1b[2J\x1b[0m");
  assert.equal(visibleText("\x1b[2Jplain", true), "\\x1b[2Jplain");
});

Deno.test("visibleText() gives one line without controls for every character but tab", () => {
  for (let code = 0; code < 0x11000; code++) {
    if (code === 0x09) continue;
    const shown = visibleText(String.fromCodePoint(code), true);
    assert.doesNotMatch(shown, /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u, code.toString(16));
  }
});
