import assert from "node:assert/strict";
import { daysOf, UNTIMED_LINES_LIMIT, within } from "../../../lib/heal/peers/untimed_comparison.ts";
import { createEnvelope } from "../../../lib/line/envelope.ts";
import { DAY } from "../../archive/archive_rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { lineAt, momentOf, ServedRecorder } from "./peer_rig.ts";

const { signal } = new AbortController();
const GAP = { sinceMs: momentOf("10:00:10"), untilMs: momentOf("10:00:20") };
const AROUND = [lineAt("10:00:08", "before"), lineAt("10:00:22", "after")];

/** What comes of a gap between lines that both have, in which `theirs` is there. */
async function heal(
  theirs: Iterable<string>,
  ours: readonly string[] = [],
): Promise<{ reason: string | null; brought: string[] }> {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  await using here = await ServedRecorder.start({ clock });
  await using there = await ServedRecorder.start({ clock });
  await here.record([AROUND[0]!, ...ours, AROUND[1]!]);
  await there.record([AROUND[0]!, ...theirs, AROUND[1]!]);
  const [outcome] = await here.healer([there.url]).healSpan(GAP, signal);
  const known = new Set([...AROUND, ...ours]);
  return { reason: outcome!.reason, brought: (await here.lines()).filter((line) => !known.has(line)) };
}

function envelope(time: string, payload: string, subject = "logs.web.fra.0e28"): string {
  const content = {
    payload: new TextEncoder().encode(payload),
    subject,
    receivedMs: momentOf(time),
    reason: "not JSON",
  };
  return new TextDecoder().decode(createEnvelope(content));
}

Deno.test("UntimedComparison brings an envelope, but none of an app that is left out here", async () => {
  const wanted = envelope("10:00:15", "panic");
  const { reason, brought } = await heal([
    wanted,
    envelope("10:00:16", "step 3", "logs.fly-builder-1.fra.0e28"),
  ]);
  assert.deepEqual([reason, brought], [null, [wanted]]);
});

Deno.test("UntimedComparison finds an envelope of the gap's edge that came here a moment before", async () => {
  const { brought } = await heal([envelope("10:00:10.001", "panic")], [envelope("10:00:09.999", "panic")]);
  assert.deepEqual(brought, []);
});

Deno.test("UntimedComparison takes no record without a time that stands beside the gap", async () => {
  const mark = (n: number) => `{"message":"mark ${n}"}`;
  const [early, late] = [lineAt("10:00:09", "early"), lineAt("10:00:21", "late")];
  const { brought } = await heal(
    [mark(1), early, mark(2), lineAt("10:00:15", "in it"), mark(3), late, mark(4)],
    [early, late],
  );
  assert.deepEqual(brought.filter((line) => line.includes("mark")), [mark(2), mark(3)]);
});

Deno.test("UntimedComparison says when there are too many lines without an identity to compare", async () => {
  const envelopes = Array.from({ length: UNTIMED_LINES_LIMIT + 1 }, (_, n) => envelope("10:00:15", `${n}`));
  const { reason, brought } = await heal(envelopes);
  assert.match(
    reason!,
    /^There are more than 20000 envelopes in the gap, or they are too large, to be compared$/,
  );
  assert.deepEqual(brought, []);
});

Deno.test("daysOf() and within() part a span by its days", () => {
  const span = { sinceMs: momentOf("23:59:59"), untilMs: momentOf("2026-11-23T00:00:01Z") };
  const midnight = momentOf("2026-11-23T00:00:00Z");
  assert.deepEqual([...daysOf(span)], [DAY, DAY + 1]);
  assert.deepEqual([...daysOf({ ...span, untilMs: midnight })], [DAY]);
  assert.deepEqual([...daysOf({ sinceMs: midnight, untilMs: span.sinceMs })], []);
  assert.deepEqual(within(span, DAY), { sinceMs: span.sinceMs, untilMs: midnight });
  assert.deepEqual(within(span, DAY + 1), { sinceMs: midnight, untilMs: span.untilMs });
});
