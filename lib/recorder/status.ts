/**
 * Promises what the parts of a running recorder say about themselves. Nothing here holds a secret or the text
 * of a recorded line. Times are milliseconds since 1970-01-01T00:00:00Z.
 *
 * @module
 */

import type { CanaryStatus } from "./canary.ts";

/**
 * What the recorder is doing: `connecting` to the server, `recording`, `waiting` before the next try,
 * `holding` lines that the disk does not take, or `stopped`.
 */
export const RECORDER_STATES = ["connecting", "recording", "waiting", "holding", "stopped"] as const;

/** One of {@linkcode RECORDER_STATES}. */
export type RecorderState = (typeof RECORDER_STATES)[number];

/** What the recorder has counted since the process started. Every message received is in one of the others. */
export interface RecorderCounters {
  /** Messages that arrived. */
  received: number;
  /** Lines handed to the archive, rejected ones too. */
  recorded: number;
  /** Messages that are no Fly log record, kept in an envelope. */
  rejected: number;
  /** Messages left out on purpose, by the filters or as lines of this app itself. */
  filtered: number;
  /** Messages without a payload. */
  empty: number;
  /** Messages lost because nothing could hold them; each lies in a gap. */
  dropped: number;
  /** Payload bytes that arrived. */
  bytes: number;
}

/** The recorder at one moment. */
export interface RecorderStatus {
  /** What it is doing. */
  state: RecorderState;
  /** Since when. */
  sinceMs: number;
  /** Where lines come from: the server's URL, without credentials. */
  server: string;
  /** What it has counted. */
  counters: RecorderCounters;
  /** How long the last line was on its way, from its own timestamp to its arrival; null before the first. */
  lagMs: number | null;
  /** When the last line arrived; null before the first. */
  lastLineMs: number | null;
  /** What is known of the canary; null where none is sent. */
  canary: Readonly<CanaryStatus> | null;
  /** What last ended a session or refused a write, in words without secrets; null if nothing did. */
  lastError: { atMs: number; message: string } | null;
}

/** Whether lines are being recorded right now. */
export interface Readiness {
  /** True while they are. */
  ready: boolean;
  /** Why not, one sentence each; empty when ready. */
  reasons: readonly string[];
}
