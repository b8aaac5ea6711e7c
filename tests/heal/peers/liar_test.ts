// Peers that break the rules: whatever they do, what is here stays right, and the next peer is asked.

import assert from "node:assert/strict";
import type { SourceOutcome } from "../../../lib/heal/outcome.ts";
import { ASKING_LIMIT_MS } from "../../../lib/heal/peers/peer_healer.ts";
import { PIECE_TIMEOUT_MS } from "../../../lib/heal/peers/peer_connection.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { untilSo } from "../../rig/wait.ts";
import { endless, HandMadePeer, stuck } from "./hand_made_peer.ts";
import { lineAt, momentOf, ServedRecorder } from "./peer_rig.ts";

const HOUR = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("11:00:00") };
const { signal } = new AbortController();

const KNOWN = ["10:00:01", "10:00:02"].map((time) => lineAt(time, `at ${time}`));
const MISSING = ["10:00:03", "10:05:00"].map((time) => lineAt(time, `at ${time}`));

type Lie = Parameters<typeof HandMadePeer.inFrontOf>[1];

/**
 * Compares with one that lies and then with one that does not, and checks that all lines are here once in the end. Returns what
 * came of the liar.
 */
async function compareWithLiar(
  lie: Lie,
  { meanwhile, clock = new FakeClock("2026-11-22T12:00:00Z") }: {
    meanwhile?: () => Promise<void>;
    clock?: FakeClock;
  } = {},
): Promise<SourceOutcome> {
  await using here = await ServedRecorder.start({ clock });
  await using honest = await ServedRecorder.start({ clock });
  await using other = await ServedRecorder.start({ clock });
  await here.record(KNOWN);
  for (const recorder of [honest, other]) await recorder.record([...KNOWN, ...MISSING]);
  await using liar = HandMadePeer.inFrontOf(other.url, lie);
  const comparing = here.healer([liar.url, honest.url]).compare(HOUR, signal);
  await meanwhile?.();
  const { outcomes } = await comparing;
  assert.equal(outcomes.length, 2);
  assert.deepEqual([outcomes[1]!.source, outcomes[1]!.state], [honest.url, "complete"]);
  assert.deepEqual(await here.lines(), [...KNOWN, ...MISSING].sort());
  return outcomes[0]!;
}

function areLines(path: string): boolean {
  return path.includes(".jsonl");
}

Deno.test("A peer whose body has no end brings nothing", async () => {
  const outcome = await compareWithLiar((path) =>
    areLines(path) ? new Response(endless(`${MISSING[0]}\n`.repeat(100))) : null
  );
  assert.deepEqual([outcome.state, outcome.lines], ["nothing", 0]);
  assert.match(outcome.reason!, /sends more than \d+ lines, which its digest of "2026-11-22" does not have$/);
});

Deno.test("A peer whose lines are of another span brings nothing", async () => {
  const outcome = await compareWithLiar((path) =>
    areLines(path) ? new Response(`${lineAt("10:30:00", "of another span")}\n`.repeat(3)) : null
  );
  assert.deepEqual([outcome.state, outcome.lines], ["nothing", 0]);
  assert.match(outcome.reason!, /^The digest of ".*" has 3 lines of 2026-11-22T10:00Z, and it sends 0$/);
});

Deno.test("A peer that sends as many lines as its digest has, but others, brings nothing", async () => {
  const outcome = await compareWithLiar((path) =>
    areLines(path) && path.includes("since=2026-11-22T10:00")
      ? new Response([...KNOWN, lineAt("10:00:03", "a lie")].map((line) => `${line}\n`).join(""))
      : null
  );
  assert.deepEqual([outcome.state, outcome.lines], ["nothing", 0]);
  assert.match(outcome.reason!, /has 3 lines of 2026-11-22T10:00Z, and it sends others$/);
});

Deno.test("A peer that leaves lines out which its digest has brings nothing", async () => {
  const outcome = await compareWithLiar((path) => areLines(path) ? new Response(`${KNOWN[0]}\n`) : null);
  assert.deepEqual([outcome.state, outcome.lines], ["nothing", 0]);
  assert.match(outcome.reason!, /has 3 lines of 2026-11-22T10:00Z, and it sends 1$/);
});

