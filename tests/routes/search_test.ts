import assert from "node:assert/strict";
import * as v from "valibot";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LineReader } from "../../lib/archive/read/line_reader.ts";
import { MemoryBudget, READER_BYTES, ROOM_WAIT_MS } from "../../lib/machine/memory_budget.ts";
import { dayName } from "../../lib/day.ts";
import type { Gap, GapSource, GapState } from "../../lib/gaps/gap.ts";
import { DAY, dayText, NOON, openArchive, type TestArchive, TestDirectory } from "../archive/archive_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import {
  allLines,
  appendVaried,
  FIRST_DAY,
  matchesNaively,
  openVaried,
  randomQuery,
} from "../archive/varied_archive.ts";
import { createRandom, pick } from "../rig/random.ts";
import { RecordedSpan } from "../../lib/gaps/recorded_span.ts";
import { gapsSchema } from "../../routes/wire/gaps.ts";
import { createParts, listedGaps, NOW_MS, readProblem, serve, type ServedApi } from "./rig.ts";
import { untilSo } from "../rig/wait.ts";

function serveArchive({ archive, clock }: TestArchive): ServedApi {
  return serve(createParts({ archive, lines: archive.lines, clock }));
}

async function linesOf(response: Response): Promise<string[]> {
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.ok(text === "" || text.endsWith("\n"), "the last line is cut");
  return text.split("\n").slice(0, -1);
}

function cursorOf({ day, offset }: { day: number; offset: number }): string {
  return `${dayName(day)}:${offset}`;
}

for (const seed of [1, 2]) {
  Deno.test(`GET /search answers as a naive reading of the whole archive does, seed ${seed}`, async () => {
    using directory = new TestDirectory();
    await using test = await openVaried(directory, seed);
    await using api = serveArchive(test);
    const lines = await allLines(test.archive);
    assert.equal(lines.length, 4 * 3000 + 500 + 700 + 2000 + 5000);
    assert.deepEqual(test.archive.days().map(({ sealed }) => sealed), [false, false, true, true, true]);
    const random = createRandom(seed * 1000);
    for (let turn = 0; turn < 60; turn++) {
      const query = randomQuery(random);
      const parameters = new URLSearchParams({ ...query });
      let expected = lines.filter(({ day, record }) => matchesNaively(day, record, query));
      const dice = random();
      if (dice < 0.25) {
        const start = pick(lines, random);
        parameters.set("cursor", cursorOf(start));
        expected = expected.filter(({ day, offset }) =>
          day > start.day || (day === start.day && offset >= start.offset)
        );
      }
      const count = Math.ceil(random() ** 3 * 3000);
      if (dice > 0.1 && dice < 0.5) {
        parameters.set("limit", String(count));
        expected = expected.slice(0, count);
      } else if (dice >= 0.5 && dice < 0.8) {
        parameters.set("tail", String(count));
        expected = expected.slice(-count);
      }
      const found = await linesOf(await api.ask(`/search?${parameters}`));
      assert.equal(found.length, expected.length, `${parameters}`);
      assert.ok(found.every((line, i) => line === expected[i]!.line), `${parameters}`);
    }
  });
}

Deno.test("GET /search gives the whole in pages, each with the address of the next", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 3);
  await using api = serveArchive(test);
  const whole = await (await api.ask("/search?app=web*&region=fra&since=4d")).text();
  let path: string | undefined = "/search?app=web*&region=fra&since=4d&limit=700";
  let joined = "";
  let pages = 0;
  while (path !== undefined) {
    const page: Response = await api.ask(path);
    assert.match(page.headers.get("Log-Cursor")!, /^2026-11-\d\d:\d+$/);
    joined += await page.text();
    pages++;
    test.clock.jump(1000); // the span asked about stays that of the first page
    path = /^<(\/search\?.*)>; rel="next"$/.exec(page.headers.get("Link") ?? "")?.[1];
  }
  assert.ok(pages > 4);
  assert.equal(joined, whole);
});

