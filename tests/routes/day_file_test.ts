import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { Archive } from "../../lib/archive/archive.ts";
import { DAY_MS, dayOf } from "../../lib/day.ts";
import type { Gap } from "../../lib/gaps/gap.ts";
import { textLine } from "../../lib/line/text_line.ts";
import { gapLine } from "../../routes/gap_words.ts";
import { silentLogger } from "../../lib/logger.ts";
import { timestampFromMs } from "../../lib/timestamp.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import type { LineRequest } from "../../lib/archive/read/line_chunk.ts";
import type { DaySource, Parts } from "../../routes/parts.ts";
import { httpDate } from "../../routes/range.ts";
import { DAY, TestDirectory } from "../archive/archive_rig.ts";
import { namesIn } from "../archive/healed_rig.ts";
import { Healed, lineEvery10s } from "./healed_rig.ts";
import { createParts, listedGaps, serve, type ServedApi } from "./rig.ts";

const NOON_MS = Date.parse("2026-11-22T12:00:00Z");
const TODAY = dayOf(NOON_MS);

/** More than three blocks of a sealed day and one of a hot one. */
const YESTERDAY_LINES = 30_000;
const TODAY_LINES = 12_000;

function line(number: number): string {
  return `{"message":"line ${number} ${"x".repeat(60)}","fly":{"app":{"name":"web"}}}`;
}

function linesTo(count: number): string {
  return Array.from({ length: count }, (_, number) => `${line(number)}\n`).join("");
}

