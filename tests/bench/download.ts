/**
 * Measures downloads: of a sealed day as it lies on disk against nginx's sendfile, inflated against zcat, and
 * of today's, whose blocks are nearly ready, against compressing it when it is asked for.
 *
 * @module
 */

import { join } from "node:path";
import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { download, runTool, type Timed } from "./commands.ts";
import { hotArchive, sealedArchive } from "./fixture.ts";
import { startFlightlog } from "./flightlog.ts";
import { startNginx } from "./nginx.ts";
import { median, missingRow, ratioText, type Row, secondsText, sizeText, speedText } from "./report.ts";
import { MissingTool } from "./tools.ts";

/** How often each download is made, after one that is not counted: files come from the page cache. */
const REPEATS = 5;

/** How often something that takes seconds is done. */
const SLOW_REPEATS = 3;

/** How long Flightlog may go on compressing before it is measured, in milliseconds. */
const REST_LIMIT_MS = 60_000;

/** Measures the downloads of a sealed day. */
export async function measureSealedDownload(bench: Bench): Promise<Row[]> {
  const archive = await sealedArchive(bench, bench.scale.dayBytes);
  await using scope = bench.scope();
  const server = scope.use(await NatsServer.start());
  const { api } = await startFlightlog(scope, { url: server.url, directory: archive.directory });
  const day = archive.day.name;
  const size = `${sizeText(archive.textBytes)} day`;
  const gzip = `${day}.jsonl.gz`;
  const rows: Row[] = [];
  try {
    const nginx = await startNginx(bench, scope, archive.directory);
    const [ours, theirs] = await turns(
      REPEATS,
      () => download(`${api}/logs/${gzip}`),
      () => download(`${nginx}/${gzip}`),
    );
    sameSize(`${api}/logs/${gzip}`, ours, theirs);
    rows.push({
      what: `download, sealed ${size} as .gz (${sizeText(ours.bytes)})`,
      ours: speedText(ours.bytes / ours.seconds),
      theirs: `nginx, sendfile: ${speedText(theirs.bytes / theirs.seconds)}`,
      ratio: ratioText(theirs.seconds, ours.seconds),
      wanted: "≥ 0.5×",
    });
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    rows.push(missingRow("download, sealed .gz", error.message));
  }
  const [ours, theirs] = await turns(
    SLOW_REPEATS,
    () => download(`${api}/logs/${day}.jsonl`),
    () => runTool("zcat", [join(archive.directory, gzip)]),
  );
  sameSize(`${api}/logs/${day}.jsonl`, ours, theirs);
  rows.push({
    what: `download, sealed ${size} as plain JSONL`,
    ours: `${secondsText(ours.seconds)}, ${speedText(ours.bytes / ours.seconds)}`,
    theirs: `zcat: ${secondsText(theirs.seconds)}, ${speedText(theirs.bytes / theirs.seconds)}`,
    ratio: ratioText(theirs.seconds, ours.seconds),
    wanted: "≥ 1×",
  });
  return rows;
}

/** Measures the download of the day that is still written. */
export async function measureTodaysDownload(bench: Bench): Promise<Row[]> {
  const archive = await hotArchive(bench, bench.scale.dayBytes);
  await using scope = bench.scope();
  scope.defer(() => Deno.remove(archive.directory, { recursive: true }));
  const server = scope.use(await NatsServer.start());
  const { api, program } = await startFlightlog(scope, { url: server.url, directory: archive.directory });
  await program.rest(REST_LIMIT_MS);
  const url = `${api}/logs/${archive.day.name}.jsonl.gz`;
  const plain = join(archive.directory, `${archive.day.name}.jsonl`);
  const rows: Row[] = [];
  const others: [string, () => Promise<Timed>][] = [
    ["gzip -c", () => runTool("gzip", ["-c", plain])],
    ["CompressionStream", () => compressionStream(plain)],
  ];
  for (const [name, compress] of others) {
    const [ours, theirs] = await turns(SLOW_REPEATS, () => download(url), compress);
    rows.push({
      what: `download, today's .gz (${sizeText(archive.textBytes)} of text)`,
      ours: secondsText(ours.seconds),
      theirs: `${name}: ${secondsText(theirs.seconds)}`,
      ratio: ratioText(theirs.seconds, ours.seconds),
      wanted: "≥ 20×",
    });
  }
  return rows;
}

/** Runs two things in turns, `repeats` times after one that is not counted, and gives their medians. */
async function turns(
  repeats: number,
  ours: () => Promise<Timed>,
  theirs: () => Promise<Timed>,
): Promise<[Timed, Timed]> {
  const results: [Timed[], Timed[]] = [[], []];
  for (let turn = 0; turn <= repeats; turn++) {
    const times: [Timed, Timed] = [await ours(), await theirs()];
    if (turn === 0) continue;
    results[0].push(times[0]);
    results[1].push(times[1]);
  }
  return [middle(results[0]), middle(results[1])];
}

/** The medians of repeated runs. */
export function middle(runs: Timed[]): Timed {
  return {
    seconds: median(runs.map((run) => run.seconds)),
    firstByteSeconds: median(runs.map((run) => run.firstByteSeconds)),
    bytes: runs[0]!.bytes,
  };
}

function sameSize(what: string, ours: Timed, theirs: Timed): void {
  if (ours.bytes !== theirs.bytes) {
    throw new Error(`Cannot compare "${what}": it has ${ours.bytes} bytes, the other ${theirs.bytes}`);
  }
}

/** The whole file through CompressionStream, without even a server around it. */
async function compressionStream(file: string): Promise<Timed> {
  const startMs = performance.now();
  const { readable } = await Deno.open(file);
  let bytes = 0;
  for await (const chunk of readable.pipeThrough(new CompressionStream("gzip"))) bytes += chunk.length;
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, firstByteSeconds: seconds, bytes };
}
