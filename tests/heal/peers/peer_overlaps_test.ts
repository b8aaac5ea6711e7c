import assert from "node:assert/strict";
import type { Span } from "../../../lib/gaps/gap.ts";
import type { PeerComparison } from "../../../lib/heal/peers/peer_comparison.ts";
import { PeerOverlaps } from "../../../lib/heal/peers/peer_overlaps.ts";
import { momentOf } from "./peer_rig.ts";

const GAP = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("10:00:20") };
const { signal } = new AbortController();

/** Lines by seconds before (negative) and after the gap, and how many minutes are the same. */
async function prove(
  { ours = [], theirs = [], sameLines = 0, settledMs = momentOf("11:00:00"), limit = Infinity }: {
    ours?: number[];
    theirs?: number[];
    sameLines?: number;
    settledMs?: number;
    limit?: number;
  },
): Promise<{ doubt: string | null; seconds: number[] }> {
  const seconds: number[] = [];
  const within = ({ sinceMs, untilMs }: Span, times: number[]) =>
    times.filter((second) => {
      const ms = second < 0 ? GAP.sinceMs + second * 1000 : GAP.untilMs + second * 1000;
      return ms >= sinceMs && ms < untilMs;
    }).map(String);
  const comparison = {
    sameLines,
    addKeys(keys: { ours: string[]; theirs: string[] }, _limit: number, _day: number, span: Span) {
      seconds.push((span.untilMs - span.sinceMs) / 1000);
      keys.ours.push(...within(span, ours));
      keys.theirs.push(...within(span, theirs));
      return Promise.resolve(keys.ours.length <= limit);
    },
  } as unknown as PeerComparison;
  const overlaps = new PeerOverlaps(comparison, { gap: GAP, settledMs, signal });
  await overlaps.compare();
  return { doubt: await overlaps.prove(), seconds };
}

Deno.test("PeerOverlaps prove a peer that has what is here next to the gap", async () => {
  assert.deepEqual(await prove({ ours: [-3, 2], theirs: [-3, 2, 3] }), { doubt: null, seconds: [5, 5] });
});

Deno.test("PeerOverlaps say what is not there", async () => {
  const { doubt } = await prove({ ours: [-3, 2], theirs: [2] });
  assert.equal(doubt, "1 of 1 lines in the 5 s before the gap are not there");
});

Deno.test("PeerOverlaps trust in silence where some minute is the same", async () => {
  assert.deepEqual(await prove({ sameLines: 1 }), { doubt: null, seconds: [5, 5] });
});

Deno.test("PeerOverlaps look farther in silence where no minute is the same", async () => {
  const isThere = await prove({ ours: [-300, 40], theirs: [40] });
  assert.deepEqual(isThere, { doubt: null, seconds: [5, 5, 60, 60] });
  const isNot = await prove({ ours: [-300], theirs: [] });
  assert.equal(isNot.doubt, "no line is here within 5 s of the gap to compare with");
  assert.deepEqual(isNot.seconds, [5, 5, 60, 60, 600, 600]);
});

Deno.test("PeerOverlaps look at nothing that has not settled", async () => {
  const { doubt } = await prove({ ours: [3], theirs: [3], settledMs: GAP.untilMs + 2000 });
  assert.match(doubt!, /^no line is here/);
});

Deno.test("PeerOverlaps look at the quarter next to the gap where there are too many lines", async () => {
  const { doubt, seconds } = await prove({ ours: [-4, -3, -1], theirs: [-1], limit: 1 });
  assert.deepEqual([doubt, seconds], [null, [5, 1.25, 5]]);
});
