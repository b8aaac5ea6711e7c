import assert from "node:assert/strict";
import { IDENTITY_VERSION } from "../../../lib/line/identity.ts";
import {
  DIGEST_LIMIT_BYTES,
  LINE_LIMIT_BYTES,
  type LinesRequest,
  Peer,
  REMEMBERED_DAYS_LIMIT,
} from "../../../lib/heal/peers/peer.ts";
import { PeerError, type PeerFailure } from "../../../lib/heal/peers/peer_error.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { cut, endless, HandMadePeer, type PeerHandler } from "./hand_made_peer.ts";

const DAY = 20_779;
const SPAN = { sinceMs: Date.parse("2026-11-22T10:00:00Z"), untilMs: Date.parse("2026-11-22T10:01:00.5Z") };
const SUM = "0".repeat(31) + "7";
const DIGEST = {
  day: "2026-11-22",
  identity: { version: IDENTITY_VERSION, decimals: 9, hasInstance: true },
  minutes: [{ minute: "2026-11-22T10:00:00Z", lines: 3, sum: SUM }],
  distant: null,
  withoutIdentity: 2,
};
const { signal } = new AbortController();

function json(value: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { headers: { "content-type": "application/json", ...headers } });
}

function problem(status: number, name: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ type: `urn:flightlog:problem:${name}`, status }), {
    ...{ status, headers: { "content-type": "application/problem+json", ...headers } },
  });
}

/** Has `test` ask a peer that answers by `handler`. */
async function asking(
  handler: PeerHandler,
  test: (peer: Peer, server: HandMadePeer, clock: FakeClock) => Promise<void>,
  { token = null, clock = new FakeClock(0) }: { token?: string | null; clock?: FakeClock } = {},
): Promise<void> {
  await using server = HandMadePeer.start(handler);
  await test(new Peer({ url: server.url, token, clock }), server, clock);
}

async function linesOf(peer: Peer, given: Partial<LinesRequest> = {}): Promise<string[]> {
  const lines: string[] = [];
  const request = { day: DAY, span: SPAN, linesLimit: 1000, onTooLong() {}, ...given };
  for await (const line of peer.lines(request, signal)) lines.push(new TextDecoder().decode(line));
  return lines;
}

async function fails(promise: Promise<unknown>, failure: PeerFailure, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof PeerError, String(error));
    assert.match(error.message, message);
    assert.equal(error.failure, failure);
    return true;
  });
}

Deno.test("Peer.digest() reads what it has of a day, who it is, and asks with the token", async () => {
  const answer = () => json(DIGEST, { "flightlog-instance": "run-7", "flightlog-org": "caf%C3%A9" });
  await asking(answer, async (peer, server) => {
    const { digest, ...from } = await peer.digest(DAY, signal);
    assert.deepEqual(from, { instance: "run-7", org: "caf\u00e9", records: null, refusal: null });
    assert.deepEqual([...digest.minutes], [[Date.parse("2026-11-22T10:00:00Z") / 60_000, {
      lines: 3,
      sum: SUM,
    }]]);
    assert.equal(digest.withoutIdentity, 2);
    assert.deepEqual(server.requests, ["/logs/2026-11-22/digest"]);
    assert.deepEqual(server.authorizations, ["Bearer Sesame-1"]);
  }, { token: "Sesame-1" });
});

Deno.test("Peer.digest() sends the entity tag that came last, and takes 304 for the digest of then", async () => {
  const tags: (string | null)[] = [];
  const answer: PeerHandler = (request) => {
    const tag = request.headers.get("if-none-match");
    tags.push(tag);
    return tag === null ? json(DIGEST, { etag: '"one"' }) : new Response(null, { status: 304 });
  };
  await asking(answer, async (peer) => {
    const first = await peer.digest(DAY, signal);
    assert.deepEqual(await peer.digest(DAY, signal), first);
    assert.deepEqual(tags, [null, '"one"']);
  });
});

