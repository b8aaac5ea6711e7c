/**
 * Promises proof that a line printed here comes back through Fly's whole log pipeline, or to tell that it does not: "the log
 * shipper can occasionally stop shipping logs without exiting", and then the stream is as silent as in a quiet night.
 *
 * Example: one is sent every 60 s. That of 0 s comes back at 0.8 s; that of 60 s does not, nor does that of 120 s. At 180 s
 * two in a row are missing, and the session is ended.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";

/** So many canaries in a row may be missing after one has come back. */
export const MISSED_LIMIT = 2;

/** What is known of the round trip through the pipeline. */
export interface CanaryStatus {
  /** Whether one ever came back. */
  everReturned: boolean;
  /** How many in a row did not come back. */
  missed: number;
  /** How long the last one that came back was on its way, in milliseconds; null before. */
  roundTripMs: number | null;
  /** {@linkcode Clock.now} when the last one that came back was sent; null before. */
  lastGoodMs: number | null;
}

/** See {@linkcode Canary}. */
export interface CanaryOptions {
  /** The time between two canaries, in milliseconds. */
  intervalMs: number;
  /** Measures the round trip, and says when to send the next one. */
  clock: Clock;
  /** Prints a line to this process's own stdout, from where Fly takes it. */
  print(line: string): void;
  /** Called when {@linkcode MISSED_LIMIT} in a row are missing. */
  onMissed(): void;
  /** Hears of each round trip, in milliseconds. */
  onReturn?(roundTripMs: number): void;
  /** Makes a text that no other line contains. */
  createNonce?: () => string;
}

/** Sends a line every interval while a session lasts, and watches for it. */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #status: CanaryStatus = {
    everReturned: false,
    missed: 0,
    roundTripMs: null,
    lastGoodMs: null,
  };
  #goodMs: number | null = null;
  #sent: { nonce: Uint8Array; sentMs: number; elapsedMs: number } | null = null;
  #cancel: Cancel | null = null;

  /** Sends nothing before {@linkcode Canary.start}. */
  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** {@linkcode Clock.elapsed} when the last one that came back was sent; null before. */
  get goodMs(): number | null {
    return this.#goodMs;
  }

  /** What is known so far. */
  get status(): Readonly<CanaryStatus> {
    return this.#status;
  }

  /** Begins to send, with one at once. */
  start(): void {
    this.#status.missed = 0;
    this.#send();
    this.#cancel = this.#options.clock.every(this.#options.intervalMs, () => this.#next());
  }

  /** Sends no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#sent = null;
  }

  /** Looks at a line of this app: is it the canary that is on its way? */
  take(payload: Uint8Array): void {
    const sent = this.#sent;
    if (sent === null || indexOfBytes(payload, sent.nonce) === -1) return;
    this.#sent = null;
    this.#status.missed = 0;
    const roundTripMs = this.#options.clock.elapsed() - sent.elapsedMs;
    this.#status.everReturned = true;
    this.#status.roundTripMs = roundTripMs;
    this.#status.lastGoodMs = sent.sentMs;
    this.#goodMs = sent.elapsedMs;
    this.#options.onReturn?.(roundTripMs);
  }

  #next(): void {
    if (this.#sent !== null && ++this.#status.missed >= MISSED_LIMIT && this.#status.everReturned) {
      this.stop();
      return this.#options.onMissed();
    }
    this.#send();
  }

  #send(): void {
    const { clock, createNonce = () => crypto.randomUUID() } = this.#options;
    const nonce = createNonce();
    this.#sent = { nonce: new TextEncoder().encode(nonce), sentMs: clock.now(), elapsedMs: clock.elapsed() };
    this.#options.print(JSON.stringify({ level: "debug", event: "canary", nonce }));
  }
}

function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.indexOf(wanted[0]!); at !== -1; at = bytes.indexOf(wanted[0]!, at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}
