import assert from "node:assert/strict";
import { formatPlace, type Place } from "../../lib/archive/place.ts";
import { DAY, keepingLogger, TestDirectory } from "../archive/archive_rig.ts";
import { namesIn } from "../archive/healed_rig.ts";
import { createRandom } from "../rig/random.ts";
import { Healed, lineEvery10s, PAGE, readerOf, scattered } from "./healed_rig.ts";
import { readProblem } from "./rig.ts";

for (const kind of ["a sealed day", "today", "a day that was opened again"]) {
  for (const seed of [1, 2]) {
    Deno.test(`Places of every edition of ${kind} lead to the same lines when it is healed, seed ${seed}`, async () => {
      const random = createRandom(seed);
      using directory = new TestDirectory();
      await using healed = await Healed.open(directory);
      const known: { name: string; start: Place; end: Place }[] = [];
      await healed.record(lineEvery10s(0, 60, 40_000));
      if (kind !== "today") await healed.seal();
      if (kind === "a day that was opened again") await healed.record(lineEvery10s(60, 70));
      for (const letter of ["a", "b", "c"]) {
        known.push(...await healed.places());
        await healed.heal(scattered(random, letter, 60));
        if (kind === "today") await healed.record([{ name: `old-after-${letter}`, second: 43_000 }]);
      }
      known.push(...await healed.places());
      assert.deepEqual(new Set(known.map(({ start }) => start.edition)), new Set([0, 1, 2, 3]));
      const names = await healed.names();
      const { lines } = healed.archive;
      const now = new Map((await healed.places()).map((line) => [line.name, line]));
      for (const { name, start, end } of known) {
        const line = now.get(name)!;
        assert.deepEqual(
          await lines.translate(start, "start"),
          line.start,
          `start of ${name} ${formatPlace(start)}`,
        );
        assert.deepEqual(await lines.lineStart({ ...end, offset: end.offset - 1 }), line.start);
        // Whoever goes on from its end gets first what was inserted there since.
        assert.equal((await lines.translate(end, "end")).offset, line.end.offset, `end of ${name}`);
      }
      for (let sample = 0; sample < 15; sample++) {
        const { name, start, end } = known[Math.floor(random() * known.length)]!;
        const after = names.slice(names.indexOf(name) + 1);
        const cursor = formatPlace(end);
        assert.deepEqual(await healed.ask(`/search?cursor=${cursor}`), after, cursor);
        assert.deepEqual(await healed.ask(`/search?cursor=${cursor}&limit=2`), after.slice(0, 2), cursor);
        assert.equal(await healed.around(formatPlace(start)), name);
        for (const id of [cursor, `${cursor};`]) {
          const followed = await healed.follow("", id, after.length);
          assert.deepEqual(followed.map(({ name }) => name), after, id);
        }
      }
    });
  }
}

Deno.test("GET /search in pages gives each line that was there once though lines are brought back between any two", async () => {
  const random = createRandom(3);
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 40, 1000));
  await healed.seal();
  await healed.record(lineEvery10s(40, 50, 1000));
  let path: string | undefined = "/search?limit=4";
  const seen: string[] = [];
  for (let page = 0; path !== undefined; page++) {
    const answer: Response = await healed.api.ask(path);
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    seen.push(...namesIn(text));
    path = /^<(\/search\?.*)>; rel="next"$/.exec(answer.headers.get("Link") ?? "")?.[1];
    if (page < 6) await healed.heal(scattered(random, `page${page}-`, 50));
  }
  assert.deepEqual(
    seen.filter((name) => name.startsWith("old")),
    lineEvery10s(0, 50).map(({ name }) => name),
  );
  assert.equal(new Set(seen).size, seen.length);
});

Deno.test("GET /search gives a page up to where it says that it ends though lines are brought back while it is read twice", async () => {
  using directory = new TestDirectory();
  let reads = 0;
  await using healed = await Healed.open(directory, {
    wrap: (lines, heal) => ({
      ...readerOf(lines),
      // There is no room to keep the lines of the page, and a line is brought back before they are read again.
      tryKeep: () => null,
      async *read(request) {
        if (++reads === 2) await heal([{ name: "back", second: 36_015 }]);
        yield* lines.read(request);
      },
    }),
  });
  await healed.record(lineEvery10s(0, 10, 200_000));
  await healed.seal();
  const answer = await healed.api.ask("/search?limit=4");
  assert.deepEqual(namesIn(await answer.text()), ["old0", "old1", "back", "old2", "old3"]);
  assert.equal(reads, 2);
  const next = await healed.ask(`/search?cursor=${answer.headers.get("Log-Cursor")}`);
  assert.deepEqual(next, lineEvery10s(4, 10).map(({ name }) => name));
});

Deno.test("GET /?around= is about the line that is meant though another is put before it meanwhile", async () => {
  using directory = new TestDirectory();
  let looks = 0;
  await using healed = await Healed.open(directory, {
    wrap: (lines, heal) => ({
      ...readerOf(lines),
      async lineStart(place) {
        const start = await lines.lineStart(place);
        if (looks++ === 0) await heal([{ name: "back", second: 36_045 }]);
        return start;
      },
    }),
  });
  await healed.record(lineEvery10s(0, 10));
  await healed.seal();
  const place = (await healed.places()).find(({ name }) => name === "old5")!.start;
  assert.equal(await healed.around(formatPlace(place)), "old5");
  assert.equal(looks, 2);
});

