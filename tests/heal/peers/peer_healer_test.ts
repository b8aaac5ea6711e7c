import assert from "node:assert/strict";
import type { SourceOutcome } from "../../../lib/heal/outcome.ts";
import { parseDayName } from "../../../lib/day.ts";
import type { PeerHealer } from "../../../lib/heal/peers/peer_healer.ts";
import type { MinuteTable } from "../../../lib/line/minute_sums.ts";
import { createEnvelope } from "../../../lib/line/envelope.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { HandMadePeer } from "./hand_made_peer.ts";
import { lineAt, momentOf, noteLogger, ServedRecorder } from "./peer_rig.ts";

const HOUR = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("11:00:00") };
const DAY = { sinceMs: momentOf("00:00:00"), untilMs: momentOf("2026-11-23T00:00:00Z") };
const GAP = { sinceMs: momentOf("10:00:10"), untilMs: momentOf("10:00:20") };

const { signal } = new AbortController();

/** A line for each second of 10:00 from `from` to before `until`. */
function seconds(from: number, until: number): string[] {
  return Array.from({ length: until - from }, (_, n) => {
    const second = String(from + n).padStart(2, "0");
    return lineAt(`10:00:${second}.123456789`, `second ${second}`);
  });
}

/** Two recorders of the same time. */
async function pair(): Promise<{ here: ServedRecorder; there: ServedRecorder } & AsyncDisposable> {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  const here = await ServedRecorder.start({ clock });
  const there = await ServedRecorder.start({ clock });
  return {
    here,
    there,
    async [Symbol.asyncDispose]() {
      await here[Symbol.asyncDispose]();
      await there[Symbol.asyncDispose]();
    },
  };
}

/** The requests that are for lines. */
function forLines(requests: readonly string[]): string[] {
  return requests.filter((path) => !path.endsWith("/digest"));
}

async function onlyOutcome(healer: PeerHealer, gap = GAP): Promise<SourceOutcome> {
  const outcomes = await healer.healSpan(gap, signal);
  assert.equal(outcomes.length, 1);
  return outcomes[0]!;
}

Deno.test("PeerHealer.compare() exchanges nothing but digests when both have the same lines, in whichever form", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record(seconds(0, 30));
  await there.record(seconds(0, 30).map((line) => line.replace('{"fly"', '{ "host":"0ad1","fly"')).reverse());
  const compared = await here.healer([there.url]).compare(HOUR, signal);
  assert.deepEqual(compared, {
    outcomes: [{ source: there.url, lines: 0, state: "complete", reason: null }],
    found: [],
  });
  assert.deepEqual(there.takeRequests(), ["/logs/2026-11-22/digest"]);
});

Deno.test("PeerHealer.compare() makes both have what either has, repeats as often, and then is silent", async () => {
  await using test = await pair();
  const { here, there } = test;
  const repeated = lineAt("10:07:00", "again");
  await here.record([...seconds(0, 10), ...seconds(20, 30), repeated, repeated]);
  await there.record([...seconds(0, 25), ...Array(5).fill(repeated), lineAt("10:30:00", "later")]);
  const [healHere, healThere] = [here.healer([there.url]), there.healer([here.url])];
  const compared = await healHere.compare(HOUR, signal);
  assert.deepEqual(compared.outcomes, [{ source: there.url, lines: 14, state: "complete", reason: null }]);
  assert.deepEqual(compared.found, [
    {
      span: { sinceMs: momentOf("10:00:10.123"), untilMs: momentOf("10:00:19.124") },
      lines: 10,
      source: there.url,
    },
    {
      span: { sinceMs: momentOf("10:07:00"), untilMs: momentOf("10:07:00.001") },
      lines: 3,
      source: there.url,
    },
    {
      span: { sinceMs: momentOf("10:30:00"), untilMs: momentOf("10:30:00.001") },
      lines: 1,
      source: there.url,
    },
  ]);
  assert.equal((await healThere.compare(HOUR, signal)).outcomes[0]!.lines, 5);
  const all = [...seconds(0, 30), ...Array(5).fill(repeated), lineAt("10:30:00", "later")].sort();
  assert.deepEqual(await here.lines(), all);
  assert.deepEqual(await there.lines(), all);
  for (const recorder of [here, there]) recorder.takeRequests();
  await healHere.compare(HOUR, signal);
  await healThere.compare(HOUR, signal);
  assert.deepEqual(
    [...here.takeRequests(), ...there.takeRequests()],
    Array(2).fill("/logs/2026-11-22/digest"),
  );
});

