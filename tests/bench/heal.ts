/**
 * Measures what healing costs those who are not to notice it: two whole recorders, one of which lacks a sixth of a sealed day that the
 * other has, bring it back while both record a thousand lines a second. First ten lines, then the rest.
 *
 * @module
 */

import { join } from "node:path";
import { type DayNumber, parseDayName } from "../../lib/day.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { healCommand } from "../../lib/heal/heal_command.ts";
import type { Bench } from "./bench.ts";
import { startFlightlog } from "./flightlog.ts";
import { dayAgo } from "./flood.ts";
import { PATIENT_SERVER } from "./ingest.ts";
import { type Latency, latencyOfLines, latencyText, timeLines } from "./latency.ts";
import { LineSource } from "./lines.ts";
import type { Program } from "./program.ts";
import { Publisher } from "./publisher.ts";
import { ratioText, type Row, secondsText, sizeText } from "./report.ts";
import { payloadsOf, SealedDayWriter } from "./sealed_day.ts";

/** The day has so many times the lines that are missing as one gap. */
const DAY_GAPS = 5;

/** So many lines are missing besides, each in another minute. */
const FEW = 10;

/** Of which part of the day's span the gap begins, and from which part on the few are missing. */
const GAP_AT = 0.4;
const FEW_FROM = 0.75;

/** Lines that are made together. */
const BATCH_LINES = 20_000;

/** The most memory that a recorder may take in all, in bytes. */
const MEMORY_BYTES = 200e6;

/** So many lines are timed together at the most, so that the last ones of a heal are not timed long after it. */
const TIMED_LINES = 5000;

/** How often the kernel is asked for memory, in milliseconds. */
const LOOK_MS = 500;

/** How long a recorder may go on working after its start, in milliseconds. */
const REST_LIMIT_MS = 20_000;

/** A port on which nobody listens. */
const NOBODY_PORT = 1;

/** Two archives. */
interface Fixture {
  /** Which day. */
  day: { name: string; number: DayNumber; startMs: number };
  /** Where each lies. */
  lacking: string;
  whole: string;
  /** How many lines the one has that lacks some, and how many bytes these are. */
  lines: number;
  textBytes: number;
  /** How many it lacks as one gap. */
  gapLines: number;
}

/** What came of a heal. */
interface Healed {
  seconds: number;
  lines: number;
  wireBytes: number;
  latencies: Latency[];
}

/** Measures a heal of ten lines and one of a fifth of the day. */
export async function measureHealing(bench: Bench): Promise<Row[]> {
  await using scope = bench.scope();
  const fixture = makeArchives(bench, scope);
  const server = scope.use(await NatsServer.start(PATIENT_SERVER));
  const whole = await startFlightlog(scope, { url: server.url, directory: fixture.whole });
  // Behind it nobody listens at first: what the recorder compares by itself at its start fails, and it heals when it is told to.
  const proxy = scope.use(TcpProxy.start(NOBODY_PORT));
  const lacking = await startFlightlog(scope, {
    url: server.url,
    directory: fixture.lacking,
    env: { PEERS: `http://127.0.0.1:${proxy.port}` },
  });
  const programs = [lacking.program, whole.program];
  const publisher = scope.use(await Publisher.connect(server.port));
  const files = [fixture.lacking, fixture.whole].map((directory) =>
    join(directory, `${dayAgo(0).name}.jsonl`)
  );
  await proxy.untilAccepted(1);
  for (const program of programs) await program.rest(REST_LIMIT_MS);
  const lines = bench.scale.latencyMs;
  const alone = (await timeLines(scope, { publisher, files, lines })).map(latencyOfLines);
  bench.tell(`heal: recording alone, ${bothText(alone)}`);
  proxy.retarget(Number(new URL(whole.api).port));
  const peaks = watchMemory(scope, programs);
  const heal = async (from: number, to: number) => {
    const healed = await healWhileRecording(bench, { api: lacking.api, proxy, publisher, files }, {
      since: new Date(fixture.day.startMs + from * 86_400_000).toISOString(),
      until: new Date(fixture.day.startMs + to * 86_400_000).toISOString(),
    });
    bench.tell(
      `heal: ${healed.lines} lines in ${secondsText(healed.seconds)}, ${
        sizeText(healed.wireBytes)
      } fetched, ` +
        `${bothText(healed.latencies)}, ${peaks().map(memoryText).join(", ")}`,
    );
    return healed;
  };
  const few = await heal(FEW_FROM, 1);
  const gap = await heal(0, 1);
  const again = await heal(0, 1);
  confirm(
    few.lines === FEW && gap.lines === fixture.gapLines && again.lines === 0,
    "lines were brought back",
  );
  return rowsOf(fixture, { alone, few, gap, again, peaks: peaks() });
}

