import assert from "node:assert/strict";
import { readConfig } from "../../lib/config/config.ts";
import { dayName } from "../../lib/day.ts";
import { Flightlog } from "../../lib/flightlog.ts";
import type { Gap } from "../../lib/gaps/gap.ts";
import { LOOK_MS } from "../../lib/heal/healer.ts";
import { silentLogger } from "../../lib/logger.ts";
import { WHOLE_ARCHIVE } from "../../routes/principal.ts";
import { DAY, TestDirectory, textFrom } from "../archive/archive_rig.ts";
import { createParts, serve } from "../routes/rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { lineAt, momentOf } from "../heal/peers/peer_rig.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { untilSo } from "../rig/wait.ts";
import { HandMadeSource } from "../source/hand_made_source.ts";

/** When both begin to record: a few minutes before an hour is over. */
const START_MS = momentOf("10:52:00");

/** A recorder that is served, and that heals. */
interface Recorder {
  flightlog: Flightlog;
  source: HandMadeSource;
  /** What the other knows it by. */
  url: string;
  /** Path and query of each request that came, in order. */
  requests: string[];
}

/** Two recorders that ask each other, in one fake time. Both record from 10:52 on. */
async function startPair(scope: AsyncDisposableStack, clock: FakeClock): Promise<[Recorder, Recorder]> {
  // Each is told where the other is before that listens.
  const proxies = [0, 1].map(() => scope.use(TcpProxy.start(1)));
  const recorders = await Promise.all(proxies.map(async (own, place) => {
    const peer = proxies[1 - place]!;
    const directory = scope.use(new TestDirectory());
    const source = new HandMadeSource(clock);
    const instance = `recorder ${place}`;
    const flightlog = await Flightlog.open({
      ...{ instance, resolve: () => Promise.reject(new Error("no name is looked up here")) },
      config: readConfig({
        NATS_URL: "nats://127.0.0.1:1",
        LOG_DIR: directory.path,
        SYNC_INTERVAL: "1s",
        PEERS: `http://127.0.0.1:${peer.port}`,
      }),
      ...{ source, clock, logger: silentLogger, print: () => {} },
    });
    scope.defer(async () => void await flightlog.stop());
    const requests: string[] = [];
    const { archive, gaps } = flightlog;
    const api = scope.use(serve(createParts({
      ...{ archive, lines: archive.lines, digests: archive.digests, gaps, clock },
      self: { instance, org: null, records: null },
      identify: ({ url }) => {
        const { pathname, search } = new URL(url);
        requests.push(pathname + search);
        return WHOLE_ARCHIVE;
      },
    })));
    own.retarget(await api.port());
    return { flightlog, source, url: `http://127.0.0.1:${own.port}`, requests };
  }));
  for (const { flightlog } of recorders) flightlog.start();
  const areRecording = () =>
    recorders.every(({ flightlog }) => flightlog.recorder.status().state === "recording");
  while (!areRecording()) await clock.advanceAsync(0);
  return recorders as [Recorder, Recorder];
}

/**
 * Lets time pass, and stand still while somebody heals: what is asked is asked over real connections, and must not be late by a
 * clock that is faster than these.
 */
async function passTime(clock: FakeClock, ms: number, recorders: readonly Recorder[]): Promise<void> {
  const endMs = clock.now() + ms;
  while (clock.now() < endMs) {
    clock.advance(Math.min(LOOK_MS, endMs - clock.now()));
    await clock.advanceAsync(0);
    const isIdle = () => recorders.every(({ flightlog }) => flightlog.healer.status().working === null);
    if (!isIdle()) await untilSo(isIdle, "the end of what is healed");
  }
}

/** What is asked of a recorder about the time before both were there, which neither has and both go on asking for. */
function isOfNobodysTime(request: string): boolean {
  const until = /&until=(.*)$/.exec(request)?.[1];
  return until !== undefined && Date.parse(until) <= START_MS + 5001;
}

Deno.test("two recorders: lines that one never got, and nobody noticed, come back when their hour is over, and are named", async () => {
  await using scope = new AsyncDisposableStack();
  const clock = new FakeClock(START_MS);
  const recorders = await startPair(scope, clock);
  const [here, there] = recorders;
  let published = "";
  /** Hands over a line every `everyMs`. */
  const publishUntil = async (time: string, takers: readonly Recorder[], everyMs = 30_000) => {
    const endMs = momentOf(time);
    for (let number = 0; clock.now() < endMs; number++) {
      const line = lineAt(new Date(clock.now()).toISOString(), `line ${number}`);
      for (const { source } of takers) source.handOver(line);
      published += `${line}\n`;
      await passTime(clock, Math.min(everyMs, endMs - clock.now()), recorders);
    }
  };
  const undelivered = ({ flightlog }: Recorder) =>
    flightlog.ledger.touching(-Infinity, Infinity).filter(({ cause }) => cause === "undelivered");
  await publishUntil("10:55:00", recorders);
  await publishUntil("10:57:00", [there]);
  await publishUntil("11:00:59", recorders);
  assert.equal(here.flightlog.archive.day(DAY)!.lines, there.flightlog.archive.day(DAY)!.lines - 4);
  assert.deepEqual(undelivered(here), []);

  await publishUntil("11:01:03", recorders);
  await untilSo(() => undelivered(here).length === 1, "the lines that were missing");
  const [{ sinceMs, untilMs, state, healing }] = undelivered(here) as [Gap];
  assert.deepEqual([sinceMs, untilMs], [momentOf("10:55:00"), momentOf("10:56:30.001")]);
  assert.equal(state, "healed");
  assert.deepEqual(healing!.sources, [{ name: there.url, lines: 4 }]);
  assert.deepEqual(undelivered(there), []);

  await publishUntil("11:02:00", recorders);
  for (const { requests } of recorders) requests.splice(0);
  await publishUntil("12:01:04", recorders, 60_000);
  for (const { flightlog, requests } of recorders) {
    await untilSo(() => requests.includes(`/logs/${dayName(DAY)}/digest`), "a comparison");
    assert.deepEqual(
      requests.filter((request) => !request.endsWith("/digest") && !isOfNobodysTime(request)),
      [],
    );
    assert.equal(await textFrom(flightlog.archive.openText(DAY)), published);
  }
});
