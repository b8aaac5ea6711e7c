import assert from "node:assert/strict";
import { type Parameter, PARAMETERS, readLineQuery } from "../../routes/query.ts";
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
    cursor: { day: 20_779, offset: 1_048_576, edition: 0 },
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

Deno.test("readLineQuery() moves an until that is a time of day to after since", () => {
  const span = (query: string) => {
    const { since, until } = read(query).filter;
    return [since, until].map((time) => new Date(time!.seconds * 1000).toISOString().slice(0, 16));
  };
  // It is noon.
  assert.deepEqual(span("since=22:00&until=02:00"), ["2026-11-21T22:00", "2026-11-22T02:00"]);
  assert.deepEqual(span("since=09:00&until=18:00"), ["2026-11-22T09:00", "2026-11-22T18:00"]);
  assert.deepEqual(span("since=11:00&until=11:00"), ["2026-11-22T11:00", "2026-11-23T11:00"]);
  assert.deepEqual(span("since=3d&until=10:00"), ["2026-11-19T12:00", "2026-11-22T10:00"]);
  assert.deepEqual(span("since=1h&until=now"), ["2026-11-22T11:00", "2026-11-22T12:00"]);
});

Deno.test("readLineQuery() takes a time of day as one of the day that is asked for", () => {
  const { since, until } =
    readLineQuery("http://h/?since=10:00&until=14:00", PARAMETERS, NOW_MS, 20_000).filter;
  assert.deepEqual([since?.seconds, until?.seconds], [20_000 * 86_400 + 36_000, 20_000 * 86_400 + 50_400]);
});

for (
  const [number, detail] of [["15", "15m, 15h or 15d"], ["-3600", "3600m"], ["0", "0m"], [
    "999999999",
    "ten digits",
  ]]
) {
  Deno.test(`readLineQuery() says what to write instead of the bare number ${number}`, async () => {
    const problem = await problemOf(`since=${number}`);
    assert.match(problem.detail, /^since must have a unit: /);
    assert.ok(problem.detail.includes(detail!), problem.detail);
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
  ["since=0", "since"],
  ["until=999999999", "until"],
  ["since=09:00&until=08:00:60", "until"],
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

Deno.test("readLineQuery() refuses what is percent-encoded and no UTF-8, and takes a % for itself", async () => {
  const problem = await problemOf("q=caf%E9");
  assert.equal(problem.detail, '"%E9" is no UTF-8: encode other characters as UTF-8');
  assert.deepEqual(read("q=caf%C3%A9%21").filter.texts, ["café!"]);
  assert.deepEqual(read("q=100%").filter.texts, ["100%"]);
});

Deno.test("readLineQuery() says which parameters there are when one is not known here", async () => {
  const problem = await problemOf("cursor=2026-11-22:0", ["since", "until"]);
  assert.equal(problem.detail, '"cursor" is not a parameter here; known are since, until');
});

Deno.test("readLineQuery() shows no control characters of what it was sent", async () => {
  for (const query of ["%1b[31mx=1", "since=%1b%9b%7f%c2%9b", "q%e2%80%ae=1"]) {
    assert.match(JSON.stringify(await problemOf(query)), /^[\x20-\x7e]*$/);
  }
});
