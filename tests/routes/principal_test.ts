import assert from "node:assert/strict";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { Followers } from "../../lib/follow/followers.ts";
import { systemClock } from "../../lib/clock.ts";
import type { FilterSpec } from "../../lib/filter/filter.ts";
import { silentLogger } from "../../lib/logger.ts";
import type { Parts } from "../../routes/parts.ts";
import { Problem } from "../../routes/problem.ts";
import { DAY, openArchive, type TestArchive, TestDirectory } from "../archive/archive_rig.ts";
import { within } from "../rig/wait.ts";
import type { Gap, GapState } from "../../lib/gaps/gap.ts";
import { createParts, listedGaps, readProblem, serve, type ServedApi } from "./rig.ts";

const ALL: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };

/** What a line of `app` in the archive of {@linkcode openTwoApps} is. */
function lineOf(app: string, number: number): string {
  const fly = { app: { name: app, instance: `${app}-machine` }, region: `${app}-region` };
  const log = { level: `${app}-level` };
  return JSON.stringify({ message: `line ${number}`, fly, log, timestamp: "2026-11-22T11:00:00Z" });
}

function recordLine({ archive }: TestArchive, app: string, number: number): void {
  archive.append(DAY, new TextEncoder().encode(lineOf(app, number)), false, null);
}

/** Lines 0 to 9, the even ones of web, the odd ones of secret. */
async function openTwoApps(directory: TestDirectory): Promise<TestArchive> {
  const test = await openArchive(directory);
  for (let number = 0; number < 10; number++) recordLine(test, number % 2 === 0 ? "web" : "secret", number);
  await test.archive.sync();
  return test;
}

/** Answers everybody as if they might see no more than `scope`. */
function serveWithin(
  scope: FilterSpec,
  { archive, clock }: TestArchive,
  given: Partial<Parts> = {},
): ServedApi {
  const identify = () => ({ scope });
  return serve(createParts({ archive, lines: archive.lines, clock, identify, ...given }));
}

const WEB: FilterSpec = { ...ALL, apps: ["w*"] };
const WEB_LINES = [0, 2, 4, 6, 8].map((number) => `${lineOf("web", number)}\n`).join("");
const HTML = { headers: { Accept: "text/html" } };

for (
  const [path, expected] of [
    ["/search", WEB_LINES],
    ["/search?limit=100", WEB_LINES],
    ["/search?tail=2", [6, 8].map((number) => `${lineOf("web", number)}\n`).join("")],
    ["/search?app=secret,web", WEB_LINES],
    ["/search?app=secret", ""],
    ["/search?app=!web", ""],
    ["/search?q=line", WEB_LINES],
    ["/search?region=secret-region", ""],
    ["/search?cursor=2026-11-22:0", WEB_LINES],
    ["/logs/2026-11-22?app=*", WEB_LINES],
    ["/logs/2026-11-22.jsonl?since=2026-11-22", WEB_LINES],
    ["/logs/today?format=jsonl", WEB_LINES],
    ["/logs/today.jsonl?app=secret", ""],
  ]
) {
  Deno.test(`GET ${path} has the lines only that whoever asks may see`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test);
    const answer = await api.ask(path!);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), expected);
  });
}

for (const path of ["/search?format=text", "/logs/today.log?tail=100", "/search?format=text&color=1"]) {
  Deno.test(`GET ${path} has as text the lines only that whoever asks may see`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test);
    const text = await (await api.ask(path)).text();
    assert.deepEqual([...text.matchAll(/line (\d)/g)].map(([, number]) => number), ["0", "2", "4", "6", "8"]);
    assert.ok(!text.includes("secret"), text);
  });
}

Deno.test("GET /search goes on from page to page within the scope", async () => {
  using directory = new TestDirectory();
  await using test = await openTwoApps(directory);
  await using api = serveWithin(WEB, test);
  let text = "";
  for (let path: string | undefined = "/search?limit=2"; path !== undefined;) {
    const answer = await api.ask(path);
    text += await answer.text();
    path = /<(.*)>/.exec(answer.headers.get("Link") ?? "")?.[1];
  }
  assert.equal(text, WEB_LINES);
});

