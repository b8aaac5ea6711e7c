/**
 * Measures Flightlog side by side with what people would use instead, in one run, and prints the ratios as a
 * Markdown table. Run by hand: `deno task bench [--quick] [name…]`. A number after `two-recorders` is how many pairs there are.
 *
 * Only the loopback is used; everything lies in one directory under TMPDIR and is gone afterwards, but for the
 * npm packages that it compares with, which stay in the user's cache.
 *
 * @module
 */

import { availableParallelism, cpus, release } from "node:os";
import { Bench, FULL_SCALE, QUICK_SCALE } from "./bench.ts";
import { measureSealedDownload, measureTodaysDownload } from "./download.ts";
import { measureFollowers } from "./follow.ts";
import { measureGrownDay, measureGrownDownload, measureStart } from "./growth.ts";
import { measureHealing } from "./heal.ts";
import { measureIngest } from "./ingest.ts";
import { measureInsertion } from "./insert.ts";
import { measureKills } from "./kill.ts";
import { measureLatency } from "./latency.ts";
import { measureMemory, measureMemorySoak } from "./memory.ts";
import { measureNarrowSearch, measureTextSearch } from "./search.ts";
import { measureSoak } from "./soak.ts";
import { measureTwoRecorders } from "./two_recorders.ts";
import { markdownTable, missingRow, type Row } from "./report.ts";

/** The most that one measurement may take, in milliseconds. */
const MEASUREMENT_LIMIT_MS = 15 * 60_000;

type Measurement = (bench: Bench) => Promise<Row[]>;

/** The most that one may take that goes on for an hour or more by itself, in milliseconds. */
const LONG_LIMITS_MS: ReadonlyMap<Measurement, number> = new Map([
  [measureMemorySoak, 75 * 60_000],
  [measureTwoRecorders, 6 * 60 * 60_000],
]);

/** What can be asked for by name. What fails takes nothing else with it. */
const MEASUREMENTS: Record<string, Measurement[]> = {
  ingest: [measureIngest],
  latency: [measureLatency],
  download: [measureSealedDownload, measureTodaysDownload],
  search: [measureTextSearch, measureNarrowSearch],
  follow: [measureFollowers],
  growth: [measureGrownDay, measureGrownDownload, measureStart],
  insert: [measureInsertion],
  heal: [measureHealing],
  kill: [measureKills],
  memory: [measureMemory],
  soak: [measureSoak],
  "memory-soak": [measureMemorySoak],
  "two-recorders": [measureTwoRecorders],
};

const encoder = new TextEncoder();

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

function tell(text: string): void {
  Deno.stderr.writeSync(encoder.encode(`${text}\n`));
}

async function measure(bench: Bench, name: string, measurement: Measurement): Promise<Row[]> {
  const limitMs = LONG_LIMITS_MS.get(measurement) ?? MEASUREMENT_LIMIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${limitMs} ms have passed`)),
      limitMs,
    );
  });
  const measuring = measurement(bench);
  try {
    const rows = await Promise.race([measuring, late]);
    for (const row of rows) tell(`${row.what}: ${row.ours}; ${row.theirs}; ${row.ratio}`);
    return rows;
  } catch (error) {
    tell(`Cannot measure ${name}: ${Deno.inspect(error)}`);
    await bench.endScopes();
    // Its programs are gone, so what still waits for them fails at once; nobody is left to hear of it.
    measuring.catch(() => {});
    const message = error instanceof Error ? error.message : String(error);
    return [missingRow(name, message.split("\n")[0]!)];
  } finally {
    clearTimeout(timer);
  }
}

async function main(): Promise<void> {
  const isCount = (argument: string, index: number): boolean =>
    /^[1-9]\d*$/.test(argument) && Deno.args[index - 1] === "two-recorders";
  const names = Deno.args.filter((argument, index) => argument !== "--quick" && !isCount(argument, index));
  const unknown = names.filter((name) => !Object.hasOwn(MEASUREMENTS, name));
  if (unknown.length > 0) {
    tell(`Cannot measure "${unknown.join('", "')}": there are ${Object.keys(MEASUREMENTS).join(", ")}`);
    Deno.exit(2);
  }
  const quick = Deno.args.includes("--quick");
  const scale = { ...quick ? QUICK_SCALE : FULL_SCALE };
  const pairs = Deno.args.find(isCount);
  if (pairs !== undefined) scale.pairs = Number(pairs);
  const bench = await Bench.create(scale, tell);
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, async () => {
      // The second time at once: whoever asks twice does not want to wait.
      if (interrupted.signal.aborted) Deno.exit(130);
      interrupted.abort();
      await bench[Symbol.asyncDispose]();
      Deno.exit(130);
    });
  }
  const rows: Row[] = [];
  for (const name of names.length > 0 ? names : Object.keys(MEASUREMENTS)) {
    for (const measurement of MEASUREMENTS[name]!) {
      rows.push(...await measure(bench, name, measurement));
      // The listener clears up and exits; what failed for lack of its programs is no result.
      if (interrupted.signal.aborted) return;
    }
  }
  await bench[Symbol.asyncDispose]();
  const machine =
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"}), Linux ${release()}, ` +
    `Deno ${Deno.version.deno}`;
  print(`Measured on ${new Date().toISOString().slice(0, 10)}${quick ? ", quick" : ""}: ${machine}.\n`);
  print(markdownTable(rows));
  Deno.exit(0);
}

if (import.meta.main) await main();
