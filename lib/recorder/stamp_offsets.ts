/**
 * Promises to know where the timestamps of lines lie against the time that has passed, whatever the machine's
 * own clock says: the offset of a line is its timestamp less {@linkcode Clock.elapsed} when it came.
 *
 * Lines of one origin that take the same way have nearly the same offset, so the offsets seen lie in a few
 * clusters. Example: the process has run for 100 s when its clock shows 12:00:00. A line that was stamped at
 * 11:59:59.900 has an offset of 11:58:19.900, whatever the clock is set to later. If some lines take 90 s more,
 * theirs is 11:56:49.900: a second cluster. A line that is lost bears a timestamp as those of some cluster do.
 *
 * @module
 */

/** Offsets from the lowest to the highest, in milliseconds since 1970. */
export interface Offsets {
  /** The lowest: that of the latest line. */
  readonly lowMs: number;
  /** The highest: that of the line that came fastest, or was stamped by the clock that is furthest ahead. */
  readonly highMs: number;
}

/** Offsets closer than this are of one cluster, in milliseconds. */
export const CLUSTER_DISTANCE_MS = 1000;

/** At most so many clusters are kept; more are joined, nearest first. */
const CLUSTERS_LIMIT = 16;

/**
 * A cluster further than this from what the machine's clock says, in milliseconds, is made of wrong timestamps
 * rather than of late lines, unless most lines are in it: then it is the machine's clock that is wrong.
 */
export const LATE_LIMIT_MS = 600_000;

/** So many lines at least have to say that the machine's clock is wrong. */
const WITNESSES = 3;

/** Fewer lines than this do not make a way of their own: what is lost may have come anywhere between them and the clock. */
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
  /** The cluster of the last line: the next one is most likely in it, too. */
  #latest: Cluster | undefined;

  /** Takes the offset of a line. */
  note(offsetMs: number): void {
    const latest = this.#latest;
    if (latest !== undefined && offsetMs >= latest.lowMs && offsetMs <= latest.highMs) latest.lines++;
    else this.#place({ lowMs: offsetMs, highMs: offsetMs, lines: 1 });
  }

  /** Forgets what came before the last call of this; waits for that until enough has come since. */
  forgetOld(): void {
    if (countLines(this.#clusters) < CLUSTER_LINES) return;
    this.#before = this.#clusters;
    this.#clusters = [];
    this.#latest = undefined;
  }

  /**
   * What the offset of a line may be, given that of the machine's clock: the clusters, and all from a cluster of a
   * few lines to the clock. Empty where no line says anything.
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
