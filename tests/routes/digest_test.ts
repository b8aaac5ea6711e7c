import assert from "node:assert/strict";
import { readRecordedLines } from "../../lib/heal/peers/recorded_lines.ts";
import * as v from "valibot";
import type { MinuteTable } from "../../lib/line/minute_sums.ts";
import { type DigestAnswer, digestSchema } from "../../routes/wire/digest.ts";
import {
  appendLines,
  DAY,
  DAY_NAME,
  openArchive,
  type TestArchive,
  TestDirectory,
} from "../archive/archive_rig.ts";
import { within } from "../rig/wait.ts";
import { createParts, ListedDays, listedGaps, readProblem, serve, type ServedApi } from "./rig.ts";

const PATH = `/logs/${DAY_NAME}/digest`;

function serveArchive({ archive, clock }: TestArchive): ServedApi {
  return serve(createParts({ archive, lines: archive.lines, digests: archive.digests, clock }));
}

async function read(answer: Response): Promise<DigestAnswer> {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("Content-Type"), "application/json");
  return v.parse(digestSchema, await answer.json());
}

Deno.test("GET /logs/{day}/digest has each minute with its lines, and what an identity is made of", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  appendLines(test.archive, 0, 60); // of 10:00
  test.archive.append(DAY, new TextEncoder().encode('{"message":"no time"}'), false, null);
  await test.archive.sync();
  await using api = serveArchive(test);
  const digest = await read(await api.ask(PATH));
  assert.match(digest.minutes[0]!.sum, /^[0-9a-f]{32}$/);
  assert.deepEqual(digest, {
    day: DAY_NAME,
    identity: { version: 1, decimals: 9, hasInstance: true },
    minutes: [{ minute: `${DAY_NAME}T10:00:00Z`, lines: 60, sum: digest.minutes[0]!.sum }],
    distant: null,
    withoutIdentity: 1,
  });
  assert.deepEqual(await read(await api.ask("/logs/today/digest")), digest);
  assert.deepEqual(await read(await api.ask(`${PATH}/`)), digest);
});

Deno.test("GET /logs/{day}/digest of a day with one line has that line's identity", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const line = `{"fly":{"app":{"instance":"0e286551c30586","name":"web"}},"message":"caf\\u00e9 \\"1\\"",` +
    `"timestamp":"2026-11-22T10:00:00.123456789Z"}`;
  test.archive.append(DAY, new TextEncoder().encode(line), false, null);
  await test.archive.sync();
  await using api = serveArchive(test);
  const { minutes } = await read(await api.ask(PATH));
  // The one that tests/line/identity_test.ts reckons by sha256sum.
  assert.equal(minutes[0]!.sum, "d7aa18a72362819a53aaba7bd2a8b935");
});

Deno.test("GET /logs/{day}/digest of a hot day is stored nowhere, and of a sealed one has a strong tag", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  appendLines(test.archive, 0, 10);
  await test.archive.sync();
  await using api = serveArchive(test);
  const hot = await api.ask(PATH);
  assert.equal(hot.headers.get("Cache-Control"), "no-store");
  assert.equal(hot.headers.get("ETag"), null);
  const digest = await read(hot);
  await test.seal();
  const sealed = await api.ask(PATH);
  assert.equal(sealed.headers.get("Cache-Control"), "private, no-cache");
  const tag = sealed.headers.get("ETag")!;
  assert.match(tag, /^"2026-11-22-.*digest.*"$/);
  assert.deepEqual(await read(sealed), digest);

  const same = await api.ask(PATH, { headers: { "If-None-Match": tag } });
  assert.equal(same.status, 304);
  assert.equal(await same.text(), "");
  assert.equal(same.headers.get("ETag"), tag);
  const day = await api.ask(`/logs/${DAY_NAME}`);
  assert.notEqual(day.headers.get("ETag"), tag);
  await day.body!.cancel();
  await read(await api.ask(PATH, { headers: { "If-None-Match": day.headers.get("ETag")! } }));
  const failed = await api.ask(PATH, { headers: { "If-Match": '"other"' } });
  assert.equal((await readProblem(failed)).status, 412);

  appendLines(test.archive, 10, 11);
  await test.archive.sync();
  const reopened = await api.ask(PATH, { headers: { "If-None-Match": tag } });
  assert.equal(reopened.headers.get("Cache-Control"), "no-store");
  assert.equal((await read(reopened)).minutes[0]!.lines, 11);
  await test.seal();
  const again = await api.ask(PATH, { headers: { "If-None-Match": tag } });
  assert.equal((await read(again)).minutes[0]!.lines, 11);
  assert.notEqual(again.headers.get("ETag"), tag);
});

Deno.test("HEAD /logs/{day}/digest has the headers of GET, and makes no digest", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  appendLines(test.archive, 0, 10);
  await test.seal();
  const { archive, clock } = test;
  await using api = serveArchive(test);
  const get = await api.ask(PATH);
  await get.text();
  const digests = { digest: () => Promise.reject(new Error("asked for")) };
  await using head = serve(createParts({ archive, lines: archive.lines, digests, clock }));
  const answer = await head.ask(PATH, { method: "HEAD" });
  assert.equal(answer.status, 200);
  for (const name of ["Content-Type", "ETag", "Last-Modified", "Cache-Control", "Log-Coverage"]) {
    assert.equal(answer.headers.get(name), get.headers.get(name), name);
    assert.notEqual(answer.headers.get(name), null, name);
  }
  const headers = { "If-None-Match": get.headers.get("ETag")! };
  assert.equal((await head.ask(PATH, { method: "HEAD", headers })).status, 304);
});

