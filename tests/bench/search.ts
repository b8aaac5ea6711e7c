/**
 * Measures finding: a text in a sealed day against zgrep and ripgrep on the same file, a minute of it and an app
 * that hardly wrote, in days of different sizes, and how soon the first byte comes.
 *
 * @module
 */

import { join } from "node:path";
import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { download, runTool, type Timed } from "./commands.ts";
import { middle } from "./download.ts";
import { type Archive, sealedArchive } from "./fixture.ts";
import { startFlightlog } from "./flightlog.ts";
import { NEEDLE, NEEDLE_LINES, RARE_APP, RARE_LINES } from "./lines.ts";
import { median, millisText, missingRow, ratioText, type Row, secondsText, sizeText } from "./report.ts";
import { MissingTool } from "./tools.ts";

/** How often something that takes seconds is done, after once that is not counted. */
const SLOW_REPEATS = 3;

/** How often something that takes milliseconds is done, after once that is not counted. */
const REPEATS = 9;

/** The text has no capital letter, so Flightlog finds it in any case, as the last of these does. */
const CONTENDERS: readonly (readonly [name: string, tool: string, args: readonly string[]])[] = [
  ["zgrep -F", "zgrep", []],
  ["rg -z -F", "rg", ["-z"]],
  ["rg -z -F -i", "rg", ["-z", "-i"]],
];

/** Flightlog over an archive with one sealed day. */
interface Served {
  archive: Archive;
  /** The address of `/search`. */
  search: string;
  peakBytes(): number;
}

async function serve(bench: Bench, scope: AsyncDisposableStack, textBytes: number): Promise<Served> {
  const archive = await sealedArchive(bench, textBytes);
  const server = scope.use(await NatsServer.start());
  const { api, program } = await startFlightlog(scope, { url: server.url, directory: archive.directory });
  return { archive, search: `${api}/search`, peakBytes: () => program.peakBytes() };
}

/** Measures a text in a whole day. */
export async function measureTextSearch(bench: Bench): Promise<Row[]> {
  await using scope = bench.scope();
  const { archive, search, peakBytes } = await serve(bench, scope, bench.scale.dayBytes);
  const url = `${search}?q=${encodeURIComponent(NEEDLE)}`;
  await checkLines(url, NEEDLE_LINES);
  const file = join(archive.directory, `${archive.day.name}.jsonl.gz`);
  const what = `search, ${NEEDLE_LINES} lines in a sealed ${sizeText(archive.textBytes)} day`;
  const rows: Row[] = [];
  for (const [name, tool, args] of CONTENDERS) {
    try {
      const [ours, theirs] = await turns(
        () => download(url),
        () => runTool(tool, [...args, "-F", NEEDLE, file]),
      );
      rows.push({
        what,
        ours: secondsText(ours.seconds),
        theirs: `${name}: ${secondsText(theirs.seconds)}`,
        ratio: ratioText(theirs.seconds, ours.seconds),
        wanted: "≥ 1.5×",
      });
    } catch (error) {
      if (!(error instanceof MissingTool)) throw error;
      rows.push(missingRow(what, error.message));
    }
  }
  rows.push({
    what: `memory in these searches, ${sizeText(archive.textBytes)} day`,
    ours: sizeText(peakBytes()),
    theirs: "",
    ratio: ratioText(peakBytes(), 200e6),
    wanted: "≤ 200 MB",
  });
  return rows;
}

/** Measures what needs only a little of a day, in a day and in a larger one. */
export async function measureNarrowSearch(bench: Bench): Promise<Row[]> {
  const { dayBytes, growth } = bench.scale;
  const small = await narrowTimes(bench, dayBytes);
  const large = await narrowTimes(bench, dayBytes * growth);
  return large.map((figure, i) => ({
    what: `search, ${figure.what} in a sealed ${sizeText(dayBytes)} day`,
    ours: millisText(small[i]!.ms),
    theirs: `in a ${sizeText(dayBytes * growth)} day: ${millisText(figure.ms)}`,
    ratio: ratioText(small[i]!.ms, figure.ms),
    wanted: figure.wanted,
  }));
}

interface Figure {
  what: string;
  ms: number;
  wanted: string;
}

async function narrowTimes(bench: Bench, textBytes: number): Promise<Figure[]> {
  await using scope = bench.scope();
  const { archive, search } = await serve(bench, scope, textBytes);
  const noonMs = archive.day.startMs + 43_200_000;
  // As many lines in the large day as in the small one, so that what is sent is the same.
  const spanMs = Math.round(60_000 * bench.scale.dayBytes / textBytes);
  const moment = (ms: number) => new Date(ms).toISOString();
  const minute = `${search}?since=${moment(noonMs)}&until=${moment(noonMs + spanMs)}`;
  const rare = `${search}?app=${RARE_APP}`;
  await checkLines(rare, RARE_LINES);
  const figures: Figure[] = [
    { what: "a minute's lines", ms: await medianMs(minute), wanted: "< 50 ms" },
    { what: `an app with ${RARE_LINES} lines`, ms: await medianMs(rare), wanted: "< 100 ms" },
  ];
  let firstMs = 0;
  for (const query of ["", `?q=${encodeURIComponent(NEEDLE)}`, "?level=error", "?format=text", "?tail=100"]) {
    firstMs = Math.max(firstMs, await firstByteMs(search + query));
  }
  figures.push({ what: "first byte, the slowest of five searches", ms: firstMs, wanted: "< 50 ms" });
  return figures;
}

async function checkLines(url: string, wanted: number): Promise<void> {
  const text = await (await fetch(url)).text();
  const lines = text.split("\n").length - 1;
  if (lines !== wanted) throw new Error(`Cannot measure "${url}": ${lines} lines were found, not ${wanted}`);
}

async function medianMs(url: string): Promise<number> {
  await download(url);
  const runs: Timed[] = [];
  for (let i = 0; i < REPEATS; i++) runs.push(await download(url));
  return middle(runs).seconds * 1000;
}

/**
 * How long the first byte of the answer takes, that of its status line. The lines, which may be gigabytes away,
 * are not waited for.
 */
async function firstByteMs(url: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= REPEATS; i++) {
    const startMs = performance.now();
    const { body } = await fetch(url);
    if (i > 0) times.push(performance.now() - startMs);
    await body!.cancel();
  }
  return median(times);
}

async function turns(ours: () => Promise<Timed>, theirs: () => Promise<Timed>): Promise<[Timed, Timed]> {
  const results: [Timed[], Timed[]] = [[], []];
  for (let turn = 0; turn <= SLOW_REPEATS; turn++) {
    const times: [Timed, Timed] = [await ours(), await theirs()];
    if (turn === 0) continue;
    results[0].push(times[0]);
    results[1].push(times[1]);
  }
  return [middle(results[0]), middle(results[1])];
}
