import assert from "node:assert/strict";
import { textLine, visibleText } from "../../lib/line/text_line.ts";

const encoder = new TextEncoder();

function write(line: string, color = false): string {
  const bytes = encoder.encode(line);
  return textLine(bytes, 0, bytes.length, { color });
}

const FLY_LINE =
  '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"sjc"},' +
  '"host":"0ad1","log":{"level":"info"},"message":"hello","timestamp":"2022-09-27T20:34:37.252022967Z"}';

Deno.test("textLine() writes time, app, instance, region, level and message", () => {
  assert.equal(write(FLY_LINE), "2022-09-27T20:34:37.252Z web[0e286551c30586] sjc [info] hello");
});

Deno.test("textLine() names a provider that is not the app itself", () => {
  assert.equal(
    write(FLY_LINE.replace('"provider":"app"', '"provider":"proxy"')),
    "2022-09-27T20:34:37.252Z web/proxy[0e286551c30586] sjc [info] hello",
  );
  assert.match(write(FLY_LINE.replace('"provider":"app"', '"provider":""')), / web\[/);
});

const TIMES: [timestamp: string, shown: string][] = [
  ["2022-09-27T20:34:37.252999999Z", "2022-09-27T20:34:37.252Z"],
  ["2022-09-27T20:34:37Z", "2022-09-27T20:34:37.000Z"],
  ["2022-09-27T20:34:37.5Z", "2022-09-27T20:34:37.500Z"],
  ["2022-09-27T22:34:37.25+02:00", "2022-09-27T20:34:37.250Z"],
  ["2022-09-27t20:34:37.252022967z", "2022-09-27T20:34:37.252Z"],
  ["2016-12-31T23:59:60.123456789Z", "2017-01-01T00:00:00.123Z"],
  ["just now", "just\\x20now"],
  ["---", "\\x2d--"],
  ["-", "-"],
  ["", "-"],
];

Deno.test("textLine() writes times in UTC to the millisecond, and what is no time as it stands", () => {
  for (const [timestamp, shown] of TIMES) {
    assert.equal(write(JSON.stringify({ message: "m", timestamp })), `${shown} -[-] - [-] m`);
    // Doubled: left to the schema.
    assert.equal(
      write(`{"message":"m",${JSON.stringify({ message: "m", timestamp }).slice(1)}`),
      `${shown} -[-] - [-] m`,
    );
  }
});

Deno.test("textLine() writes a dash for what is missing or empty", () => {
  assert.equal(write('{"message":"","fly":{"app":{"instance":"","name":""}}}'), "- -[-] - [-] ");
});

Deno.test("textLine() reads characters beyond ASCII and escapes in every field", () => {
  assert.equal(
    write('{"message":"Gr\\u00fc\\u00dfe, 😀","fly":{"region":"é\\/"},"log":{"level":"\\"i\\""}}'),
    '- -[-] é/ ["i"] Grüße, 😀',
  );
});

Deno.test("textLine() lets no field but the message have a space or a tab in it", () => {
  const record = {
    event: { provider: "p p" },
    fly: { app: { name: "a b", instance: "i\ti" }, region: " r" },
    log: { level: "l l\n" },
    message: " two  words\t",
    timestamp: "2022-09-27T20:34:37Z",
  };
  const line = write(JSON.stringify(record));
  assert.equal(
    line,
    "2022-09-27T20:34:37.000Z a\\x20b/p\\x20p[i\\ti] \\x20r [l\\x20l\\n]  two  words\t",
  );
  assert.equal(line.split(" ").slice(4).join(" "), record.message);
});

Deno.test("textLine() keeps a message of several lines on one, without the line ends at its end", () => {
  assert.equal(
    write('{"message":"Error: no\\n  at f\\r\\n  at g\\r\\n\\n"}'),
    "- -[-] - [-] Error: no\\n  at f\\r\\n  at g",
  );
  assert.equal(write('{"message":"\\n"}'), "- -[-] - [-] ");
});

Deno.test("textLine() looks at the range only", () => {
  const bytes = encoder.encode(`é\n${FLY_LINE}\nx`);
  assert.equal(
    textLine(bytes, 3, bytes.length - 2, { color: false }),
    "2022-09-27T20:34:37.252Z web[0e286551c30586] sjc [info] hello",
  );
});

Deno.test("textLine() writes a record that only the schema knows the same way", () => {
  assert.equal(
    write(
      '{"message":"first","message":"m","timestamp":"t","fly":{"app":{"instance":"i","name":"a"}},' +
        '"log":{"level":"l"},"event":{"provider":"runner"}}',
    ),
    "t a/runner[i] - [l] m",
  );
});

Deno.test("textLine() writes a line that is no record as it stands", () => {
  assert.equal(write("plain \x1b]0;title\x07 text"), "plain \\x1b]0;title\\x07 text");
  assert.equal(textLine(Uint8Array.of(0x41, 0xff, 0x00), 0, 3, { color: false }), "A\ufffd\\x00");
});

Deno.test("textLine() keeps colours in the message only, and only if asked", () => {
  const line =
    '{"message":"\\u001b[1;32mok\\u001b[0m.","fly":{"region":"\\u001b[31ms"},"timestamp":"t\\u001b[31m"}';
  assert.equal(write(line), "t -[-] s [-] ok.");
  assert.ok(write(line, true).endsWith(" s [-] \x1b[1;32mok\x1b[0m.\x1b[0m"));
});

Deno.test("textLine() in colour shows the level in its own, and the app in one that is always the same", () => {
  const ofApp = (name: string, level: string) =>
    write(JSON.stringify({ message: "m", fly: { app: { name } }, log: { level } }), true);
  assert.equal(ofApp("web", "info"), "- \x1b[36mweb[-]\x1b[0m - [\x1b[32minfo\x1b[0m] m");
  assert.equal(ofApp("web", "ERR"), "- \x1b[36mweb[-]\x1b[0m - [\x1b[31mERR\x1b[0m] m");
  assert.ok(ofApp("web", "warning").includes("[\x1b[33mwarning\x1b[0m]"));
  assert.match(ofApp("web", "teapot"), /- \[teapot\] m$/);
  const colors = ["web", "api", "postgres", "worker", "shop"].map((name) => ofApp(name, "x").slice(2, 7));
  assert.ok(new Set(colors).size > 2, String(colors));
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