Deno.test("Peer.digest() remembers no more days than its limit", async () => {
  const tags: (string | null)[] = [];
  const answer: PeerHandler = (request, { pathname }) => {
    tags.push(request.headers.get("if-none-match"));
    return json({ ...DIGEST, day: pathname.split("/")[2], minutes: [] }, { etag: '"one"' });
  };
  await asking(answer, async (peer) => {
    for (let day = DAY - REMEMBERED_DAYS_LIMIT; day <= DAY; day++) await peer.digest(day, signal);
    tags.length = 0;
    await peer.digest(DAY - REMEMBERED_DAYS_LIMIT, signal);
    assert.deepEqual(tags, [null]);
  });
});

Deno.test("Peer.digest() of a day without lines has none, of one that cannot be had says why", async () => {
  let answer = () => problem(404, "unknown-day");
  await asking(() => answer(), async (peer) => {
    const none = await peer.digest(DAY, signal);
    assert.deepEqual([none.digest.minutes.size, none.refusal], [0, null]);
    answer = () => problem(410, "removed-day");
    assert.equal((await peer.digest(DAY, signal)).refusal, `"${peer.name}" has removed 2026-11-22`);
    answer = () => problem(500, "unreadable-day");
    const { refusal } = await peer.digest(DAY, signal);
    assert.equal(refusal, `"${peer.name}" cannot read its files of 2026-11-22`);
  });
});

for (
  const [what, answer, failure, message] of [
    [
      "401",
      () => problem(401, "unauthorized"),
      "refused",
      /answers 401; set PEER_TOKEN to one of the tokens/,
    ],
    ["403", () => problem(403, "forbidden"), "refused", /answers 403; set PEER_TOKEN/],
    [
      "that it has no token",
      () => problem(503, "no-api-token"),
      "refused",
      /it has no API_TOKEN; set one there$/,
    ],
    ["a host that is not its own", () => problem(421, "misdirected"), "refused", /set one there$/],
    [
      "404 of another program",
      () => new Response("", { status: 404 }),
      "foreign",
      /check its address in PEERS$/,
    ],
    [
      "a redirect",
      () => Response.redirect("http://127.0.0.1:1/"),
      "foreign",
      /answers 302, which no Flightlog/,
    ],
    ["500", () => problem(500, "internal"), "down", /answers 500; look at its log, and try again later$/],
    [
      "503",
      () => problem(503, "too-many-readers"),
      "busy",
      /answers 503: it has too many readers; try again later$/,
    ],
    ["HTML", () => new Response("<html>"), "foreign", /answers with no digest of a Flightlog/],
    ["a digest of another shape", () => json({ ...DIGEST, more: 1 }), "foreign", /no digest of a Flightlog/],
    ["another day", () => json({ ...DIGEST, day: "2026-11-21" }), "broken", /another day than "2026-11-22"$/],
    [
      "a digest of a newer version",
      () => json({ day: 7, identity: { version: IDENTITY_VERSION + 1 }, news: [] }),
      "version",
      /compares lines by version 2, this recorder by version 1; update the older of the two$/,
    ],
    [
      "a digest of another form",
      () => json({ ...DIGEST, identity: { ...DIGEST.identity, decimals: 3 } }),
      "version",
      /by 3 decimals and with the instance, this recorder by all there is/,
    ],
    ["too much", () => new Response(endless(" ".repeat(65_536))), "broken", /more than the 1048576 bytes/],
    ["a body that breaks off", () => cut(JSON.stringify(DIGEST)), "down", /; try again later$/],
  ] as [string, PeerHandler, PeerFailure, RegExp][]
) {
  Deno.test(`Peer.digest() fails as ${failure} when answered ${what}`, async () => {
    await asking(answer, async (peer, server) => {
      await fails(peer.digest(DAY, signal), failure, message);
      assert.equal(server.requests.length, 1);
    });
  });
}

Deno.test("Peer.digest() has a limit that is above any digest", () => {
  const minute = JSON.stringify({ minute: "2026-11-22T10:00:00Z", lines: 99_999_999, sum: SUM }).length + 1;
  assert.ok(2880 * minute + 1000 < DIGEST_LIMIT_BYTES);
});