function rowsOf(
  { lines, textBytes, gapLines }: Fixture,
  { alone, few, gap, again, peaks }: {
    alone: Latency[];
    few: Healed;
    gap: Healed;
    again: Healed;
    peaks: Peak[];
  },
): Row[] {
  const into = `into a sealed day of ${lines} lines, ${sizeText(textBytes)}`;
  const row = (what: string, ours: string, theirs = "", ratio = "", wanted = ""): Row => ({
    ...{ what, ours, theirs, ratio, wanted },
  });
  return [
    row(`${FEW} lines healed ${into}`, `${secondsText(few.seconds)}, ${sizeText(few.wireBytes)} fetched`),
    row(
      `${gapLines} lines healed ${into}`,
      `${secondsText(gap.seconds)}, ${sizeText(gap.wireBytes)} fetched`,
    ),
    row(
      `the same once more, when nothing is missing`,
      `${secondsText(again.seconds)}, ${again.wireBytes} bytes fetched`,
    ),
    ...["who is healed", "who is asked"].flatMap((who, place) => [
      row(
        `memory meanwhile of the recorder ${who}`,
        memoryText(peaks[place]!),
        "",
        ratioText(peaks[place]!.residentBytes, MEMORY_BYTES),
        `≤ ${sizeText(MEMORY_BYTES)}`,
      ),
      row(
        `published → readable meanwhile, at the recorder ${who}`,
        latencyText(gap.latencies[place]!),
        `without healing: ${latencyText(alone[place]!)}`,
        `p99 ${ratioText(gap.latencies[place]!.p99, alone[place]!.p99)}`,
        "p99 < 20 ms",
      ),
    ]),
  ];
}

/** Heals a span, and times lines for as long as that takes. */
async function healWhileRecording(
  bench: Bench,
  { api, proxy, publisher, files }: { api: string; proxy: TcpProxy; publisher: Publisher; files: string[] },
  { since, until }: { since: string; until: string },
): Promise<Healed> {
  const bytesBefore = proxy.passedBytes;
  const startMs = performance.now();
  let seconds: number | null = null;
  let lines = NaN;
  const healing = healCommand({
    args: [since, until],
    env: { FLIGHTLOG_URL: api },
    write: (line) => {
      bench.tell(`heal: ${line}`);
      lines = Number(/^(\d+) lines? brought back/.exec(line)?.[1] ?? lines);
    },
    writeError: (line) => bench.tell(`heal: ${line}`),
  }).finally(() => seconds = (performance.now() - startMs) / 1000);
  const timed: number[][] = files.map(() => []);
  while (seconds === null) {
    await using scope = bench.scope();
    const count = Math.min(TIMED_LINES, bench.scale.latencyMs);
    for (const [place, found] of (await timeLines(scope, { publisher, files, lines: count })).entries()) {
      timed[place]!.push(...found);
    }
  }
  await healing;
  const wireBytes = proxy.passedBytes - bytesBefore;
  return { seconds, lines, wireBytes, latencies: timed.map(latencyOfLines) };
}

/** Makes an archive with a whole day, and one that lacks lines of it. */
function makeArchives(bench: Bench, scope: AsyncDisposableStack): Fixture {
  const gapLines = bench.scale.floodLines;
  const total = gapLines * (DAY_GAPS + 1) + FEW;
  const { name, startMs } = dayAgo(2);
  const number = parseDayName(name)!;
  bench.tell(`fixture: a sealed day of ${total} lines, and one that lacks ${gapLines + FEW} of them`);
  const [lacking, whole] = ["heal-lacking", "heal-whole"].map((of) => bench.scopedDirectory(scope, of));
  using lackingText = new SealedDayWriter(lacking!, number);
  using wholeText = new SealedDayWriter(whole!, number);
  const source = new LineSource({ dayStartMs: startMs, spanMs: 86_400_000, total });
  const gapFrom = Math.floor(total * GAP_AT);
  const fewFrom = Math.floor(total * FEW_FROM);
  const fewEvery = Math.floor((total - fewFrom) / (FEW + 1));
  for (let line = 0; source.left > 0;) {
    for (const payload of payloadsOf(source.batch(BATCH_LINES).frames)) {
      const isOfGap = line >= gapFrom && line < gapFrom + gapLines;
      const fewth = (line - fewFrom) / fewEvery;
      const isOfFew = Number.isInteger(fewth) && fewth >= 1 && fewth <= FEW;
      wholeText.add(payload);
      if (!isOfGap && !isOfFew) lackingText.add(payload);
      line++;
    }
  }
  wholeText.finish();
  const { lines, rawBytes } = lackingText.finish();
  return {
    ...{
      day: { name, number, startMs },
      lacking: lacking!,
      whole: whole!,
      lines,
      textBytes: rawBytes,
      gapLines,
    },
  };
}

/** The most memory that a program had while it was looked at. */
interface Peak {
  /** All that was resident, as the kernel remembers it, in bytes. */
  residentBytes: number;
  /** Without pages of files, which can be given back, as it was when looked at, in bytes. */
  anonymousBytes: number;
}

/** Looks at the memory of programs until `scope` ends. */
function watchMemory(scope: AsyncDisposableStack, programs: readonly Program[]): () => Peak[] {
  const most = programs.map(() => 0);
  const look = setInterval(() => {
    for (const [place, program] of programs.entries()) {
      most[place] = Math.max(most[place]!, program.anonymousBytes());
    }
  }, LOOK_MS);
  scope.defer(() => clearInterval(look));
  return () =>
    programs.map((program, place) => ({
      residentBytes: program.peakBytes(),
      anonymousBytes: most[place]!,
    }));
}

function memoryText({ residentBytes, anonymousBytes }: Peak): string {
  return `${sizeText(residentBytes)}, ${sizeText(anonymousBytes)} of it no file's`;
}

function bothText([lacking, whole]: Latency[]): string {
  return `${latencyText(lacking!)}; the peer ${latencyText(whole!)}`;
}

function confirm(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Cannot measure healing: not as many ${what} as are missing`);
}
