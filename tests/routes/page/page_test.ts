import assert from "node:assert/strict";
import type { Gap } from "../../../lib/gaps/gap.ts";
import type { LineChunk, LineRequest } from "../../../lib/archive/read/line_chunk.ts";
import { NoRoom } from "../../../lib/machine/memory_budget.ts";
import { parseDayName } from "../../../lib/day.ts";
import type { Parts } from "../../../routes/parts.ts";
import { anyHold, createParts, ListedDays, listedGaps, serve } from "../rig.ts";

/** What Chromium sends when somebody types an address. */
const BROWSER = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
};

/** The page at `path`, as text, of parts that hold what a test gives. */
async function askPage(path: string, given: Partial<Parts> = {}, init: RequestInit = {}) {
  await using api = serve(createParts(given));
  const answer = await api.ask(path, { headers: BROWSER, redirect: "manual", ...init });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** A reader of the archive that finds lines at their offsets, and what it was asked for. */
function readerOf(...found: [offset: number, line: string][]): {
  lines: Parts["lines"];
  requests: LineRequest[];
} {
  const requests: LineRequest[] = [];
  const day = parseDayName("2026-11-21")!;
  const at = (offset: number) => ({ day, offset, edition: 0 });
  const placed = found.map(([offset, line]) => {
    const bytes = new TextEncoder().encode(`${line}\n`);
    return { start: at(offset), end: at(offset + bytes.length), bytes };
  });
  const bytes = new TextEncoder().encode(found.map(([, line]) => `${line}\n`).join(""));
  const [start, end] = [at(0), at(99)];
  const chunk: LineChunk = { bytes, lines: found.length, start, end, placed };
  const lines: Parts["lines"] = {
    reserve: () => Promise.resolve(anyHold()),
    tryKeep: anyHold,
    async *read(request) {
      requests.push(request);
      yield chunk;
    },
    async *appLists() {},
    readTail(request) {
      requests.push(request);
      return Promise.resolve({ start, chunks: [chunk], [Symbol.dispose]: () => {} });
    },
    lineStart: (place) => Promise.resolve(place),
    timeBefore: () => Promise.resolve(null),
    translate: (place) => Promise.resolve(place),
    isBetweenLines: () => Promise.resolve(true),
  };
  return { lines, requests };
}

const ONE_DAY = { archive: new ListedDays({ "2026-11-21": { text: "{}\n".repeat(10) } }) };

Deno.test("GET / is a page for who names HTML, and text for everyone else", async () => {
  await using api = serve(createParts());
  for (
    const [accept, type] of [
      [BROWSER.Accept, "text/html; charset=utf-8"],
      ["TEXT/HTML", "text/html; charset=utf-8"],
      ["*/*", "text/plain; charset=UTF-8"],
      ["text/plain", "text/plain; charset=UTF-8"],
      ["text/html;q=0, */*", "text/plain; charset=UTF-8"],
    ] as const
  ) {
    const answer = await api.ask("/", { headers: { Accept: accept } });
    await answer.body?.cancel();
    assert.equal(answer.headers.get("Content-Type"), type, accept);
  }
});

for (const path of ["/", "/search", "/tail", "/search?since=teatime", "/?around=2026-11-21:0"]) {
  Deno.test(`GET ${path} as a page lets nothing in but what is this host's own`, async () => {
    const { headers, text } = await askPage(path, ONE_DAY);
    assert.equal(
      headers.get("Content-Security-Policy"),
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
        "trusted-types 'none'",
    );
    assert.equal(headers.get("X-Content-Type-Options"), "nosniff");
    assert.equal(headers.get("Referrer-Policy"), "no-referrer");
    assert.equal(headers.get("Cache-Control"), "no-store");
    assert.equal(headers.get("Set-Cookie"), null);
    assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=|<script(?! type="module" src="\/assets\/)/);
    assert.doesNotMatch(text, /(href|src|action)="(?!\/|#)/);
  });
}

Deno.test("GET / as a page shows each day's size, downloads and gaps", async () => {
  const archive = new ListedDays({
    "2026-11-22": { text: "{}\n", sealed: false },
    "2026-11-21": { text: "{}\n".repeat(1234), gzBytes: 200 },
  });
  const gaps = listedGaps([{
    id: 1,
    sinceMs: Date.parse("2026-11-21T06:00:00Z"),
    untilMs: Date.parse("2026-11-21T07:30:00Z"),
    cause: "stall",
    state: "lost",
    healing: null,
  }]);
  const { text } = await askPage("/", { archive, gaps });
  const [today, yesterday] = text.split("<tr>").slice(2) as [string, string];
  assert.match(yesterday, /1,234/);
  assert.match(yesterday, /3\.62 KiB/);
  assert.match(yesterday, /200 B/);
  for (const ending of ["jsonl", "jsonl.gz", "log"]) {
    assert.ok(yesterday.includes(`href="/logs/2026-11-21.${ending}"`));
  }
  // A unit is a minute, and it is noon.
  assert.match(yesterday, /class="gap lost" x="360" width="90"/);
  assert.match(yesterday, /class="covered" width="1440"/);
  assert.match(yesterday, /1 h 30 m in 1 gap/);
  assert.match(today, /class="covered" width="720"/);
  assert.match(today, /not sealed/);
  assert.doesNotMatch(today, /class="gap/);
});

Deno.test("GET / as a page says that a day is complete whose gaps are healed, and by whom, where it is hovered or unfolded", async () => {
  const archive = new ListedDays({ "2026-11-21": { text: "{}\n" } });
  const gaps = listedGaps([{
    id: 1,
    sinceMs: Date.parse("2026-11-21T06:00:00Z"),
    untilMs: Date.parse("2026-11-21T07:30:00Z"),
    cause: "stall",
    state: "healed",
    healing: {
      sources: [{ name: "http://<b>", lines: 1200 }],
      atMs: Date.parse("2026-11-21T08:00:00Z"),
      doneUntilMs: null,
      reason: null,
    },
  }]);
  const { text } = await askPage("/", { archive, gaps });
  const row = text.slice(text.indexOf(">2026-11-21<"));
  const words = "Gap healed: 1 h 30 m from 2026-11-21 06:00:00 (stall), 1,200 lines from http://&lt;b&gt;, " +
    "at 2026-11-21 08:00:00";
  assert.match(row, /class="gap healed" x="360" width="90"[^>]*>\s*<title>/);
  assert.equal(row.split(words).length - 1, 3, "on the bar, on the words, and unfolded");
  assert.match(row, /<summary title="[^"]*">complete, 1 gap healed<\/summary>/);
  assert.match(row, /aria-label="Missing: nothing"/);
  assert.doesNotMatch(row, /href="\/gaps/);
});

Deno.test("GET / as a page unfolds at most twenty healed gaps of a day, and leads to all of them", async () => {
  const archive = new ListedDays({ "2026-11-21": { text: "{}\n" } });
  const startMs = Date.parse("2026-11-21T06:00:00Z");
  const gaps = listedGaps(Array.from({ length: 21 }, (_, number) => (
    {
      ...{ id: number + 1, sinceMs: startMs + number * 1000, untilMs: startMs + number * 1000 + 1 },
      ...{ cause: "stall", state: "healed", healing: null } as const,
    }
  )));
  const { text } = await askPage("/", { archive, gaps });
  const list = /<details class="healed">[^]*?<\/details>/.exec(text)![0];
  assert.equal(list.split("<li>Gap healed").length - 1, 20);
  assert.match(
    list,
    /href="\/gaps\?since=2026-11-21&amp;until=2026-11-22"|href="\/gaps\?since=2026-11-21&until=2026-11-22"/,
  );
});

Deno.test("GET / as a page says how far the days before the first start were looked through, until they are healed", async () => {
  const archive = new ListedDays({ "2026-11-21": { text: "{}\n" }, "2026-11-15": { text: "{}\n" } });
  const before: Gap = {
    id: 2,
    sinceMs: Date.parse("2026-11-14T12:00:00Z"),
    untilMs: Date.parse("2026-11-21T12:00:00Z"),
    cause: "before",
    state: "partial",
    healing: {
      sources: [{ name: "fly", lines: 5000 }],
      atMs: Date.parse("2026-11-21T12:10:00Z"),
      doneUntilMs: Date.parse("2026-11-15T12:00:00Z"),
      reason: null,
    },
  };
  const { text } = await askPage("/", { archive, gaps: listedGaps([before]) });
  assert.match(text, /<progress max="100" value="14"><\/progress>/);
  assert.match(text, /before, partial, 5,000 lines from fly, looked through up to 2026-11-15 12:00:00\./);
  const first = text.slice(text.indexOf(">2026-11-15<"));
  assert.match(first, /class="gap before" x="0" width="1440"/);
  assert.match(first, /class="gap done" x="0" width="720"/, "half of this day");
  for (
    const gap of [{ ...before, state: "healed" }, { ...before, healing: null }] as Gap[]
  ) {
    const { text } = await askPage("/", { archive, gaps: listedGaps([gap]) });
    assert.doesNotMatch(text, /<progress|gap done/);
  }
  const whole = { ...before, healing: { ...before.healing!, doneUntilMs: before.untilMs } };
  assert.doesNotMatch((await askPage("/", { archive, gaps: listedGaps([whole]) })).text, /<progress/);
  const done = { ...whole, sinceMs: before.sinceMs - 5000, untilMs: before.sinceMs };
  const parts = listedGaps([{ ...done, healing: { ...whole.healing, doneUntilMs: done.untilMs } }, before]);
  assert.match(
    (await askPage("/", { archive, gaps: parts })).text,
    /value="14"/,
    "of the part that is not done",
  );
});

Deno.test("GET /search as a page has a healed gap as a row that does not call for attention", async () => {
  const archive = new ListedDays({
    "2026-11-21": { text: '{"timestamp":"2026-11-21T08:00:00Z","message":"x"}\n' },
  });
  const gaps = listedGaps([{
    ...{ id: 1, sinceMs: Date.parse("2026-11-21T06:00:00Z"), untilMs: Date.parse("2026-11-21T06:00:14Z") },
    ...{ cause: "stall", state: "healed", healing: null } as const,
  }]);
  const { text } = await askPage("/search", { archive, gaps });
  assert.match(text, /<li class="mark gap healed">Gap healed: 14 s from 2026-11-21 06:00:00 \(stall\)<\/li>/);
  assert.match(
    text,
    /Complete: nothing is known to be missing[^;]*; <a href="\/gaps\?">1 gap of it was healed<\/a>\./,
  );
});

Deno.test("GET / as a page leaves out no day between others", async () => {
  const days = { "2026-11-22": { text: "{}\n" }, "2026-11-19": { text: "{}\n" } };
  const { text } = await askPage("/", { archive: new ListedDays(days, ["2026-11-20"]) });
  assert.deepEqual(text.match(/>2026-11-\d\d<|no lines|removed by retention/g), [
    ">2026-11-22<",
    ">2026-11-21<",
    "no lines",
    ">2026-11-20<",
    "removed by retention",
    ">2026-11-19<",
  ]);
});

Deno.test("GET / as a page says why nothing is recorded", async () => {
  const recorder: Parts["recorder"] = {
    ...createParts().recorder,
    readiness: () => ({ ready: false, reasons: ["The server refuses <the> token"] }),
  };
  assert.match(
    (await askPage("/", { recorder })).text,
    /role="alert"[^]*The server refuses &lt;the&gt; token/,
  );
});

Deno.test("GET / as a page takes no parameter that it does not know", async () => {
  assert.equal((await askPage("/?page=2")).status, 400);
});

Deno.test("GET /search as a page drops the fields that a form leaves empty", async () => {
  const { status, headers } = await askPage("/search?q=&app=web&since=&tail=50&level=error");
  assert.equal(status, 303);
  assert.equal(headers.get("Location"), "/search?app=web&tail=50&level=error");
});

Deno.test("GET /search as a page shows lists, ! and several texts in the form as they were asked for", async () => {
  const { lines } = readerOf();
  const asked = "/search?q=one&q=two&not=three&app=web,!api-test&level=Err,warning&level=!debug";
  const { text } = await askPage(asked, { ...ONE_DAY, lines });
  for (const value of ["one", "two"]) {
    assert.match(text, new RegExp(`name="q" type="search" value="${value}"`));
  }
  assert.match(text, /name="not" value="three"/);
  assert.match(text, /name="app" value="web,!api-test"/);
  const checked = [...text.matchAll(/value="([^"]*)" checked/g)].map(([, level]) => level);
  assert.deepEqual(checked, ["error", "warn", "!debug"]);
});

Deno.test("GET /search as a page redirects to nothing but itself", async () => {
  const { headers } = await askPage("/search?q=%0d%0aSet-Cookie:%20a=b&app=&region=//evil.example");
  assert.equal(headers.get("Location"), "/search?q=%0D%0ASet-Cookie%3A+a%3Db&region=%2F%2Fevil.example");
});

Deno.test("GET /search as a page shows lines, each with its place", async () => {
  const { lines, requests } = readerOf([98, '{"message":"one <b>"}'], [282, '{"message":"two"}']);
  const { status, text } = await askPage("/search?app=web&tail=2", { ...ONE_DAY, lines });
  assert.equal(status, 200);
  assert.deepEqual(text.match(/id="2026-[^"]*"/g), ['id="2026-11-21:98"', 'id="2026-11-21:282"']);
  assert.ok(text.includes('href="/?around=2026-11-21:98#2026-11-21:98"'));
  assert.ok(text.includes("one &lt;b&gt;</span>"));
  assert.deepEqual([requests[0]!.limit, requests[0]!.filter.apps], [2, ["web"]]);
  assert.match(text, /Complete/);
  assert.match(text, /curl &#39;http:\/\/127\.0\.0\.1:\d+\/search\?app=web&amp;tail=2&amp;format=text&#39;/);
});

Deno.test("GET /search as a page leads to the next lines when there is a limit", async () => {
  const { lines } = readerOf([0, '{"message":"one"}']);
  const { text } = await askPage("/search?limit=1&since=2h&q=o", { ...ONE_DAY, lines });
  const next = "limit=1&amp;since=2026-11-22T10%3A00%3A00.000000000Z&amp;q=o&amp;cursor=2026-11-21%3A99";
  assert.ok(text.includes(`href="/search?${next}" rel="next"`));
});

Deno.test("GET /search as a page shows no more than a thousand lines", async () => {
  const { lines, requests } = readerOf();
  const { text } = await askPage("/search?tail=100000", { ...ONE_DAY, lines });
  assert.equal(requests[0]!.limit, 1000);
  assert.match(text, /No more than 1000 lines/);
});

Deno.test("GET /search as a page says what is wrong, and keeps what was typed", async () => {
  const { status, text } = await askPage('/search?since=teatime&q="><script>');
  assert.equal(status, 400);
  assert.match(text, /since must be a time such as 10:00/);
  assert.match(text, /name="since"\s+value="teatime"/);
  assert.match(text, /value="&quot;&gt;&lt;script&gt;"/);
  assert.equal((await askPage("/search?ap=web")).status, 400);
});

for (const path of ["/search", "/?around=2026-11-21:0"]) {
  Deno.test(`GET ${path} as a page says when too many are reading`, async () => {
    const lines: Parts["lines"] = {
      ...readerOf().lines,
      reserve() {
        throw new NoRoom("Cannot read for one more");
      },
    };
    const { status, headers } = await askPage(path, { ...ONE_DAY, lines });
    assert.deepEqual([status, headers.get("Retry-After")], [503, "5"]);
  });
}

Deno.test("GET /search and /tail in a browser are no page when a format is named", async () => {
  const { headers } = await askPage("/search?format=text", ONE_DAY);
  assert.equal(headers.get("Content-Type"), "text/plain; charset=utf-8");
});

Deno.test("GET /tail as a page leaves out the end of the form's span", async () => {
  const { status, headers } = await askPage("/tail?q=a&until=2h&app=");
  assert.deepEqual([status, headers.get("Location")], [303, "/tail?q=a"]);
});

Deno.test("GET /tail as a page refuses what the tail itself would refuse", async () => {
  const { status, text } = await askPage("/tail?tail=-1");
  assert.equal(status, 400);
  assert.match(text, /tail must be a whole number/);
});

Deno.test("Pages and their files are for those with a token only", async () => {
  const config = { apiTokens: ["Sesame-1"], onFly: true };
  for (const path of ["/", "/search", "/tail", "/assets/page.css", "/assets/tail.js"]) {
    const refused = await askPage(path, { config });
    assert.equal(refused.status, 401, path);
    assert.match(refused.headers.get("WWW-Authenticate")!, /Basic realm="flightlog"/);
    const headers = { ...BROWSER, Authorization: `Basic ${btoa("me:Sesame-1")}` };
    assert.equal((await askPage(path, { config }, { headers })).status, 200, path);
  }
});

Deno.test("HEAD finds every page", async () => {
  for (const path of ["/", "/search", "/tail", "/assets/page.css"]) {
    const { status, text } = await askPage(path, ONE_DAY, { method: "HEAD", headers: BROWSER });
    assert.deepEqual([status, text], [200, ""], path);
  }
});

Deno.test("POST is answered with 405 where there is a page", async () => {
  for (const path of ["/", "/search", "/tail", "/assets/page.css"]) {
    const { status, headers } = await askPage(path, ONE_DAY, { method: "POST", headers: BROWSER });
    assert.deepEqual([status, headers.get("Allow")], [405, "GET, HEAD"], path);
  }
});

Deno.test("GET /assets/… gives each file with its type, and nothing when it is known", async () => {
  for (
    const [name, type] of [
      ["page.css", "text/css; charset=utf-8"],
      ["icon.svg", "image/svg+xml"],
      ["tail.js", "text/javascript; charset=utf-8"],
      ["line.js", "text/javascript; charset=utf-8"],
      ["ansi.js", "text/javascript; charset=utf-8"],
    ] as const
  ) {
    const { status, headers, text } = await askPage(`/assets/${name}`);
    assert.deepEqual([status, headers.get("Content-Type")], [200, type]);
    assert.ok(text.length > 100);
    const again = await askPage(`/assets/${name}`, {}, {
      headers: { "If-None-Match": headers.get("ETag")! },
    });
    assert.deepEqual([again.status, again.text], [304, ""]);
  }
  assert.equal((await askPage("/assets/page.ts")).status, 404);
});

Deno.test("The pages of the days and of a search say how many lines wait for the disk", async () => {
  const given = { archive: new ListedDays({ "2026-11-22": { text: "{}\n", sealed: false, held: 5700 } }) };
  assert.match((await askPage("/", given)).text, /\+ 5,700 wait for the disk/);
  const span = "/search?since=2026-11-22T00:00:00Z";
  const { text } = await askPage(span, { ...given, ...readerOf() });
  assert.match(text, /Partial: 5,700 lines wait for the disk and cannot be found yet\./);
  assert.doesNotMatch(text, /Complete/);
});
