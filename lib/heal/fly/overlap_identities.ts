/**
 * Promises the identities of the lines in the two overlaps of a gap, of all apps of a source, until they are compared: no more
 * than a fixed number.
 *
 * @module
 */

import type { Identity } from "../../line/identity.ts";
import { Multiset } from "../../line/multiset.ts";
import { type Overlaps, type Proof, proveByApps, proveByOverlaps } from "../proof.ts";

/**
 * So many are held, ours and theirs together. One takes about 64 bytes, and 80 more while it is compared, so all together less
 * than 30 MB. It is enough for 10,000 lines a second in two overlaps of 5 s.
 */
export const OVERLAP_IDENTITIES_LIMIT = 200_000;

/**
 * From so many lines on that are here before the gap, a source that has others but none of these is foreign: of another
 * organisation, or with other times. One or two may be lost there by chance.
 */
export const FOREIGN_LINES = 3;

/** Which overlap: that before the gap, or that after it. */
export type OverlapSide = "before" | "after";

/** Whose lines: those that are here, or those of the source. */
export type OverlapOwner = "ours" | "theirs";

/** What is known of a source besides its lines, by app. */
export interface SourceDoubts {
  /** Apps that are gone: nothing can be said of those that have lines here. */
  gone: ReadonlySet<string>;
  /** Why an app could not be read. */
  faults: ReadonlyMap<string, string>;
  /** Why the rows of an app may not be all. */
  doubts: ReadonlyMap<string, string>;
}

type Lists = Record<OverlapSide, Record<OverlapOwner, Identity[]>>;

/** Gathers them. */
export class OverlapIdentities {
  readonly #apps = new Map<string, Lists>();
  readonly #limit: number;
  #held = 0;
  #isFull = false;

  /** Holds at most `limit`. */
  constructor(limit: number = OVERLAP_IDENTITIES_LIMIT) {
    this.#limit = limit;
  }

  /** Adds a line. One that does not fit is left out, and nothing is proven any more. */
  add(app: string, side: OverlapSide, owner: OverlapOwner, identity: Identity): void {
    if (this.#held >= this.#limit) this.#isFull = true;
    if (this.#isFull) return;
    this.#held++;
    this.#listsOf(app)[side][owner].push(identity);
  }

  /**
   * How many lines are here before the gap, of which a source that has lines there has none, if they are
   * {@linkcode FOREIGN_LINES} or more; else 0. What such a source has of the gap may be here in another form.
   */
  foreign(): number {
    const ours = new Multiset();
    let theirs = 0;
    for (const { before } of this.#apps.values()) for (const identity of before.ours) ours.add(identity);
    const held = ours.size;
    for (const { before } of this.#apps.values()) {
      theirs += before.theirs.length;
      if (before.theirs.some((identity) => ours.count(identity) > 0)) return 0;
    }
    return theirs > 0 && held >= FOREIGN_LINES ? held : 0;
  }

  /** What the overlaps of `names` say of the source, which was asked for `overlapMs` before and after the gap. */
  prove(names: readonly string[], source: SourceDoubts, overlapMs: number): Proof {
    if (this.#isFull) {
      return {
        state: "unproven",
        reason: `the overlaps have more than ${this.#limit} lines, too many to compare`,
      };
    }
    const proofs = new Map<string, Proof>();
    for (const app of names) {
      const proof = this.#proveApp(app, source, overlapMs);
      if (proof !== null) proofs.set(app, proof);
    }
    return proveByApps(proofs, overlapMs);
  }

  #proveApp(app: string, { gone, faults, doubts }: SourceDoubts, overlapMs: number): Proof | null {
    const fault = faults.get(app);
    if (fault !== undefined) return { state: "unproven", reason: fault };
    const lists = this.#apps.get(app);
    if (gone.has(app)) {
      const isHere = lists !== undefined && (lists.before.ours.length > 0 || lists.after.ours.length > 0);
      return isHere ? { state: "unproven", reason: "the app is gone, and its logs with it" } : null;
    }
    const overlaps: Overlaps = { before: lists?.before ?? null, after: lists?.after ?? null };
    return proveByOverlaps({ ...overlaps, doubt: doubts.get(app) ?? null, overlapMs });
  }

  #listsOf(app: string): Lists {
    let lists = this.#apps.get(app);
    if (lists === undefined) {
      lists = { before: { ours: [], theirs: [] }, after: { ours: [], theirs: [] } };
      this.#apps.set(app, lists);
    }
    return lists;
  }
}