Deno.test("GET /search goes on behind its last cursor with what was recorded since", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 4);
  await using api = serveArchive(test);
  for (const query of ["q=timeout", "q=timeout&tail=5", "q=timeout&limit=9999"]) {
    const first = await api.ask(`/search?${query}`);
    await first.text();
    const before = test.archive.day(DAY)!.bytes;
    appendVaried(test.archive, DAY, 20, createRandom(7));
    await test.archive.sync();
    const added = (await dayText(test.archive)).slice(0, -1).split("\n").slice(-20)
      .filter((line) => matchesNaively(DAY, JSON.parse(line), { q: "timeout" }));
    assert.ok(added.length > 0);
    assert.equal(first.headers.get("Log-Cursor"), `2026-11-22:${before}`);
    const cursor = first.headers.get("Log-Cursor")!;
    assert.deepEqual(await linesOf(await api.ask(`/search?q=timeout&cursor=${cursor}`)), added);
  }
});

Deno.test("Reading from a cursor that points into a line answers 400: what is left of that line would be left out", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 5);
  await using api = serveArchive(test);
  const lines = await allLines(test.archive);
  for (const day of [FIRST_DAY, FIRST_DAY + 3, DAY]) {
    for (const at of [1, 1500, 2400]) {
      const [line, next] = lines.filter((one) => one.day === day).slice(at);
      for (const bytes of [1, 5, next!.offset - line!.offset - 1]) {
        const cursor = cursorOf({ day, offset: line!.offset + bytes });
        for (const path of ["/search?limit=1&", `/logs/${dayName(day)}?`, "/tail?"]) {
          const answer = await api.ask(`${path}cursor=${cursor}`);
          assert.equal(answer.status, 400, `${path}${cursor}`);
          assert.match(
            (await readProblem(answer)).detail!,
            /^cursor must stand between two lines, and byte \d+ of/,
          );
        }
      }
      const whole = await api.ask(`/search?limit=1&cursor=${cursorOf(line!)}`);
      assert.deepEqual(await linesOf(whole), [line!.line]);
    }
  }
});

Deno.test("GET /search from a cursor of a day before the first says what was not recorded before that", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 1);
  const { archive, clock } = test;
  const ledger = { touching: () => [], latest: () => null, onChange: () => () => {} };
  const gaps = new RecordedSpan({ ledger, archive, clock });
  await using api = serve(createParts({ archive, lines: archive.lines, clock, gaps }));
  const coverage = async (query: string) => {
    const answer = await api.ask(`/search?limit=1${query}`);
    await answer.body?.cancel();
    return answer.headers.get("Log-Coverage");
  };
  assert.match((await coverage("&cursor=1969-01-01:0"))!, /^partial; gaps=1; seconds=1\d{9}$/);
  assert.equal(await coverage(`&cursor=${cursorOf({ day: FIRST_DAY, offset: 0 })}`), await coverage(""));
});

Deno.test("GET /search gives only whole lines while lines are being recorded", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 6);
  await using api = serveArchive(test);
  const random = createRandom(8);
  const recording = (async () => {
    for (let turn = 0; turn < 200; turn++) {
      appendVaried(test.archive, DAY, 10, random);
      await nextTurn();
    }
  })();
  let before = 0;
  for (let turn = 0; turn < 5; turn++) {
    const lines = await linesOf(await api.ask(`/search?since=2026-11-22&region=fra`));
    assert.ok(lines.every((line) => JSON.parse(line).fly.region === "fra"));
    assert.ok(lines.length >= before);
    before = lines.length;
  }
  await recording;
  await test.archive.sync();
});

Deno.test("GET /search writes text, and colours only when asked to", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const line = '{"timestamp":"2026-11-22T10:00:00.5Z","message":"\\u001b[31mred\\u001b[0m \\u0007",' +
    '"log":{"level":"info"},"fly":{"app":{"name":"web","instance":"0e28"},"region":"fra"}}';
  test.archive.append(DAY, new TextEncoder().encode(line), false, {
    seconds: 1_795_341_600,
    nanoseconds: 5e8,
  });
  await test.archive.sync();
  await using api = serveArchive(test);
  const plain = await api.ask("/search?format=text");
  assert.equal(plain.headers.get("Content-Type"), "text/plain; charset=utf-8");
  assert.equal(await plain.text(), "2026-11-22T10:00:00.500Z web[0e28] fra [info] red \\x07\n");
  assert.equal(
    await (await api.ask("/search?format=text&color=1")).text(),
    "2026-11-22T10:00:00.500Z \x1b[36mweb[0e28]\x1b[0m fra [\x1b[32minfo\x1b[0m] \x1b[31mred\x1b[0m \\x07\x1b[0m\n",
  );
  const json = await api.ask("/search");
  assert.equal(json.headers.get("Content-Type"), "application/x-ndjson");
  assert.equal(json.headers.get("Cache-Control"), "no-store");
  assert.equal(await json.text(), line + "\n");
});

