import assert from "node:assert/strict";
import { rowKey, rowsAfter } from "../../../lib/heal/fly/fly_log_overlap.ts";
import type { FlyLogRow } from "../../../lib/heal/fly/fly_log_page.ts";

Deno.test("rowKey() is the same for repeats, whatever their id", () => {
  assert.equal(rowKey(row("a", "1")), rowKey(row("a", "2")));
  for (
    const other of [{ message: "b" }, { instance: null }, { timestamp: "2026-11-22T10:00:00.001Z" }, {
      more: { url: 1 },
    }]
  ) {
    assert.notEqual(rowKey(row("a", "1")), rowKey({ ...row("a", "1"), ...other }));
  }
});

Deno.test("rowsAfter() goes by ids when some come again, repeats and late rows between them", () => {
  const before = [row("a", "1"), row("b", "2"), row("b", "3")];
  const after = [row("late", "9"), row("b", "3"), row("b", "4"), row("c", "5")];
  assert.deepEqual(idsAfter(before, after), { ids: ["9", "4", "5"], isSure: true });
});

Deno.test("rowsAfter() goes by content, and is not sure, when no id comes again", () => {
  const before = [row("a", "1"), row("b", "2"), row("b", "3")];
  const after = [row("b", "4"), row("b", "5"), row("c", "6")];
  assert.deepEqual(idsAfter(before, after), { ids: ["6"], isSure: false });
});

Deno.test("rowsAfter() does not take rows without ids for known", () => {
  assert.deepEqual(idsAfter([row("a", "")], [row("a", ""), row("b", "")]), { ids: [""], isSure: false });
});

Deno.test("rowsAfter() returns all, and is not sure, when nothing comes again", () => {
  assert.deepEqual(idsAfter([row("a", "1")], [row("b", "2")]), { ids: ["2"], isSure: false });
});

Deno.test("rowsAfter() returns nothing for an empty page", () => {
  assert.deepEqual(idsAfter([row("a", "1")], []), { ids: [], isSure: true });
});

function idsAfter(before: FlyLogRow[], rows: FlyLogRow[]): { ids: string[]; isSure: boolean } {
  const after = rowsAfter(before, rows);
  return { ids: after.rows.map(({ id }) => id), isSure: after.isSure };
}

function row(message: string, id: string): FlyLogRow {
  return {
    id,
    timestamp: "2026-11-22T10:00:00.000Z",
    atNs: 1_795_341_600_000_000_000n,
    decimals: 3,
    message,
    level: "info",
    instance: "m1",
    region: "fra",
    provider: "app",
    more: {},
  };
}
