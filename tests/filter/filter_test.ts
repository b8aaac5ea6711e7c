import assert from "node:assert/strict";
import { type BlockContent, compileFilter, type FilterSpec } from "../../lib/filter/filter.ts";
import { LineScanner } from "../../lib/line/scanner.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";
import { createRandomBelow } from "../rig/random.ts";

const encoder = new TextEncoder();
const NOTHING_ASKED: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };

/** Which of the lines match, asked in every way there is; all ways must say the same. */
function select(asked: Partial<FilterSpec>, lines: (string | Uint8Array)[]): number[] {
  const filter = compileFilter(structuredClone({ ...NOTHING_ASKED, ...asked }));
  const pieces = lines.map((line) => typeof line === "string" ? encoder.encode(line) : line);
  const block = new Uint8Array(pieces.reduce((length, piece) => length + piece.length + 1, 3)).fill(0x0a);
  const starts: number[] = [];
  let end = 3;
  for (const piece of pieces) {
    starts.push(end);
    block.set(piece, end);
    end += piece.length + 1;
  }

  const scanner = new LineScanner();
  const alone: number[] = [];
  const scanned: number[] = [];
  pieces.forEach((piece, i) => {
    const start = starts[i]!;
    if (filter.matches(block, start, start + piece.length)) alone.push(i);
    scanner.scan(piece, 0, piece.length);
    if (filter.matchesScanned(piece, 0, piece.length, scanner)) scanned.push(i);
  });
  for (const trailing of [0, 1]) {
    const searched: number[] = [];
    const text = block.subarray(3, block.length - trailing);
    filter.matchingLines(text, (start, end) => {
      const i = starts.indexOf(start + 3);
      assert.equal(end - start, pieces[i]?.length);
      searched.push(i);
    });
    assert.deepEqual(searched, alone);
  }
  assert.deepEqual(scanned, alone);
  return alone;
}

const time = (text: string) => parseTimestamp(text)!;
const at = (timestamp: string) => `{"message":"m","timestamp":"${timestamp}"}`;

Deno.test("a filter that asks for nothing matches every line", () => {
  const lines = [at("2026-11-22T10:00:00Z"), "plain text", "", "{}"];
  assert.deepEqual(select({}, lines), [0, 1, 2, 3]);
  assert.deepEqual(select({ texts: [""], since: null }, lines), [0, 1, 2, 3]);
  assert.equal(compileFilter(NOTHING_ASKED).matchesAll, true);
  assert.equal(compileFilter({ ...NOTHING_ASKED, texts: ["x"] }).matchesAll, false);
});

Deno.test("since is inclusive and until exclusive, to the nanosecond", () => {
  const since = time("2026-11-22T10:00:00.000000002Z");
  const until = time("2026-11-22T10:00:01.000000001Z");
  const lines = [
    at("2026-11-22T10:00:00.000000001Z"),
    at("2026-11-22T10:00:00.000000002Z"),
    at("2026-11-22T11:00:01.000000000+01:00"),
    at("2026-11-22T10:00:01.000000001Z"),
    at("2026-11-21T23:00:00Z"),
    at("2026-11-23T00:00:00Z"),
  ];
  assert.deepEqual(select({ since, until }, lines), [1, 2]);
  assert.deepEqual(select({ since }, lines), [1, 2, 3, 5]);
  assert.deepEqual(select({ until }, lines), [0, 1, 2, 4]);
});

Deno.test("a line without a time of its own is never left out by time", () => {
  const lines = ['{"message":"m"}', at("yesterday"), at("2026-02-30T00:00:00Z"), "plain text"];
  assert.deepEqual(select({ since: time("2026-11-22T00:00:00Z") }, lines), [0, 1, 2, 3]);
  assert.deepEqual(select({ until: time("0001-01-01T00:00:00Z") }, lines), [0, 1, 2, 3]);
});