for (const [what, headers] of [["lines", {}], ["events", { Accept: "text/event-stream" }]] as const) {
  Deno.test(`GET /tail has as ${what} the past and the new lines only that whoever asks may see`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    const { archive } = test;
    const gaps = GapLedger.open(directory.path, { clock: test.clock, logger: silentLogger });
    const followers = new Followers({ archive, gaps, clock: systemClock, logger: silentLogger });
    await using api = serveWithin(WEB, test, { followers });
    // Before the server shuts down, which waits for its answers.
    await using _closing = {
      async [Symbol.asyncDispose]() {
        await followers.close();
        await gaps.close();
      },
    };
    const answer = await api.ask("/tail?tail=100", { headers });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const readUntil = async (part: string) => {
      while (!text.includes(part)) {
        const { done, value } = await within(reader.read(), part);
        assert.ok(!done);
        text += value;
      }
    };
    await readUntil("line 8");
    recordLine(test, "secret", 10);
    recordLine(test, "web", 11);
    await readUntil("line 11");
    const numbers = [...text.matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
    assert.deepEqual(numbers, [0, 2, 4, 6, 8, 11]);
    assert.ok(!text.includes("secret"), text);
    await reader.cancel();
  });
}

for (
  const [path, names] of [
    ["/search?app=secret&limit=9", 'no app "secret" in this span; there is web'],
    ["/search?app=other&limit=9", 'no app "other" in this span; there is web'],
    [
      "/search?machine=secret-machine&limit=9",
      'no machine "secret-machine" in this span; there is web-machine',
    ],
    ["/search?region=secret-region&limit=9", 'no region "secret-region" in this span; there is web-region'],
    ["/search?level=secret-level&limit=9", 'no level "secret-level" in this span; there is web-level'],
  ]
) {
  Deno.test(`GET ${path} hints at nothing that whoever asks may not see`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test);
    const answer = await api.ask(path!);
    assert.equal(await answer.text(), "");
    assert.equal(answer.headers.get("Log-Hint"), names);
  });
}

for (
  const path of ["/search", "/search?app=secret", "/search?tail=3", "/search?limit=3", "/tail?app=secret"]
) {
  Deno.test(`The page at ${path} has nothing that whoever asks may not see`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test);
    const page = await (await api.ask(path, HTML)).text();
    const numbers = [...page.matchAll(/>line (\d)</g)].map(([, number]) => number);
    const expected: Record<string, string[]> = {
      "/search": ["0", "2", "4", "6", "8"],
      "/search?tail=3": ["4", "6", "8"],
      "/search?limit=3": ["0", "2", "4"],
    };
    assert.deepEqual(numbers, expected[path] ?? []);
    assert.doesNotMatch(page, /secret-(machine|region|level)/);
    if (path.includes("app=secret")) assert.match(page, /no app &quot;secret&quot; .*; there is web[ .]/);
  });
}

Deno.test("The page around a line has no other line than those that whoever asks may see", async () => {
  using directory = new TestDirectory();
  await using test = await openTwoApps(directory);
  await using api = serveWithin(WEB, test);
  const offsetOf = (wanted: number) => {
    let offset = 0;
    for (let number = 0; number < wanted; number++) {
      offset += lineOf(number % 2 === 0 ? "web" : "secret", number).length + 1;
    }
    return offset;
  };
  const page = await (await api.ask(`/?around=2026-11-22:${offsetOf(4)}`, HTML)).text();
  assert.deepEqual([...page.matchAll(/>line (\d)</g)].map(([, number]) => number), ["0", "2", "4", "6", "8"]);
  assert.ok(!page.includes("secret"), page);
  const answer = await api.ask(`/?around=2026-11-22:${offsetOf(5)}`, HTML);
  assert.equal(answer.status, 404);
  assert.doesNotMatch(await answer.text(), /secret|line 5/);
});

for (
  const path of [
    "/",
    "/logs",
    "/logs/",
    "/logs/2026-11-22",
    "/logs/2026-11-22/",
    "/logs/2026-11-22?",
    "/logs/today",
    "/logs/2026-11-22.jsonl",
    "/logs/2026-11-22.jsonl.gz",
    "/logs/2026-11-22.log",
    "/logs/2026-11-22/digest",
    "/logs/2026-11-22/digest?app=web",
    "/status",
    "/what-comes-next",
  ]
) {
  Deno.test(`GET ${path} answers 403 to whoever may not see the whole archive, and so does HEAD`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test);
    for (const headers of [{}, HTML.headers]) {
      const answer = await api.ask(path, { headers });
      assert.equal(answer.status, 403);
      assert.equal((await readProblem(answer)).type, "urn:flightlog:problem:out-of-scope");
      assert.equal((await api.ask(path, { method: "HEAD", headers })).status, 403);
    }
  });
}

