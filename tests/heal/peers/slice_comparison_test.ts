import assert from "node:assert/strict";
import { LineRules } from "../../../lib/filter/rules.ts";
import { OwnDays } from "../../../lib/heal/peers/own_days.ts";
import { Peer } from "../../../lib/heal/peers/peer.ts";
import {
  COMPARED_LINES_LIMIT,
  compareSlice,
  type SliceComparison,
} from "../../../lib/heal/peers/slice_comparison.ts";
import { DAY } from "../../archive/archive_rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { HandMadePeer } from "./hand_made_peer.ts";
import { lineAt, momentOf, ServedRecorder } from "./peer_rig.ts";

const SLICE = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("10:01:00"), lines: 0 };
const { signal } = new AbortController();
const [A, B, C] = ["a", "b", "c"].map((message, n) => lineAt(`10:00:0${n}`, message)) as [
  string,
  string,
  string,
];

/** Compares what is here with a peer that answers with these lines, whatever it is asked for. */
async function compare(
  ours: readonly string[],
  theirs: Iterable<string>,
  { withKeys = false, excludeApps = [] as string[] } = {},
): Promise<SliceComparison | null> {
  await using here = await ServedRecorder.start();
  await here.record(ours);
  const body = new TextEncoder().encode([...theirs, ""].join("\n"));
  await using server = HandMadePeer.start(() => new Response(body));
  const peer = new Peer({ url: server.url, token: null, clock: new FakeClock(0) });
  const rules = new LineRules({ ownApp: null, excludeApps, includeApps: [], excludeText: [] });
  const own = new OwnDays(here.archive);
  return await compareSlice(
    { ...{ peer, own, day: DAY, slice: SLICE, rules, withKeys }, linesLimit: 1e6 },
    signal,
  );
}

function textsOf(comparison: SliceComparison | null): string[] {
  return comparison!.missing.map(({ bytes }) => new TextDecoder().decode(bytes));
}

Deno.test("compareSlice() finds each line as often as it is missing, in order of time", async () => {
  const comparison = await compare([B, B, C], [C, B, A, B, C, B, A]);
  assert.deepEqual(textsOf(comparison), [A, A, B, C]);
  const { ours, theirs, matched } = comparison!;
  assert.deepEqual([ours, theirs, matched], [3, 7, 3]);
});

Deno.test("compareSlice() leaves out what is of another time, no line of a recorder, or unwanted, and counts it", async () => {
  const noisy = lineAt("10:00:05", "m", { app: "noisy" });
  const lines = [A, lineAt("10:01:00", "late"), "not JSON", noisy, '{"message":"untimed"}'];
  const comparison = (await compare([], lines, { excludeApps: ["noisy"] }))!;
  assert.deepEqual(textsOf(comparison), [A]);
  assert.deepEqual(comparison.drops, { outside: 1, unusable: 1, tooLong: 0 });
  assert.deepEqual([comparison.theirs, comparison.untimed], [1, 1]);
  // Unwanted lines are in its digest.
  assert.deepEqual([...comparison.sent.lines], [2]);
});

Deno.test("compareSlice() tells the identities of both, a line from Fly's logs API by that of the other side", async () => {
  const more = ',"flightlog":{"healed":"fly","id":"7"}';
  const healed = lineAt("10:00:03.123", "d", { more });
  const comparison =
    (await compare([A, healed], [A, lineAt("10:00:03.123456789", "d"), B], { withKeys: true }))!;
  const { ours, theirs } = comparison.keys!;
  assert.equal(ours.length, 2);
  assert.deepEqual(new Set(theirs).intersection(new Set(ours)).size, 2);
  assert.deepEqual([theirs.length, comparison.matched], [3, 2]);
});

Deno.test("compareSlice() gives up a slice with too many lines", async () => {
  const lines = Array.from({ length: COMPARED_LINES_LIMIT + 1 }, (_, n) => lineAt("10:00:00.5", `${n}`));
  assert.equal(await compare([], lines), null);
});
