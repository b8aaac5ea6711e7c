import assert from "node:assert/strict";
import { type Parameter, PARAMETERS, readLineQuery, readTime } from "../../routes/query.ts";
import { Problem } from "../../routes/problem.ts";
import { NOW_MS } from "./rig.ts";

function read(query: string, allowed: readonly Parameter[] = PARAMETERS) {
  return readLineQuery(`http://localhost/search?${query}`, allowed, NOW_MS);
}

async function problemOf(
  query: string,
  allowed: readonly Parameter[] = PARAMETERS,
): Promise<{ param: string; detail: string }> {
  try {
    read(query, allowed);
  } catch (error) {
    assert.ok(error instanceof Problem);
    assert.equal(error.status, 400);
    return await error.toResponse().json();
  }
  return assert.fail(`${query} was taken`);
}

const NO_VALUES = { apps: [], regions: [], instances: [], levels: [] };

Deno.test("readLineQuery() asks for everything when nothing is given", () => {
  assert.deepEqual(read(""), {
    filter: { since: null, until: null, ...NO_VALUES, except: NO_VALUES, texts: [], notTexts: [] },
    tail: null,
    limit: null,
    cursor: null,
    format: null,
    color: false,
  });
});

Deno.test("readLineQuery() reads every parameter", () => {
  const query =
    "since=2026-11-20&until=1h&app=web&app=api-*&region=fra&instance=0e28&machine=1f39&level=error" +
    "&q=a%20b%26c&q=d,e&not=!f&limit=10&cursor=2026-11-22:1048576&format=text&color=1";
  assert.deepEqual(read(query), {
    filter: {
      since: { seconds: 1_795_132_800, nanoseconds: 0 },
      until: { seconds: 1_795_345_200, nanoseconds: 0 },
      apps: ["web", "api-*"],
      regions: ["fra"],
      instances: ["0e28", "1f39"],
      levels: ["error"],
      except: NO_VALUES,
      texts: ["a b&c", "d,e"],
      notTexts: ["!f"],
    },
    tail: null,
    limit: 10,
    cursor: { day: 20_779, offset: 1_048_576 },
    format: "text",
    color: true,
  });
});

Deno.test("readLineQuery() takes lists with commas and ! for what is left out, repeated or not", () => {
  const { filter } = read(
    "app=web,%20api-*&app=!api-test&region=!fra,!ams&machine=!0e28,1f39&instance=2a&level=Err,!debug",
  );
  assert.deepEqual(filter, {
    since: null,
    until: null,
    apps: ["web", "api-*"],
    regions: [],
    instances: ["2a", "1f39"],
    levels: ["Err"],
    except: { apps: ["api-test"], regions: ["fra", "ams"], instances: ["0e28"], levels: ["debug"] },
    texts: [],
    notTexts: [],
  });
});

const TIMES: [text: string, seconds: number, nanoseconds: number][] = [
  ["2026-11-22T10:00:00Z", 1_795_341_600, 0],
  ["2026-11-22T10:00:00.123456789Z", 1_795_341_600, 123_456_789],
  ["2026-11-22T12:00:00+02:00", 1_795_341_600, 0],
  ["2026-11-22T12:00:00 02:00", 1_795_341_600, 0],
  ["2026-11-22", 1_795_305_600, 0],
  ["today", 1_795_305_600, 0],
  ["yesterday", 1_795_219_200, 0],
  ["1795341600", 1_795_341_600, 0],
  ["1795341600.5", 1_795_341_600, 500_000_000],
  ["15m", 1_795_347_900, 0],
  ["2h", 1_795_341_600, 0],
  ["500ms", 1_795_348_799, 500_000_000],
];

for (const [text, seconds, nanoseconds] of TIMES) {
  Deno.test(`readTime() reads ${text}`, () => {
    assert.deepEqual(readTime(text, NOW_MS), { seconds, nanoseconds });
  });
}

for (
  const text of [
    "",
    "x",
    "2026-02-30",
    "2026-11-22T25:00:00Z",
    "2026-11-22T10:00:00",
    "-5",
    "1e3",
    "1795341600000",
    "99999999999d",
    "9999999d",
    "1h30m",
    "tomorrow",
  ]
) {
  Deno.test(`readTime() gives null for ${JSON.stringify(text)}`, () => {
    assert.equal(readTime(text, NOW_MS), null);
  });
}

const WRONG: [query: string, param: string][] = [
  ["sinc=1h", "sinc"],
  ["Since=1h", "Since"],
  ["=1", ""],
  ["since=1h&since=2h", "since"],
  ["q=a&q=", "q"],
  ["not=", "not"],
  ["app=web,", "app"],
  ["app=,", "app"],
  ["app=%20", "app"],
  ["region=!", "region"],
  ["level=error,!%20", "level"],
  [`machine=${Array.from({ length: 65 }, () => "a").join(",")}`, "machine"],
  ["q=", "q"],
  ["app=", "app"],
  ["since=", "since"],
  ["since=soon", "since"],
  ["until=2026-02-30", "until"],
  ["since=2026-11-22&until=2026-11-22", "until"],
  ["since=1h&until=2h", "until"],
  ["tail=0", "tail"],
  ["tail=-1", "tail"],
  ["tail=1e3", "tail"],
  ["tail=100001", "tail"],
  ["limit=1.5", "limit"],
  ["limit=9999999999", "limit"],
  ["limit=1&tail=1", "limit"],
  ["cursor=2026-11-22", "cursor"],
  ["cursor=2026-02-30:0", "cursor"],
  ["cursor=2026-11-22:-1", "cursor"],
  ["cursor=2026-11-22:01", "cursor"],
  ["cursor=2026-11-22:9999999999999999", "cursor"],
  ["format=xml", "format"],
  ["color=yes", "color"],
  [`q=${"x".repeat(1025)}`, "q"],
  [Array.from({ length: 65 }, () => "app=a").join("&"), "app"],
  ["__proto__=1", "__proto__"],
];

for (const [query, param] of WRONG) {
  Deno.test(`readLineQuery() names ${param || "the empty name"} when asked for ${query.slice(0, 40)}`, async () => {
    const problem = await problemOf(query);
    assert.equal(problem.param, param);
    assert.ok(problem.detail.length < 400);
  });
}

Deno.test("readLineQuery() says which parameters there are when one is not known here", async () => {
  const problem = await problemOf("cursor=2026-11-22:0", ["since", "until"]);
  assert.equal(problem.detail, '"cursor" is not a parameter here; known are since, until');
});

Deno.test("readLineQuery() shows no control characters of what it was sent", async () => {
  for (const query of ["%1b[31mx=1", "since=%1b%9b%7f%c2%9b", "q%e2%80%ae=1"]) {
    assert.match(JSON.stringify(await problemOf(query)), /^[\x20-\x7e]*$/);
  }
});