Deno.test("A cursor of today's file leads to what comes after it, also when lines were brought back before", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 10));
  await healed.heal([{ name: "back", second: 36_015 }]);
  const answer = await healed.api.ask("/logs/today");
  await answer.text();
  const cursor = answer.headers.get("Log-Cursor")!;
  assert.match(cursor, /^2026-11-22:\d+\.1$/);
  await healed.record(lineEvery10s(10, 11));
  assert.deepEqual(await healed.ask(`/logs/today?cursor=${cursor}`), ["old10"]);
  await healed.heal([{ name: "more", second: 36_016 }]);
  assert.deepEqual(await healed.ask(`/search?cursor=${cursor}`), ["old10"]);
});

Deno.test("A place of an edition that its day has never come to answers 400", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 3));
  for (
    const [edition, detail] of [[1, /no lines were brought back to 2026-11-22/], [
      2,
      /only come to edition 1/,
    ]] as const
  ) {
    const place = `2026-11-22:0.${edition}`;
    for (
      const [path, headers, param] of [
        [`/search?cursor=${place}`, {}, "cursor"],
        [`/logs/today?cursor=${place}`, {}, "cursor"],
        [`/tail?cursor=${place}`, {}, "cursor"],
        ["/tail", { "Last-Event-ID": `${place};` }, "Last-Event-ID"],
        ["/tail", { "Last-Event-ID": `2026-11-23:0;-1.1.${edition}` }, "Last-Event-ID"],
      ] as const
    ) {
      const answer = await healed.api.ask(path, { headers });
      assert.equal(answer.status, 400, path);
      const problem = await readProblem(answer);
      assert.equal(problem.param, param);
      assert.match(problem.detail, detail);
      assert.match(problem.detail, new RegExp(`; go on without ${param}$`));
    }
    const page = await healed.api.ask(`/?around=${place}`, { headers: PAGE });
    assert.equal(page.status, 400);
    await page.body?.cancel();
    if (edition === 1) await healed.heal([{ name: "back", second: 36_015 }]);
  }
});

for (const damage of ["gone", "damaged"]) {
  Deno.test(`Where the file of the edits is ${damage}, old places answer 400 and say so, and all else can be read`, async () => {
    using directory = new TestDirectory();
    const logger = keepingLogger();
    await using healed = await Healed.open(directory, { logger });
    await healed.record(lineEvery10s(0, 10));
    const [old] = await healed.places();
    await healed.heal([{ name: "back", second: 36_015 }]);
    const end = `2026-11-22:${healed.archive.day(DAY)!.recordedBytes}`;
    await healed.record(lineEvery10s(10, 11));
    if (damage === "gone") directory.remove("2026-11-22.edits");
    else directory.write("2026-11-22.edits", directory.read("2026-11-22.edits").fill(7));
    const answer = await healed.api.ask(`/search?cursor=${formatPlace(old!.end)}`);
    assert.equal(answer.status, 400);
    assert.match((await readProblem(answer)).detail, /lines were brought back to 2026-11-22 since/);
    const [first] = await healed.places();
    assert.equal((await healed.ask(`/search?cursor=${formatPlace(first!.end)}`)).length, 11);
    const later = `2026-11-22:${healed.archive.day(DAY)!.recordedBytes}`;
    assert.deepEqual(await healed.ask(`/search?cursor=${later}`), []);
    assert.notEqual(end, later);
    const told = logger.events.filter((event) => event.includes("2026-11-22.edits"));
    assert.equal(told.length, 1);
    assert.match(
      told[0]!,
      /^error archive damaged .*places from before lines were inserted cannot be followed/,
    );
  });
}

Deno.test("Places from before a heal and a restart lead to the same lines, of today too", async () => {
  using directory = new TestDirectory();
  const cursors: string[] = [];
  {
    await using healed = await Healed.open(directory);
    await healed.record(lineEvery10s(0, 10));
    cursors.push(formatPlace((await healed.places())[4]!.end));
    await healed.heal([{ name: "a", second: 36_005 }, { name: "b", second: 36_065 }]);
    await healed.record(lineEvery10s(10, 12));
    cursors.push(formatPlace((await healed.places())[5]!.end));
  }
  {
    await using healed = await Healed.open(directory);
    for (const cursor of cursors) {
      const names = ["old5", "old6", "b", ...lineEvery10s(7, 12).map(({ name }) => name)];
      assert.deepEqual(await healed.ask(`/search?cursor=${cursor}`), names, cursor);
      const followed = await healed.follow("", cursor, names.length);
      assert.deepEqual(followed.map(({ name }) => name), names, cursor);
    }
    await healed.heal([{ name: "c", second: 36_002 }]);
    await healed.seal();
    for (const cursor of cursors) assert.equal((await healed.ask(`/search?cursor=${cursor}`))[0], "old5");
  }
});
