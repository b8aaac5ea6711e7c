/**
 * Measures how long it takes, and how much memory, to insert lines into a sealed day: a gap of many lines, and a few here and
 * there; against making the whole gzip file anew, which is what would have to be done without blocks.
 *
 * @module
 */

import { join } from "node:path";
import { editsFile, gzFile, indexFile, TEMPORARY_SUFFIX } from "../../lib/archive/format.ts";
import { FoundLines } from "../../lib/archive/found_lines.ts";
import { type DayNumber, parseDayName } from "../../lib/day.ts";
import { LineScanner } from "../../lib/line/scanner.ts";
import { START_FLAGS } from "../rig/flightlog_process.ts";
import type { Bench } from "./bench.ts";
import { runTool } from "./commands.ts";
import { dayAgo } from "./flood.ts";
import type { ProgramResult, ProgramTask } from "./insert_program.ts";
import { LineSource } from "./lines.ts";
import { ratioText, type Row, secondsText, sizeText } from "./report.ts";
import { payloadsOf, SealedDayWriter } from "./sealed_day.ts";

/** The day has so many times the lines of the gap. */
const DAY_GAPS = 5;

/** So many lines are inserted besides, each into another part of the day. */
const FEW = 10;

/** Lines that are made together. */
const BATCH_LINES = 20_000;

/** Of which part of the day's span the gap begins. */
const GAP_AT = 0.4;

/** The most memory that the recorder may take in all, in bytes. */
const MEMORY_BYTES = 200e6;

/** A day without some of its lines. */
interface LackingDay {
  /** Which day. */
  day: DayNumber;
  /** Where its files are. */
  directory: string;
  /** How many lines it has. */
  lines: number;
  /** Its text, in bytes. */
  textBytes: number;
  /** The files of the lines that it lacks. */
  gap: FoundLines;
  few: FoundLines;
}

/** Inserts a gap, and then a few lines, into a day of five times as many lines as the gap. */
export async function measureInsertion(bench: Bench): Promise<Row[]> {
  await using scope = bench.scope();
  const lacking = await makeDay(bench, scope);
  const gzPath = join(lacking.directory, gzFile(lacking.day));
  const again = await runTool("sh", ["-c", `zcat "${gzPath}" | gzip -3`]);
  const rows: Row[] = [];
  for (const [found, what] of [[lacking.few, "here and there"], [lacking.gap, "as one gap"]] as const) {
    const { lines, milliseconds, peakBytes } = await insert(lacking, found);
    if (lines !== found.lines) {
      throw new Error(`Cannot measure: ${lines} of ${found.lines} lines are inserted`);
    }
    const inserted = `${lines} lines inserted ${what} into a sealed day of ${lacking.lines} lines, ` +
      sizeText(lacking.textBytes);
    rows.push({
      what: inserted,
      ours: secondsText(milliseconds / 1000),
      theirs: `\`zcat | gzip -3\` of the day alone: ${secondsText(again.seconds)}`,
      ratio: ratioText(milliseconds / 1000, again.seconds),
      wanted: "",
    }, {
      what: `memory of the process, ${inserted}`,
      ours: sizeText(peakBytes),
      theirs: "",
      ratio: ratioText(peakBytes, MEMORY_BYTES),
      wanted: `≤ ${sizeText(MEMORY_BYTES)}`,
    });
  }
  return rows;
}

/** Runs an insertion beside the files of the day, which stay as they are. */
async function insert({ day, directory }: LackingDay, found: FoundLines): Promise<ProgramResult> {
  const task: ProgramTask = {
    kind: "insert",
    day,
    gzPath: join(directory, gzFile(day)),
    indexPath: join(directory, indexFile(day)),
    foundPath: found.path,
    editsPath: join(directory, editsFile(day)),
    gzTargetPath: join(directory, gzFile(day) + TEMPORARY_SUFFIX),
    indexTargetPath: join(directory, indexFile(day) + TEMPORARY_SUFFIX),
  };
  const program = join(import.meta.dirname!, "insert_program.ts");
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...START_FLAGS, "-A", program, JSON.stringify(task)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot measure: the insertion has failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Makes the sealed files of a day, and the files of what it lacks. */
async function makeDay(bench: Bench, scope: AsyncDisposableStack): Promise<LackingDay> {
  const gapLines = bench.scale.floodLines;
  const total = gapLines * (DAY_GAPS + 1) + FEW;
  const { name, startMs } = dayAgo(2);
  const day = parseDayName(name)!;
  const directory = bench.scopedDirectory(scope, "insert");
  bench.tell(`fixture: a sealed day of ${total} lines that lacks ${gapLines + FEW} of them`);
  const gap = scope.use(new FoundLines(directory, day));
  const fewDirectory = bench.scopedDirectory(scope, "insert-few");
  const few = scope.use(new FoundLines(fewDirectory, day));
  using text = new SealedDayWriter(directory, day);
  const source = new LineSource({ dayStartMs: startMs, spanMs: 86_400_000, total });
  const gapFrom = Math.floor(total * GAP_AT);
  const every = Math.floor(total / (FEW + 1));
  const scanner = new LineScanner();
  let fewLeft = FEW;
  for (let number = 0; source.left > 0;) {
    for (const line of payloadsOf(source.batch(BATCH_LINES).frames)) {
      const isOfGap = number >= gapFrom && number < gapFrom + gapLines;
      const isOfFew = !isOfGap && fewLeft > 0 && number >= every * (FEW - fewLeft + 1);
      if (isOfGap || isOfFew) {
        if (!scanner.scan(line, 0, line.length)) throw new Error("Cannot measure: a line is no record");
        await (isOfGap ? gap : few).add(line, scanner);
      } else text.add(line);
      if (isOfFew) fewLeft--;
      number++;
    }
  }
  for (const found of [gap, few]) await found.close();
  const seal = text.finish();
  return { day, directory, lines: seal.lines, textBytes: seal.rawBytes, gap, few };
}