Deno.test("GET /logs/{day}.jsonl.gz with parameters is refused as it is to everybody", async () => {
  using directory = new TestDirectory();
  await using test = await openTwoApps(directory);
  await using api = serveWithin(WEB, test);
  const answer = await api.ask("/logs/2026-11-22.jsonl.gz?app=web");
  assert.equal(answer.status, 400);
  await readProblem(answer);
});

for (const path of ["/gaps", "/ready", "/health", "/assets/page.css"]) {
  Deno.test(`GET ${path} answers whatever the scope is, since it has no line`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test);
    const answer = await api.ask(path);
    assert.equal(answer.status, 200);
    assert.ok(!(await answer.text()).includes("secret"));
  });
}

/** A gap, healed or in part, of which 4711 lines of everybody came back. */
function healedGap(state: GapState): Gap {
  const sinceMs = Date.parse("2026-11-22T10:59:00Z");
  return {
    ...{ id: 1, sinceMs, untilMs: sinceMs + 5000, cause: "stop", state },
    healing: {
      sources: [{ name: "fly", lines: 4711 }],
      atMs: sinceMs + 60_000,
      doneUntilMs: null,
      reason: "4711 lines came",
    },
  };
}

for (
  const [path, shown] of [
    ["/gaps", '"state":"partial","healed":null,"reason":null}'],
    ["/search?format=text", "(5 s): stop, partly healed ---"],
    ["/logs/2026-11-22.log?app=web", "(5 s): stop, partly healed ---"],
  ]
) {
  Deno.test(`GET ${path} says that a gap is healed, and not how many lines of others came back`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test, { gaps: listedGaps([healedGap("partial")]) });
    const text = await (await api.ask(path!)).text();
    assert.ok(text.includes(shown!), text);
    assert.ok(!text.includes("4711"), text);
    await using whole = serve(
      createParts({ ...test, lines: test.archive.lines, gaps: listedGaps([healedGap("partial")]) }),
    );
    assert.match(await (await whole.ask(path!)).text(), /4,?711/);
  });
}

for (const path of ["/search", "/?around=2026-11-22:0"]) {
  Deno.test(`The page at ${path} says that a gap is healed, and not how many lines of others came back`, async () => {
    using directory = new TestDirectory();
    await using test = await openTwoApps(directory);
    await using api = serveWithin(WEB, test, { gaps: listedGaps([healedGap("healed")]) });
    const page = await (await api.ask(path, HTML)).text();
    assert.match(page, /Gap healed: 5 s from 2026-11-22 10:59:00 \(stop\)</);
    assert.doesNotMatch(page, /4,?711/);
  });
}

Deno.test("GET /tail as events says that a gap is healed, and not how many lines of others came back", async () => {
  using directory = new TestDirectory();
  await using test = await openTwoApps(directory);
  const gaps = GapLedger.open(directory.path, { clock: test.clock, logger: silentLogger });
  const followers = new Followers({ archive: test.archive, gaps, clock: systemClock, logger: silentLogger });
  await using api = serveWithin(WEB, test, { followers, gaps });
  await using _closing = {
    async [Symbol.asyncDispose]() {
      await followers.close();
      await gaps.close();
    },
  };
  const answer = await api.ask("/tail?tail=1", { headers: { Accept: "text/event-stream" } });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readUntil = async (part: string) => {
    while (!text.includes(part)) text += (await within(reader.read(), part)).value;
  };
  await readUntil("line 8");
  const { sinceMs, untilMs, healing } = healedGap("healed");
  gaps.noteFound({ sinceMs, untilMs: untilMs! }, healing!);
  await readUntil("event: healed");
  await readUntil('"state":"healed","healed":null,"reason":null}');
  assert.ok(!text.includes("4711"), text);
  await reader.cancel();
});

Deno.test("What identifies is told the header and the address, and what it throws is the answer", async () => {
  const asked: unknown[] = [];
  await using api = serve(createParts({
    identify(credentials) {
      asked.push(credentials);
      throw new Problem("unauthorized", "Who are you");
    },
  }));
  const answer = await api.ask("/logs", { headers: { Authorization: "Bearer fl1.x" } });
  assert.equal(answer.status, 401);
  assert.equal((await readProblem(answer)).detail, "Who are you");
  const url = `http://127.0.0.1:${await api.port()}/logs`;
  assert.deepEqual(asked, [{ authorization: "Bearer fl1.x", url }]);
  await (await api.ask("/health")).text();
  assert.equal(asked.length, 1);
});
