import assert from "node:assert/strict";
import { DAY, TestDirectory } from "../archive/archive_rig.ts";
import { namesIn } from "../archive/healed_rig.ts";
import { createRandom } from "../rig/random.ts";
import { within } from "../rig/wait.ts";
import { EVENTS, Healed, lineEvery10s } from "./healed_rig.ts";

Deno.test("GET /tail gives a follower that resumes behind any event each line after it once, over heals and midnight", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 20), DAY - 1);
  await healed.record(lineEvery10s(0, 20));
  const before = await healed.follow("?since=2026-11-01", null, 40);
  await healed.heal([{ name: "a0", second: 36_055 }, { name: "a1", second: 36_500 }], DAY - 1);
  await healed.heal([{ name: "a2", second: 36_055 }, { name: "a3", second: 36_500 }]);
  const between = await healed.follow("?since=2026-11-01", null, 44);
  await healed.heal([{ name: "b0", second: 36_056 }], DAY - 1);
  await healed.heal([{ name: "b1", second: 36_006 }]);
  const names = [...await healed.names(DAY - 1), ...await healed.names()];
  const after = await healed.follow("?since=2026-11-01", null, 46);
  assert.deepEqual(after.map(({ name }) => name), names);
  const yesterdays = (await healed.names(DAY - 1)).length;
  for (const [edition, events] of [before, between, after].entries()) {
    for (const [at, { id }] of events.entries()) {
      // The names of both days' lines are the same.
      const own = id.startsWith("2026-11-21")
        ? names.indexOf(events[at]!.name)
        : names.indexOf(events[at]!.name, yesterdays);
      // Of the day before, what was inserted behind where the follower had come is still to come.
      const isToday = own >= yesterdays;
      const behindEnd = isToday && edition === 0 ? ["a1"] : [];
      const wanted = [...behindEnd, ...names.slice(own + 1)];
      const resumed = await healed.follow("", id, wanted.length);
      assert.deepEqual(resumed.map(({ name }) => name), wanted, id);
    }
  }
});

for (const isFollowed of [false, true]) {
  const when = isFollowed ? "while somebody follows" : "before anybody follows";
  Deno.test(`GET /tail names how far it has come in a day that was healed at its end ${when}, so that its lines come once`, async () => {
    using directory = new TestDirectory();
    await using healed = await Healed.open(directory);
    await healed.record(lineEvery10s(0, 3), DAY - 1);
    await healed.seal();
    const first = isFollowed ? await healed.api.ask("/tail", { headers: EVENTS }) : null;
    const firstReader = first?.body?.getReader();
    await firstReader?.read();
    await healed.heal([{ name: "back", second: 50_000 }], DAY - 1);
    const answer = await healed.api.ask("/tail?since=2026-11-01", { headers: EVENTS });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (name: string) => {
      while (!text.includes(`"${name} `)) text += (await within(reader.read(), name)).value;
    };
    await until("back");
    await healed.record([{ name: "live", second: 3600 }]);
    await until("live");
    await reader.cancel();
    assert.deepEqual(namesIn(text), ["old0", "old1", "old2", "back", "live"]);
    const id = /^id: (2026-11-22:.*)$/m.exec(text)![1]!;
    await healed.record([{ name: "later", second: 3601 }]);
    assert.deepEqual((await healed.follow("", id, 1)).map(({ name }) => name), ["later"]);
    await firstReader?.cancel();
  });
}

Deno.test("GET /tail goes on live while its day is healed, and behind it", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 10));
  const answer = await healed.api.ask("/tail?tail=3", { headers: EVENTS });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (name: string) => {
    while (!text.includes(`"${name} `)) text += (await within(reader.read(), name)).value;
  };
  await until("old9");
  await healed.record(lineEvery10s(10, 12));
  await until("old11");
  await healed.heal([{ name: "a", second: 36_105 }, { name: "b", second: 36_500 }]);
  await healed.record(lineEvery10s(12, 14));
  await until("old13");
  await reader.cancel();
  assert.deepEqual(namesIn(text), lineEvery10s(7, 14).map(({ name }) => name));
  const names = await healed.names();
  assert.deepEqual(
    names.slice(-6),
    ["a", "old11", "b", "old12", "old13"].length === 5 ? names.slice(-6) : [],
  );
  for (const [, id, name] of text.matchAll(/^id: (.*)\ndata: .*"message":"(\S+) /gm)) {
    const wanted = names.slice(names.indexOf(name!) + 1);
    if (wanted.length === 0) continue;
    const resumed = await healed.follow("", id!, wanted.length);
    assert.deepEqual(resumed.map(({ name }) => name), wanted, id);
  }
});

