/**
 * Promises a disk that fails as it is told, and a writer on it whose every word is checked.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { PlainFile } from "../../lib/archive/day/plain_file.ts";
import { PlainWriter, type WriterOptions } from "../../lib/archive/day/plain_writer.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { NOON, record } from "./archive_rig.ts";

/** What a file is asked for. */
export type Step = "open" | "write" | "sync" | "truncate" | "seek";

/**
 * A disk that does what it is told: each step asks `plan`, which lets it pass (nothing), shortens a write (a
 * number of bytes), throws, or keeps it waiting.
 */
export class TestDisk {
  bytes: Uint8Array = new Uint8Array();
  /** What of the bytes a loss of power would leave: those that were written before the last sync that worked. */
  durable: Uint8Array = new Uint8Array();
  readonly log: string[] = [];
  openFiles = 0;
  plan: (step: Step, bytes: Uint8Array) => number | void | Promise<number | void> = () => {};

  readonly open = async (): Promise<PlainFile> => {
    await this.#step("open");
    this.openFiles++;
    let at = 0;
    let isOpen = true;
    const check = () => {
      if (!isOpen) throw new TypeError("Bad resource ID");
    };
    return {
      look: () => {
        check();
        return Promise.resolve({ isInPlace: true, size: this.bytes.length });
      },
      read: (target) => {
        check();
        const read = this.bytes.subarray(at, at + target.length);
        target.set(read);
        at += read.length;
        return Promise.resolve(read.length === 0 ? null : read.length);
      },
      write: async (bytes) => {
        check();
        const fitting = await this.#step("write", bytes);
        check();
        const count = typeof fitting === "number" ? fitting : bytes.length;
        const grown = new Uint8Array(Math.max(this.bytes.length, at + count));
        grown.set(this.bytes);
        grown.set(bytes.subarray(0, count), at);
        this.bytes = grown;
        at += count;
        return count;
      },
      seek: async (offset, whence) => {
        check();
        await this.#step("seek");
        at = whence === Deno.SeekMode.End ? this.bytes.length : Number(offset);
        return at;
      },
      truncate: async (length = 0) => {
        check();
        await this.#step("truncate");
        const cut = new Uint8Array(length);
        cut.set(this.bytes.subarray(0, length));
        this.bytes = cut;
      },
      syncData: async () => {
        check();
        const seen = this.bytes.slice();
        await this.#step("sync");
        check();
        this.durable = seen;
      },
      close: () => {
        check();
        isOpen = false;
        this.openFiles--;
      },
    };
  };

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  get durableText(): string {
    return new TextDecoder().decode(this.durable);
  }

  async #step(step: Step, bytes: Uint8Array = new Uint8Array()): Promise<number | void> {
    this.log.push(step);
    return await this.plan(step, bytes);
  }
}

/** A writer on a disk, and what it told. */
export class Bench {
  readonly disk = new TestDisk();
  readonly clock = new FakeClock(NOON);
  readonly troubles: (string | null)[] = [];
  committed = 0;
  synced = 0;
  waiting = 0;
  lines = 0;
  readonly writer: PlainWriter;

  constructor(options: Partial<WriterOptions> = {}) {
    this.writer = new PlainWriter({
      path: "day.jsonl",
      from: 0,
      size: 0,
      syncIntervalMs: 1000,
      clock: this.clock,
      openFile: this.disk.open,
      events: {
        onCommit: (end, lines) => {
          assert.ok(end > this.committed);
          assert.ok(
            this.disk.bytes.length >= end - this.writer.from,
            "nobody is told of a byte that is not in the file",
          );
          this.committed = end;
          this.lines += lines;
        },
        onSync: (end) => {
          assert.ok(
            this.disk.durable.length >= end - this.writer.from,
            "nobody is told of a byte that is not on the disk",
          );
          this.synced = end;
        },
        onDrain: (bytes) => void (this.waiting -= bytes),
        onTrouble: (reason) => void this.troubles.push(reason),
        onTiming: () => {},
      },
      mender: {
        confirm: () => {},
        onPutBack: () => assert.fail("nobody has removed the file"),
        fillHole: () => assert.fail("nobody has cut the file"),
      },
      ...options,
    });
  }

  append(from: number, end: number, padding = 0): void {
    for (let number = from; number < end; number++) {
      this.waiting += this.writer.append(new TextEncoder().encode(record(number, padding)), false, null);
    }
  }

  /** Lets everything that is under way come to rest. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await this.clock.advanceAsync(0);
  }

  async end(text: string): Promise<void> {
    assert.equal(await this.writer.close(), 0);
    assert.equal(this.disk.openFiles, 0);
    assert.ok(this.disk.text === text, "every line once, in order");
    assert.ok(this.disk.durableText === text, "and on the disk");
    assert.equal(this.waiting, 0);
  }
}