Deno.test("PeerHealer.compare() asks for no digest again that has not changed when the day is sealed", async () => {
  const [clock, answers] = [new FakeClock("2026-11-22T12:00:00Z"), [] as number[]];
  await using here = await ServedRecorder.start({ clock });
  const onAnswer = (_method: string, status: number) => void answers.push(status);
  await using there = await ServedRecorder.start({ clock, parts: { onAnswer } });
  for (const recorder of [here, there]) await recorder.record(seconds(0, 30));
  await there.seal();
  const healer = here.healer([there.url]);
  for (let i = 0; i < 2; i++) {
    assert.equal((await healer.compare(DAY, signal)).outcomes[0]!.state, "complete");
  }
  assert.deepEqual(answers, [200, 304]);
});

Deno.test("PeerHealer.compare() finds lines whose clock was far off when it compares the whole day", async () => {
  await using test = await pair();
  const { here, there } = test;
  const day = parseDayName("2026-11-22")!;
  const strange = ["1999-12-31T23:59:59Z", "2026-12-24T18:00:00Z"].map((time) => lineAt(time, "strange"));
  for (const recorder of [here, there]) await recorder.record(seconds(0, 3));
  await there.record([...strange, strange[1]!], day);
  here.clock.skip(2 * 86_400_000);
  const { outcomes, found } = await here.healer([there.url]).compare(DAY, signal);
  assert.deepEqual(outcomes, [{ source: there.url, lines: 3, state: "complete", reason: null }]);
  assert.deepEqual(found.map(({ lines }) => lines), [1, 2]);
  assert.deepEqual(await here.lines(), await there.lines());
});

Deno.test("PeerHealer.compare() does not bring a line again that was recorded on the day after", async () => {
  await using test = await pair();
  const { here, there } = test;
  const day = parseDayName("2026-11-22")!;
  const strange = lineAt("2026-12-24T18:00:00Z", "strange");
  for (const recorder of [here, there]) await recorder.record(seconds(0, 3));
  await there.record([strange], day);
  await here.record([strange], day + 1);
  here.clock.skip(3 * 86_400_000);
  assert.equal((await here.healer([there.url]).compare(DAY, signal)).outcomes[0]!.lines, 0);
});

Deno.test("PeerHealer.compare() does not look at what is younger than a minute, and says so", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record(seconds(0, 3));
  await there.record([...seconds(0, 3), lineAt("11:59:05", "on its way")]);
  const span = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("12:00:00") };
  const [outcome] = (await here.healer([there.url]).compare(span, signal)).outcomes;
  assert.deepEqual([outcome!.lines, outcome!.state], [0, "incomplete"]);
  assert.match(outcome!.reason!, /^Lines younger than 60 s are not compared yet/);
});

Deno.test("PeerHealer.compare() brings nothing that is left out here, and does not ask for it again", async () => {
  await using test = await pair();
  const { here, there } = test;
  const other = lineAt("10:00:40", "from another app", { app: "noisy" });
  const ping = lineAt("10:00:41", "GET /health 200");
  const own = lineAt("10:00:42", "own complaint", { app: "flightlog" });
  const wanted = lineAt("10:00:43", "wanted");
  await here.record(seconds(0, 3));
  await there.record([...seconds(0, 3), other, ping, own, wanted]);
  const env = { EXCLUDE_APPS: "noisy", EXCLUDE_TEXT: "/health", FLY_APP_NAME: "flightlog" };
  const healer = here.healer([there.url], { env });
  assert.deepEqual((await healer.compare(HOUR, signal)).outcomes, [
    { source: there.url, lines: 1, state: "complete", reason: null },
  ]);
  assert.deepEqual(await here.lines(), [...seconds(0, 3), wanted].sort());
  there.takeRequests();
  await healer.compare(HOUR, signal);
  assert.deepEqual(forLines(there.takeRequests()), []);
  await there.record([lineAt("10:00:44", "more")]);
  assert.equal((await healer.compare(HOUR, signal)).outcomes[0]!.lines, 1);
});