/** An API over a real archive with a sealed yesterday and a hot today. */
async function serveArchive(): Promise<ServedApi & { archive: Archive; clock: FakeClock }> {
  const directory = await Deno.makeTempDir();
  const clock = new FakeClock(NOON_MS);
  const archive = await Archive.open({
    directory,
    clock,
    logger: silentLogger,
    syncIntervalMs: 0,
    sealAfterMs: 0,
    retentionDays: 5,
    maxDiskPercent: null,
  });
  append(archive, TODAY - 1, YESTERDAY_LINES);
  append(archive, TODAY, TODAY_LINES);
  await archive.sync();
  await archive.maintain();
  assert.equal(archive.day(TODAY - 1)?.sealed, true);
  const api = serve(createParts({ archive, lines: archive.lines, clock }));
  return {
    ...api,
    archive,
    clock,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await archive.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

function append(archive: Archive, day: number, count: number): void {
  const encoder = new TextEncoder();
  const time = timestampFromMs(day * DAY_MS);
  for (let number = 0; number < count; number++) {
    archive.append(day, encoder.encode(line(number)), false, time);
  }
}

async function bytesOf(
  api: ServedApi,
  path: string,
  headers: HeadersInit = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await (await api.ask(path, { headers: { "Accept-Encoding": "identity", ...headers } })).bytes();
}

Deno.test("answerDay() gives the same lines in every form, sealed or hot", async () => {
  await using api = await serveArchive();
  for (const [day, count] of [["yesterday", YESTERDAY_LINES], ["today", TODAY_LINES]] as const) {
    const expected = linesTo(count);
    assert.equal(new TextDecoder().decode(await bytesOf(api, `/logs/${day}`)), expected);
    assert.equal(gunzipSync(await bytesOf(api, `/logs/${day}.jsonl.gz`)).toString(), expected);
    // fetch asks for gzip and takes it off again.
    assert.equal(await (await api.ask(`/logs/${day}`)).text(), expected);
    const text = new TextDecoder().decode(await bytesOf(api, `/logs/${day}.log`));
    assert.equal(text.split("\n").length, count + 1);
    assert.match(text, new RegExp(`line ${count - 1} x`));
  }
});

/** Lines of every kind that the text form treats in its own way, and one that is longer than two slices of a body. */
const ODD_LINES = [
  '{"timestamp":"2026-11-21T10:00:00.5Z","message":"héllo \\u001b[31mred\\u001b[0m","log":{"level":"info"},"fly":{"app":{"name":"web","instance":"0e28"},"region":"fra"}}',
  '{"message":"\\u0007 \\ud800 \\n two lines"}',
  `{"timestamp":"2026-11-21T10:00:01Z","message":"${"2026-11-21T11:00:00.000Z ".repeat(12_000)}"}`,
  '{"message":',
];

Deno.test("answerDay() makes a day's text of its lines one by one, sealed or hot, with the gaps among them", async () => {
  await using api = await serveArchive();
  const encoder = new TextEncoder();
  const { archive, clock } = api;
  for (let round = 0; round < 20; round++) {
    for (const odd of ODD_LINES) archive.append(TODAY - 1, encoder.encode(odd), false, null);
  }
  await archive.sync();
  const gap: Gap = {
    id: 1,
    sinceMs: Date.parse("2026-11-21T09:00:00Z"),
    untilMs: Date.parse("2026-11-21T10:00:00.7Z"),
    cause: "disconnect",
    state: "lost",
    healing: null,
  };
  const parts = createParts({ archive, lines: archive.lines, clock, gaps: listedGaps([gap]) });
  await using shown = serve(parts);
  for (const state of ["reopened", "sealed"]) {
    const stored = await new Response(archive.openText(TODAY - 1)).bytes();
    const expected: string[] = [];
    for (let start = 0; start < stored.length;) {
      const end = stored.indexOf(0x0a, start);
      expected.push(textLine(stored, start, end, { color: false }) + "\n");
      start = end + 1;
    }
    // The gap ends before the first line of 10:00:01, the third of the odd ones.
    expected.splice(YESTERDAY_LINES + 2, 0, gapLine(gap, "2026-11-21"));
    const text = await (await shown.ask("/logs/yesterday.log")).text();
    assert.ok(text === expected.join(""), state);
    await archive.maintain();
  }
});

Deno.test("answerDay() says where a hot day goes on", async () => {
  await using api = await serveArchive();
  const answer = await api.ask("/logs/today", { headers: { "Accept-Encoding": "identity" } });
  const { length } = await answer.bytes();
  assert.equal(answer.headers.get("Log-Cursor"), `2026-11-22:${length}`);
  for (const path of ["/logs/today.log", "/logs/today.jsonl.gz"]) {
    const other = await api.ask(path, { method: "HEAD" });
    assert.equal(other.headers.get("Log-Cursor"), `2026-11-22:${length}`, path);
  }
});

for (const path of ["/logs/yesterday.jsonl", "/logs/yesterday.jsonl.gz"]) {
  Deno.test(`answerDay() gives ${path} in parts that make the whole`, async () => {
    await using api = await serveArchive();
    const whole = await bytesOf(api, path);
    for (const partBytes of [Math.ceil(whole.length / 7), 1_048_576, whole.length]) {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for (let at = 0; at < whole.length; at += partBytes) {
        parts.push(await bytesOf(api, path, { Range: `bytes=${at}-${at + partBytes - 1}` }));
      }
      assert.ok(Buffer.concat(parts).equals(whole), `parts of ${partBytes} bytes`);
    }
    const end = await bytesOf(api, path, { Range: "bytes=-10" });
    assert.deepEqual(end, whole.slice(-10));
    // The end of the first block of text, and some place in the gzip file.
    const place = Math.min(1_048_570, whole.length >> 1);
    const middle = await bytesOf(api, path, { Range: `bytes=${place}-${place + 10}` });
    assert.deepEqual(middle, whole.slice(place, place + 11));
  });
}

Deno.test("answerDay() gives another tag when a late line has changed a sealed day", async () => {
  await using api = await serveArchive();
  const before = await api.ask("/logs/yesterday", { method: "HEAD" });
  const headers = { "If-None-Match": before.headers.get("ETag")! };
  assert.equal((await api.ask("/logs/yesterday", { method: "HEAD", headers })).status, 304);

  append(api.archive, TODAY - 1, 1);
  await api.archive.sync();
  const reopened = await api.ask("/logs/yesterday", { method: "HEAD", headers });
  assert.equal(reopened.status, 200);
  assert.equal(reopened.headers.get("ETag"), null);
  assert.equal(
    new TextDecoder().decode(await bytesOf(api, "/logs/yesterday")),
    `${linesTo(YESTERDAY_LINES)}${line(0)}\n`,
  );

  await api.archive.maintain();
  const resealed = await api.ask("/logs/yesterday", { method: "HEAD", headers });
  assert.equal(resealed.status, 200);
  assert.notEqual(resealed.headers.get("ETag"), before.headers.get("ETag"));
});

Deno.test("answerDay() finishes a download of a day that retention removes meanwhile, and then answers 410", async () => {
  await using api = await serveArchive();
  const name = "2026-11-21";
  const answer = await api.ask(`/logs/${name}.jsonl.gz`);
  const reader = answer.body!.getReader();
  const pieces = [(await reader.read()).value!];

  api.clock.skip(10 * DAY_MS);
  append(api.archive, TODAY + 10, 1);
  await api.archive.sync();
  await api.archive.maintain();
  const gone = await api.ask(`/logs/${name}`);
  await gone.body?.cancel();
  assert.equal(gone.status, 410);

  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  assert.equal(gunzipSync(Buffer.concat(pieces)).toString(), linesTo(YESTERDAY_LINES));
});

/** A stream like `source` that calls `onClose` once that has ended or been cancelled, with its files closed. */
function watched(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  onClose: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader();
  let cancelled = false;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      // A cancel ends the read at once, before the source has closed its files.
      if (cancelled) return;
      if (!done) return controller.enqueue(value);
      onClose();
      controller.close();
    },
    async cancel(reason) {
      cancelled = true;
      await reader.cancel(reason);
      onClose();
    },
  }, { highWaterMark: 0 });
}

