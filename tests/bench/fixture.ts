/**
 * Promises archives as Flightlog itself makes them: their lines were published, recorded and, for a past day,
 * sealed by the product. Each is made once in a run and lasts as long as it.
 *
 * @module
 */

import { NatsServer } from "../rig/nats_server.ts";
import { type Bench, until } from "./bench.ts";
import { startFlightlog } from "./flightlog.ts";
import { type Day, dayAgo } from "./flood.ts";
import { LineSource } from "./lines.ts";
import { Publisher } from "./publisher.ts";

/** Lines that are made and published together. */
const BATCH_LINES = 20_000;

/** At most this many bytes are published but not yet recorded; the server holds them. */
const AHEAD_BYTES = 64e6;

/** How long one batch may take, in milliseconds. */
const BATCH_LIMIT_MS = 30_000;

/** How long sealing may take for each gigabyte of text, in milliseconds. */
const SEAL_LIMIT_MS_PER_GB = 60_000;

/** Long enough that a slow batch does not seal the day in the middle, in seconds. */
const SEAL_AFTER_SECONDS = 5;

/** An archive with one day in it. Nobody may write to it while several measurements read it. */
export interface Archive {
  /** The `LOG_DIR`. */
  directory: string;
  /** The day. */
  day: Day;
  /** Its lines. */
  lines: number;
  /** Its text, in bytes. */
  textBytes: number;
}

const sealedArchives = new Map<string, Promise<Archive>>();

/**
 * An archive with one sealed day of about `textBytes` bytes of text, the day before yesterday.
 *
 * @throws {Error} If Flightlog does not record or seal it in time.
 */
export function sealedArchive(bench: Bench, textBytes: number): Promise<Archive> {
  const key = `${bench.directory} ${textBytes}`;
  const archive = sealedArchives.get(key) ?? makeArchive(bench, textBytes, dayAgo(2), true);
  sealedArchives.set(key, archive);
  return archive;
}

/** An archive with about `textBytes` bytes of text for today. Made anew with each call. */
export function hotArchive(bench: Bench, textBytes: number): Promise<Archive> {
  return makeArchive(bench, textBytes, dayAgo(0), false);
}

async function makeArchive(bench: Bench, textBytes: number, day: Day, sealed: boolean): Promise<Archive> {
  const directory = bench.newDirectory(sealed ? "sealed" : "hot");
  const sample = new LineSource({ dayStartMs: day.startMs, spanMs: 86_400_000, total: 10_000 }).batch(10_000);
  const total = Math.round(textBytes / (sample.payloadBytes / sample.count));
  const spanMs = sealed ? 86_400_000 : Math.max(60_000, Date.now() - day.startMs);
  const source = new LineSource({ dayStartMs: day.startMs, spanMs, total });
  bench.tell(
    `fixture: a ${sealed ? "sealed" : "hot"} day of ${total} lines, ${Math.round(textBytes / 1e6)} MB`,
  );

  await using scope = bench.scope();
  const server = scope.use(await NatsServer.start({ maxPendingBytes: 2 ** 30, writeDeadlineMs: 60_000 }));
  const env = { SEAL_AFTER: `${SEAL_AFTER_SECONDS}s` };
  const { api } = await startFlightlog(scope, { url: server.url, directory, env });
  const publisher = scope.use(await Publisher.connect(server.port));
  let published = 0;
  while (source.left > 0) {
    const batch = source.batch(BATCH_LINES);
    published += batch.payloadBytes;
    await publisher.publish(batch.frames);
    await until("a batch to be recorded", BATCH_LIMIT_MS, 5, async () => {
      return published - (await dayOf(api, day)).bytes < AHEAD_BYTES;
    });
  }
  const limitMs = BATCH_LIMIT_MS + SEAL_LIMIT_MS_PER_GB * textBytes / 1e9;
  await until("the day to be whole", limitMs, 50, async () => {
    const made = await dayOf(api, day);
    return made.lines === total && made.bytes === published && made.sealed === sealed;
  });
  return { directory, day, lines: total, textBytes: published };
}

async function dayOf(api: string, day: Day): Promise<{ bytes: number; lines: number; sealed: boolean }> {
  const answer: { days: { day: string; bytes: number; lines: number; sealed: boolean }[] } =
    await (await fetch(`${api}/logs`)).json();
  return answer.days.find((entry) => entry.day === day.name) ?? { bytes: 0, lines: 0, sealed: false };
}
