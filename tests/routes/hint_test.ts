import assert from "node:assert/strict";
import type { LineRequest } from "../../lib/archive/read/line_chunk.ts";
import { appendLines, DAY, openArchive, record, TestDirectory } from "../archive/archive_rig.ts";
import { openVaried } from "../archive/varied_archive.ts";
import { createParts, ListedDays, noLines, serve, type ServedApi } from "./rig.ts";
import type { TestArchive } from "../archive/archive_rig.ts";

function serveArchive({ archive, clock }: TestArchive): ServedApi {
  return serve(createParts({ archive, lines: archive.lines, clock }));
}

/** An archive of six lines: of three apps, at three levels, in two regions, by three machines. */
async function openKinds(directory: TestDirectory): Promise<TestArchive> {
  const test = await openArchive(directory);
  const kinds = [["web", "info", "fra", "0e28"], ["web-canary", "error", "sjc", "1f39"], [
    "api",
    "warn",
    "fra",
    "2a4b",
  ]];
  for (const [name, level, region, instance] of [...kinds, ...kinds]) {
    const fly = { app: { name, instance }, region };
    const line = { message: "timeout", fly, log: { level }, timestamp: "2026-11-22T11:00:00Z" };
    test.archive.append(DAY, new TextEncoder().encode(JSON.stringify(line)), false, null);
  }
  await test.archive.sync();
  return test;
}

async function ask(api: ServedApi, path: string, headers: HeadersInit = {}) {
  const answer = await api.ask(path, { headers });
  return { hint: answer.headers.get("Log-Hint"), text: await answer.text() };
}

const NO_APP = 'no app "wbe" in this span; there are web, api, web-canary, "w\\u00f6rker"';

Deno.test("An answer without lines names the apps that there are, the nearest first", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 21);
  await using api = serveArchive(test);
  for (const more of ["", "&limit=5", "&tail=5", "&since=2d", "&q=timeout", "&limit=20000"]) {
    assert.deepEqual(await ask(api, `/search?app=wbe${more}`), { hint: NO_APP, text: "" }, more);
    const line = { hint: NO_APP, text: `--- ${NO_APP} ---\n` };
    assert.deepEqual(await ask(api, `/search?app=wbe&format=text${more}`), line, more);
  }
  assert.deepEqual(await ask(api, "/logs/2026-11-21.log?app=wbe"), {
    hint: NO_APP,
    text: `--- ${NO_APP} ---\n`,
  });
  const page = await ask(api, "/search?app=wbe", { Accept: "text/html" });
  assert.ok(page.text.includes("No line matches: no app &quot;wbe&quot; in this span; there are web, api"));
});

Deno.test("An answer without lines names the levels, regions and machines that there are", async () => {
  using directory = new TestDirectory();
  await using test = await openKinds(directory);
  await using api = serveArchive(test);
  const level = 'no level "fatal" in this span; there are error, info, warn';
  assert.equal((await ask(api, "/search?level=fatal&limit=9")).hint, level);
  // The headers of a stream are gone before it ends.
  assert.deepEqual(await ask(api, "/search?level=fatal&format=text"), {
    hint: null,
    text: `--- ${level} ---\n`,
  });
  assert.equal(
    (await ask(api, "/search?region=fr&machine=0e29&tail=9&since=2h")).hint,
    'no machine "0e29" in this span; there are 0e28, 1f39, 2a4b. no region "fr" in this span; there are fra, sjc',
  );
});

Deno.test("A hint does not claim more than was looked at", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 23);
  await using api = serveArchive(test);
  assert.equal(
    (await ask(api, "/search?region=xyz&q=timeout&tail=1")).hint,
    'no region "xyz" in the last 8 MiB of this span; there are fra, sjc',
  );
});

Deno.test("There is no hint where lines are found, nor where each value is there", async () => {
  using directory = new TestDirectory();
  await using test = await openKinds(directory);
  await using api = serveArchive(test);
  for (const format of ["jsonl", "text"]) {
    for (const query of ["app=web,wbe&limit=5", "app=WEB*&tail=5", "app=web&level=info,fatal&limit=9"]) {
      const { hint, text } = await ask(api, `/search?${query}&format=${format}`);
      assert.equal(hint, null, query);
      assert.doesNotMatch(text, /^---/m);
    }
    for (const query of ["app=api&region=fra&q=nowhere", "level=!info,!warn,!error", "q=nowhere"]) {
      for (const more of ["", "&limit=5"]) {
        assert.deepEqual(await ask(api, `/search?${query}${more}&format=${format}`), {
          hint: null,
          text: "",
        });
      }
    }
  }
});