Deno.test("a timestamp with escapes counts like any other", () => {
  const lines = [at("2026\\u002d11-22T10:00:00Z"), at("2026\\u002d11-22T10:00:01Z")];
  assert.deepEqual(select({ since: time("2026-11-22T10:00:01Z") }, lines), [1]);
});

const from = (app: string, region: string, instance: string, level: string) =>
  `{"fly":{"app":{"instance":"${instance}","name":"${app}"},"region":"${region}"},` +
  `"log":{"level":"${level}"},"message":"m"}`;

const PLACES = [
  from("web", "sjc", "0e28", "info"),
  from("web-2", "ams", "148e", "ERROR"),
  from("\\u0077eb", "\\u0073jc", "\\u0030e28", "\\u0049nfo"),
  from("fly-builder-x", "sjc", "", "warn"),
  '{"message":"web sjc 0e28 info"}',
  "web sjc 0e28 info",
  from("x".repeat(200), "y".repeat(200), "z".repeat(200), "l".repeat(200)),
  from("", "", "", ""),
];

Deno.test("apps are globs, one of which must match", () => {
  assert.deepEqual(select({ apps: ["web"] }, PLACES), [0, 2]);
  assert.deepEqual(select({ apps: ["web*"] }, PLACES), [0, 1, 2]);
  assert.deepEqual(select({ apps: ["web-?", "fly-builder-*"] }, PLACES), [1, 3]);
  assert.deepEqual(select({ apps: ["web", "fly*x"] }, PLACES), [0, 2, 3]);
  assert.deepEqual(select({ apps: ["x".repeat(200)] }, PLACES), [6]);
  assert.deepEqual(select({ apps: ["WEB-?"] }, PLACES), [1]);
});

Deno.test("a line without an app matches no app, not even *", () => {
  assert.deepEqual(select({ apps: ["*"] }, PLACES), [0, 1, 2, 3, 6, 7]);
  assert.deepEqual(select({ apps: [""] }, PLACES), [7]);
});

Deno.test("regions and instances are compared whole, in any case", () => {
  assert.deepEqual(select({ regions: ["SJC"] }, PLACES), [0, 2, 3]);
  assert.deepEqual(select({ regions: ["ams", "sjc"] }, PLACES), [0, 1, 2, 3]);
  assert.deepEqual(select({ regions: ["s*"] }, PLACES), []);
  assert.deepEqual(select({ instances: ["0E28"] }, PLACES), [0, 2]);
  assert.deepEqual(select({ instances: ["0e28", "148e"] }, PLACES), [0, 1, 2]);
  assert.deepEqual(select({ instances: [""] }, PLACES), [3, 7]);
});

Deno.test("levels are compared in any case, err as error and warning as warn", () => {
  const levels = ["ERR", "error", "Warning", "warn", "warned"].map((level) => from("", "", "", level));
  assert.deepEqual(select({ levels: ["error"] }, levels), [0, 1]);
  assert.deepEqual(select({ levels: ["err"] }, levels), [0, 1]);
  assert.deepEqual(select({ levels: ["WARNING"] }, levels), [2, 3]);
  assert.deepEqual(select({ levels: [], except: { levels: ["err", "warn"] } }, levels), [4]);
  assert.deepEqual(select({ levels: ["info"] }, PLACES), [0, 2]);
  assert.deepEqual(select({ levels: ["Error", "WARN"] }, PLACES), [1, 3]);
  assert.deepEqual(select({ levels: ["ſ", "K"] }, [from("", "", "", "s"), from("", "", "", "k")]), [1]);
  assert.deepEqual(select({ levels: ["\u212a"] }, [from("", "", "", "k"), from("", "", "", "\u212a")]), [1]);
});