Deno.test("Peer.coverage() asks for the headers alone, also of a day without lines", async () => {
  const methods: string[] = [];
  let status = 200;
  const answer: PeerHandler = ({ method }) => {
    methods.push(method);
    return new Response(null, { status, headers: { "log-coverage": "partial; gaps=1; seconds=2" } });
  };
  await asking(answer, async (peer, server) => {
    assert.equal(await peer.coverage(DAY, SPAN, signal), "partial; gaps=1; seconds=2");
    status = 404;
    assert.equal(await peer.coverage(DAY, SPAN, signal), "partial; gaps=1; seconds=2");
    assert.deepEqual(methods, ["HEAD", "HEAD"]);
    assert.equal(
      server.requests[0],
      "/logs/2026-11-22.jsonl?since=2026-11-22T10:00:00.000Z&until=2026-11-22T10:01:00.500Z",
    );
    status = 500;
    await fails(peer.coverage(DAY, SPAN, signal), "down", /answers 500/);
  });
});

const PEER_GAP = { until: null, cause: "stall", state: "open", healed: null, reason: null };

Deno.test("Peer.gaps() asks for the gaps of the span, and tells when they are", async () => {
  const gaps = [{ ...PEER_GAP, since: "2026-11-22T10:00:30.000Z" }];
  await asking(() => json({ gaps }), async (peer, server) => {
    assert.deepEqual(await peer.gaps(SPAN, signal), [{ ...SPAN, sinceMs: SPAN.sinceMs + 30_000 }]);
    assert.deepEqual(server.requests, [
      "/gaps?since=2026-11-22T10:00:00.000Z&until=2026-11-22T10:01:00.500Z",
    ]);
  });
});

Deno.test("Peer.gaps() fails when it is refused, answered too much or something else, or the body breaks off", async () => {
  let answer = () => problem(401, "unauthorized");
  await asking(() => answer(), async (peer) => {
    await fails(peer.gaps(SPAN, signal), "refused", /answers 401; set PEER_TOKEN to one of the tokens/);
    answer = () => new Response(endless(" ".repeat(65_536)));
    await fails(peer.gaps(SPAN, signal), "broken", /more than the 4194304 bytes/);
    answer = () => json({ gaps: "none" });
    await fails(peer.gaps(SPAN, signal), "foreign", /answers with no list of gaps/);
    answer = () => cut('{"gaps":[]}');
    await fails(peer.gaps(SPAN, signal), "down", /; try again later$/);
  });
});

Deno.test("Peer.lines() yields the lines of a span, of one level if it is asked for, and none of a day without lines", async () => {
  let answer = () => new Response("one\ntwo\n");
  await asking(() => answer(), async (peer, server) => {
    assert.deepEqual(await linesOf(peer), ["one", "two"]);
    await linesOf(peer, { level: "unknown" });
    assert.match(server.requests[1]!, /&level=unknown$/);
    answer = () => problem(404, "unknown-day");
    assert.deepEqual(await linesOf(peer), []);
  });
});

Deno.test("Peer.lines() fails when the body breaks off, within a line or between two", async () => {
  let answer = () => cut("one\ntwo\n");
  await asking(() => answer(), async (peer) => {
    await fails(linesOf(peer), "down", /; try again later$/);
    answer = () => new Response("one\ntw");
    await fails(linesOf(peer), "down", /: the answer ends in the middle of a line; try again later$/);
  });
});

Deno.test("Peer.lines() takes no more lines than may be", async () => {
  await asking(() => new Response(endless("a line\n".repeat(1000))), async (peer) => {
    await fails(
      linesOf(peer, { linesLimit: 5000 }),
      "broken",
      /sends more than 5000 lines, which its digest of/,
    );
  });
});

Deno.test("Peer.lines() leaves out lines that are too long, and tells", async () => {
  await asking(() => new Response(`one\n${"x".repeat(LINE_LIMIT_BYTES + 1)}\ntwo\n`), async (peer) => {
    let tooLong = 0;
    assert.deepEqual(await linesOf(peer, { onTooLong: () => tooLong++ }), ["one", "two"]);
    assert.equal(tooLong, 1);
  });
});