Deno.test("GET /logs/{day}/digest says how complete the day is", async () => {
  const archive = new ListedDays({ [DAY_NAME]: { text: '{"message":"m"}\n' } });
  const gap = {
    ...{ id: 1, cause: "disconnect", state: "lost", healing: null } as const,
    sinceMs: Date.parse("2026-11-22T10:00:00Z"),
    untilMs: Date.parse("2026-11-22T10:00:14Z"),
  };
  await using api = serve(createParts({ archive, gaps: listedGaps([gap]) }));
  const answer = await api.ask(PATH);
  assert.equal(answer.headers.get("Log-Coverage"), "partial; gaps=1; seconds=14");
  await read(answer);
  await archive.allClosed();
});

Deno.test("GET /logs/{day}/digest tells which run of which organisation's recorder answers, also when nothing is new", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  appendLines(test.archive, 0, 10);
  await test.seal();
  const { archive, clock } = test;
  const given = { archive, lines: archive.lines, digests: archive.digests, clock };
  const rules = { excludeApps: ["caf\u00e9"], includeApps: [], excludeText: [] };
  const records = { subject: "logs.>", queue: null, ownApp: null, ...rules };
  const self = { instance: "run-7", org: "caf\u00e9, inc", records };
  await using known = serve(createParts({ ...given, self }));
  const answer = await known.ask(PATH);
  await read(answer);
  const again = await known.ask(PATH, { headers: { "If-None-Match": answer.headers.get("ETag")! } });
  assert.equal(again.status, 304);
  for (const { headers } of [answer, again]) {
    assert.equal(headers.get("Flightlog-Instance"), "run-7");
    assert.equal(headers.get("Flightlog-Org"), "caf%C3%A9%2C%20inc");
    assert.deepEqual(readRecordedLines(headers.get("Flightlog-Records")!), records);
  }
  await using unknown = serve(createParts(given));
  const bare = await unknown.ask(PATH);
  await read(bare);
  assert.equal(bare.headers.get("Flightlog-Org"), null);
});

for (
  const [path, status, type] of [
    ["/logs/2026-11-20/digest", 404, "unknown-day"],
    ["/logs/2026-11-19/digest", 410, "removed-day"],
    ["/logs/2026-11-31/digest", 400, "bad-day"],
    ["/logs/2026-11-22.jsonl/digest", 400, "bad-day"],
    ["/logs/2026-11-22/digest?app=web", 400, "bad-parameter"],
    ["/logs/2026-11-22/digests", 404, "not-found"],
  ] as const
) {
  Deno.test(`GET ${path} answers ${status}, and so does HEAD`, async () => {
    const archive = new ListedDays({ [DAY_NAME]: { text: '{"message":"m"}\n' } }, ["2026-11-19"]);
    await using api = serve(createParts({ archive }));
    const problem = await readProblem(await api.ask(path));
    assert.equal(problem.status, status);
    assert.equal(problem.type, `urn:flightlog:problem:${type}`);
    assert.equal((await api.ask(path, { method: "HEAD" })).status, status);
    await archive.allClosed();
  });
}

Deno.test("POST /logs/{day}/digest is not allowed", async () => {
  await using api = serve(createParts());
  const answer = await api.ask(PATH, { method: "POST" });
  assert.equal(answer.headers.get("Allow"), "GET, HEAD");
  assert.equal((await readProblem(answer)).status, 405);
});

Deno.test("GET /logs/{day}/digest answers 410 where the day is removed while it waits for its place", async () => {
  const archive = new ListedDays({ [DAY_NAME]: { text: '{"message":"m"}\n' } });
  const parts = createParts({ archive });
  const lines = Object.create(parts.lines, {
    reserve: {
      value: () => {
        archive.day = () => undefined;
        return Promise.resolve({ await() {}, resume() {}, [Symbol.dispose]() {} });
      },
    },
  });
  await using api = serve({ ...parts, lines });
  assert.equal((await readProblem(await api.ask(PATH))).type, "urn:flightlog:problem:removed-day");
  await archive.allClosed();
});

Deno.test("GET /logs/{day}/digest of a day with a damaged block is an error, and gives back its place", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  appendLines(test.archive, 0, 3000, 1000);
  await test.seal();
  const file = `${DAY_NAME}.jsonl.gz`;
  directory.write(file, directory.read(file).fill(0, 5000, 6000));
  await using api = serveArchive(test);
  const problem = await readProblem(await api.ask(PATH));
  assert.equal(problem.type, "urn:flightlog:problem:internal");
  assert.equal(test.archive.lines.readers, 0);
});

Deno.test("GET /logs/{day}/digest ends with its client, which is no failure", async () => {
  const archive = new ListedDays({ [DAY_NAME]: { text: '{"message":"m"}\n' } });
  const [asked, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const digests = {
    digest: (_day: number, signal?: AbortSignal) => {
      const { promise, reject } = Promise.withResolvers<MinuteTable>();
      signal!.addEventListener("abort", () => {
        reject(signal!.reason);
        ended.resolve();
      });
      asked.resolve();
      return promise;
    },
  };
  const failures: string[] = [];
  const logger = { log: (_level: string, event: string) => void failures.push(event) };
  {
    await using api = serve(createParts({ archive, digests, logger }));
    using connection = await api.connect();
    await connection.write(new TextEncoder().encode(`GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`));
    await within(asked.promise, "the question");
    connection.close();
    await within(ended.promise, "the end");
  }
  assert.deepEqual(failures, []);
  await archive.allClosed();
});
