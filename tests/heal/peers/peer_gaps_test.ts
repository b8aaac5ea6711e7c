import assert from "node:assert/strict";
import { readPeerGaps } from "../../../lib/heal/peers/peer_gaps.ts";
import { momentOf } from "./peer_rig.ts";

const WHOLE = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("11:00:00") };

function gap(since: string, until: string | null, state = "lost") {
  const time = (text: string) => `2026-11-22T${text}Z`;
  return {
    since: time(since),
    until: until && time(until),
    cause: "stop",
    state,
    healed: null,
    reason: null,
  };
}

function read(...gaps: unknown[]): string[] {
  return readPeerGaps(JSON.stringify({ gaps }), "http://b:8080", WHOLE).map(({ sinceMs, untilMs }) =>
    [sinceMs, untilMs].map((ms) => new Date(ms).toISOString().slice(11, -1)).join("…")
  );
}

Deno.test("readPeerGaps() tells of what is not healed, within the span, and joins what touches", () => {
  const gaps = [
    gap("09:00:00.000", "10:05:00.000", "partial"),
    gap("10:10:00.000", "10:20:00.000", "healed"),
    gap("10:30:00.000", "10:31:00.000"),
    gap("10:31:00.000", "10:32:00.000"),
    gap("10:59:00.000", null, "open"),
  ];
  assert.deepEqual(read(...gaps), [
    "10:00:00.000…10:05:00.000",
    "10:30:00.000…10:32:00.000",
    "10:59:00.000…11:00:00.000",
  ]);
  assert.deepEqual(read(), []);
});

Deno.test("readPeerGaps() takes a gap of no length for a millisecond, since something may be missing there", () => {
  assert.deepEqual(read(gap("10:30:00.000", "10:30:00.000")), ["10:30:00.000…10:30:00.001"]);
});

Deno.test("readPeerGaps() believes no list that it does not understand", () => {
  for (
    const gaps of [
      [{ ...gap("10:30:00.000", "10:31:00.000"), since: "2026-99-99T10:30:00.000Z" }],
      [{ ...gap("10:30:00.000", "10:31:00.000"), until: "2026-99-99T10:30:00.000Z" }],
      [{ ...gap("10:30:00.000", "10:31:00.000"), since: "today" }],
      [gap("10:30:00.000", "10:31:00.000", "well")],
      [7],
    ]
  ) {
    assert.throws(
      () => read(...gaps),
      /^PeerError: "http:\/\/b:8080" answers with no list of gaps of a Flightlog; check/,
    );
  }
  assert.throws(() => readPeerGaps("<html>", "http://b:8080", WHOLE), /no list of gaps/);
});