Deno.test("PeerHealer.compare() brings nothing that is not subscribed to here", async () => {
  await using test = await pair();
  const { here, there } = test;
  const wanted = lineAt("10:00:40", "of this app");
  const other = lineAt("10:00:41", "of another app", { app: "worker" });
  await here.record(seconds(0, 3));
  await there.record([...seconds(0, 3), wanted, other]);
  const healer = here.healer([there.url], { env: { SUBJECT: "logs.web.>" } });
  assert.deepEqual((await healer.compare(HOUR, signal)).outcomes, [
    { source: there.url, lines: 1, state: "complete", reason: null },
  ]);
  assert.deepEqual(await here.lines(), [...seconds(0, 3), wanted].sort());
});

Deno.test("PeerHealer.compare() parts a minute with many lines", async () => {
  await using test = await pair();
  const { here, there } = test;
  const lines = Array.from({ length: 45_000 }, (_, n) => {
    const ms = String(n % 60_000).padStart(5, "0");
    return lineAt(`10:00:${ms.slice(0, 2)}.${ms.slice(2)}`, `line ${n}`);
  });
  await here.record(lines.filter((_, n) => n % 100 === 0));
  await there.record(lines);
  const [outcome] = (await here.healer([there.url]).compare(HOUR, signal)).outcomes;
  assert.deepEqual([outcome!.lines, outcome!.reason], [44_550, null]);
  assert.equal(forLines(there.takeRequests()).length, 10);
  assert.deepEqual(await here.lines(), lines.toSorted());
});

Deno.test("PeerHealer.compare() halves a slice whose lines are too large to hold", async () => {
  await using test = await pair();
  const { here, there } = test;
  const lines = Array.from(
    { length: 20 },
    (_, n) => lineAt(`10:00:${10 + 2 * n}`, `${n}${"x".repeat(1_000_000)}`),
  );
  await here.record(seconds(0, 3));
  await there.record([...seconds(0, 3), ...lines]);
  assert.equal((await here.healer([there.url]).compare(HOUR, signal)).outcomes[0]!.lines, 20);
  assert.deepEqual(forLines(there.takeRequests()).length, 3);
});

Deno.test("PeerHealer.compare() knows a line that was brought back from Fly's logs API for the stream's own", async () => {
  await using test = await pair();
  const { here, there } = test;
  const healed = (time: string, message: string, instance: string | null = "0e28") =>
    lineAt(time, message, { instance, more: ',"flightlog":{"healed":"fly","id":"7"}' });
  for (const recorder of [here, there]) await recorder.record(seconds(0, 3));
  // Of "one" and "two" the stream's own is there; "three" is the other way round; "four" was printed twice.
  await here.record([healed("10:00:10.123", "one"), healed("10:00:11.123456", "two", null)]);
  await there.record([lineAt("10:00:10.123456789", "one"), lineAt("10:00:11.123456789", "two")]);
  await here.record([lineAt("10:00:12.123456789", "three")]);
  await there.record([healed("10:00:12.123", "three", null)]);
  await here.record([healed("10:00:13.123", "four")]);
  await there.record([lineAt("10:00:13.123000001", "four"), lineAt("10:00:13.123000002", "four")]);
  // These differ in what both know.
  await here.record([healed("10:00:14.123", "five"), healed("10:00:15.123", "six", "0e28")]);
  await there.record([
    lineAt("10:00:14.124456789", "five"),
    lineAt("10:00:15.123456789", "six", { instance: "9999" }),
  ]);
  const before = await here.lines();
  const { outcomes } = await here.healer([there.url]).compare(HOUR, signal);
  assert.deepEqual(outcomes, [{ source: there.url, lines: 3, state: "complete", reason: null }]);
  const brought = (await here.lines()).filter((line) => !before.includes(line));
  assert.deepEqual(brought.map((line) => /"message":"(\w+)"/.exec(line)![1]).sort(), ["five", "four", "six"]);
});

