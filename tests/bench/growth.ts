/**
 * Measures what does not stay the same as an archive grows: the same figures in a day with ten times the
 * lines, and the start with hundreds of sealed days.
 *
 * @module
 */

import { join } from "node:path";
import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { download } from "./commands.ts";
import { flightlog } from "./contenders.ts";
import { middle } from "./download.ts";
import { type Archive, sealedArchive } from "./fixture.ts";
import { startFlightlog } from "./flightlog.ts";
import { dayAgo, flood, makePiece } from "./flood.ts";
import { PATIENT_SERVER } from "./ingest.ts";
import { type Latency, latencyText, measureLines } from "./latency.ts";
import { Publisher } from "./publisher.ts";
import { median, millisText, rateText, ratioText, type Row, sizeText, speedText } from "./report.ts";

/** How often a download or a start is repeated; the median counts. */
const REPEATS = 3;

/** How long Flightlog may go on compressing between two measurements, in milliseconds. */
const REST_LIMIT_MS = 60_000;

/** One process, one day: its first flood against one that comes on top of many. */
export async function measureGrownDay(bench: Bench): Promise<Row[]> {
  const { floodLines, growth, latencyMs } = bench.scale;
  await using scope = bench.scope();
  const directory = bench.scopedDirectory(scope, "growth");
  const day = dayAgo(0);
  const piece = makePiece(day);
  const rates: number[] = [];
  const peaks: number[] = [];
  const latencies: Latency[] = [];
  await using running = bench.scope();
  const server = running.use(await NatsServer.start(PATIENT_SERVER));
  const { program } = await startFlightlog(running, { url: server.url, directory });
  const publisher = running.use(await Publisher.connect(server.port));
  const options = { piece, lines: floodLines, file: join(directory, `${day.name}.jsonl`) };
  for (let i = 0; i <= growth; i++) {
    await program.rest(REST_LIMIT_MS);
    rates.push(floodLines / await flood(publisher, { ...options, pieceBytes: flightlog.fileBytes(piece) }));
    peaks.push(program.peakBytes());
    if (i === 0 || i === growth) {
      await program.rest(REST_LIMIT_MS);
      latencies.push(await measureLines(running, { publisher, file: options.file, lines: latencyMs }));
    }
  }
  await running.disposeAsync();

  const starts: number[] = [];
  const firstBytes: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    await using again = bench.scope();
    const other = again.use(await NatsServer.start());
    const { api, readyMs } = await startFlightlog(again, { url: other.url, directory });
    starts.push(readyMs);
    firstBytes.push((await download(`${api}/logs/${day.name}.jsonl.gz`)).firstByteSeconds * 1000);
  }
  const times = `${growth}× the lines in the day`;
  const last = rates.length - 1;
  return [
    {
      what: `ingest, ${times}`,
      ours: rateText(rates[last]!),
      theirs: `in an empty day: ${rateText(rates[0]!)}`,
      ratio: ratioText(rates[last]!, rates[0]!),
      wanted: "",
    },
    {
      what: `memory in the flood, ${times}`,
      ours: sizeText(peaks[last]!),
      theirs: `in an empty day: ${sizeText(peaks[0]!)}`,
      ratio: ratioText(peaks[last]!, 200e6),
      wanted: "≤ 200 MB",
    },
    {
      what: `published → readable in the file, ${times}`,
      ours: latencyText(latencies[1]!),
      theirs: `with as many as one flood: ${latencyText(latencies[0]!)}`,
      ratio: `p99 ${ratioText(latencies[1]!.p99, latencies[0]!.p99)}`,
      wanted: "p99 < 20 ms",
    },
    {
      what: `first byte of today's .gz, ${times}`,
      ours: millisText(median(firstBytes)),
      theirs: "",
      ratio: "",
      wanted: "",
    },
    {
      what: `start to ready, ${times}`,
      ours: millisText(median(starts)),
      theirs: "",
      ratio: ratioText(median(starts), 1000),
      wanted: "",
    },
  ];
}

