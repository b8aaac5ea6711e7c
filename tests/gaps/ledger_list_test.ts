import assert from "node:assert/strict";
import type { Gap, GapCause, GapState } from "../../lib/gaps/gap.ts";
import { GapList, GAPS_LIMIT, joinNearest, latestOf } from "../../lib/gaps/ledger_list.ts";

function ended(id: number, sinceMs: number, state: GapState = "lost"): Gap {
  return { id, sinceMs, untilMs: sinceMs + 10, cause: "stop", state, healing: null };
}

Deno.test("Joining gaps keeps their ids, and never makes one of two states or causes", () => {
  const gap = (id: number, sinceMs: number, cause: GapCause, state: GapState): Gap => ({
    id,
    sinceMs,
    untilMs: sinceMs + 10,
    cause,
    state,
    healing: null,
  });
  const gaps = [
    gap(1, 0, "stop", "lost"),
    gap(2, 11, "stop", "healed"),
    gap(3, 22, "stop", "lost"),
    gap(4, 33, "crash", "lost"),
    gap(5, 90, "stop", "healed"),
    gap(6, 500, "stop", "lost"),
    { ...gap(7, 501, "stop", "open"), untilMs: null },
  ];
  assert.deepEqual(joinNearest(gaps, 6).map(({ id, sinceMs, untilMs }) => [id, sinceMs, untilMs]), [
    [1, 0, 32],
    [2, 11, 21],
    [4, 33, 43],
    [5, 90, 100],
    [6, 500, 510],
    [7, 501, null],
  ]);
  assert.deepEqual(joinNearest(gaps, 0).map(({ id, state }) => `${id} ${state}`), [
    "1 lost",
    "2 healed",
    "4 lost",
    "7 open",
  ]);
});

Deno.test("joinNearest() leaves the gaps that it was given as they are", () => {
  const gaps = [ended(1, 0), ended(2, 20), ended(3, 40)];
  const before = structuredClone(gaps);
  assert.deepEqual(joinNearest(gaps, 2), [{ ...ended(1, 0), untilMs: 30 }, ended(3, 40)]);
  assert.deepEqual(gaps, before);
});

Deno.test("joinNearest() joins only what agrees in all that is known but ids and times", () => {
  const by = (gap: Gap, healer: string): Gap => ({ ...gap, state: "healed", healer } as Gap);
  const gaps = [by(ended(1, 0), "peer"), by(ended(2, 11), "fly"), by(ended(3, 22), "peer"), ended(4, 90)];
  assert.deepEqual(joinNearest(gaps, 1), [
    { ...by(ended(1, 0), "peer"), untilMs: 32 },
    by(ended(2, 11), "fly"),
    ended(4, 90),
  ]);
});

Deno.test("joinNearest() joins in any order of states and times only what agrees", () => {
  const states: GapState[] = ["healed", "lost", "partial"];
  const gaps = Array.from({ length: 300 }, (_, i) => ended(i + 1, (i * 7919) % 3000 * 11, states[i % 3]));
  for (const limit of [0, 3, 30, 150, 299]) {
    const joined = joinNearest(gaps, limit);
    assert.equal(
      joined.length,
      Math.max(limit, new Set(gaps.slice(0, -1).map(({ state }) => state)).size + 1),
    );
    assert.equal(new Set(joined.map(({ id }) => id)).size, joined.length, "no id is there twice");
    for (const gap of gaps) {
      const cover = joined.filter(({ state, sinceMs, untilMs }) =>
        state === gap.state && sinceMs <= gap.sinceMs && untilMs! >= gap.untilMs!
      );
      assert.ok(cover.length > 0, `gap ${gap.id} is in one of its own state`);
    }
  }
});

/** What is known of gap 1 after `lines`. */
function known(...lines: Parameters<GapList["add"]>[0][]): Gap | undefined {
  const list = new GapList();
  for (const line of lines) list.add(line);
  return list.gaps()[0];
}

Deno.test("GapList.add() takes the state that a gap has come to, also where an older line comes again", () => {
  const [open, lost, wider] = [{ ...ended(1, 0, "open"), untilMs: null }, ended(1, 0), {
    ...ended(1, 0),
    untilMs: 15,
  }];
  const [partial, healed] = [{ ...wider, state: "partial" as const }, { ...wider, state: "healed" as const }];
  const told = [open, lost, wider, partial, healed];
  for (const [number, gap] of told.entries()) {
    assert.deepEqual(known(...told.slice(0, number + 1)), gap);
    for (const again of told.slice(0, number)) {
      assert.deepEqual(known(...told.slice(0, number + 1), again), gap, `${again.state} comes again`);
    }
  }
});

Deno.test("GapList.add() heals nothing of which only a narrower line says that it is healed", () => {
  const healed = ended(1, 0, "healed");
  const wider = { ...ended(1, 0), untilMs: 15 };
  assert.deepEqual(known(healed, wider), wider, "it goes on after it was healed");
  assert.deepEqual(known(wider, healed), wider);
  const later = { ...ended(1, 5), untilMs: 15 };
  assert.deepEqual(known(healed, later), wider, "they overlap");
  assert.deepEqual(known(later, healed), wider);
});

