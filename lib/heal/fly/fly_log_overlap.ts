/**
 * Promises to tell rows that came before from new ones, where pages of Fly's logs API overlap.
 *
 * @module
 */

import { hash } from "node:crypto";
import type { FlyLogRow } from "./fly_log_page.ts";

/** What is new on a page. */
export interface NewRows {
  /** In the order of the page. */
  rows: FlyLogRow[];
  /** Whether it is beyond doubt that these are new and that no other is. */
  isSure: boolean;
}

/** Stands for a row's content, all but its id. Rows with the same key are repeats. */
export function rowKey(row: FlyLogRow): string {
  const { timestamp, message, level, instance, region, provider, more } = row;
  return hash("sha256", JSON.stringify([timestamp, message, level, instance, region, provider, more]), "hex");
}

/**
 * What is new on a page that begins with some of the last rows of the page `before`, at least one. They are known by their ids.
 * If no id comes again, ids do not last; then the longest end of `before` that is a beginning of `rows` by its content is
 * taken for the overlap. That may be too much where lines repeat, so it is not sure.
 *
 * Example: before a b b, then b b c. If ids last, they tell whether one b of the second page is new. If not, c alone is.
 */
export function rowsAfter(before: readonly FlyLogRow[], rows: readonly FlyLogRow[]): NewRows {
  const ids = new Set(before.map(({ id }) => id));
  const fresh = rows.filter(({ id }) => id === "" || !ids.has(id));
  if (fresh.length < rows.length || rows.length === 0) return { rows: fresh, isSure: true };
  return { rows: rows.slice(overlapLength(before.map(rowKey), rows.map(rowKey))), isSure: false };
}

/** How many keys at the end of the first list are those at the beginning of the second. */
function overlapLength(before: readonly string[], keys: readonly string[]): number {
  for (let length = Math.min(before.length, keys.length); length > 0; length--) {
    const start = before.length - length;
    if (keys.slice(0, length).every((key, i) => key === before[start + i])) return length;
  }
  return 0;
}
