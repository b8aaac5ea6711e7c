/**
 * Reads a file as it grows, as `tail -f` would if it were impatient, and notes when each line became readable.
 * Runs as a worker, so that the publisher's work does not delay what it sees.
 *
 * @module
 */

/// <reference lib="deno.worker" />

/** What the reader is asked to do. */
export interface LatencyJob {
  /** The file; it need not be there yet. */
  file: string;
  /** Where in it to begin, in bytes. */
  from: number;
  /** One place for each line: milliseconds of {@linkcode wallMs} at which it became readable. */
  seenMs: SharedArrayBuffer;
  /** What stands right before a line's number. */
  marker: string;
  /** When to give up, in milliseconds from now. */
  limitMs: number;
}

/** Between two looks at the file, in milliseconds: 0.1, far below what is measured. */
const PAUSE_MS = 0.1;

/** Milliseconds since 1970 with the resolution of the steady clock; the same in every worker. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Notes the lines until all were seen or the limit has passed; gives how many were. */
function follow(job: LatencyJob): number {
  const seenMs = new Float64Array(job.seenMs);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const buffer = new Uint8Array(1 << 20);
  const decoder = new TextDecoder("latin1");
  const number = new RegExp(`${job.marker}(\\d+)`);
  const endMs = performance.now() + job.limitMs;
  let file: Deno.FsFile | undefined;
  let rest = "";
  let seen = 0;
  while (seen < seenMs.length && performance.now() < endMs) {
    file ??= open(job);
    const size = file?.readSync(buffer) ?? 0;
    if (size === 0) {
      Atomics.wait(pause, 0, 0, PAUSE_MS);
      continue;
    }
    const nowMs = wallMs();
    const lines = (rest + decoder.decode(buffer.subarray(0, size))).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const found = number.exec(line)?.[1];
      if (found === undefined || seenMs[Number(found)] !== 0) continue;
      seenMs[Number(found)] = nowMs;
      seen++;
    }
  }
  file?.close();
  return seen;
}

function open(job: LatencyJob): Deno.FsFile | undefined {
  try {
    const file = Deno.openSync(job.file);
    file.seekSync(job.from, Deno.SeekMode.Start);
    return file;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (typeof DedicatedWorkerGlobalScope !== "undefined" && self instanceof DedicatedWorkerGlobalScope) {
  self.onmessage = (event: MessageEvent<LatencyJob>) => self.postMessage(follow(event.data));
  self.postMessage("ready");
}