Deno.test("GET /logs/{day} gives the part of the day that is asked for", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 9);
  await using api = serveArchive(test);
  const lines = await allLines(test.archive);
  for (const day of [FIRST_DAY, FIRST_DAY + 3, DAY]) {
    const expected = lines.filter((one) =>
      one.day === day && matchesNaively(day, one.record, { level: "warn" })
    )
      .map(({ line }) => line);
    const name = dayName(day);
    assert.deepEqual(await linesOf(await api.ask(`/logs/${name}?level=warn`)), expected);
    assert.deepEqual(
      await linesOf(await api.ask(`/logs/${name}.jsonl?level=warn&tail=3`)),
      expected.slice(-3),
    );
    const text = await api.ask(`/logs/${name}.log?level=warn&limit=2`);
    assert.equal(text.headers.get("Content-Type"), "text/plain; charset=utf-8");
    assert.equal(text.headers.get("ETag"), null);
    assert.match(
      text.headers.get("Link")!,
      new RegExp(`^</logs/${name}\\.log\\?.*cursor=${name}%3A\\d+.*>; rel="next"$`),
    );
    assert.match(await text.text(), /^\S+ \S+\[\S+\] \S+ \[warn\] .*\n.*\[warn\] .*\n$/);
  }
});

Deno.test("GET /logs/today names the day in the address of the next page, which is asked after midnight", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 9);
  await using api = serveArchive(test);
  const first = await api.ask("/logs/today.jsonl?limit=3");
  const lines = await linesOf(first);
  const next = /^<(.*)>; rel="next"$/.exec(first.headers.get("Link")!)![1]!;
  assert.match(next, /^\/logs\/2026-11-22\.jsonl\?/);
  test.clock.skip(86_400_000);
  lines.push(...await linesOf(await api.ask(next)));
  assert.deepEqual(lines, (await dayText(test.archive)).split("\n").slice(0, 6));
});

const REFUSED: [path: string, status: number, param: string | undefined][] = [
  ["/search?sinc=1h", 400, "sinc"],
  ["/search?limit=1&tail=1", 400, "limit"],
  ["/search?cursor=2026-11-22:99999999", 400, "cursor"],
  ["/search?cursor=2026-01-01:1", 400, "cursor"],
  ["/logs/2026-11-22?cursor=2026-11-21:0", 400, "cursor"],
  ["/logs/2026-11-22.jsonl.gz?q=a", 400, "q"],
  ["/logs/2026-11-22.jsonl?format=text", 400, "format"],
  ["/logs/2026-11-22.log?format=jsonl", 400, "format"],
  ["/logs/2026-11-20?q=a", 404, undefined],
  ["/gaps?app=web", 400, "app"],
];

for (const [path, status, param] of REFUSED) {
  Deno.test(`GET ${path} answers ${status}`, async () => {
    using directory = new TestDirectory();
    await using test = await openArchive(directory);
    appendVaried(test.archive, DAY, 3, createRandom(1));
    await test.archive.sync();
    await using api = serveArchive(test);
    const answer = await api.ask(path);
    assert.equal(answer.status, status);
    assert.equal((await readProblem(answer)).param, param);
  });
}

