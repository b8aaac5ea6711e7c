import assert from "node:assert/strict";
import * as v from "valibot";
import { gunzipSync } from "node:zlib";
import { DAY_MS, parseDayName } from "../../lib/day.ts";
import type { Gap, GapSource } from "../../lib/gaps/gap.ts";
import { daysSchema } from "../../routes/wire/days.ts";
import { createParts, ListedDays, listedGaps, readAll, readProblem, serve } from "./rig.ts";

const LINES = '{"message":"one"}\n{"message":"two"}\n';
const ETAG = '"2026-11-21-9a3f01c2-36-jsonl"';
const MODIFIED = "Sun, 22 Nov 2026 01:00:00 GMT";

function sealedDay(): ListedDays {
  return new ListedDays({ "2026-11-21": { text: LINES } }, ["2026-10-01"]);
}

const GAPS = listedGaps([
  {
    id: 1,
    sinceMs: Date.parse("2026-11-21T10:00:00Z"),
    untilMs: Date.parse("2026-11-21T10:00:12Z"),
    cause: "disconnect",
    state: "lost",
    healing: null,
  },
  {
    id: 2,
    sinceMs: Date.parse("2026-11-21T11:00:00Z"),
    untilMs: Date.parse("2026-11-21T11:00:02Z"),
    cause: "crash",
    state: "partial",
    healing: null,
  },
]);

Deno.test("GET /logs lists the days, newest first, with their gaps and links", async () => {
  const archive = new ListedDays({
    "2026-11-21": { text: LINES, gzBytes: 55 },
    "2026-11-22": { text: "", sealed: false, gzBytes: 0 },
  });
  await using api = serve(createParts({ archive, gaps: GAPS }));
  const answer = await api.ask("/logs");
  assert.equal(answer.headers.get("Content-Type"), "application/json");
  assert.equal(answer.headers.get("Cache-Control"), "no-store");
  assert.deepEqual(v.parse(daysSchema, await answer.json()), {
    days: [{
      day: "2026-11-22",
      lines: 0,
      bytes: 0,
      gzBytes: 0,
      first: null,
      last: null,
      sealed: false,
      held: 0,
      gaps: [],
      links: {
        jsonl: "/logs/2026-11-22.jsonl",
        gz: "/logs/2026-11-22.jsonl.gz",
        text: "/logs/2026-11-22.log",
      },
    }, {
      day: "2026-11-21",
      lines: 2,
      bytes: 36,
      gzBytes: 55,
      first: "2026-11-21T00:00:01.000000000Z",
      last: "2026-11-21T11:22:33.000000000Z",
      sealed: true,
      held: 0,
      gaps: [
        {
          since: "2026-11-21T10:00:00.000Z",
          until: "2026-11-21T10:00:12.000Z",
          cause: "disconnect",
          state: "lost",
          healed: null,
          reason: null,
        },
        {
          since: "2026-11-21T11:00:00.000Z",
          until: "2026-11-21T11:00:02.000Z",
          cause: "crash",
          state: "partial",
          healed: null,
          reason: null,
        },
      ],
      links: {
        jsonl: "/logs/2026-11-21.jsonl",
        gz: "/logs/2026-11-21.jsonl.gz",
        text: "/logs/2026-11-21.log",
      },
    }],
  });
});

for (
  const path of ["/logs/2026-11-21", "/logs/2026-11-21.jsonl", "/logs/yesterday", "/logs/yesterday.jsonl"]
) {
  Deno.test(`GET ${path} gives the lines of a sealed day with everything to resume and revalidate`, async () => {
    await using api = serve(createParts({ archive: sealedDay() }));
    const answer = await api.ask(path, { headers: { "Accept-Encoding": "identity" } });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), LINES);
    const expected = {
      "Content-Type": "application/x-ndjson",
      "Content-Length": "36",
      "Content-Encoding": null,
      "ETag": ETAG,
      "Last-Modified": MODIFIED,
      "Accept-Ranges": "bytes",
      "Cache-Control": "private, no-cache",
      "Vary": "Accept-Encoding",
      "Log-Coverage": "complete",
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(answer.headers.get(name), value, name);
  });
}

