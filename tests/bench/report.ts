/**
 * Promises that every measurement is told the same way: what, how much here, how much there, their ratio, and
 * what was wanted.
 *
 * @module
 */

/** One line of the table. */
export interface Row {
  /** What was measured. */
  what: string;
  /** Flightlog's figure. */
  ours: string;
  /** The other's figure, with its name. */
  theirs: string;
  /** How the two compare, or how much of what was wanted there is. */
  ratio: string;
  /** What was wanted; empty if nothing was said. */
  wanted: string;
}

/** The rows as a Markdown table. */
export function markdownTable(rows: Row[]): string {
  const cells = [
    ["measured", "Flightlog", "compared with", "ratio", "wanted"],
    ...rows.map((row) => [row.what, row.ours, row.theirs, row.ratio, row.wanted]),
  ];
  const lines = cells.map((line) => `| ${line.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  lines.splice(1, 0, "| --- | --- | --- | --- | --- |");
  return lines.join("\n");
}

/** The row of a comparison that could not be made, and why. */
export function missingRow(what: string, reason: string): Row {
  return { what, ours: "–", theirs: reason, ratio: "–", wanted: "" };
}

/** The middle one of `values`, of which there is at least one. */
export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/** The smallest of `values` that `share` of them do not exceed. */
export function percentile(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))]!;
}

/** Two figures as `2.3×`. */
export function ratioText(numerator: number, denominator: number): string {
  const ratio = numerator / denominator;
  return `${ratio.toFixed(ratio >= 10 ? 0 : ratio >= 1 ? 1 : 2)}×`;
}

/** Lines a second. */
export function rateText(linesPerSecond: number): string {
  return `${Math.round(linesPerSecond / 1000).toLocaleString("en")},000 lines/s`;
}

/** Bytes as whole megabytes of a million. */
export function sizeText(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** Bytes a second. */
export function speedText(bytesPerSecond: number): string {
  return bytesPerSecond >= 1e9
    ? `${(bytesPerSecond / 1e9).toFixed(2)} GB/s`
    : `${sizeText(bytesPerSecond)}/s`;
}

/** Milliseconds, with as many decimals as mean something. */
export function millisText(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Seconds. */
export function secondsText(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}
