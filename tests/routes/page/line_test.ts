import assert from "node:assert/strict";
import * as ansi from "ansi-sequence-parser";
import { visibleText } from "../../../lib/line/text_line.ts";
import { MESSAGE_LIMIT, PIECES_LIMIT, showHidden, viewLine } from "../../../routes/page/line.js";

/** The pieces of a message. */
function pieces(message: string, ...highlights: string[]): { text: string; className: string }[] {
  return viewLine(JSON.stringify({ message }), ansi, highlights).pieces;
}

Deno.test("viewLine() gives what a reader looks for", () => {
  const line =
    '{"event":{"provider":"app"},"fly":{"app":{"instance":"0e286551c30586","name":"web"},"region":"sjc"},' +
    '"log":{"level":"Warning"},"message":"hello","timestamp":"2026-11-22T10:00:00.123456789Z"}';
  assert.deepEqual(viewLine(line, ansi), {
    timestamp: "2026-11-22T10:00:00.123456789Z",
    day: "2026-11-22",
    time: "10:00:00.123",
    app: "web",
    place: "0e286551c30586 sjc",
    level: "Warning",
    className: "level-warn",
    pieces: [{ text: "hello", className: "" }],
    hiddenLength: 0,
  });
});

Deno.test("viewLine() names who speaks for an app unless it is the app itself", () => {
  const app = (provider: unknown) =>
    viewLine(JSON.stringify({ message: "", fly: { app: { name: "web" } }, event: { provider } }), ansi).app;
  assert.deepEqual(["proxy", "app", "", undefined, 7].map(app), ["web/proxy", "web", "web", "web", "web"]);
});

Deno.test("viewLine() shows what is no record as it stands", () => {
  for (const line of ["", "null", "[]", "7", '"text"', "{", '{"message":7}', '{"fly":null,"log":[]}']) {
    const view = viewLine(line, ansi);
    assert.equal(view.pieces.map(({ text }) => text).join(""), line);
    assert.deepEqual([view.time, view.app, view.place, view.level], ["-", "-", "- -", "-"]);
    assert.equal(view.className, "level-other");
  }
});

Deno.test("viewLine() shows times in UTC, and what is no time as it stands", () => {
  const times = [
    "2026-11-22T23:30:00+02:00",
    "2026-11-22T10:00:00Z",
    "teatime",
    "1",
    "+275760-09-13T00:00:00Z",
  ]
    .map((timestamp) => viewLine(JSON.stringify({ message: "", timestamp }), ansi))
    .map(({ day, time }) => `${day} ${time}`.trim());
  assert.deepEqual(times, [
    "2026-11-22 21:30:00.000",
    "2026-11-22 10:00:00.000",
    "teatime",
    "1",
    "+275760-09-13T00:00:00Z",
  ]);
});

Deno.test("viewLine() gives no class that is not its own", () => {
  for (const level of ["__proto__", "constructor", 'x" onclick="', "toString"]) {
    assert.equal(viewLine(JSON.stringify({ message: "", log: { level } }), ansi).className, "level-other");
  }
});

Deno.test("viewLine() cuts long fields, and long messages between characters", () => {
  const app = "a".repeat(65);
  assert.equal(
    viewLine(JSON.stringify({ message: "", fly: { app: { name: app } } }), ansi).app,
    `${"a".repeat(64)}…`,
  );
  const message = `${"a".repeat(MESSAGE_LIMIT - 1)}🚀b`;
  const view = viewLine(JSON.stringify({ message }), ansi);
  assert.deepEqual(view.pieces, [{ text: "a".repeat(MESSAGE_LIMIT - 1), className: "" }]);
  assert.equal(view.hiddenLength, 3);
});

Deno.test("viewLine() reads colours and gives each the nearest that can be read", () => {
  assert.deepEqual(
    pieces("a\x1b[1;31mb\x1b[0mc\x1b[93;44md\x1b[38;5;46me\x1b[49;38;2;10;200;190mf\x1b[30mg"),
    [
      { text: "a", className: "" },
      { text: "b", className: "bold front-red" },
      { text: "c", className: "" },
      { text: "d", className: "front-yellow back-blue" },
      { text: "e", className: "front-green back-blue" },
      { text: "f", className: "front-cyan" },
      { text: "g", className: "" },
    ],
  );
});

Deno.test("viewLine() leaves nothing invisible", () => {
  assert.deepEqual(pieces("\x1b[8mpassword\x1b[30;40m on black"), [
    { text: "password", className: "" },
    { text: " on black", className: "back-gray" },
  ]);
});

Deno.test("viewLine() reads broken colours as none", () => {
  for (
    const sequence of [
      "\x1b[38;5;999m",
      "\x1b[38;5m",
      "\x1b[38;2;1m",
      "\x1b[999m",
      "\x1b[;;;m",
      "\x1b[48;5;-1m",
    ]
  ) {
    assert.equal(pieces(`${sequence}text`).map(({ text }) => text).join("").endsWith("text"), true);
  }
});

Deno.test("viewLine() shows other escapes and swallows nothing behind them", () => {
  assert.deepEqual(pieces("\x1b[2Jimportant message\x1b]0;title\x07end"), [
    { text: "\\x1b[2Jimportant message\\x1b]0;title\\x07end", className: "" },
  ]);
});

Deno.test("viewLine() marks a text wherever it stands", () => {
  assert.deepEqual(pieces("GET /a\x1b[32mGET", "GET"), [
    { text: "GET", className: "match" },
    { text: " /a", className: "" },
    { text: "GET", className: "front-green match" },
  ]);
});

Deno.test("viewLine() makes no more pieces than its limit, and loses no text", () => {
  const shown = pieces("\x1b[31ma\x1b[32mb".repeat(200));
  assert.equal(shown.length, PIECES_LIMIT);
  assert.equal(shown.map(({ text }) => text).join(""), "ab".repeat(200));
});

Deno.test("showHidden() shows what the text form of a line shows, but for line feeds", () => {
  const texts = [
    ...Array.from({ length: 0x100 }, (_, code) => `a${String.fromCharCode(code)}b`).filter((text) =>
      text !== "a\nb"
    ),
    ...["\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\ud800", "\udc00", "🚀", "é", "\ufeff"],
    "\x1b[31m\x1b[2K\x1b[1;2;3m\x1b]8;;\x07",
  ];
  for (const text of texts) {
    const shown = visibleText(text, true);
    // A terminal is to be left without colour at the end of a line.
    assert.equal(showHidden(text), shown.endsWith("\x1b[0m") ? shown.slice(0, -4) : shown);
  }
});

Deno.test("viewLine() marks what a search in any case finds, and of a text with a capital just that", () => {
  const marked = (...asked: [string, ...string[]]) =>
    pieces(...asked).filter(({ className }) => className === "match").map(({ text }) => text);
  assert.deepEqual(marked("Timeout, TIMEOUT, timeout", "timeout"), ["Timeout", "TIMEOUT", "timeout"]);
  assert.deepEqual(marked("Timeout, TIMEOUT, timeout", "Timeout"), ["Timeout"]);
  assert.deepEqual(marked("ÜBER über \u212a k", "über", "k"), ["ÜBER", "über", "k"]);
});

Deno.test("viewLine() marks several texts, and those that overlap as one", () => {
  assert.deepEqual(pieces("one two three", "two", "wo th", "e t", ""), [
    { text: "on", className: "" },
    { text: "e two th", className: "match" },
    { text: "ree", className: "" },
  ]);
});
