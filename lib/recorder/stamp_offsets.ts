/**
 * Promises to know by how much the timestamps of lines differ from the time that has passed, whatever this machine's own
 * clock says. The *offset* of a line is its timestamp less {@linkcode Clock.elapsed} when it arrived.
 *
 * Example: the process has run for 100 s. A line arrives that is stamped 11:59:59.900; its offset is 11:58:19.900. One that
 * arrives at 200 s and is stamped 12:01:39.900 has the same. To which time this machine's clock is set has no part in it.
 *
 * Lines that come from one machine by the same way have nearly the same offset, so the offsets lie in a few clusters. If
 * some lines take 90 s longer, their offsets are around 11:56:49.900: a second cluster. A line that was lost would have
 * been in one of the clusters; that is how {@linkcode KnownGood} knows which timestamps lost lines bear.
 *
 * @module
 */

/** Offsets from the lowest to the highest, in milliseconds since 1970. */
export interface Offsets {
  /** The lowest: that of the line that took longest. */
  readonly lowMs: number;
  /** The highest: that of the fastest line, or of one whose clock is furthest ahead. */
  readonly highMs: number;
}

/** Offsets closer than this are of one cluster, in milliseconds. */
export const CLUSTER_DISTANCE_MS = 1000;

/** At most so many clusters are kept; more are joined, nearest first. */
const CLUSTERS_LIMIT = 16;

/**
 * A cluster further than this from the machine's clock, in milliseconds, is taken for wrong timestamps rather than for late
 * lines; but if most lines are in it, it is the machine's clock that is wrong. Example: the clock shows 12:00. Of 100
 * lines, 3 are stamped 2027: they do not count. If 60 of them are stamped 13:00, those do.
 */
export const LATE_LIMIT_MS = 600_000;

/** So many lines at least have to agree before they count against the machine's clock. */
const WITNESSES = 3;

/**
 * A cluster of fewer lines than this is too small to say how long lines take: one that was lost may have had any offset
 * between these lines and the machine's clock.
 */
const CLUSTER_LINES = 10;

interface Cluster {
  lowMs: number;
  highMs: number;
  lines: number;
}

/** The offsets of the lines that came lately. */
export class StampOffsets {
  #clusters: Cluster[] = [];
  #before: readonly Cluster[] = [];
  /** The cluster of the last line, which is looked at first: the next line is most likely of it, too. */
  #latest: Cluster | undefined;

  /** Takes the offset of a line. */
  note(offsetMs: number): void {
    const latest = this.#latest;
    if (latest !== undefined && offsetMs >= latest.lowMs && offsetMs <= latest.highMs) latest.lines++;
    else this.#place({ lowMs: offsetMs, highMs: offsetMs, lines: 1 });
  }

  /** Forgets the lines from before the last call, if enough have come since then. So a line is kept for one to two calls. */
  forgetOld(): void {
    if (countLines(this.#clusters) < CLUSTER_LINES) return;
    this.#before = this.#clusters;
    this.#clusters = [];
    this.#latest = undefined;
  }

  /**
   * The offsets that a line may have, if that of the machine's clock is `clockMs`: each cluster that counts, and where it
   * has only a few lines, everything between it and the clock too. Empty where no line counts.
   */
  near(clockMs: number): Offsets[] {
    const clusters: Cluster[] = [];
    for (const cluster of [...this.#before, ...this.#clusters]) add(clusters, { ...cluster }, CLUSTERS_LIMIT);
    const allLines = countLines(clusters);
    const near: Offsets[] = [];
    for (const { lowMs, highMs, lines } of clusters) {
      const isNear = lowMs <= clockMs + LATE_LIMIT_MS && highMs >= clockMs - LATE_LIMIT_MS;
      if (!isNear && (lines < WITNESSES || lines * 2 < allLines)) continue;
      if (lines >= CLUSTER_LINES || !isNear) near.push({ lowMs, highMs });
      else near.push({ lowMs: Math.min(lowMs, clockMs), highMs: Math.max(highMs, clockMs) });
    }
    return near;
  }

  #place(line: Cluster): void {
    this.#latest = add(this.#clusters, line, CLUSTERS_LIMIT);
  }
}

/** Adds a cluster to `clusters`, which stay apart and in order; returns the one that it is part of now. */
function add(clusters: Cluster[], added: Cluster, limit: number): Cluster {
  let at = 0;
  while (at < clusters.length && clusters[at]!.highMs < added.lowMs - CLUSTER_DISTANCE_MS) at++;
  let joined = added;
  while (at < clusters.length && clusters[at]!.lowMs <= joined.highMs + CLUSTER_DISTANCE_MS) {
    joined = join(clusters[at]!, joined);
    clusters.splice(at, 1);
  }
  clusters.splice(at, 0, joined);
  return clusters.length > limit ? joinNearest(clusters, joined) : joined;
}

function countLines(clusters: readonly Cluster[]): number {
  return clusters.reduce((sum, { lines }) => sum + lines, 0);
}

function joinNearest(clusters: Cluster[], wanted: Cluster): Cluster {
  let nearest = 1;
  for (let i = 2; i < clusters.length; i++) {
    if (distance(clusters, i) < distance(clusters, nearest)) nearest = i;
  }
  const [left, right] = [clusters[nearest - 1]!, clusters[nearest]!];
  const joined = join(left, right);
  clusters.splice(nearest - 1, 2, joined);
  return wanted === left || wanted === right ? joined : wanted;
}

function distance(clusters: readonly Cluster[], at: number): number {
  return clusters[at]!.lowMs - clusters[at - 1]!.highMs;
}

function join(left: Cluster, right: Cluster): Cluster {
  return {
    lowMs: Math.min(left.lowMs, right.lowMs),
    highMs: Math.max(left.highMs, right.highMs),
    lines: left.lines + right.lines,
  };
}
