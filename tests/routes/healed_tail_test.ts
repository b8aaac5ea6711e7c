import assert from "node:assert/strict";
import { DAY, TestDirectory } from "../archive/archive_rig.ts";
import { namesIn } from "../archive/healed_rig.ts";
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

Deno.test("GET /tail names how far it has come in a day that was healed at its end, so that its lines come once", async () => {
  using directory = new TestDirectory();
  await using healed = await Healed.open(directory);
  await healed.record(lineEvery10s(0, 3), DAY - 1);
  await healed.seal();
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
});

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