Deno.test("Who goes on from a cursor gets no hint where nothing new has come", async () => {
  using directory = new TestDirectory();
  await using test = await openKinds(directory);
  await using api = serveArchive(test);
  const first = await api.ask("/search?app=api");
  await first.body?.cancel();
  const cursor = first.headers.get("Log-Cursor");
  test.archive.append(DAY, new TextEncoder().encode(record(1)), false, null);
  await test.archive.sync();
  for (const more of ["", "&limit=5", "&tail=5"]) {
    const answer = await ask(api, `/search?app=api&format=text&cursor=${cursor}${more}`);
    assert.deepEqual(answer, { hint: null, text: "" }, more);
  }
});

Deno.test("An app of which the index does not know yet gets no hint", async () => {
  using directory = new TestDirectory();
  await using test = await openKinds(directory);
  test.archive.append(DAY, new TextEncoder().encode(record(1, 0, "brand-new")), false, null);
  await test.archive.sync();
  await using api = serveArchive(test);
  assert.equal((await ask(api, "/search?app=brand-new")).hint, null);
  assert.equal(
    (await ask(api, "/search?app=brand-mew")).hint,
    'no app "brand-mew" in this span; there are brand-new, api, web, web-canary',
  );
  const tail = await api.ask("/tail?app=brand-new");
  await tail.body?.cancel();
  assert.equal(tail.headers.get("Log-Hint"), null);
});

Deno.test("GET /tail begins with what there is where no line was ever of an app", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  appendLines(test.archive, 0, 3);
  await test.archive.sync();
  const follow = () => new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  await using api = serve(
    createParts({
      archive: test.archive,
      lines: test.archive.lines,
      clock: test.clock,
      followers: { follow },
    }),
  );
  const hint = 'no app "wbe" so far; there is web';
  assert.deepEqual(await ask(api, "/tail?app=wbe&format=text"), { hint, text: `--- ${hint} ---\n` });
  assert.deepEqual(await ask(api, "/tail?app=wbe"), { hint, text: "" });
  assert.deepEqual(await ask(api, "/tail?app=wbe&format=text", { Accept: "text/event-stream" }), {
    hint,
    text: "",
  });
  const page = await ask(api, "/tail?app=wbe", { Accept: "text/html" });
  assert.ok(
    page.text.includes("There may be nothing to wait for: no app &quot;wbe&quot; so far; there is web."),
  );
});

Deno.test("A hint shows hostile values and names as printable ASCII on one line", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const names = [
    "a\r\nSet-Cookie: x",
    "\x1b[31m",
    "😀",
    "x".repeat(500),
    'say "no"',
    ...Array.from({ length: 9 }, (_, i) => `n${i}`),
  ];
  for (const name of names) {
    const line = JSON.stringify({ message: "m", fly: { app: { name } }, timestamp: "2026-11-22T10:00:00Z" });
    test.archive.append(DAY, new TextEncoder().encode(line), false, null);
  }
  await test.archive.sync();
  await using api = serveArchive(test);
  const { hint, text } = await ask(api, "/search?app=%0d%0aX:%201%1b%e2%80%ae&format=text");
  assert.match(hint!, /^[\x20-\x7e]{1,1000}$/);
  assert.equal(text, `--- ${hint} ---\n`);
  assert.ok(hint!.startsWith('no app "X: 1\\u001b\\u202e" in this span; there are '), hint!);
  assert.match(hint!, /"\\u001b\[31m", .*, and 6 more$/);
});

Deno.test("A hint counts no names beyond those that it keeps", async () => {
  const parts = createParts({ archive: new ListedDays({ "2026-11-22": { text: "{}\n", sealed: false } }) });
  const apps = Array.from({ length: 5000 }, (_, i) => `app-${i}`);
  const lines = {
    ...noLines,
    async *appLists() {
      yield apps;
    },
  };
  await using api = serve({ ...parts, lines });
  const { hint } = await ask(api, "/search?app=ap-7");
  assert.match(hint!, /^no app "ap-7" in this span; there are app-7, .*, and many more$/);
  assert.equal((await ask(api, "/search?app=app-4999")).hint, null);
});

Deno.test("A hint reads only a bounded part of the archive, and its failure is none of the answer's", async () => {
  const reads: LineRequest[] = [];
  let pieces = 0;
  const day = { day: DAY, offset: 0, edition: 0 };
  const parts = createParts({ archive: new ListedDays({ "2026-11-22": { text: "{}\n", sealed: false } }) });
  const lines = {
    ...noLines,
    async *appLists() {
      yield ["api"];
      yield null;
    },
    async *read(request: LineRequest) {
      reads.push(request);
      while (request.limit === 1) {
        pieces++;
        yield { bytes: new Uint8Array(), lines: 0, start: day, end: day, placed: null };
      }
    },
  };
  await using api = serve({ ...parts, lines });
  assert.deepEqual(await ask(api, "/search?app=web"), { hint: null, text: "" });
  assert.equal(pieces, 16);
  await using failing = serve({
    ...parts,
    lines: { ...lines, appLists: () => assert.fail("the index is gone") },
  });
  assert.deepEqual(await ask(failing, "/search?app=web"), { hint: null, text: "" });
});
