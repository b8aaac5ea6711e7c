/**
 * Measures how fast lines are taken, validated and synced, and what CPU time and memory that costs, against a C
 * subscriber that validates nothing and against the blog post's script.
 *
 * @module
 */

import { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import { bun, type Contender, flightlog, floor, node } from "./contenders.ts";
import { dayAgo, flood, makePiece } from "./flood.ts";
import { Publisher } from "./publisher.ts";
import { median, missingRow, rateText, ratioText, type Row, secondsText, sizeText } from "./report.ts";
import { MissingTool } from "./tools.ts";

/** So that the server evicts nobody: the whole flood may wait in it. */
export const PATIENT_SERVER = { maxPendingBytes: 4 * 2 ** 30, writeDeadlineMs: 60_000 };

/** How long a contender may go on working after its last line, in milliseconds. */
const REST_LIMIT_MS = 20_000;

interface Turn {
  linesPerSecond: number;
  /** Per million lines, everything that it does after the last line included. */
  cpuSeconds: number;
  startBytes: number;
  peakBytes: number;
  restBytes: number;
}

/** Measures ingest. Contenders take turns, each time in another order; figures are medians. */
export async function measureIngest(bench: Bench): Promise<Row[]> {
  const contenders = [floor, flightlog, node, bun];
  const turns = new Map<Contender, Turn[]>();
  const missing: Row[] = [];
  for (let round = 0; round < bench.scale.rounds; round++) {
    for (let place = 0; place < contenders.length; place++) {
      const contender = contenders[(place + round) % contenders.length]!;
      if (missing.some((row) => row.what === `ingest: ${contender.name}`)) continue;
      try {
        const turn = await takeTurn(bench, contender);
        turns.set(contender, [...turns.get(contender) ?? [], turn]);
        bench.tell(`ingest, round ${round + 1}: ${contender.name} ${turnText(turn)}`);
      } catch (error) {
        if (!(error instanceof MissingTool)) throw error;
        missing.push(missingRow(`ingest: ${contender.name}`, error.message));
      }
    }
  }
  return [...rows(turns), ...missing];
}

async function takeTurn(bench: Bench, contender: Contender): Promise<Turn> {
  const lines = bench.scale.floodLines;
  await using scope = bench.scope();
  const directory = bench.scopedDirectory(scope, "ingest");
  const server = scope.use(await NatsServer.start(PATIENT_SERVER));
  const day = dayAgo(0);
  const piece = makePiece(day);
  const { program, file } = await contender.start(bench, { scope, server, directory, day: day.name, lines });
  const publisher = scope.use(await Publisher.connect(server.port));
  await program.rest(3_000);
  const startBytes = program.residentBytes();
  const cpuBefore = program.cpuSeconds();
  const seconds = await flood(publisher, { piece, lines, file, pieceBytes: contender.fileBytes(piece) });
  await program.rest(REST_LIMIT_MS);
  return {
    linesPerSecond: lines / seconds,
    cpuSeconds: (program.cpuSeconds() - cpuBefore) / lines * 1e6,
    startBytes,
    peakBytes: program.peakBytes(),
    restBytes: program.residentBytes(),
  };
}

function rows(turns: Map<Contender, Turn[]>): Row[] {
  const figure = (contender: Contender, of: (turn: Turn) => number) =>
    median((turns.get(contender) ?? []).map(of));
  const ours = (of: (turn: Turn) => number) => turns.has(flightlog) ? figure(flightlog, of) : NaN;
  const result: Row[] = [];
  const wanted = new Map([[floor, "≥ 0.5×"], [node, "≥ 4×"], [bun, "≥ 2×"]]);
  for (const [contender, atLeast] of wanted) {
    if (!turns.has(contender)) continue;
    const theirs = figure(contender, (turn) => turn.linesPerSecond);
    result.push({
      what: "ingest, recorded and synced",
      ours: rateText(ours((turn) => turn.linesPerSecond)),
      theirs: `${contender.name}: ${rateText(theirs)}`,
      ratio: ratioText(ours((turn) => turn.linesPerSecond), theirs),
      wanted: atLeast,
    });
  }
  for (const contender of wanted.keys()) {
    if (!turns.has(contender)) continue;
    const theirs = figure(contender, (turn) => turn.cpuSeconds);
    result.push({
      what: "CPU time for a million lines",
      ours: secondsText(ours((turn) => turn.cpuSeconds)),
      theirs: `${contender.name}: ${secondsText(theirs)}`,
      ratio: ratioText(ours((turn) => turn.cpuSeconds), theirs),
      wanted: "",
    });
  }
  const others = (of: (turn: Turn) => number) =>
    [...wanted.keys()].filter((contender) => turns.has(contender))
      .map((contender) => `${contender.name}: ${sizeText(figure(contender, of))}`).join(", ");
  const memory: [string, (turn: Turn) => number, number][] = [
    ["memory at rest, before the flood", (turn) => turn.startBytes, 100e6],
    ["memory in the flood, at most", (turn) => turn.peakBytes, 200e6],
    ["memory at rest, after the flood", (turn) => turn.restBytes, 100e6],
  ];
  for (const [what, of, limitBytes] of memory) {
    result.push({
      what,
      ours: sizeText(ours(of)),
      theirs: others(of),
      ratio: ratioText(ours(of), limitBytes),
      wanted: `≤ ${sizeText(limitBytes)}`,
    });
  }
  return turns.has(flightlog) ? result : result.filter((row) => !row.what.startsWith("memory"));
}

function turnText(turn: Turn): string {
  return `${rateText(turn.linesPerSecond)}, ${secondsText(turn.cpuSeconds)} CPU a million, ` +
    `${sizeText(turn.startBytes)} → ${sizeText(turn.peakBytes)} → ${sizeText(turn.restBytes)}`;
}