Deno.test("GET /logs/{day} sends the gzip file as it lies when gzip is accepted", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.askRaw(
    "GET /logs/2026-11-21 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
  );
  const end = answer.indexOf("\r\n\r\n");
  const body = Uint8Array.from(answer.slice(end + 4), (character) => character.charCodeAt(0));
  assert.equal(gunzipSync(body).toString(), LINES);
  assert.match(answer, /\r\ncontent-encoding: gzip\r\n/i);
  assert.match(answer, new RegExp(`\\r\\ncontent-length: ${body.length}\\r\\n`, "i"));
  assert.match(answer, new RegExp(`\\r\\netag: "2026-11-21-9a3f01c2-36-gz-${body.length}"\\r\\n`, "i"));
  assert.match(answer, /\r\nvary: accept-encoding\r\n/i);
});

Deno.test("GET /logs/{day}.jsonl.gz gives the gzip file as an attachment, whatever is accepted", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.ask("/logs/2026-11-21.jsonl.gz", { headers: { "Accept-Encoding": "identity" } });
  assert.equal(answer.headers.get("Content-Type"), "application/gzip");
  assert.equal(answer.headers.get("Content-Encoding"), null);
  assert.equal(answer.headers.get("Content-Disposition"), 'attachment; filename="2026-11-21.jsonl.gz"');
  assert.equal(answer.headers.get("Accept-Ranges"), "bytes");
  assert.equal(gunzipSync(await answer.bytes()).toString(), LINES);
});

Deno.test("GET /logs/{day}.log gives text that can be revalidated but not cut", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.ask("/logs/2026-11-21.log", { headers: { Range: "bytes=0-3" } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("Content-Type"), "text/plain; charset=utf-8");
  assert.equal(answer.headers.get("Accept-Ranges"), "none");
  assert.match(answer.headers.get("ETag")!, /^"2026-11-21-9a3f01c2-36-text-3-[0-9a-f]+"$/);
  const lines = (await answer.text()).trimEnd().split("\n");
  assert.match(lines[0]!, /one/);
  assert.match(lines[1]!, /two/);
  assert.equal(lines.length, 2);
});

Deno.test("GET /logs/{day}.log has another tag when another gap is among the same lines", async () => {
  const tags = new Set<string>();
  for (const state of ["lost", "healed"] as const) {
    const [sinceMs, untilMs] = ["2026-11-21T10:00:00Z", "2026-11-21T10:00:15Z"].map(Date.parse);
    const gaps = listedGaps([{
      id: 1,
      sinceMs: sinceMs!,
      untilMs: untilMs!,
      cause: "crash",
      state,
      healing: null,
    }]);
    await using api = serve(createParts({ archive: sealedDay(), gaps }));
    const answer = await api.ask("/logs/2026-11-21.log");
    tags.add(answer.headers.get("ETag")!);
    const isShown = (await answer.text()).endsWith("\n--- gap 10:00:00Z – 10:00:15Z (15 s): crash ---\n");
    assert.equal(isShown, state === "lost");
  }
  assert.equal(tags.size, 2);
});

for (const path of ["/logs/today", "/logs/today.jsonl.gz", "/logs/today.log"]) {
  Deno.test(`GET ${path} promises nothing that a hot day cannot keep`, async () => {
    const archive = new ListedDays({ "2026-11-22": { text: LINES, sealed: false } });
    await using api = serve(createParts({ archive }));
    const answer = await api.ask(path, { headers: { Range: "bytes=0-3", "If-None-Match": "*" } });
    assert.equal(answer.status, 200);
    for (const name of ["ETag", "Last-Modified", "Accept-Ranges", "Content-Length", "Content-Range"]) {
      assert.equal(answer.headers.get(name), null, name);
    }
    assert.equal(answer.headers.get("Cache-Control"), "no-store");
    assert.ok((await answer.bytes()).length > 20);
  });
}

Deno.test("GET /logs/{day} says how much of the day may be missing", async () => {
  await using api = serve(createParts({ archive: sealedDay(), gaps: GAPS }));
  for (const path of ["/logs/2026-11-21", "/logs/2026-11-21.jsonl.gz", "/logs/2026-11-21.log"]) {
    const answer = await api.ask(path);
    await answer.body?.cancel();
    assert.equal(answer.headers.get("Log-Coverage"), "partial; gaps=2; seconds=14");
  }
});