Deno.test("PeerHealer.compare() brings a line of Fly's logs API that is here in no form, and just once", async () => {
  await using test = await pair();
  const { here, there } = test;
  const more = ',"flightlog":{"healed":"fly","id":"7"}';
  for (const recorder of [here, there]) await recorder.record(seconds(0, 3));
  await there.record([lineAt("10:00:10.123", "one", { more })]);
  const healer = here.healer([there.url]);
  assert.deepEqual((await healer.compare(HOUR, signal)).outcomes.map(({ lines }) => lines), [1]);
  assert.deepEqual((await healer.compare(HOUR, signal)).outcomes.map(({ lines }) => lines), [0]);
});

Deno.test("PeerHealer.healSpan() heals a gap from a peer that has all of it, and is proven by what lies around", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record(seconds(0, 30));
  assert.deepEqual(await onlyOutcome(here.healer([there.url])), {
    ...{ source: there.url, lines: 10, state: "complete", reason: null },
  });
  assert.deepEqual(await here.lines(), seconds(0, 30));
  assert.deepEqual(await onlyOutcome(here.healer([there.url])), {
    ...{ source: there.url, lines: 0, state: "complete", reason: null },
  });
});

Deno.test("PeerHealer.healSpan() does not call a peer complete that leaves out what is recorded here", async () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  await using here = await ServedRecorder.start({ clock });
  const rest = { subject: "logs.>", queue: null, ownApp: null, includeApps: [], excludeText: [] };
  for (
    const [excludeApps, reason] of [[["worker"], "EXCLUDE_APPS=worker"], [["fly-builder-*"], null]] as const
  ) {
    const records = { ...rest, excludeApps: [...excludeApps] };
    await using there = await ServedRecorder.start({ clock, records });
    if (reason !== null) await here.record([...seconds(0, 10), ...seconds(20, 30)]);
    await there.record(seconds(0, 30));
    const outcome = await onlyOutcome(here.healer([there.url]));
    assert.equal(outcome.reason, reason && `It leaves out what is recorded here: ${reason}`);
  }
  assert.deepEqual(await here.lines(), seconds(0, 30));
});

Deno.test("PeerHealer.compare() takes no line that may be on its way here, also if the clock here is ahead", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([lineAt("11:30:00", "both")]);
  await there.record([lineAt("11:30:00", "both"), lineAt("11:57:30", "old"), lineAt("11:58:30", "new")]);
  const ahead = here.healer([there.url], { lagMs: () => 60_000 });
  await ahead.compare({ sinceMs: momentOf("11:00:00"), untilMs: momentOf("12:00:00") }, signal);
  assert.deepEqual(await here.lines(), [lineAt("11:30:00", "both"), lineAt("11:57:30", "old")]);
});

Deno.test("PeerHealer.healSpan() inserts lines of the gap alone", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([...seconds(0, 9), ...seconds(22, 30)]);
  await there.record(seconds(0, 30));
  assert.equal((await onlyOutcome(here.healer([there.url]))).lines, 10);
  assert.deepEqual(await here.lines(), [...seconds(0, 9), ...seconds(10, 20), ...seconds(22, 30)]);
});

Deno.test("PeerHealer.healSpan() does not call a peer complete that lacks a line next to the gap", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record([...seconds(0, 21), ...seconds(22, 30)]);
  assert.deepEqual(await onlyOutcome(here.healer([there.url])), {
    ...{ source: there.url, lines: 10, state: "incomplete" },
    reason: "1 of 5 lines in the 5 s after the gap are not there",
  });
});

Deno.test("PeerHealer.healSpan() does not call a peer complete that has a gap there itself, but one elsewhere is no matter", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record([...seconds(0, 12), ...seconds(15, 30)]);
  const gap = { id: 1, cause: "disconnect", state: "lost", healing: null } as const;
  there.gaps.push({ ...gap, sinceMs: momentOf("10:00:11.2"), untilMs: momentOf("10:00:14.5") });
  assert.deepEqual(await onlyOutcome(here.healer([there.url])), {
    ...{ source: there.url, lines: 7, state: "incomplete" },
    reason: 'It has gaps of its own on 2026-11-22: "partial; gaps=1; seconds=4"',
    except: [{ sinceMs: momentOf("10:00:11.2"), untilMs: momentOf("10:00:14.5") }],
  });
  there.gaps.splice(0, 1, { ...gap, sinceMs: momentOf("11:00:00"), untilMs: momentOf("11:10:00") });
  assert.equal((await onlyOutcome(here.healer([there.url]))).state, "complete");
});