Deno.test("GET /search says how much may be missing of the span that is asked for", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 10);
  const gap = (id: number, from: string, to: string) =>
    ({
      id,
      sinceMs: Date.parse(from),
      untilMs: Date.parse(to),
      cause: "crash",
      state: "lost",
      healing: null,
    }) as const;
  const gaps = listedGaps([
    gap(1, "2026-11-20T10:00:00Z", "2026-11-20T10:00:10Z"),
    gap(2, "2026-11-22T11:00:00Z", "2026-11-22T11:00:02Z"),
  ]);
  await using api = serve(createParts({ archive: test.archive, lines: test.archive.lines, gaps }));
  const coverage = async (path: string) => {
    const answer = await api.ask(path, { method: "HEAD" });
    return answer.headers.get("Log-Coverage");
  };
  assert.equal(await coverage("/search"), "partial; gaps=2; seconds=12");
  assert.equal(await coverage("/search?since=2026-11-21"), "partial; gaps=1; seconds=2");
  assert.equal(await coverage("/search?until=2026-11-20T10:00:03Z"), "partial; gaps=1; seconds=3");
  assert.equal(await coverage("/search?until=2026-11-20T10:00:00Z"), "complete");
  assert.equal(await coverage("/search?until=2026-11-20T10:00:00.000000001Z"), "partial; gaps=1; seconds=1");
  assert.equal(await coverage("/search?since=2026-11-21&until=2026-11-22"), "complete");
  assert.equal(await coverage("/logs/2026-11-22?q=a"), "partial; gaps=1; seconds=2");
  assert.equal(await coverage("/logs/2026-11-21?q=a"), "complete");
});

Deno.test("GET /search until a moment before the first start says that nothing was recorded then", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 10);
  // The oldest day is 2026-11-18; the recorder started at noon of the 20th, so what it has from before came late.
  const startMs = Date.parse("2026-11-20T12:00:00Z");
  const gaps: GapSource = {
    touching: (sinceMs) =>
      sinceMs < startMs
        ? [{ id: 0, sinceMs: 0, untilMs: startMs, cause: "before", state: "lost", healing: null }]
        : [],
    latest: () => null,
  };
  await using api = serve(createParts({ archive: test.archive, lines: test.archive.lines, gaps }));
  const coverage = async (path: string) => {
    const answer = await api.ask(path, { method: "HEAD" });
    return answer.headers.get("Log-Coverage");
  };
  assert.equal(await coverage("/search"), "complete");
  assert.equal(await coverage("/search?until=2026-11-20T13:00:00Z"), "complete");
  assert.equal(await coverage("/search?until=2026-11-20T11:00:00Z"), "partial; gaps=1; seconds=212400");
  assert.equal(await coverage("/search?until=1970-01-02"), "partial; gaps=1; seconds=86400");
});

Deno.test("GET /search of all there is asks for the days before the first start once lines of them were brought back", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 10);
  // The oldest day is 2026-11-18. The recorder started at noon of the 20th; others may have what is since noon of the 17th.
  const span = { sinceMs: Date.parse("2026-11-17T12:00:00Z"), untilMs: Date.parse("2026-11-20T12:00:00Z") };
  const coverage = async (state: GapState, lines: number | null) => {
    const sources = [{ name: "fly", lines: lines ?? 0 }];
    const healing = lines === null ? null : { sources, atMs: 0, doneUntilMs: null, reason: null };
    const gaps = listedGaps([{ id: 2, ...span, cause: "before", state, healing }]);
    await using api = serve(createParts({ archive: test.archive, lines: test.archive.lines, gaps }));
    return (await api.ask("/search", { method: "HEAD" })).headers.get("Log-Coverage");
  };
  assert.equal(await coverage("lost", null), "complete");
  assert.equal(await coverage("lost", 0), "complete", "the lines of the 18th came late");
  assert.equal(
    await coverage("partial", 5),
    "partial; gaps=1; seconds=216000",
    "the 18th, the 19th and half a day",
  );
  assert.equal(
    await coverage("partial", 0),
    "partial; gaps=1; seconds=216000",
    "they are told with another part",
  );
  assert.equal(await coverage("healed", 5), "complete; healed=1");
});

