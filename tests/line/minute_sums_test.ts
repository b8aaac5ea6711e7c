import assert from "node:assert/strict";
import { MinuteSums, type MinuteTable, OUTSIDE_MINUTES_LIMIT, sumText } from "../../lib/line/minute_sums.ts";
import { createRandom } from "../rig/random.ts";

const DAY = 20_779;
const FIRST_MINUTE = DAY * 1440;

/** A line: its minute, counted from the start of the day, and what its identity ends with. */
type Line = [minute: number, identity: string];

function tableOf(lines: readonly Line[]): MinuteTable {
  const sums = new MinuteSums(DAY);
  for (const [minute, identity] of lines) sums.add((FIRST_MINUTE + minute) * 60, identity.padStart(32, "0"));
  return sums.table();
}

/** What a table says, with minutes counted from the start of the day and sums without the zeros before them. */
function shown(table: MinuteTable): string[] {
  const text = (sums: Uint32Array, index: number) => sumText(sums, index).replace(/^0+(?=.)/, "");
  const minutes = Array.from(table.minutes, (minute, index) => {
    return `${minute - FIRST_MINUTE}: ${table.lines[index]} ${text(table.sums, index)}`;
  });
  return [...minutes, `distant: ${table.distantLines} ${text(table.distantSum, 0)}`];
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = createRandom(seed);
  return items.map((item) => ({ item, at: random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

Deno.test("MinuteSums counts the lines of each minute and adds up their identities, sorted by minute", () => {
  const table = tableOf([[7, "1"], [600, "a"], [7, "f"], [-1, "5"], [1440, "6"], [0, "2"]]);
  assert.deepEqual(shown(table), ["-1: 1 5", "0: 1 2", "7: 2 10", "600: 1 a", "1440: 1 6", "distant: 0 0"]);
});

Deno.test("MinuteSums puts each second in its minute, before 1970 too", () => {
  const sums = new MinuteSums(DAY);
  for (const seconds of [-61, -60, -1, 0, 59, 60]) sums.add(seconds, "0".repeat(32));
  const { minutes, lines } = sums.table();
  assert.deepEqual([...minutes], [-2, -1, 0, 1]);
  assert.deepEqual([...lines], [1, 2, 2, 1]);
});

Deno.test("MinuteSums carries from each part of a sum to the next, and cuts off what is above 128 bits", () => {
  const all = "f".repeat(32);
  for (
    const [a, b, sum] of [["ffffffff", "1", "100000000"], [all, "1", "0"], [all, all, `${"f".repeat(31)}e`]]
  ) {
    assert.deepEqual(shown(tableOf([[0, a!], [0, b!]])), [`0: 2 ${sum}`, "distant: 0 0"]);
  }
});

Deno.test("MinuteSums tells a line twice from another line twice", () => {
  assert.notDeepEqual(shown(tableOf([[0, "1"], [0, "1"]])), shown(tableOf([[0, "2"], [0, "2"]])));
});

Deno.test("MinuteSums makes the same of lines in any order, in one table or in several", () => {
  const random = createRandom(3);
  const lines: Line[] = [];
  for (let number = 0; number < 20_000; number++) {
    // Three times as many minutes outside of the day as may have entries, on both sides, some of them with several lines.
    const outside = Math.floor(random() * 3 * OUTSIDE_MINUTES_LIMIT);
    const minute = number % 2 === 0 ? number / 2 % 1440 : outside % 3 ? -1 - outside : 1440 + outside;
    lines.push([minute, Math.floor(random() * 2 ** 52).toString(16).padEnd(32, "9")]);
  }
  const expected = shown(tableOf(lines));
  assert.equal(expected.length, 1440 + OUTSIDE_MINUTES_LIMIT + 1);
  for (const seed of [1, 2, 3]) {
    const mixed = shuffled(lines, seed);
    assert.deepEqual(shown(tableOf(mixed)), expected);
    const sums = new MinuteSums(DAY);
    for (let at = 0; at < mixed.length; at += 3000) sums.addTable(tableOf(mixed.slice(at, at + 3000)));
    assert.deepEqual(shown(sums.table()), expected);
  }
});

Deno.test("MinuteSums gives an entry to the minutes outside of the day that are nearest to it, and loses no line", () => {
  const lines: Line[] = [[0, "7"]];
  for (let away = 1; away <= 5 * OUTSIDE_MINUTES_LIMIT; away++) lines.push([-away, "1"], [1439 + away, "1"]);
  const table = tableOf(lines);
  const half = OUTSIDE_MINUTES_LIMIT / 2;
  assert.equal(table.minutes[0], FIRST_MINUTE - half);
  assert.equal(table.minutes.at(-1), FIRST_MINUTE + 1439 + half);
  assert.equal(table.minutes.length, OUTSIDE_MINUTES_LIMIT + 1);
  assert.equal(table.distantLines, 9 * OUTSIDE_MINUTES_LIMIT);
  assert.equal(parseInt(sumText(table.distantSum, 0), 16), 9 * OUTSIDE_MINUTES_LIMIT);
});

Deno.test("MinuteSums goes on right with a minute after it has lost its entry", () => {
  const lines: Line[] = [[1_000_000, "1"]];
  for (let away = 0; away < 2 * OUTSIDE_MINUTES_LIMIT; away++) lines.push([1440 + away, "1"]);
  lines.push([1_000_000, "1"], [1_000_000, "1"]);
  assert.equal(tableOf(lines).distantLines, OUTSIDE_MINUTES_LIMIT + 3);
});

Deno.test("MinuteSums counts lines without an identity apart", () => {
  const sums = new MinuteSums(DAY);
  sums.addWithoutIdentity();
  const other = new MinuteSums(DAY);
  other.addWithoutIdentity();
  other.addTable(sums.table());
  assert.equal(other.table().withoutIdentity, 2);
  assert.equal(other.table().minutes.length, 0);
});