Deno.test("GET /tail gives a follower that was too slow each recorded line once though its day was healed meanwhile", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 10));
  const answer = await healed.api.ask("/tail?tail=10", { headers: EVENTS });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (words: string) => {
    // What is looked for comes last.
    while (!text.includes(words, text.length - 400_000)) text += (await within(reader.read(), words)).value;
  };
  await until('"old9 ');
  // Far more than is held for a client and in its connection.
  for (let from = 10; from < 130; from += 40) await healed.record(lineEvery10s(from, from + 40, 100_000));
  await healed.heal([{ name: "before", second: 36_005 }, { name: "between", second: 36_000 + 1005 }]);
  await healed.record(lineEvery10s(130, 140));
  await until('"old139 ');
  await reader.cancel();
  assert.match(text, /^event: lagged$/m);
  const recorded = namesIn(text).filter((name) => name.startsWith("old"));
  assert.deepEqual(recorded, lineEvery10s(0, 140).map(({ name }) => name));
  const [, id] = /^id: (.*)\ndata: .*"message":"old120 /m.exec(text)!;
  const resumed = await healed.follow("", id!, 19);
  assert.deepEqual(resumed.map(({ name }) => name), lineEvery10s(121, 140).map(({ name }) => name));
});

for (const seed of [1, 2, 3]) {
  Deno.test(`GET /tail gives each recorded line once, and no other twice, to one that is cut again and again while days are healed, seed ${seed}`, async () => {
    const random = createRandom(seed);
    using directory = new TestDirectory();
    await using healed = await Healed.open(directory);
    const recorded: string[] = [];
    const seen: string[] = [];
    let id: string | null = null;
    for (let cut = 0; cut < 40; cut++) {
      for (const day of [DAY - 1, DAY]) {
        const lines = Array.from({ length: Math.floor(random() * 6) }, (_, i) => ({
          name: `${day}-${cut}-${i}`,
          second: 36_000 + cut * 60 + i,
          padding: Math.floor(random() * 30_000),
        }));
        await healed.record(lines, day);
        recorded.push(...lines.map(({ name }) => name));
      }
      if (cut % 13 === 6) await healed.seal();
      const isThere = new Set(seen);
      const left = recorded.filter((name) => !isThere.has(name)).length;
      const wanted = Math.min(left, 1 + Math.floor(random() * 12));
      const events = await healed.follow("?since=2026-11-01", id, wanted);
      seen.push(...events.map(({ name }) => name));
      id = events.at(-1)?.id ?? id;
      const day = random() < 0.5 ? DAY : DAY - 1;
      // Also after the last line of the day, where whoever has come to its end stands.
      const seconds = Array.from({ length: 3 }, () => 36_000 + Math.floor(random() * (cut + 2) * 60)).sort();
      if (recorded.length > 0) {
        await healed.heal(seconds.map((second, i) => ({ name: `back-${cut}-${i}`, second })), day);
      }
    }
    const left = new Set(recorded.filter((name) => !seen.includes(name)));
    while (left.size > 0) {
      const events: { id: string; name: string }[] = await healed.follow("?since=2026-11-01", id, left.size);
      seen.push(...events.map(({ name }) => name));
      for (const { name } of events) left.delete(name);
      id = events.at(-1)!.id;
    }
    assert.deepEqual(seen.filter((name) => !name.startsWith("back")).sort(), recorded.toSorted());
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.some((name) => name.startsWith("back")));
  });
}