/** Downloads of a sealed day, against those of one with a tenth of the lines. */
export async function measureGrownDownload(bench: Bench): Promise<Row[]> {
  const { dayBytes, growth } = bench.scale;
  const small = await downloadSpeeds(bench, await sealedArchive(bench, dayBytes));
  const large = await downloadSpeeds(bench, await sealedArchive(bench, dayBytes * growth));
  return large.map((figure, i) => ({
    what: `download, sealed ${sizeText(dayBytes * growth)} day as ${figure.form}`,
    ours: speedText(figure.speed),
    theirs: `a ${sizeText(dayBytes)} day: ${speedText(small[i]!.speed)}`,
    ratio: ratioText(figure.speed, small[i]!.speed),
    wanted: "",
  }));
}

async function downloadSpeeds(bench: Bench, archive: Archive): Promise<{ form: string; speed: number }[]> {
  await using scope = bench.scope();
  const server = scope.use(await NatsServer.start());
  const { api } = await startFlightlog(scope, { url: server.url, directory: archive.directory });
  const figures = [];
  for (const [form, suffix] of [[".gz", ".jsonl.gz"], ["plain JSONL", ".jsonl"]] as const) {
    const url = `${api}/logs/${archive.day.name}${suffix}`;
    await download(url);
    const runs = [];
    for (let i = 0; i < REPEATS; i++) runs.push(await download(url));
    const { bytes, seconds } = middle(runs);
    figures.push({ form, speed: bytes / seconds });
  }
  return figures;
}

/** The start with hundreds of days: the one sealed day many times over: linked, with an index of its own under each name. */
export async function measureStart(bench: Bench): Promise<Row[]> {
  const { dayBytes, sealedDays } = bench.scale;
  const archive = await sealedArchive(bench, dayBytes);
  await using scope = bench.scope();
  const directory = bench.scopedDirectory(scope, "start");
  const index = await Deno.readTextFile(join(archive.directory, `${archive.day.name}.index`));
  for (let i = 0; i < sealedDays; i++) {
    const name = dayAgo(2 + i).name;
    await Deno.link(
      join(archive.directory, `${archive.day.name}.jsonl.gz`),
      join(directory, `${name}.jsonl.gz`),
    );
    await Deno.writeTextFile(
      join(directory, `${name}.index`),
      index.replace(`"day":"${archive.day.name}"`, `"day":"${name}"`),
    );
  }
  const readyMs: number[] = [];
  const listeningMs: number[] = [];
  const bytes: number[] = [];
  const empty: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    for (const path of [directory, bench.scopedDirectory(scope, "empty")]) {
      await using again = bench.scope();
      const server = again.use(await NatsServer.start());
      const started = await startFlightlog(again, { url: server.url, directory: path });
      if (path !== directory) {
        empty.push(started.readyMs);
        continue;
      }
      const { days } = await (await fetch(`${started.api}/logs`)).json();
      if (days.length !== sealedDays) {
        throw new Error(`Cannot measure the start: ${days.length} of ${sealedDays} days are there`);
      }
      readyMs.push(started.readyMs);
      listeningMs.push(started.listeningMs);
      bytes.push(started.program.residentBytes());
    }
  }
  const what = `with ${sealedDays} sealed days of ${sizeText(archive.textBytes)}`;
  return [
    {
      what: `start to ready, ${what}`,
      ours: `${millisText(median(readyMs))}, the API at ${millisText(median(listeningMs))}`,
      theirs: `with an empty archive: ${millisText(median(empty))}`,
      ratio: ratioText(median(readyMs), 1000),
      wanted: "≤ 1,000 ms",
    },
    {
      what: `memory at rest, ${what}`,
      ours: sizeText(median(bytes)),
      theirs: "",
      ratio: ratioText(median(bytes), 100e6),
      wanted: "≤ 100 MB",
    },
  ];
}