Deno.test("answerDay() leaves nothing open when clients go away in the middle", async () => {
  await using real = await serveArchive();
  const { archive, clock } = real;
  const closing: Promise<void>[] = [];
  function watch(source: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { promise, resolve } = Promise.withResolvers<void>();
    closing.push(promise);
    return watched(source, resolve);
  }
  const days: DaySource = {
    days: () => archive.days(),
    day: (day) => archive.day(day),
    findings: [],
    held: (sinceMs, untilMs) => archive.held(sinceMs, untilMs),
    wasRemoved: (day) => archive.wasRemoved(day),
    untouched: archive.untouched,
    openText: (day, range) => watch(archive.openText(day, range)),
    openGzip: (day, range) => watch(archive.openGzip(day, range)),
  };
  const lines: Parts["lines"] = Object.create(archive.lines, {
    reserve: { value: () => archive.lines.reserve() },
    read: {
      async *value(request: LineRequest) {
        const { promise, resolve } = Promise.withResolvers<void>();
        closing.push(promise);
        try {
          yield* archive.lines.read(request);
        } finally {
          resolve();
        }
      },
    },
  });
  await using api = serve(createParts({ archive: days, lines, clock }));
  const paths = [
    "/logs/yesterday",
    "/logs/yesterday.jsonl.gz",
    "/logs/yesterday.log",
    "/logs/today.jsonl.gz",
  ];
  for (const path of paths) {
    const answer = await api.ask(path);
    await answer.body?.cancel();
  }
  await Promise.all(closing);
  assert.equal(closing.length, paths.length);
});

Deno.test("No date joins parts of a day, or keeps it in a cache, into which lines are brought back twice in a second", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 20));
  await healed.seal();
  const ask = (headers: Record<string, string>) => healed.api.ask("/logs/2026-11-22.jsonl.gz", { headers });
  const whole = async (headers: Record<string, string>) => {
    const answer = await ask(headers);
    assert.equal(answer.status, 200);
    return namesIn(gunzipSync(await answer.bytes()).toString());
  };
  await healed.heal([{ name: "first", second: 36_005 }]);
  const before = await ask({ Range: "bytes=0-99" });
  await before.body?.cancel();
  assert.equal(before.status, 206);
  assert.equal(before.headers.get("Last-Modified"), null);
  const date = before.headers.get("Date") ?? httpDate(healed.archive.day(DAY)!.modifiedMs);
  await healed.heal([{ name: "second", second: 36_005 }]);
  const names = await healed.names();
  assert.deepEqual(await whole({ Range: "bytes=100-", "If-Range": before.headers.get("ETag")! }), names);
  for (const told of [date, httpDate(healed.archive.day(DAY)!.modifiedMs)]) {
    assert.deepEqual(await whole({ Range: "bytes=100-", "If-Range": told }), names);
    assert.deepEqual(await whole({ "If-Modified-Since": told }), names);
  }
});
