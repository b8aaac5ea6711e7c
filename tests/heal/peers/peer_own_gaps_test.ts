import assert from "node:assert/strict";
import { Peer } from "../../../lib/heal/peers/peer.ts";
import { EXCEPT_LIMIT, PeerOwnGaps } from "../../../lib/heal/peers/peer_own_gaps.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { HandMadePeer } from "./hand_made_peer.ts";
import { momentOf } from "./peer_rig.ts";

const DAY = 20_779;
const WHOLE = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("11:00:00") };

/** Asks a peer that says `coverage`, and whose answer to `/gaps` has `gaps` or is of another status. */
async function ask(
  coverage: string,
  gaps: [string, string][] | number,
  { signal = new AbortController().signal } = {},
): Promise<{ own: PeerOwnGaps; unknown: string | null; requests: number; url: string }> {
  await using server = HandMadePeer.start(({ method }) => {
    if (method === "HEAD") return new Response(null, { headers: { "log-coverage": coverage } });
    if (typeof gaps === "number") return new Response(null, { status: gaps });
    const time = (text: string) => new Date(momentOf(text)).toISOString();
    const told = { cause: "stop", state: "lost", healed: null, reason: null };
    return Response.json({
      gaps: gaps.map(([since, until]) => ({ ...told, since: time(since), until: time(until) })),
    });
  });
  const peer = new Peer({ url: server.url, token: null, clock: new FakeClock(0) });
  const own = new PeerOwnGaps(peer, WHOLE);
  const unknown = await own.ask(DAY, WHOLE, signal);
  return { own, unknown, requests: server.requests.length, url: server.url };
}

Deno.test("a peer that is complete is not asked for its gaps", async () => {
  const { own, unknown, requests } = await ask("complete; healed=2", []);
  assert.deepEqual([own.except, own.reasons, unknown, requests], [undefined, [], null, 1]);
});

Deno.test("of a peer that has gaps it is told when these are, and that it has some", async () => {
  const { own, unknown } = await ask("partial; gaps=1; seconds=5; healed=1", [["10:20:00", "10:20:05"]]);
  assert.equal(unknown, null);
  assert.deepEqual(own.except, [{ sinceMs: momentOf("10:20:00"), untilMs: momentOf("10:20:05") }]);
  assert.deepEqual(own.reasons, [
    'It has gaps of its own on 2026-11-22: "partial; gaps=1; seconds=5; healed=1"',
  ]);
});

Deno.test("a peer whose gaps of the day are elsewhere is complete", async () => {
  const { own, unknown } = await ask("partial; gaps=1; seconds=5", []);
  assert.deepEqual([own.except, own.reasons, unknown], [undefined, [], null]);
});

for (const coverage of ["partial; held=3", "partial; gaps=1; seconds=5; held=3", "none", "<b>all</b>"]) {
  Deno.test(`a peer that says "${coverage}" is complete for nothing, since more may be missing than its gaps`, async () => {
    const { own, unknown, requests } = await ask(coverage, [["10:20:00", "10:20:05"]]);
    assert.match(unknown!, /^It has gaps of its own on 2026-11-22/);
    assert.deepEqual([own.except, requests], [undefined, 1]);
  });
}

Deno.test("a peer that does not say when its gaps are is complete for nothing, and it is told why", async () => {
  const { own, unknown, url } = await ask("partial; gaps=1; seconds=5", 500);
  assert.equal(own.except, undefined);
  assert.equal(
    unknown,
    `It has gaps of its own on 2026-11-22: "partial; gaps=1; seconds=5", and does not say when: Cannot ask "${url}": ` +
      "it answers 500; look at its log, and try again later",
  );
});

for (const [count, isTold] of [[EXCEPT_LIMIT, true], [EXCEPT_LIMIT + 1, false]] as const) {
  Deno.test(`of a peer with ${count} gaps it is ${isTold ? "" : "not "}told when these are`, async () => {
    const two = (number: number) => String(number).padStart(2, "0");
    const gaps = Array.from({ length: count }, (_, n): [string, string] => {
      const minute = `10:${two(n % 60)}`;
      return n < 60 ? [`${minute}:10`, `${minute}:15`] : [`${minute}:30`, `${minute}:35`];
    });
    const { own } = await ask("partial; gaps=100; seconds=500", gaps);
    assert.equal(own.except?.length, isTold ? count : undefined);
    assert.equal(own.reasons.length, 1);
  });
}
