/**
 * Promises a source that a test drives by hand and that keeps what it has handed over until that is safe: each message has
 * a number, from 1 on, and a position is the number of the last one.
 *
 * @module
 */

import type { Clock } from "../../lib/clock.ts";
import type {
  Source,
  SourceEnd,
  SourceFailure,
  SourceListener,
  SourcePositions,
  SourceSession,
} from "../../lib/source/source.ts";

/** What every session of it can be asked for. */
interface Opened {
  listener: SourceListener;
  end(failure: SourceFailure): void;
}

/** See the module's comment. */
export class HandMadeSource implements Source {
  /** See {@linkcode Source.name}. */
  readonly name = "hand-made";
  /** See {@linkcode Source.details}. */
  readonly details = { server: "hand-made" };
  /** See {@linkcode Source.hasEcho}. */
  readonly hasEcho: boolean;
  /** The positions that it was told are safe, in order. */
  readonly safe: unknown[] = [];
  /** What happened to it, in order. */
  readonly steps: string[] = [];
  /** Called with each position, after it was noted. */
  onSafe: (position: unknown) => void = () => {};
  /** What opening a session throws, while it is set. */
  fault: Error | null = null;
  readonly #clock: Clock;
  readonly #canPause: boolean;
  #session: Opened | null = null;
  #handedOver = 0;

  constructor(clock: Clock, { hasEcho = false, canPause = true } = {}) {
    this.#clock = clock;
    this.#canPause = canPause;
    this.hasEcho = hasEcho;
  }

  /** See {@linkcode Source.open}. */
  open(listener: SourceListener): Promise<SourceSession> {
    if (this.fault !== null) return Promise.reject(this.fault);
    const { promise: ended, resolve } = Promise.withResolvers<SourceEnd>();
    const clock = this.#clock;
    const end = (failure: SourceFailure): void => {
      if (this.#session?.listener === listener) this.#session = null;
      resolve({ ...failure, lastGoodMs: clock.elapsed() });
    };
    this.#session = { listener, end };
    const positions: SourcePositions = {
      current: () => this.#handedOver === 0 ? null : this.#handedOver,
      onSafe: (position) => {
        this.safe.push(position);
        this.steps.push(`safe ${position}`);
        this.onSafe(position);
      },
    };
    return Promise.resolve({
      ended,
      positions,
      canPause: this.#canPause,
      get lastGoodMs() {
        return clock.elapsed(); // what it has, it has handed over
      },
      pause: () => this.steps.push("pause"),
      resume: () => this.steps.push("resume"),
      ask: () => Promise.resolve(),
      endStalled: (message) => end({ cause: "stall", kind: "stall", message, needsHelp: false }),
      stop: () => {
        this.steps.push("stop");
        end({ cause: "stop", kind: "stop", message: "Stopped", needsHelp: false });
        return ended;
      },
    });
  }

  /** Hands over a message, which has the next number. */
  handOver(payload: string): void {
    this.#session!.listener.onMessage({
      payload: new TextEncoder().encode(payload),
      subject: "logs.web.sjc.m1",
    });
    this.#handedOver++;
  }

  /** Hands over a line that this program may have printed. */
  echo(payload: string): void {
    this.#session!.listener.onEcho(new TextEncoder().encode(payload));
  }

  /** Ends the session. */
  end(failure: SourceFailure): void {
    this.#session!.end(failure);
  }
}