Deno.test("PeerHealer.healSpan() tells of one gap of the peer over midnight once, and of nothing outside of the gap", async () => {
  await using test = await pair();
  const { here, there } = test;
  const around = [lineAt("2026-11-21T22:59:58Z", "before"), lineAt("01:00:02", "after")];
  for (const recorder of [here, there]) await recorder.record(around);
  const gap = { id: 1, cause: "disconnect", state: "lost", healing: null } as const;
  there.gaps.push({ ...gap, sinceMs: momentOf("2026-11-21T23:59:50Z"), untilMs: momentOf("00:00:10") });
  there.gaps.push({ ...gap, sinceMs: momentOf("00:59:59"), untilMs: momentOf("01:00:01") });
  const span = { sinceMs: momentOf("2026-11-21T23:00:00Z"), untilMs: momentOf("01:00:00") };
  assert.deepEqual((await onlyOutcome(here.healer([there.url]), span)).except, [
    { sinceMs: momentOf("2026-11-21T23:59:50Z"), untilMs: momentOf("00:00:10") },
    { sinceMs: momentOf("00:59:59"), untilMs: momentOf("01:00:00") },
  ]);
});

Deno.test("PeerHealer.healSpan() excepts nothing where more than its own gaps speaks against a peer", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record([...seconds(0, 12), ...seconds(15, 21), ...seconds(22, 30)]);
  const gap = { id: 1, cause: "disconnect", state: "lost", healing: null } as const;
  there.gaps.push({ ...gap, sinceMs: momentOf("10:00:11.2"), untilMs: momentOf("10:00:14.5") });
  const unproven = await onlyOutcome(here.healer([there.url]));
  assert.match(
    unproven.reason!,
    /^1 of 5 lines in the 5 s after the gap are not there; It has gaps of its own/,
  );
  assert.equal(unproven.except, undefined);
  const young = { ...GAP, untilMs: here.clock.now() };
  const unsettled = await onlyOutcome(here.healer([there.url]), young);
  assert.match(unsettled.reason!, /^Lines younger than 60 s are not compared yet/);
  assert.equal(unsettled.except, undefined);
});

Deno.test("PeerHealer.healSpan() misses nothing of a gap that the peer has healed while it was asked", async () => {
  await using test = await pair();
  const { here, there } = test;
  for (const recorder of [here, there]) await recorder.record([...seconds(0, 10), ...seconds(20, 30)]);
  const gap = { id: 1, cause: "disconnect", state: "lost", healing: null, ...GAP } as const;
  there.gaps.push(gap);
  await using peer = HandMadePeer.inFrontOf(there.url, (path, forward) => {
    if (!path.includes(".jsonl") || there.gaps[0]!.state === "healed") return null;
    there.gaps.splice(0, 1, { ...gap, state: "healed" });
    return there.record(seconds(10, 20)).then(forward);
  });
  assert.deepEqual(await onlyOutcome(here.healer([peer.url])), {
    ...{ source: peer.url, lines: 10, state: "complete", reason: null },
  });
  assert.deepEqual(await here.lines(), seconds(0, 30));
});

Deno.test("PeerHealer.healSpan() trusts a peer in silence if other minutes of the day are the same", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([lineAt("09:00:00", "an hour before")]);
  await there.record([lineAt("10:00:15", "in the gap")]);
  const alone = await onlyOutcome(here.healer([there.url]));
  assert.deepEqual([alone.lines, alone.state], [1, "incomplete"]);
  assert.match(alone.reason!, /no line is here within 5 s of the gap to compare with$/);
  await there.record([lineAt("09:00:00", "an hour before")]);
  assert.equal((await onlyOutcome(here.healer([there.url]))).state, "complete");
});

Deno.test("PeerHealer.healSpan() is proven by lines farther away where filters leave no minute the same", async () => {
  await using test = await pair();
  const { here, there } = test;
  const known = lineAt("09:59:20", "forty seconds before");
  const pings = Array.from({ length: 10 }, (_, n) => lineAt(`10:0${n}:30`, "ping"));
  await here.record([known]);
  await there.record([lineAt("09:59:30", "ping"), ...pings, lineAt("10:00:15", "in the gap")]);
  const healer = here.healer([there.url], { env: { EXCLUDE_TEXT: "ping" } });
  const alone = await onlyOutcome(healer);
  assert.deepEqual([alone.lines, alone.state], [1, "incomplete"]); // what is here around it is not there
  await there.record([known]);
  assert.equal((await onlyOutcome(healer)).state, "complete");
});