Deno.test("GET /logs/{day} of a day without lines says how much of it may be missing", async () => {
  const outage = {
    id: 1,
    sinceMs: Date.parse("2026-11-20T06:00:00Z"),
    untilMs: Date.parse("2026-11-21T00:30:00Z"),
    cause: "stop",
    state: "lost",
    healing: null,
  } as const;
  await using api = serve(createParts({ archive: sealedDay(), gaps: listedGaps([outage]) }));
  const answer = await api.ask("/logs/2026-11-20.log");
  assert.equal(answer.status, 404);
  assert.equal(answer.headers.get("Log-Coverage"), "partial; gaps=1; seconds=64800");
  assert.equal(
    (await readProblem(answer)).detail,
    "No line of 2026-11-20 has arrived, and lines may be missing from 18 h 0 m in 1 gap of that day, see /gaps; " +
      "/logs lists the days that are there",
  );
  const future = await api.ask("/logs/2026-11-23");
  assert.equal(future.headers.get("Log-Coverage"), "none");
  assert.match((await readProblem(future)).detail, /^No line of 2026-11-23 has arrived: it is to come; /);
});

const REFUSED: [segment: string, status: number, type: string][] = [
  ["2026-11-20", 404, "unknown-day"],
  ["2026-10-01", 410, "removed-day"],
  ["2026-10-01.jsonl.gz", 410, "removed-day"],
  ["2026-02-30", 400, "bad-day"],
  ["2026-13-01", 400, "bad-day"],
  ["2026-1-1", 400, "bad-day"],
  ["20261122", 400, "bad-day"],
  ["0000-01-01", 400, "bad-day"],
  ["2026-11-21.zip", 400, "bad-day"],
  ["2026-11-21.jsonl.jsonl", 400, "bad-day"],
  ["tomorrow", 400, "bad-day"],
  [".jsonl", 400, "bad-day"],
  ["2026-11-21%0a", 400, "bad-day"],
];

for (const [segment, status, name] of REFUSED) {
  Deno.test(`GET /logs/${segment} answers ${status} ${name}`, async () => {
    const archive = sealedDay();
    await using api = serve(createParts({ archive }));
    const answer = await api.ask(`/logs/${segment}`);
    assert.equal(answer.status, status);
    const problem = await readProblem(answer);
    assert.equal(problem.type, `urn:flightlog:problem:${name}`);
    assert.equal(archive.opened, 0);
  });
}

/** An archive with a day that can be read and one before it that cannot. */
function withUnreadableDay(): { archive: ListedDays; gaps: GapSource } {
  const archive = sealedDay();
  archive.untouched.set(parseDayName("2026-11-20")!, "it is of stone");
  const startMs = Date.parse("2026-11-20T00:00:00Z");
  const gap: Gap = {
    id: -20_778,
    sinceMs: startMs,
    untilMs: startMs + DAY_MS,
    cause: "disk",
    state: "lost",
    healing: null,
  };
  return { archive, gaps: listedGaps([gap]) };
}

for (const form of ["", ".jsonl", ".jsonl.gz", ".log", "?app=web"]) {
  Deno.test(`GET /logs/{day}${form} of a day whose files cannot be read is an error that says why`, async () => {
    const { archive, gaps } = withUnreadableDay();
    await using api = serve(createParts({ archive, gaps }));
    const answer = await api.ask(`/logs/2026-11-20${form}`);
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get("Log-Coverage"), "partial; gaps=1; seconds=86400");
    const { type, detail } = await readProblem(answer);
    assert.equal(type, "urn:flightlog:problem:unreadable-day");
    assert.equal(
      detail,
      "The files of 2026-11-20 were left alone at the start: it is of stone. What they hold is in no answer; see " +
        "repaired in /status, put right the files whose names begin with 2026-11-20, and start Flightlog again",
    );
  });
}

Deno.test("GET /logs lists a day whose files cannot be read, with its gap", async () => {
  const { archive, gaps } = withUnreadableDay();
  await using api = serve(createParts({ archive, gaps }));
  const { days } = v.parse(daysSchema, await (await api.ask("/logs")).json());
  assert.deepEqual(days.map(({ day, gaps }) => [day, gaps.length]), [["2026-11-21", 0], ["2026-11-20", 1]]);
  assert.match(await (await api.ask("/")).text(), /2026-11-20 +0 .* unreadable +24 h 0 m in 1 gap/);
  const page = await (await api.ask("/", { headers: { Accept: "text/html" } })).text();
  assert.match(page, /its files cannot be read, see \/status/);
});