Deno.test("what is excluded is left out, in any case, and nothing else is", () => {
  assert.deepEqual(select({ except: { apps: ["Web*"] } }, PLACES), [3, 4, 5, 6, 7]);
  assert.deepEqual(select({ except: { regions: ["sjc"], levels: ["error"] } }, PLACES), [4, 5, 6, 7]);
  assert.deepEqual(select({ except: { instances: ["0E28", ""] } }, PLACES), [1, 4, 5, 6]);
  assert.deepEqual(select({ apps: ["web*"], except: { apps: ["web"] } }, PLACES), [1]);
  assert.deepEqual(select({ apps: ["web"], except: { apps: ["web"] } }, PLACES), []);
  assert.deepEqual(select({ except: { apps: [] } }, PLACES), [0, 1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("what is asked for must all hold", () => {
  assert.deepEqual(select({ apps: ["web*"], regions: ["ams"] }, PLACES), [1]);
  assert.deepEqual(select({ apps: ["web"], regions: ["ams"] }, PLACES), []);
  assert.deepEqual(select({ apps: ["web"], instances: ["0e28"], levels: ["info"], texts: ["m"] }, PLACES), [
    0,
    2,
  ]);
  assert.deepEqual(select({ regions: ["sjc"], texts: ["x"] }, PLACES), []);
});

Deno.test("the same value in many lines gets the same answer after many others", () => {
  const lines = Array.from({ length: 500 }, (_, i) => from(`app-${(i * 7) % 101}`, "sjc", "0e28", "info"));
  const wanted = lines.map((_, i) => i).filter((i) => (i * 7) % 101 === 5 || (i * 7) % 101 === 50);
  assert.deepEqual(select({ apps: ["app-5", "*-50"] }, lines), wanted);
});

const says = (raw: string) => `{"message":"${raw}"}`;

Deno.test("text is a part of the message, however it is escaped", () => {
  const lines = [
    says('café \\"quoted\\" / \\\\'),
    says("caf\\u00e9 \\u0022quoted\\u0022 \\/ \\u005C"),
    says("\\u0063\\u0061f\\u00E9"),
    says("cafe\\u0301"),
    says("CAFÉ"),
    '{"message":"m","café":"café","host":"café"}',
  ];
  assert.deepEqual(select({ texts: ["café"] }, lines), [0, 1, 2, 4]);
  assert.deepEqual(select({ texts: ['é "quoted" / \\'] }, lines), [0, 1]);
  assert.deepEqual(select({ texts: ["caf"] }, lines), [0, 1, 2, 3, 4]);
  assert.deepEqual(select({ texts: ["u00e9"] }, lines), []);
  assert.deepEqual(select({ texts: ["message"] }, lines), []);
});

Deno.test("text in lower case is found in any case, text with a capital only as it is", () => {
  const lines = [
    says("TypeError"),
    says("typeerror"),
    says("TYPEERROR"),
    says("\\u0054ype\\u0045rror"),
    says("typo"),
    "no record: TypeERROR",
  ];
  assert.deepEqual(select({ texts: ["typeerror"] }, lines), [0, 1, 2, 3, 5]);
  assert.deepEqual(select({ texts: ["TypeError"] }, lines), [0, 3]);
});

Deno.test("letters beyond ASCII have cases too, but none that is an ASCII letter's", () => {
  const lines = [
    says("GRÖSSE"),
    says("gr\\u00d6sse"),
    says("Größe"),
    says("ΟΔΟΣ ОШИБКА ǅ"),
    says("\\u212a 5"),
    says("İ ı ⱥ Ⱥ"),
  ];
  assert.deepEqual(select({ texts: ["größe"] }, lines), [2]);
  assert.deepEqual(select({ texts: ["grösse"] }, lines), [0, 1]);
  assert.deepEqual(select({ texts: ["οδοσ"] }, lines), [3]);
  assert.deepEqual(select({ texts: ["ошибка"] }, lines), [3]);
  assert.deepEqual(select({ texts: ["Ошибка"] }, lines), []);
  assert.deepEqual(select({ texts: ["ǆ"] }, lines), [3]);
  assert.deepEqual(select({ texts: ["k 5"] }, lines), []);
  assert.deepEqual(select({ texts: ["i"] }, lines), []);
  assert.deepEqual(select({ texts: ["ⱥ ⱥ"] }, lines), [5]);
});

Deno.test("several texts must all be there, and texts that must not be there must not", () => {
  const lines = [
    says("GET /cart 200"),
    says("GET /cart 500"),
    says("\\u0047ET / 200"),
    says("POST /cart 200"),
  ];
  assert.deepEqual(select({ texts: ["get", "cart"] }, lines), [0, 1]);
  assert.deepEqual(select({ texts: ["cart", "GET"], notTexts: ["500"] }, lines), [0]);
  assert.deepEqual(select({ notTexts: ["get"] }, lines), [3]);
  assert.deepEqual(select({ notTexts: ["Get", "POST", ""] }, lines), [0, 1, 2]);
  assert.deepEqual(select({ notTexts: ["nothing"] }, [...lines, "no record", "nothing"]), [0, 1, 2, 3, 4]);
});

Deno.test("text finds characters beyond U+FFFF and is not misled by lone surrogates", () => {
  const lines = [
    says("😀"),
    says("\\ud83d\\ude00"),
    says("\\ud83d\\uDE00x"),
    says("\\ud83d"),
    says("\\ude00\\ud83d"),
  ];
  assert.deepEqual(select({ texts: ["😀"] }, lines), [0, 1, 2]);
  assert.deepEqual(select({ texts: ["😀"] }, [says("\\ud83d\\ud83d\\ude00"), says("\\ud83d😀")]), [0, 1]);
  assert.deepEqual(select({ texts: ["x"] }, lines), [2]);
});

Deno.test("text with a newline is looked for in messages and not across lines", () => {
  const lines = [says("a"), says("b\\nc"), says("b\\u000ac"), "b", "c"];
  assert.deepEqual(select({ texts: ["b\nc"] }, lines), [1, 2]);
  assert.deepEqual(select({ texts: ["\n"] }, lines), [1, 2]);
  assert.deepEqual(select({ texts: ['"}\n{"'] }, lines), []);
});

Deno.test("text reads a line right that follows one with broken escapes", () => {
  const lines = [
    "\\",
    '{"\\u006dessage":"x"}',
    "\\u12",
    '{"\\u006dessage":"\\u0078"}',
    "\\u",
    says("\\u0078"),
    "\\\\\\",
  ];
  assert.deepEqual(select({ texts: ["x"] }, lines), [1, 3, 5]);
  assert.deepEqual(select({ texts: ["m"] }, lines), []);
});

Deno.test("text finds a line that is no record by its bytes", () => {
  const lines = ["plain text", '{"message":"text"', Uint8Array.of(0xff, ...encoder.encode("text")), "tex"];
  assert.deepEqual(select({ texts: ["text"] }, lines), [0, 1, 2]);
});

Deno.test("text is looked for in escaped messages of any length", () => {
  for (const length of [5_000, 200_000, 10]) {
    const lines = [says("\\t" + "y".repeat(length) + "needle"), says("\\t" + "y".repeat(length))];
    assert.deepEqual(select({ texts: ["needle"] }, lines), [0], String(length));
  }
});

Deno.test("matchingLines() ends when it is told to", () => {
  const seen: number[] = [];
  const block = encoder.encode(`${says("x")}\n${says("x")}\n${says("x")}\n`);
  for (const texts of [["x"], []]) {
    seen.length = 0;
    compileFilter({ ...NOTHING_ASKED, texts }).matchingLines(block, (start) => {
      seen.push(start);
      return seen.length < 2;
    });
    assert.deepEqual(seen, [0, 16]);
  }
});

Deno.test("a filter finds what parsing every line finds, under random escapes and queries", () => {
  const random = createRandomBelow(4);
  const pick = <Item>(items: readonly Item[]) => items[random(items.length)]!;
  const letters = [
    "a",
    "A",
    "b",
    "é",
    "É",
    "Ⱥ",
    "ⱥ",
    "\u212a",
    "k",
    "€",
    "😀",
    '"',
    "\\",
    "/",
    "\n",
    "\t",
    "u",
    "0",
    "\u001b",
    "\ud800",
    "\udc00",
  ];
  const word = (length: number) => Array.from({ length: random(length + 1) }, () => pick(letters)).join("");
  const short: Record<string, string> = { '"': '\\"', "\\": "\\\\", "/": "\\/", "\n": "\\n", "\t": "\\t" };
  const quote = (text: string) => {
    let quoted = '"';
    for (const character of text) {
      const plain = JSON.stringify(character).slice(1, -1);
      const units = [...Array(character.length).keys()].map((i) => character.charCodeAt(i));
      const hex = units.map((unit) => "\\u" + unit.toString(16).padStart(4, "0")).join("");
      quoted += pick([plain, plain, short[character] ?? plain, hex, hex.toUpperCase().replaceAll("U", "u")]);
    }
    return quoted + '"';
  };
  const times = ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000001Z", "2026-11-22T10:00:01Z", "never"];
  const apps = ["a", "AB", "ab", "aé", "aÉ", "b/", ""];
  const lower = (value: string) =>
    [...value].map((one) => {
      const small = one.toLowerCase();
      return one > "\x7f" && small <= "\x7f" ? one : small;
    }).join("");
  const isIn = (part: string, message: string) =>
    /\p{Uppercase}/u.test(part) ? message.includes(part) : lower(message).includes(lower(part));

  for (let round = 0; round < 400; round++) {
    const records = Array.from({ length: 40 }, () => ({
      message: word(8),
      timestamp: pick(times),
      app: pick(apps),
      level: pick(["a", "A", "b", "ERR", "error"]),
    }));
    const lines = records.map(({ message, timestamp, app, level }) =>
      `{"fly":{"app":{"name":${quote(app)}}},"log":{"level":${quote(level)}},` +
      `"message":${quote(message)},"timestamp":${random(9) === 0 ? quote(timestamp) : `"${timestamp}"`}}`
    );
    const texts = Array.from({ length: random(3) }, () => word(3).toWellFormed());
    const notTexts = Array.from({ length: random(2) }, () => word(2).toWellFormed()).filter((text) =>
      text !== ""
    );
    const glob = random(2) === 0 ? pick(["a", "A?", "*b*", "ab", "b/", "aé"]) : null;
    const notApp = random(3) === 0 ? pick(["a", "a*", "AB"]) : null;
    const level = random(3) === 0 ? pick(["a", "B", "err", "error"]) : null;
    const since = random(3) === 0 ? pick(times.slice(0, 3)) : null;
    const isGlob = (pattern: string, app: string) =>
      new RegExp(`^${lower(pattern).replace("?", ".").replaceAll("*", ".*")}$`, "u").test(lower(app));
    const named = (value: string) => lower(value) === "err" ? "error" : lower(value);
    const wanted = records.flatMap((record, i) => {
      const parsed = JSON.parse(lines[i]!);
      assert.equal(parsed.message, record.message);
      const own = parseTimestamp(record.timestamp);
      // The literals are in the order of their moments.
      const inTime = since === null || own === null ||
        times.indexOf(record.timestamp) >= times.indexOf(since);
      const right = inTime && (glob === null || isGlob(glob, parsed.fly.app.name)) &&
        (notApp === null || !isGlob(notApp, parsed.fly.app.name)) &&
        (level === null || named(parsed.log.level) === named(level)) &&
        texts.every((text) => isIn(text, parsed.message)) &&
        !notTexts.some((text) => isIn(text, parsed.message));
      return right ? [i] : [];
    });
    const asked = {
      texts,
      notTexts,
      apps: glob === null ? [] : [glob],
      levels: level === null ? [] : [level],
      except: { apps: notApp === null ? [] : [notApp] },
      since: since === null ? null : time(since),
    };
    assert.deepEqual(select(asked, lines), wanted, JSON.stringify({ asked, lines }));
  }
});

const BLOCK: BlockContent = {
  first: "2026-11-22T10:00:00.000000000Z",
  last: "2026-11-22T10:00:09.000000000Z",
  untimed: 0,
  apps: ["shop", "web"],
};

function mayMatch(asked: Partial<FilterSpec>, block: Partial<BlockContent> = {}): boolean {
  return compileFilter({ ...NOTHING_ASKED, ...asked }).mayMatchBlock({ ...BLOCK, ...block });
}

Deno.test("mayMatchBlock() is false when every line of the block is outside the span", () => {
  assert.equal(mayMatch({ since: time("2026-11-22T10:00:09Z") }), true);
  assert.equal(mayMatch({ since: time("2026-11-22T10:00:09.000000001Z") }), false);
  assert.equal(mayMatch({ until: time("2026-11-22T10:00:00.000000001Z") }), true);
  assert.equal(mayMatch({ until: time("2026-11-22T10:00:00Z") }), false);
  assert.equal(mayMatch({ since: { seconds: -1e12, nanoseconds: 0 } }), true);
  assert.equal(mayMatch({ until: { seconds: -1e12, nanoseconds: 0 } }), false);
  assert.equal(mayMatch({ since: { seconds: 1e12, nanoseconds: 0 } }), false);
  assert.equal(mayMatch({ until: { seconds: 1e12, nanoseconds: 0 } }), true);
});

Deno.test("mayMatchBlock() is true when the block has lines without a time, whatever the span", () => {
  assert.equal(mayMatch({ since: time("2027-01-01T00:00:00Z") }, { untimed: 1 }), true);
  assert.equal(mayMatch({ until: time("2025-01-01T00:00:00Z") }, { untimed: 1 }), true);
  assert.equal(mayMatch({}, { first: null, last: null, untimed: 1 }), true);
});

Deno.test("mayMatchBlock() is true when apps are only excluded: a line may have none", () => {
  assert.equal(mayMatch({ except: { apps: ["shop", "web"] } }), true);
  assert.equal(mayMatch({ apps: ["*"], except: { apps: ["shop", "web"] } }), false);
});

Deno.test("mayMatchBlock() is false when the block has none of the apps", () => {
  assert.equal(mayMatch({ apps: ["WEB"] }), true);
  assert.equal(mayMatch({ apps: ["db", "sh*"] }), true);
  assert.equal(mayMatch({ apps: ["db", "We??"] }), false);
  assert.equal(mayMatch({ apps: ["db"] }, { apps: null }), true);
  assert.equal(mayMatch({ apps: ["*"] }, { apps: [] }), false);
});

Deno.test("mayMatchBlock() is false when the block has no lines", () => {
  assert.equal(mayMatch({}, { first: null, last: null, apps: [] }), false);
});

Deno.test("compileFilter() leaves out lines without a time when it is told to", () => {
  const spec = { apps: [], regions: [], instances: [], levels: [], timedOnly: true };
  const filter = compileFilter(spec);
  const matches = (line: string) => filter.matches(new TextEncoder().encode(line), 0, line.length);
  assert.equal(filter.matchesAll, false);
  assert.equal(matches('{"message":"a","timestamp":"2026-11-22T10:00:00Z"}'), true);
  assert.equal(matches('{"message":"a","timestamp":"just now"}'), false);
  assert.equal(matches('{"message":"a"}'), false);
  assert.equal(matches('{"message":"a","message":"a"}'), false); // doubled: left to the schema
  assert.equal(matches("no record"), false);
  const block = { first: null, last: null, untimed: 3, apps: null };
  assert.equal(filter.mayMatchBlock(block), false);
});
