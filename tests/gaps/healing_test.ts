import assert from "node:assert/strict";
import type { GapHealing } from "../../lib/gaps/gap.ts";
import { fitHealing, healedLines, joinHealings, sourcesWords } from "../../lib/gaps/healing.ts";

function healing(...sources: [name: string, lines: number][]): GapHealing {
  return {
    sources: sources.map(([name, lines]) => ({ name, lines })),
    atMs: 1000,
    doneUntilMs: null,
    reason: null,
  };
}

Deno.test("fitHealing() leaves what is within the limits as it is", () => {
  const given = {
    ...healing(["fly", 0], ["http://[fdaa::1]:8080", 7]),
    doneUntilMs: 5,
    reason: "Größe: 3 €",
  };
  assert.deepEqual(fitHealing(given), given);
});

Deno.test("fitHealing() cuts a name of 200 and a reason of 300 characters, also in the middle of a character", () => {
  const { sources, reason } = fitHealing({
    ...healing(["x".repeat(201), 1]),
    reason: "r".repeat(299) + "\u{1f600}",
  });
  assert.equal(sources[0]!.name, "x".repeat(200));
  assert.equal(reason, "r".repeat(299) + "\ufffd");
});

Deno.test("fitHealing() leaves nothing in a name or a reason that steers a terminal", () => {
  const fitting = fitHealing({ ...healing(["a\x1b[2Jé", 1]), reason: "a\x1b[2J\r\nb\u202ec\x9bd" });
  assert.deepEqual(fitting.sources, [{ name: "a?[2J?", lines: 1 }]);
  assert.equal(fitting.reason, "a [2J b c d");
});

Deno.test("fitHealing() keeps the seven sources with the most lines, and counts the others together", () => {
  const many = Array.from({ length: 10 }, (_, number): [string, number] => [`peer ${number}`, number]);
  const { sources } = fitHealing(healing(...many));
  assert.deepEqual(sources, [
    ...[3, 4, 5, 6, 7, 8, 9].map((number) => ({ name: `peer ${number}`, lines: number })),
    { name: "others", lines: 0 + 1 + 2 },
  ]);
  const again = joinHealings({ ...healing(), sources }, healing(["fly", 100]));
  assert.equal(again.sources.length, 8);
  assert.equal(healedLines(again), 45 + 100);
  assert.deepEqual(again.sources.at(-1), { name: "others", lines: 0 + 1 + 2 + 3 });
});

Deno.test("joinHealings() tells how far both were looked through, and nothing where one was not", () => {
  const [a, b] = [{ ...healing(), doneUntilMs: 50 }, { ...healing(), doneUntilMs: 40 }];
  assert.equal(joinHealings(a, b).doneUntilMs, 40);
  assert.equal(joinHealings(a, healing()).doneUntilMs, null);
});

for (
  const [sources, words] of [
    [[], ""],
    [[["fly", 412]], "412 lines from fly"],
    [[["fly", 0], ["http://b", 1], ["http://c", 1200]], "1 line from http://b, 1,200 lines from http://c"],
    [[["fly", 0]], "no line was missing, says fly"],
    [[["fly", 0], ["http://b", 0]], "no line was missing, say fly and http://b"],
  ] as [[string, number][], string][]
) {
  Deno.test(`sourcesWords() of ${JSON.stringify(sources)} are "${words}"`, () => {
    assert.equal(sourcesWords(healing(...sources)), words);
  });
}