Deno.test("PeerHealer.healSpan() fills a gap from two peers, of which each has a part", async () => {
  await using test = await pair();
  const { here, there } = test;
  await using third = await ServedRecorder.start({ clock: here.clock });
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record([...seconds(0, 14), ...seconds(20, 30)]);
  await third.record([...seconds(0, 10), ...seconds(12, 30)]);
  const outcomes = await here.healer([there.url, third.url]).healSpan(GAP, signal);
  assert.deepEqual(outcomes.map(({ source, lines }) => [source, lines]), [[there.url, 4], [third.url, 6]]);
  assert.deepEqual(await here.lines(), seconds(0, 30));
});

Deno.test("PeerHealer.healSpan() goes over midnight", async () => {
  await using test = await pair();
  const { here, there } = test;
  const at = (time: string) => lineAt(time, `at ${time}`);
  const times = ["21T23:59:56", "21T23:59:59.999999999", "22T00:00:00", "22T00:00:01.5", "22T00:00:04"];
  const lines = times.map((time) => at(`2026-11-${time}Z`));
  await here.record([lines[0]!, lines[4]!]);
  await there.record(lines);
  const gap = { sinceMs: momentOf("2026-11-21T23:59:58Z"), untilMs: momentOf("00:00:02") };
  assert.deepEqual(await onlyOutcome(here.healer([there.url]), gap), {
    ...{ source: there.url, lines: 3, state: "complete", reason: null },
  });
  assert.deepEqual(await here.lines(), lines);
});

Deno.test("PeerHealer.healSpan() heals days that were never recorded here", async () => {
  await using test = await pair();
  const { here, there } = test;
  const lines = [17, 18, 20].map((day) => lineAt(`2026-11-${day}T10:00:00Z`, `day ${day}`));
  await here.record(seconds(0, 10));
  await there.record([...lines, ...seconds(0, 10)]);
  const gap = { sinceMs: momentOf("2026-11-16T10:00:00Z"), untilMs: momentOf("10:00:00") };
  assert.deepEqual(await onlyOutcome(here.healer([there.url]), gap), {
    ...{ source: there.url, lines: 3, state: "complete", reason: null },
  });
  assert.deepEqual(await here.lines(), [...lines, ...seconds(0, 10)].sort());
});

Deno.test("PeerHealer.healSpan() brings envelopes of the gap, whichever moment each received the message", async () => {
  await using test = await pair();
  const { here, there } = test;
  const envelope = (time: string, payload: string) =>
    new TextDecoder().decode(createEnvelope({
      ...{ payload: new TextEncoder().encode(payload), subject: "logs.web.fra.0e28", reason: "not JSON" },
      receivedMs: momentOf(time),
    }));
  await here.record([...seconds(0, 10), envelope("10:00:09.998", "panic: one"), ...seconds(20, 30)]);
  await here.record([envelope("10:00:21.001", "panic: two")]);
  await there.record([
    ...seconds(0, 30),
    envelope("10:00:10.001", "panic: one"),
    envelope("10:00:21", "panic: two"),
  ]);
  await there.record([
    envelope("10:00:15", "panic: two"),
    envelope("10:00:16", "noise"),
    envelope("10:30:00", "late"),
  ]);
  assert.deepEqual(await onlyOutcome(here.healer([there.url])), {
    ...{ source: there.url, lines: 12, state: "complete", reason: null },
  });
  const messages = (await here.lines()).filter((line) => line.includes('"rejected"'))
    .map((line) => /"message":"([^"]*)"/.exec(line)![1]);
  assert.deepEqual(messages.sort(), ["noise", "panic: one", "panic: two", "panic: two"]);
  assert.equal((await onlyOutcome(here.healer([there.url]))).lines, 0);
});

