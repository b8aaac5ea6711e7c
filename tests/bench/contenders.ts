/**
 * Promises that everything that takes lines from NATS is started and observed the same way: by the file that
 * it writes, never by what it says of itself.
 *
 * @module
 */

import { join } from "node:path";
import type { NatsServer } from "../rig/nats_server.ts";
import type { Bench } from "./bench.ts";
import type { LineBatch } from "./lines.ts";
import { startFlightlog } from "./flightlog.ts";
import { Program } from "./program.ts";
import { buildFloor, findTool, installScripts } from "./tools.ts";

/** What a contender is started with. */
export interface Job {
  /** Whose program it becomes. */
  scope: AsyncDisposableStack;
  /** Where its lines come from. */
  server: NatsServer;
  /** The empty directory that it may write into. */
  directory: string;
  /** The UTC day of all lines, `YYYY-MM-DD`. */
  day: string;
  /** How many lines will come. */
  lines: number;
}

/** A contender at work: subscribed, and known to the server. */
export interface Running {
  /** Its process. */
  program: Program;
  /** Where its lines go. */
  file: string;
}

/** Something that records lines. */
export interface Contender {
  /** Its name in the table. */
  name: string;
  /** The bytes of a batch in its file. */
  fileBytes(batch: LineBatch): number;
  /**
   * Starts it and waits until it gets lines.
   *
   * @throws {MissingTool} If something that it needs is not installed.
   */
  start(bench: Bench, job: Job): Promise<Running>;
}

/** Flightlog, from this working copy. */
export const flightlog: Contender = {
  name: "Flightlog",
  fileBytes: (batch) => batch.payloadBytes,
  async start(_bench, { scope, server, directory, day }) {
    const { program } = await startFlightlog(scope, { url: server.url, directory });
    return { program, file: join(directory, `${day}.jsonl`) };
  },
};

/** `floor.c`. */
export const floor: Contender = {
  name: "C floor",
  fileBytes: (batch) => batch.payloadBytes,
  async start(bench, { scope, server, directory, lines }) {
    const command = await buildFloor(bench.directory);
    const file = join(directory, "floor.jsonl");
    const args = [server.url, "logs.>", String(lines), file];
    const program = scope.use(Program.start({ name: "the C floor", command, args }));
    await isReady(program);
    return { program, file };
  },
};

/** `blog_script.js` on Node. */
export const node: Contender = scriptOn("Node", "node");

/** `blog_script.js` on Bun. */
export const bun: Contender = scriptOn("Bun", "bun");

function scriptOn(name: string, runtime: "node" | "bun"): Contender {
  return {
    name: `blog script on ${name}`,
    fileBytes: (batch) => batch.textBytes,
    async start(_bench, { scope, server, directory, day }) {
      const scripts = await installScripts();
      const command = runtime === "bun" ? scripts.bun : await findTool("node");
      const args = [scripts.script, server.url, directory];
      const program = scope.use(Program.start({ name: `the blog script on ${name}`, command, args }));
      await isReady(program);
      return { program, file: join(directory, `${day}.log`) };
    },
  };
}

async function isReady(program: Program): Promise<void> {
  await program.log.until((line) => line === "ready", "its readiness");
}