Deno.test("A cursor of a day whose files cannot be read is answered with why", async () => {
  const { archive, gaps } = withUnreadableDay();
  await using api = serve(createParts({ archive, gaps }));
  const problem = await readProblem(await api.ask("/search?cursor=2026-11-20:10"));
  assert.deepEqual([problem.type, problem.param], ["urn:flightlog:problem:unreadable-day", "cursor"]);
});

Deno.test("GET /logs/{day} answers 304 without a body when nothing has changed", async () => {
  const archive = sealedDay();
  await using api = serve(createParts({ archive }));
  for (const [name, value] of [["If-None-Match", ETAG], ["If-Modified-Since", MODIFIED]] as const) {
    const answer = await api.ask("/logs/2026-11-21", {
      headers: { [name]: value, "Accept-Encoding": "identity" },
    });
    assert.equal(answer.status, 304, name);
    assert.equal(await answer.text(), "");
    assert.equal(answer.headers.get("ETag"), ETAG);
    assert.equal(answer.headers.get("Log-Coverage"), "complete");
  }
  assert.equal(archive.opened, 0);
});

Deno.test("GET /logs/{day} takes no representation for another when it revalidates", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.ask("/logs/2026-11-21", {
    headers: { "If-None-Match": ETAG, "Accept-Encoding": "gzip" },
  });
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), LINES);
});

Deno.test("GET /logs/{day} answers 412 when the day is no longer the one that was asked for", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.ask("/logs/2026-11-21", { headers: { "If-Match": '"older"' } });
  assert.equal(answer.status, 412);
  assert.equal((await readProblem(answer)).type, "urn:flightlog:problem:precondition-failed");
});

Deno.test("GET /logs/{day} sends the part that is asked for", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.ask("/logs/2026-11-21", {
    headers: { Range: "bytes=12-14", "Accept-Encoding": "identity" },
  });
  assert.equal(answer.status, 206);
  assert.equal(answer.headers.get("Content-Range"), "bytes 12-14/36");
  assert.equal(answer.headers.get("Content-Length"), "3");
  assert.equal(answer.headers.get("ETag"), ETAG);
  assert.equal(await answer.text(), "one");
});

Deno.test("GET /logs/{day} answers 416 with the length when the part lies behind the end", async () => {
  const archive = sealedDay();
  await using api = serve(createParts({ archive }));
  const answer = await api.ask("/logs/2026-11-21", {
    headers: { Range: "bytes=36-", "Accept-Encoding": "identity" },
  });
  assert.equal(answer.status, 416);
  assert.equal(answer.headers.get("Content-Range"), "bytes */36");
  assert.equal(answer.headers.get("Content-Type"), "application/problem+json");
  assert.equal(answer.headers.get("ETag"), null);
  assert.equal((await readProblem(answer)).type, "urn:flightlog:problem:range-not-satisfiable");
  assert.equal(archive.opened, 0);
});

Deno.test("GET /logs/{day} answers a problem in the clear when gzip is accepted", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  const answer = await api.askRaw(
    "GET /logs/2026-11-21 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nRange: bytes=999-\r\n" +
      "Connection: close\r\n\r\n",
  );
  assert.match(answer, /^HTTP\/1.1 416 /);
  assert.doesNotMatch(answer, /content-encoding/i);
  assert.match(answer, /range-not-satisfiable/);
});

Deno.test("GET /logs/{day} sends the whole when If-Range names another state of the day", async () => {
  await using api = serve(createParts({ archive: sealedDay() }));
  for (const [stale, status] of [['"older"', 200], [ETAG, 206], [MODIFIED, 206]] as const) {
    const answer = await api.ask("/logs/2026-11-21", {
      headers: { Range: "bytes=0-0", "If-Range": stale, "Accept-Encoding": "identity" },
    });
    assert.equal(answer.status, status, stale);
    assert.equal(await answer.text(), status === 200 ? LINES : "{");
  }
});