Deno.test("PeerHealer.healSpan() brings records without a time that stand in the gap", async () => {
  await using test = await pair();
  const { here, there } = test;
  const tick = '{"message":"tick"}';
  const mark = (n: number) => `{"message":"mark ${n}"}`;
  await here.record([tick, ...seconds(0, 10), tick, ...seconds(20, 30), tick]);
  await there.record([
    tick,
    ...seconds(0, 10),
    tick,
    ...seconds(10, 15),
    tick,
    mark(1),
    mark(1),
    ...seconds(15, 20),
  ]);
  await there.record([mark(2), ...seconds(20, 30), tick, mark(3)]);
  assert.deepEqual(await onlyOutcome(here.healer([there.url])), {
    ...{ source: there.url, lines: 14, state: "complete", reason: null },
  });
  const untimed = (await here.lines()).filter((line) => !line.includes("timestamp"));
  assert.deepEqual(untimed, [mark(1), mark(1), mark(2), tick, tick, tick, tick]);
  assert.equal((await onlyOutcome(here.healer([there.url]))).lines, 0);
});

Deno.test("PeerHealer.healSpan() says that a gap has ended too short a time ago", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([lineAt("11:59:00", "a"), lineAt("11:59:40", "b")]);
  await there.record([lineAt("11:59:00", "a"), lineAt("11:59:20", "gap"), lineAt("11:59:40", "b")]);
  const gap = { sinceMs: momentOf("11:59:02"), untilMs: momentOf("11:59:38") };
  const healer = here.healer([there.url]);
  assert.match((await onlyOutcome(healer, gap)).reason!, /^Lines younger than 60 s/);
  assert.equal((await here.lines()).length, 2);
  here.clock.skip(45_000);
  assert.deepEqual(await onlyOutcome(healer, gap), {
    ...{ source: there.url, lines: 1, state: "complete", reason: null },
  });
});

Deno.test("PeerHealer brings nothing of another stream", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record(seconds(0, 30).map((line) => line.replace("second", "other second")));
  const reason =
    /has \d+ lines of the same time, but none of the \d+ lines that are here is there: is it of the same/;
  const healer = here.healer([there.url]);
  for (
    const [outcome] of [await healer.healSpan(GAP, signal), (await healer.compare(HOUR, signal)).outcomes]
  ) {
    assert.deepEqual([outcome!.lines, outcome!.state], [0, "nothing"]);
    assert.match(outcome!.reason!, reason);
  }
  assert.equal((await here.lines()).length, 20);
});

Deno.test("PeerHealer asks for no line of another organisation", async () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  await using here = await ServedRecorder.start({ clock });
  await using there = await ServedRecorder.start({ clock, org: "acme" });
  for (const recorder of [here, there]) await recorder.record(seconds(0, 3));
  const fly = { ORG: "personal", ACCESS_TOKEN: "fm2_a", NATS_URL: "" };
  const outcome = await onlyOutcome(here.healer([there.url], { env: fly }));
  assert.deepEqual(outcome, {
    ...{ source: there.url, lines: 0, state: "nothing" },
    reason: `"${there.url}" records another organisation; take it out of PEERS`,
  });
  assert.deepEqual(forLines(there.takeRequests()), []);
  assert.equal(
    (await onlyOutcome(here.healer([there.url], { env: { ...fly, ORG: "acme" } }))).state,
    "complete",
  );
});

Deno.test("PeerHealer brings lines of its own organisation although not one is on both sides", async () => {
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  await using here = await ServedRecorder.start({ clock });
  await using there = await ServedRecorder.start({ clock, org: "acme" });
  await here.record(seconds(0, 10));
  await there.record(seconds(10, 20)); // it was started when this one was stopped
  const env = { ORG: "acme", ACCESS_TOKEN: "fm2_a", NATS_URL: "" };
  const [outcome] = (await here.healer([there.url], { env }).compare(HOUR, signal)).outcomes;
  assert.deepEqual([outcome!.state, outcome!.lines], ["complete", 10]);
});

Deno.test("PeerHealer does not ask itself, nor another recorder twice", async () => {
  await using test = await pair();
  const { here, there } = test;
  for (const recorder of [here, there]) await recorder.record(seconds(0, 30));
  const again = there.url.replace("127.0.0.1", "localhost");
  const { outcomes } = await here.healer([here.url, there.url, again]).compare(HOUR, signal);
  assert.deepEqual(outcomes.map(({ source }) => source), [there.url]);
  assert.deepEqual(forLines(here.takeRequests()), []);
});