Deno.test("GET /search reads no more blocks once its client has gone", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 11);
  let chunks = 0;
  const { promise: returned, resolve } = Promise.withResolvers<void>();
  const lines = {
    reserve: () => test.archive.lines.reserve(),
    appLists: async function* () {},
    tryKeep: () => assert.fail("not asked for"),
    readTail: () => assert.fail("not asked for"),
    lineStart: () => assert.fail("not asked for"),
    timeBefore: () => assert.fail("not asked for"),
    translate: () => assert.fail("not asked for"),
    isBetweenLines: () => assert.fail("not asked for"),
    async *read() {
      try {
        while (true) {
          chunks++;
          await nextTurn();
          yield {
            bytes: new Uint8Array(65_536).fill(0x0a),
            lines: null,
            start: { day: DAY, offset: 0, edition: 0 },
            end: { day: DAY, offset: 1, edition: 0 },
            placed: null,
          };
        }
      } finally {
        resolve();
      }
    },
  };
  await using api = serve(createParts({ archive: test.archive, lines }));
  const connection = await api.connect();
  await connection.write(new TextEncoder().encode("GET /search HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  assert.notEqual(await connection.read(new Uint8Array(1000)), null);
  connection.close();
  await returned;
  const after = chunks;
  await untilSo(() => test.archive.lines.readers === 0, "the end of every reader");
  assert.equal(chunks, after);
});

Deno.test("GET /search frees its place whether it is read, cut, refused or only asked about", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 12);
  {
    await using api = serveArchive(test);
    for (const path of ["/search", "/search?tail=3", "/search?limit=3", "/search?limit=99999999"]) {
      await (await api.ask(path)).text();
      await (await api.ask(path)).body!.cancel();
      await (await api.ask(path, { method: "HEAD" })).text();
    }
    await (await api.ask("/search?limit=x")).text();
  }
  // What was cut ends after the block that it was at.
  await untilSo(() => test.archive.lines.readers === 0, "the end of every reader");
});

Deno.test("GET /search answers 503 with Retry-After when there is no memory for it in time", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: READER_BYTES, clock });
  await using test = await openArchive(directory, { clock, memory });
  appendVaried(test.archive, DAY, 3, createRandom(1));
  await test.archive.sync();
  await using api = serveArchive(test);
  const slot = await test.archive.lines.reserve();
  const asked = api.ask("/search");
  await untilSo(() => memory.waiting > 0, "a reader that waits for memory");
  clock.advance(ROOM_WAIT_MS);
  const answer = await asked;
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("Retry-After"), "5");
  assert.equal((await readProblem(answer)).type, "urn:flightlog:problem:too-many-readers");
  const next = api.ask("/search");
  await untilSo(() => memory.waiting > 0, "a reader that waits for memory");
  slot[Symbol.dispose]();
  assert.equal((await linesOf(await next)).length, 3);
});

Deno.test("GET /search breaks the connection at a damaged block", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 13);
  const name = `${dayName(FIRST_DAY)}.jsonl.gz`;
  const bytes = directory.read(name);
  bytes[bytes.length >> 1]! ^= 0x10;
  directory.write(name, bytes);
  await using api = serveArchive(test);
  const answer = await api.askRaw("GET /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  assert.match(answer, /^HTTP\/1.1 200 /);
  assert.ok(!answer.endsWith("0\r\n\r\n"), "the body ends as if it were whole");
});

