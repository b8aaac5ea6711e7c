/**
 * Promises what may befall one of two recorders, each fault over when its function resolves: the recorder records again, and the other
 * one was never touched.
 *
 * @module
 */

import { untilStatus } from "./oracle.ts";
import type { PairedRecorder } from "./paired_recorder.ts";
import { canMount } from "./small_volume.ts";

/** How a fault comes. */
export interface FaultOptions {
  /** How long the recorder is away where the fault has a length, in milliseconds. */
  awayMs: number;
  /** Numbers from 0 to below 1. */
  random: () => number;
}

/** Spoils one recorder. */
export type Fault = (recorder: PairedRecorder, options: FaultOptions) => Promise<void>;

/** While messages are lost on the way, about so many of a hundred are. */
const LOST_PERCENT = 40;

/** So many messages are lost for each millisecond of the time away, and at most so many. */
const LOST_PER_MS = 1;
const LOST_LIMIT = 800;

/** A process that is frozen takes nothing from its connection until the server puts it out. */
async function freeze(recorder: PairedRecorder, { awayMs }: FaultOptions): Promise<void> {
  const { process, stream, server } = recorder;
  const from = process.log.count;
  const evicted = server.log.until(isEviction, "the eviction", server.log.count);
  process.signal("SIGSTOP");
  // The kernel would keep some megabytes more for it on either side of the proxy.
  stream.halfOpen();
  await evicted;
  await pass(awayMs);
  stream.resume();
  process.signal("SIGCONT");
  await recorder.untilLog("recording", from);
}

/** Messages are lost here and there until so many are: on a busy machine none may come in a time that is chosen. */
async function loseMessages(recorder: PairedRecorder, { awayMs, random }: FaultOptions): Promise<void> {
  let left = Math.min(LOST_LIMIT, Math.round(awayMs * LOST_PER_MS));
  const over = Promise.withResolvers<void>();
  recorder.isLost = () => {
    if (left === 0 || random() * 100 >= LOST_PERCENT) return false;
    if (--left === 0) over.resolve();
    return true;
  };
  await over.promise;
  recorder.isLost = () => false;
}

function isEviction(line: string): boolean {
  return line.includes("Slow Consumer");
}

/** The disk takes nothing until lines are lost. */
async function fillDisk(recorder: PairedRecorder, { awayMs }: FaultOptions): Promise<void> {
  const { process, volume } = recorder;
  const from = process.log.count;
  const { counters } = await untilStatus(process, () => true, "a status");
  await volume!.fill();
  await untilStatus(process, (status) => status.counters.dropped! > counters.dropped!, "dropped lines");
  await pass(awayMs);
  await volume!.free();
  await recorder.untilLog("disk takes lines again", from);
}

/** Every fault, by its name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  killed: async (recorder, { awayMs }) => {
    await recorder.kill();
    await pass(awayMs);
    await recorder.start();
  },
  "cut off": async (recorder, { awayMs }) => {
    const from = recorder.process.log.count;
    await recorder.stream.refuse();
    recorder.stream.cut();
    await pass(awayMs);
    recorder.stream.resume();
    await recorder.untilLog("recording", from);
  },
  frozen: freeze,
  "lossy stream": loseMessages,
  ...canMount ? { "disk full": fillDisk } : {},
};

/** Whether the recorder cannot notice the fault, and the loss is found only by comparing. */
export function isSilent(fault: string): boolean {
  return fault === "lossy stream";
}

/** Whether the fault lasts until the server puts the recorder out. */
export function needsEviction(fault: string): boolean {
  return fault === "frozen";
}

/** Whether the fault needs a volume of its own. */
export function needsVolume(fault: string): boolean {
  return fault === "disk full";
}

/** Lets lines be published for so long: how long a fault lasts is what is chosen, and nothing that is waited for. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