Deno.test("PeerHealer asks each address of a name but this machine's", async () => {
  await using test = await pair();
  const { here, there } = test;
  for (const recorder of [here, there]) await recorder.record(seconds(0, 30));
  const { port } = new URL(there.url);
  const healer = here.healer([`http://flightlog.internal:${port}`], {
    env: { FLY_PRIVATE_IP: "127.0.0.9" },
    resolve: (_name, type) => Promise.resolve(type === "A" ? ["127.0.0.9", "127.0.0.1"] : []),
  });
  const { outcomes } = await healer.compare(HOUR, signal);
  assert.deepEqual(outcomes, [{ source: there.url, lines: 0, state: "complete", reason: null }]);
});

Deno.test("PeerHealer goes on with the next peer when one is down", async () => {
  await using test = await pair();
  const { here, there } = test;
  const gone = await ServedRecorder.start();
  await gone[Symbol.asyncDispose]();
  await here.record(seconds(0, 10));
  await there.record(seconds(0, 30));
  const { outcomes } = await here.healer([gone.url, there.url]).compare(HOUR, signal);
  assert.deepEqual(outcomes.map(({ state, lines }) => [state, lines]), [["nothing", 0], ["complete", 20]]);
  assert.match(outcomes[0]!.reason!, /^Cannot ask "http:\/\/127.0.0.1:\d+": .*; try again later$/);
});

Deno.test("PeerHealer says that a day was removed there", async () => {
  await using test = await pair();
  const { here, there } = test;
  await here.record(seconds(0, 3));
  const { archive } = there;
  const removed = Object.create(archive, {
    day: { value: () => undefined },
    wasRemoved: { value: () => true },
  });
  await using other = await ServedRecorder.start({ clock: here.clock, parts: { archive: removed } });
  const outcome = await onlyOutcome(here.healer([other.url]));
  assert.equal(outcome.state, "incomplete");
  assert.match(outcome.reason!, /has removed 2026-11-22/);
});

Deno.test("PeerHealer compares nothing while lines wait for the disk here", async () => {
  await using test = await pair();
  const { here, there } = test;
  await there.record(seconds(0, 3));
  const healer = here.healer([there.url]);
  here.archive.held = () => ({ lines: 3, sinceMs: 0, reason: "No space left on device" });
  const [outcome] = (await healer.compare(HOUR, signal)).outcomes;
  assert.deepEqual([outcome!.state, outcome!.lines], ["nothing", 0]);
  assert.match(outcome!.reason!, /wait for the disk here, which takes none: No space left on device$/);
  assert.deepEqual(there.requests, []);
});

Deno.test("PeerHealer ends with the signal's reason", async () => {
  await using test = await pair();
  const { here, there } = test;
  await there.record(seconds(0, 3));
  const controller = new AbortController();
  const digests = {
    digest: (_day: number, gone?: AbortSignal) => {
      const { promise, reject } = Promise.withResolvers<MinuteTable>();
      gone!.addEventListener("abort", () => reject(gone!.reason));
      controller.abort(new Error("stop"));
      return promise;
    },
  };
  await using slow = await ServedRecorder.start({
    clock: here.clock,
    parts: { archive: there.archive, lines: there.archive.lines, digests },
  });
  await assert.rejects(here.healer([slow.url]).compare(HOUR, controller.signal), { message: "stop" });
});

Deno.test("PeerHealer tells once what of a peer's lines it could not use", async () => {
  await using test = await pair();
  const { here, there } = test;
  const lost =
    `{"timestamp":"2026-11-22T10:00:12Z","message":"flightlog: 9 bytes are lost","flightlog":{"lost":9}}`;
  const logger = noteLogger();
  await here.record([...seconds(0, 10), ...seconds(20, 30)]);
  await there.record([...seconds(0, 30), lost, "not JSON"]);
  const [outcome] = await here.healer([there.url], { logger }).healSpan(GAP, signal);
  assert.equal(outcome!.lines, 10);
  assert.equal(logger.notes.length, 1);
  assert.match(
    logger.notes[0]!,
    /^peer lines dropped \{"peer":"http:.*","outside":0,"unusable":\d+,"tooLong":0\}$/,
  );
});