Deno.test("A peer whose digest is another each time is asked once each time", async () => {
  let asked = 0;
  const outcome = await compareWithLiar((path, forward) => {
    if (areLines(path)) return null;
    asked++;
    return forward().then(async (answer) => {
      const digest = await answer.json();
      for (const minute of digest.minutes) minute.sum = crypto.randomUUID().replaceAll("-", "");
      return new Response(JSON.stringify(digest), { headers: answer.headers });
    });
  });
  assert.equal(outcome.state, "nothing");
  assert.match(outcome.reason!, /sends others$/);
  assert.equal(asked, 1);
});

Deno.test("A peer whose body breaks off in the middle brings what came whole before", async () => {
  const outcome = await compareWithLiar((path, forward) => {
    if (!areLines(path) || !path.includes("since=2026-11-22T10:05")) return null;
    return forward().then(async (answer) => {
      const text = await answer.text();
      return new Response(text.slice(0, -10));
    });
  });
  assert.deepEqual([outcome.state, outcome.lines], ["incomplete", 1]);
  assert.match(outcome.reason!, /: the answer ends in the middle of a line; try again later$/);
});

Deno.test("A peer that stops in the middle of a body is given up in time", async () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  const begun = Promise.withResolvers<void>();
  const outcome = await compareWithLiar(
    (path) => areLines(path) ? new Response(stuck(`${KNOWN[0]}\n`, begun.resolve)) : null,
    {
      clock,
      async meanwhile() {
        await begun.promise;
        await untilSo(() => clock.pending > 1, "the wait for the next piece");
        await clock.advanceAsync(PIECE_TIMEOUT_MS);
        await clock.advanceAsync(PIECE_TIMEOUT_MS);
      },
    },
  );
  assert.equal(outcome.state, "nothing");
  assert.match(outcome.reason!, /no more of the answer within 30 s; try again later$/);
});

Deno.test("A peer that promises more lines than there can be costs no more than what it sends", async () => {
  const outcome = await compareWithLiar((path, forward) => {
    if (areLines(path)) return null;
    return forward().then(async (answer) => {
      const digest = await answer.json();
      for (const minute of digest.minutes) minute.lines = 2 ** 40;
      return new Response(JSON.stringify(digest), { headers: answer.headers });
    });
  });
  assert.equal(outcome.state, "nothing");
});

Deno.test("A peer that takes all the time there is for each answer keeps nobody else away", async () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  const lines = Array.from({ length: 70 }, (_, n) => {
    const minute = `${8 + Math.floor(n / 30)}:${String(2 * (n % 30)).padStart(2, "0")}`;
    return lineAt(`${minute.padStart(5, "0")}:30`, `line ${n}`); // no two minutes beside each other
  });
  await using here = await ServedRecorder.start({ clock });
  await using honest = await ServedRecorder.start({ clock });
  await using other = await ServedRecorder.start({ clock });
  await here.record(KNOWN);
  for (const recorder of [honest, other]) await recorder.record([...KNOWN, ...lines]);
  await using liar = HandMadePeer.inFrontOf(other.url, (path) => {
    if (areLines(path)) {
      clock.skip(29_000);
      clock.advance(0);
    }
    return null;
  });
  const span = { sinceMs: momentOf("08:00:00"), untilMs: momentOf("11:00:00") };
  const { outcomes } = await here.healer([liar.url, honest.url]).compare(span, signal);
  assert.equal(outcomes[0]!.state, "incomplete");
  assert.match(
    outcomes[0]!.reason!,
    /has not sent everything within 30 minutes; the rest is asked for later$/,
  );
  assert.equal(outcomes[0]!.lines, Math.floor(ASKING_LIMIT_MS / 29_000));
  assert.equal(outcomes[1]!.state, "complete");
  assert.deepEqual(await here.lines(), [...KNOWN, ...lines].sort());
});
