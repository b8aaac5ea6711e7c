/**
 * Promises those rows of a piece that are missing here, each as often as it is missing, and gathers what the overlaps have.
 *
 * Both sides are compared in the form that the rows of an app have: with as many decimals, and with the instance if all rows
 * know theirs. What is here is read line by line and not kept. Lines that repeat are counted: of 3 that Fly has and 2 that are
 * here, the last one of Fly's is missing.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../../archive/archive.ts";
import type { Span } from "../../gaps/gap.ts";
import { FULL_IDENTITY, type Identity, type IdentityForm, LineIdentifier } from "../../line/identity.ts";
import { Multiset } from "../../line/multiset.ts";
import type { FlyPiece, FoundRow } from "./fly_piece.ts";
import type { OverlapIdentities, OverlapSide } from "./overlap_identities.ts";
import { eachOwnLine } from "./own_lines.ts";
import type { WantedRows } from "./wanted_rows.ts";

/** After so many rows whoever else has something to do gets a turn: some milliseconds. */
const TURN_ROWS = 100;

/** See {@linkcode FlyComparison}. */
export interface FlyComparisonOptions {
  /** What is here. */
  archive: Pick<Archive, "days" | "lines">;
  /** What is recorded here. */
  wanted: WantedRows;
  /** The apps that are compared. */
  names: readonly string[];
  /** The gap. What is before and after it is an overlap. */
  gap: Span;
  /** Gathers what the overlaps have. */
  overlaps: OverlapIdentities;
  /** Ends it. */
  signal?: AbortSignal;
}

/** Compares piece by piece. */
export class FlyComparison {
  readonly #options: FlyComparisonOptions;
  readonly #names: ReadonlySet<string>;
  /** One for each form, of which there are six. */
  readonly #identifiers = new Map<string, LineIdentifier>();
  #rows = 0;

  /** Compares nothing yet. */
  constructor(options: FlyComparisonOptions) {
    this.#options = options;
    this.#names = new Set(options.names);
  }

  /** How many rows of the gap there were so far, whether or not they were missing. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * The rows of the gap that are missing here, oldest first.
   *
   * @throws {NoRoom} If there is no room in memory to read what is here.
   * @throws {Error} If a block is damaged; the reason of the signal, if it aborts.
   */
  async missing(piece: FlyPiece): Promise<FoundRow[]> {
    const rows = piece.sorted();
    const keys = await this.#keysOf(rows, piece);
    const theirs = new Multiset();
    for (const [index, row] of rows.entries()) {
      const key = keys[index]!;
      const side = this.#sideOf(msOf(row));
      if (side === "gap") theirs.add(key);
      else this.#options.overlaps.add(row.app, side, "theirs", key);
    }
    this.#rows += theirs.size;
    await this.#takeOurs(piece, theirs);
    // From the end, so that of rows that repeat the last ones are missing.
    const missing: FoundRow[] = [];
    for (let index = rows.length - 1; index >= 0; index--) {
      const row = rows[index]!;
      if (this.#sideOf(msOf(row)) === "gap" && theirs.take(keys[index]!)) missing.push(row);
    }
    return missing.reverse();
  }

  /** Takes out of `theirs` what is here of the gap, and gathers what is here of the overlaps. */
  async #takeOurs(piece: FlyPiece, theirs: Multiset): Promise<void> {
    const { archive, wanted, overlaps, gap, signal } = this.#options;
    const { sinceMs, untilMs } = piece;
    const isInOverlap = sinceMs < gap.sinceMs || untilMs > gap.untilMs;
    if (theirs.size === 0 && !isInOverlap) return;
    await eachOwnLine(archive, { sinceMs, untilMs }, (line) => {
      const { app, atMs, bytes, start, end } = line;
      if (!this.#names.has(app) || wanted.leavesOut(line)) return;
      const identity = this.#identifierOf(piece.forms.get(app)).identify(bytes, start, end);
      if (identity === null) return;
      const side = this.#sideOf(atMs);
      if (side === "gap") theirs.take(identity);
      else overlaps.add(app, side, "ours", identity);
    }, signal);
  }

  async #keysOf(rows: readonly FoundRow[], piece: FlyPiece): Promise<Identity[]> {
    const keys: Identity[] = [];
    for (const { app, line } of rows) {
      const identifier = this.#identifierOf(piece.forms.get(app));
      keys.push(identifier.identify(line, 0, line.length) ?? identifier.identifyBytes(line, 0, line.length));
      if (keys.length % TURN_ROWS === 0) await nextTurn();
    }
    this.#options.signal?.throwIfAborted();
    return keys;
  }

  #identifierOf(form: IdentityForm = FULL_IDENTITY): LineIdentifier {
    const name = `${form.decimals} ${form.hasInstance}`;
    const identifier = this.#identifiers.get(name) ?? new LineIdentifier(form);
    this.#identifiers.set(name, identifier);
    return identifier;
  }

  #sideOf(atMs: number): OverlapSide | "gap" {
    if (atMs < this.#options.gap.sinceMs) return "before";
    return atMs < this.#options.gap.untilMs ? "gap" : "after";
  }
}

function msOf({ atNs }: FoundRow): number {
  return Number(atNs / 1_000_000n);
}
