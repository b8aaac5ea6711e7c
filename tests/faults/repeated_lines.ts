/**
 * Promises lines as they are told apart only by counting: one in ten is an exact repeat of another, byte for byte, and whoever
 * holds a text against them learns whether each line is in it exactly as often as it was published, and in order of time.
 *
 * Repeats may come late, and then stand where they came. Example: the lines 0, 1, 2, 1, 3 are published. A text with these is
 * right, and so is one with 0, 1, 1, 2, 3, where the late one was lost and brought back; one with 0, 1, 2, 3 lacks a line. Where a
 * repeat is of one of the last 20 lines, a line may stand after lines up to 20 newer; where each repeat follows its line at
 * once, no line may stand after a newer one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type FlyLine, numberedLine } from "../rig/fly_lines.ts";

/** One line in so many is a repeat. */
const REPEAT_EVERY = 10;

/** There can be so many different lines: the number stands in the last six decimals of the timestamp, so that each is later. */
const LINES_LIMIT = 1_000_000;

/** What a line says besides its number has up to so many characters. */
const MORE_LIMIT = 400;

const APPS = ["web", "api", "worker-é", "postgres"];
const MORE = ' café "quoted" \t\\ 日志 0123456789'.repeat(20).slice(0, MORE_LIMIT);

/** Lines numbered from 0, with repeats. It keeps ten bytes of each, for as many as there can be. */
export class RepeatedLines {
  readonly #random: () => number;
  readonly #within: number;
  readonly #published: { ms: Float64Array; times: Uint16Array } = {
    ms: new Float64Array(LINES_LIMIT),
    times: new Uint16Array(LINES_LIMIT),
  };
  #different = 0;
  #count = 0;

  /** `random` gives numbers from 0 to below 1, and chooses what is repeated: one of the last `within` different lines. */
  constructor(random: () => number, within: number) {
    this.#random = random;
    this.#within = within;
  }

  /** How many there are, repeats counted. */
  get count(): number {
    return this.#count;
  }

  /** The number of the last line that is no repeat. */
  get last(): number {
    return this.#different - 1;
  }

  /** When the first line was made, and the first moment after the last one, in whole milliseconds since 1970. */
  get span(): { sinceMs: number; untilMs: number } {
    return { sinceMs: this.#published.ms[0]!, untilMs: this.#published.ms[this.last]! + 1 };
  }

  /**
   * Makes the next `count` lines, with times that are spread evenly from those of the lines before up to the time of the call, as
   * if each had been printed at its own.
   *
   * @throws {RangeError} If there would be too many.
   */
  take(count: number): FlyLine[] {
    const nowMs = Date.now();
    const sinceMs = this.#different === 0 ? nowMs : this.#published.ms[this.last]!;
    return Array.from({ length: count }, (_, index) => {
      this.#count++;
      const isRepeat = this.#different > 0 && this.#random() * REPEAT_EVERY < 1;
      const number = isRepeat
        ? this.#someBefore()
        : this.#next(Math.floor(sinceMs + (nowMs - sinceMs) * (index + 1) / count));
      this.#published.times[number]!++;
      return this.#line(number);
    });
  }

  /**
   * Holds a text against the lines that were made.
   *
   * @throws {assert.AssertionError} If a line is missing, there too often, changed, unknown, or out of order.
   */
  async judge(readable: AsyncIterable<string> | Iterable<string>): Promise<void> {
    const kept = new Uint16Array(this.#different);
    let newest = -1;
    for await (const line of readable) {
      const number = Number(/"line=(\d+) /.exec(line)?.[1]);
      if (!(number < this.#different)) assert.fail(`a line that nobody published: ${line.slice(0, 200)}`);
      if (line !== this.#line(number).payload) assert.fail(`line ${number} is another one: ${line}`);
      kept[number]!++;
      if (number <= newest - this.#within) assert.fail(`line ${number} stands after line ${newest}`);
      newest = Math.max(newest, number);
    }
    for (let number = 0; number < this.#different; number++) {
      const wanted = this.#published.times[number];
      if (kept[number] === wanted) continue;
      const when = new Date(this.#published.ms[number]!).toISOString();
      assert.fail(`line ${number} of ${when} is there ${kept[number]} times, published ${wanted} times`);
    }
  }

  #next(timeMs: number): number {
    const number = this.#different++;
    if (number >= LINES_LIMIT) throw new RangeError(`Cannot make more than ${LINES_LIMIT} different lines`);
    // A clock that is set back must not make a line earlier than the one before it.
    this.#published.ms[number] = Math.max(timeMs, number === 0 ? 0 : this.#published.ms[number - 1]!);
    return number;
  }

  #someBefore(): number {
    const back = Math.floor(this.#random() * Math.min(this.#within, this.#different));
    return this.#different - 1 - back;
  }

  #line(number: number): FlyLine {
    const milliseconds = new Date(this.#published.ms[number]!).toISOString().slice(0, -1);
    return numberedLine(number, {
      app: APPS[number % APPS.length],
      timestamp: `${milliseconds}${String(number).padStart(6, "0")}Z`,
      more: ` ${MORE.slice(0, number * 7919 % MORE_LIMIT)}`,
    });
  }
}