Deno.test("GET /search takes a bounded amount of memory for clients that never read", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const line = new TextEncoder().encode(`{"message":"${"x".repeat(1000)}"}`);
  for (let i = 0; i < 30_000; i++) test.archive.append(DAY, line, false, null);
  await test.archive.sync();
  const api = serveArchive(test);
  const connections: Deno.TcpConn[] = [];
  const before = Deno.memoryUsage().rss;
  for (let count = 0; count < 64; count++) {
    const connection = await api.connect();
    await connection.write(new TextEncoder().encode("GET /search?q=x HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await connection.read(new Uint8Array(1000));
    connections.push(connection);
  }
  const grownBytes = Deno.memoryUsage().rss - before;
  for (const connection of connections) connection.close();
  await api[Symbol.asyncDispose]();
  // All of them together want 2 GB.
  assert.ok(grownBytes < 500_000_000, `grew by ${grownBytes} bytes`);
});

Deno.test("LineReader.read() reads only the blocks that may have what is wanted", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 14);
  const { archive } = test;
  const [info] = archive.days().filter(({ sealed }) => sealed);
  const range = { day: info!.day, start: 0, end: info!.bytes, edition: 0, timedOnly: true };
  const since = { seconds: range.day * 86_400 + 3600, nanoseconds: 0 };
  const until = { seconds: since.seconds + 60, nanoseconds: 0 };
  const nothing = { apps: [], regions: [], instances: [], levels: [] };
  const count = async (filter: Parameters<LineReader["read"]>[0]["filter"], limit: number | null = null) => {
    let chunks = 0;
    for await (
      const _ of archive.lines.read({ ranges: [range], filter, style: "jsonl", events: null, limit })
    ) chunks++;
    return chunks;
  };
  const all = await count(nothing);
  assert.ok(all > 3);
  assert.ok(await count({ ...nothing, since, until }) <= 2);
  assert.equal(await count({ ...nothing, apps: ["none"] }), 0);
  assert.equal(await count(nothing, 1), 1);
});

Deno.test("GET /search as text shows a gap on one page only, also where the page ends with a line without a time", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const startMs = DAY * 86_400_000;
  const gap = (hour: number): Gap => {
    const sinceMs = startMs + hour * 3_600_000;
    return { id: hour, sinceMs, untilMs: sinceMs + 15_000, cause: "stall", state: "lost", healing: null };
  };
  for (const time of ["T02:00:00Z", "", "T04:00:00Z"]) {
    const timestamp = time && `${dayName(DAY)}${time}`;
    const line = new TextEncoder().encode(JSON.stringify({ timestamp, message: "x" }));
    test.archive.append(DAY, line, false, null);
  }
  await test.archive.sync();
  const { archive, clock } = test;
  await using api = serve(createParts({
    ...{ archive, clock, lines: archive.lines },
    gaps: listedGaps([gap(1), gap(3)]),
  }));
  const span = `since=${dayName(DAY)}&until=${dayName(DAY + 1)}&format=text`;
  const first = await api.ask(`/search?${span}&limit=2`);
  const next = /<(.*)>; rel="next"/.exec(first.headers.get("Link")!)![1]!;
  const starts = (text: string) => text.trimEnd().split("\n").map((line) => line.slice(0, 22));
  assert.deepEqual(starts(await first.text()), [
    "--- gap 01:00:00Z – 01",
    `${dayName(DAY)}T02:00:00.00`,
    "- -[-] - [-] x",
  ]);
  assert.deepEqual(starts(await (await api.ask(next)).text()), [
    "--- gap 03:00:00Z – 03",
    `${dayName(DAY)}T04:00:00.00`,
  ]);
});

Deno.test("GET /gaps lists the gaps that touch the span", async () => {
  const gaps = listedGaps([
    {
      id: 1,
      sinceMs: NOW_MS - 7_200_000,
      untilMs: NOW_MS - 7_190_000,
      cause: "crash",
      state: "lost",
      healing: null,
    },
    { id: 2, sinceMs: NOW_MS - 1000, untilMs: null, cause: "disconnect", state: "open", healing: null },
  ]);
  await using api = serve(createParts({ gaps }));
  const first = {
    since: "2026-11-22T10:00:00.000Z",
    until: "2026-11-22T10:00:10.000Z",
    cause: "crash",
    state: "lost",
    healed: null,
    reason: null,
  };
  const second = {
    since: "2026-11-22T11:59:59.000Z",
    until: null,
    cause: "disconnect",
    state: "open",
    healed: null,
    reason: null,
  };
  assert.deepEqual(v.parse(gapsSchema, await (await api.ask("/gaps")).json()), { gaps: [first, second] });
  assert.deepEqual(v.parse(gapsSchema, await (await api.ask("/gaps?since=1h")).json()), { gaps: [second] });
  assert.deepEqual(v.parse(gapsSchema, await (await api.ask("/gaps?until=1h")).json()), { gaps: [first] });
  assert.deepEqual(v.parse(gapsSchema, await (await api.ask("/gaps?since=3h&until=150m")).json()), {
    gaps: [],
  });
});