Deno.test("GapList.add() ends none of the gaps that last and were joined when one of them ends", () => {
  const list = new GapList();
  const lasting = (id: number): Gap => ({ ...ended(id, id * 20, "open"), untilMs: null });
  for (let id = 1; id <= 2 * GAPS_LIMIT + 1; id++) list.add(lasting(id));
  assert.ok(list.isJoined);
  const before = list.gaps();
  list.add(ended(1, 20));
  assert.deepEqual(list.gaps()[0], lasting(1));
  assert.equal(list.gaps().length, before.length);
});

/** Who has brought how many lines of a gap, when. */
function by(gap: Gap, name: string, lines: number, atMs: number): Gap {
  return { ...gap, healing: { sources: [{ name, lines }], atMs, doneUntilMs: null, reason: null } };
}

Deno.test("joinNearest() joins gaps of one state whoever has healed them, with the lines of all", () => {
  const gaps = [
    by(ended(1, 0, "healed"), "fly", 3, 100),
    by(ended(2, 11, "healed"), "http://b", 4, 200),
    by(ended(3, 22, "healed"), "fly", 5, 150),
    ended(4, 33),
    ended(5, 900),
  ];
  const healing = {
    sources: [{ name: "fly", lines: 8 }, { name: "http://b", lines: 4 }],
    atMs: 200,
    doneUntilMs: null,
    reason: null,
  };
  assert.deepEqual(joinNearest(gaps, 1), [
    { ...ended(1, 0, "healed"), untilMs: 32, healing },
    ended(4, 33),
    ended(5, 900),
  ]);
});

Deno.test("joinNearest() takes a lost gap for one that nobody has looked for where that is so of a part", () => {
  const [first, second, last] = [by(ended(1, 0), "fly", 0, 100), ended(2, 11), ended(3, 900)];
  assert.deepEqual(joinNearest([first, second, last], 2), [{ ...ended(1, 0), untilMs: 21 }, last]);
  const looked = joinNearest([first, by(second, "fly", 0, 300), last], 2)[0]!;
  assert.equal(looked.healing?.atMs, 300);
});

Deno.test("latestOf() passes over gaps that were noted long after their time", () => {
  const late = (id: number, cause: GapCause): Gap => ({ ...ended(id, 0), cause });
  assert.equal(latestOf([]), undefined);
  assert.equal(latestOf([ended(1, 50), late(2, "undelivered"), late(3, "before")])?.id, 1);
  const gaps = [ended(1, 50), ended(2, 61), ended(3, 72), late(4, "undelivered"), late(5, "undelivered")];
  gaps.push(late(6, "undelivered"));
  assert.deepEqual(joinNearest(gaps, 4).map(({ id }) => id), [1, 3, 4, 6], "the latest stays as it is");
});

Deno.test("latestOf() takes the part that has kept the number of its gap, whichever gap was parted", () => {
  const part = (id: number, sinceMs: number, state: GapState) => by(ended(id, sinceMs, state), "fly", 0, 100);
  const parts = [part(3, 0, "healed"), part(4, 20, "healed"), part(5, 30, "partial")];
  assert.equal(latestOf([part(1, 10, "partial"), ended(2, 500), ...parts])?.id, 2, "of an old gap");
  assert.equal(latestOf([part(1, 10, "partial"), ...parts])?.id, 1, "of the last one");
  const whole = { ...part(3, 0, "healed"), untilMs: 40 };
  assert.equal(latestOf([part(1, 10, "partial"), whole])?.id, 1, "of parts that were joined");
  const again = part(6, 35, "healed");
  assert.equal(
    latestOf([part(1, 10, "partial"), ...parts, again])?.id,
    6,
    "a connection broke again at once",
  );
  const apart = part(6, 900, "healed");
  assert.equal(
    latestOf([part(1, 10, "partial"), ...parts, apart])?.id,
    6,
    "one that is by itself is no part",
  );
});

Deno.test("joinNearest() leaves the largest number that was given, of whatever gap", () => {
  const gaps = [
    ended(1, 0),
    ended(2, 500),
    ...[3, 4, 5].map((id) => by(ended(id, id, "healed"), "fly", 0, 1)),
  ];
  assert.equal(joinNearest(gaps, 2).at(-1)?.id, 5);
});

Deno.test("GapList.add() takes the healing that was found out last, also where an older line comes again", () => {
  const lost = ended(1, 0);
  const told = [
    lost,
    by(lost, "fly", 0, 100),
    by(lost, "fly", 0, 200),
    by(ended(1, 0, "partial"), "fly", 5, 200),
    by(ended(1, 0, "partial"), "fly", 7, 300),
    by(ended(1, 0, "healed"), "fly", 9, 300),
    { ...by(ended(1, 0, "healed"), "fly", 12, 400), untilMs: 30 },
  ];
  for (const [number, gap] of told.entries()) {
    assert.deepEqual(known(...told.slice(0, number + 1)), gap);
    for (const again of told.slice(0, number)) {
      assert.deepEqual(
        known(...told.slice(0, number + 1), again),
        gap,
        `${JSON.stringify(again)} comes again`,
      );
    }
  }
});

Deno.test("GapList.add() forgets the healing of a lost gap that has gone on since", () => {
  const wider = { ...ended(1, 0), untilMs: 15 };
  assert.deepEqual(known(by(ended(1, 0), "fly", 0, 100), wider), wider);
  assert.deepEqual(known(wider, by(ended(1, 0), "fly", 0, 100)), wider);
});