for (const path of ["/logs/2026-11-21.jsonl", "/logs/2026-11-21.jsonl.gz"]) {
  Deno.test(`GET ${path} gives the whole in parts of any size`, async () => {
    await using api = serve(createParts({ archive: sealedDay() }));
    const headers = { "Accept-Encoding": "identity" };
    const whole = await (await api.ask(path, { headers })).bytes();
    for (const size of [1, 7, whole.length, 1000]) {
      const parts: number[] = [];
      while (parts.length < whole.length) {
        const range = `bytes=${parts.length}-${parts.length + size - 1}`;
        const answer = await api.ask(path, { headers: { ...headers, Range: range } });
        assert.equal(answer.status, 206);
        parts.push(...await answer.bytes());
      }
      assert.deepEqual(Uint8Array.from(parts), whole);
    }
  });
}

for (
  const path of ["/logs/2026-11-21", "/logs/2026-11-21.jsonl.gz", "/logs/2026-11-21.log", "/logs/2026-11-22"]
) {
  Deno.test(`HEAD ${path} opens nothing, and leaves a Range alone`, async () => {
    const archive = new ListedDays({
      "2026-11-21": { text: LINES },
      "2026-11-22": { text: LINES, sealed: false },
    });
    await using api = serve(createParts({ archive }));
    const answer = await api.askRaw(
      `HEAD ${path} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1.1 200 /);
    if (path === "/logs/2026-11-21") assert.match(answer, /\r\ncontent-length: 36\r\n/i);
    assert.ok(answer.endsWith("\r\n\r\n"));
    assert.equal(archive.opened, 0);
  });
}

for (
  const path of ["/logs/2026-11-21", "/logs/2026-11-22", "/logs/2026-11-22.log", "/logs/2026-11-22.jsonl.gz"]
) {
  Deno.test(`GET ${path} breaks the connection when reading fails in the middle`, async () => {
    const archive = new ListedDays({
      "2026-11-21": { text: LINES },
      "2026-11-22": { text: LINES, sealed: false },
    });
    archive.failure = new Error("Cannot read block 1");
    await using api = serve(createParts({ archive }));
    const answer = await api.askRaw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 200 /);
    assert.ok(!answer.endsWith("0\r\n\r\n"), "the body ends as if it were whole");
  });
}

for (const path of ["/logs/2026-11-22", "/logs/2026-11-22.log"]) {
  Deno.test(`GET ${path} closes what it has opened when the client goes away`, async () => {
    const archive = new ListedDays({ "2026-11-22": { text: LINES.repeat(500_000), sealed: false } });
    archive.pieceBytes = 65_536;
    await using api = serve(createParts({ archive }));
    const connection = await api.connect();
    await connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    assert.notEqual(await connection.read(new Uint8Array(1000)), null);
    connection.close();
    await archive.allClosed();
    assert.equal(archive.opened, 1);
  });
}

Deno.test("GET /logs/{day} takes no memory for clients that never read", async () => {
  const archive = new ListedDays({ "2026-11-22": { text: LINES.repeat(2_000_000), sealed: false } });
  archive.pieceBytes = 65_536;
  const api = serve(createParts({ archive }));
  const connections: Deno.TcpConn[] = [];
  const before = Deno.memoryUsage().rss;
  for (let count = 0; count < 200; count++) {
    const connection = await api.connect();
    await connection.write(new TextEncoder().encode("GET /logs/today HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await connection.read(new Uint8Array(1000));
    connections.push(connection);
  }
  assert.match(await api.askRaw("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), /200 OK/);
  const grownBytes = Deno.memoryUsage().rss - before;
  for (const connection of connections) connection.close();
  await archive.allClosed();
  await api[Symbol.asyncDispose]();
  // All of them together want 14 GB.
  assert.ok(grownBytes < 300_000_000, `grew by ${grownBytes} bytes`);
});

Deno.test("GET /logs/{day} sends every byte when a client reads slowly", async () => {
  const archive = new ListedDays({ "2026-11-22": { text: LINES.repeat(1000), sealed: false } });
  archive.pieceBytes = 100;
  await using api = serve(createParts({ archive }));
  using connection = await api.connect();
  await connection.write(
    new TextEncoder().encode("GET /logs/today HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
  );
  const answer = await readAll(connection);
  assert.equal(answer.slice(answer.indexOf("\r\n\r\n") + 4), LINES.repeat(1000));
});
