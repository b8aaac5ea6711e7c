import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { checkedLine } from "../../lib/archive/checked_line.ts";
import { gapLine } from "../../lib/gaps/ledger_line.ts";
import { GAPS_LIMIT } from "../../lib/gaps/ledger_list.ts";
import { readGapFiles, readGaps, REPEATS_LIMIT } from "../../lib/gaps/ledger_reader.ts";
import { NOON, TestDirectory } from "../archive/archive_rig.ts";
import type { ReadGapsReport } from "./read_gaps_child.ts";

const READ_GAPS_CHILD = new URL("./read_gaps_child.ts", import.meta.url).pathname;
const START = Date.parse(NOON);

const LINES =
  `{"id":1,"since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:00:01.000Z","cause":"start",` +
  `"state":"lost","check":"03c810fe"}
{"id":2,"since":"2026-11-22T13:00:00.000Z","until":"2026-11-22T13:00:02.000Z","cause":"disconnect",` +
  `"state":"lost","check":"a05f8f9e"}
{"id":3,"since":"2026-11-22T15:00:00.000Z","until":null,"cause":"crash","state":"open","check":"e5e9f6d9"}
`;

/** The lines of gaps 1 to `count`, ten seconds apart, that a recorder lost for a second and a half each. */
function manyLines(count: number): string {
  let text = "";
  for (let id = 1; id <= count; id++) text += lineOf(id, "lost");
  return text;
}

function lineOf(id: number, state: string): string {
  const [since, until] = [START + id * 10_000, START + id * 10_000 + 1500].map((ms) =>
    new Date(ms).toISOString()
  );
  return checkedLine({ id, since, until, cause: "stop", state }) + "\n";
}

Deno.test("readGaps() tells each gap with its id", () => {
  using directory = new TestDirectory();
  directory.write("gaps.jsonl", LINES);
  const { gaps, lastId, faults } = readGaps(directory.path);
  assert.deepEqual(gaps, [
    { id: 1, sinceMs: START, untilMs: START + 1000, cause: "start", state: "lost", healing: null },
    {
      id: 2,
      sinceMs: START + 3_600_000,
      untilMs: START + 3_602_000,
      cause: "disconnect",
      state: "lost",
      healing: null,
    },
    { id: 3, sinceMs: START + 10_800_000, untilMs: null, cause: "crash", state: "open", healing: null },
  ]);
  assert.deepEqual([lastId, faults], [3, []]);
});

Deno.test("A ledger of more lines than are remembered keeps what is healed and what is lost apart", () => {
  using directory = new TestDirectory();
  let text = "";
  const count = 3 * GAPS_LIMIT;
  for (let id = 1; id <= count; id++) text += lineOf(id, id % 1000 === 0 ? "healed" : "lost");
  directory.write("gaps.jsonl", text);
  const { gaps } = readGaps(directory.path);
  assert.ok(gaps.length <= 2 * GAPS_LIMIT);
  const healed = gaps.filter(({ state }) => state === "healed");
  assert.deepEqual(healed.map(({ id }) => id), [
    1000,
    2000,
    3000,
    4000,
    5000,
    6000,
    7000,
    8000,
    9000,
    10000,
    11000,
    12000,
  ]);
  assert.ok(
    healed.every(({ id, sinceMs, untilMs }) => sinceMs === START + id * 10_000 && untilMs === sinceMs + 1500),
  );
});

Deno.test("A gap that is healed after it was joined with lost ones heals none of these", () => {
  using directory = new TestDirectory();
  const count = 2 * GAPS_LIMIT + 1; // with so many they are joined
  directory.write("gaps.jsonl", manyLines(count));
  const first = readGaps(directory.path).gaps[0]!;
  assert.deepEqual([first.id, first.untilMs! > START + 20_000], [1, true], "it is joined with the next");
  directory.write("gaps.jsonl", manyLines(count) + lineOf(1, "healed") + lineOf(2, "healed"));
  const { gaps, faults } = readGaps(directory.path);
  assert.deepEqual(gaps[0], first);
  assert.deepEqual(gaps.find(({ id }) => id === 2), {
    ...{ id: 2, sinceMs: START + 20_000, untilMs: START + 21_500 },
    ...{ cause: "stop", state: "healed", healing: null },
  });
  assert.equal(gaps.at(-1)?.id, count, "the gap that was noted last is the last");
  assert.deepEqual(faults, []);
});

/** A line that tells, at so many milliseconds since 1970, that gap 1 is being healed. */
function healingLine(atMs: number): string {
  const healing = { sources: [{ name: "fly", lines: 5 }], atMs, doneUntilMs: null, reason: null };
  return gapLine({ id: 1, sinceMs: START, untilMs: START + 1000, cause: "start", state: "partial", healing });
}

Deno.test("A ledger in which very many lines tell of the healing of one gap is written anew when it is opened", () => {
  using directory = new TestDirectory();
  for (const [repeats, isUntidy] of [[REPEATS_LIMIT, false], [REPEATS_LIMIT + 1, true]] as const) {
    const lines = Array.from({ length: 2 + repeats }, (_, number) => healingLine(number));
    directory.write("gaps.jsonl", lines.join(""));
    const found = readGapFiles(directory.path);
    assert.equal(found.isUntidy, isUntidy, `${repeats} lines`);
    assert.equal(found.gaps[0]?.healing?.atMs, 1 + repeats, "the last line holds");
  }
});

Deno.test("A damaged line after one that tells of the healing of an old gap leaves only the time since the last gap in doubt", () => {
  using directory = new TestDirectory();
  const damaged = lineOf(4, "lost").replace("stop", "step");
  directory.write("gaps.jsonl", LINES.split("\n").slice(0, 2).join("\n") + "\n" + healingLine(0) + damaged);
  assert.deepEqual(readGapFiles(directory.path).doubtful, [{ sinceMs: START + 3_602_000, untilMs: null }]);
});

Deno.test("A damaged line is in doubt up to the next gap that was noted in its time, not up to a part of one of last week", () => {
  const part = (id: number) =>
    gapLine({
      ...{ id, sinceMs: START - 9000, untilMs: START - 8000, cause: "stop", state: "healed" },
      healing: { sources: [{ name: "fly", lines: 1 }], atMs: START, doneUntilMs: null, reason: null },
    });
  const damaged = (id: number) => lineOf(id, "lost").replace("stop", "step");
  using directory = new TestDirectory();
  directory.write("gaps.jsonl", lineOf(1, "lost") + damaged(2) + part(3) + lineOf(4, "lost"));
  const [sinceMs, untilMs] = [START + 11_500, START + 40_000];
  assert.deepEqual(readGapFiles(directory.path).doubtful, [{ sinceMs, untilMs }]);
  directory.write("gaps.jsonl", lineOf(1, "lost") + part(2) + damaged(3) + lineOf(4, "lost"));
  assert.deepEqual(readGapFiles(directory.path).doubtful, [{ sinceMs, untilMs }]);
});

Deno.test("A damaged line is in doubt up to the next gap that was noted in its time, not up to one of last week", () => {
  const undelivered = (id: number) =>
    gapLine({
      ...{ id, sinceMs: START - 9000, untilMs: START - 8000, cause: "undelivered", state: "healed" },
      healing: { sources: [{ name: "fly", lines: 1 }], atMs: START, doneUntilMs: null, reason: null },
    });
  const damaged = lineOf(2, "lost").replace("stop", "step");
  using directory = new TestDirectory();
  directory.write("gaps.jsonl", lineOf(1, "lost") + damaged + undelivered(3) + lineOf(4, "lost"));
  const [sinceMs, untilMs] = [START + 11_500, START + 40_000];
  assert.deepEqual(readGapFiles(directory.path).doubtful, [{ sinceMs, untilMs }]);
  directory.write("gaps.jsonl", lineOf(1, "lost") + damaged + undelivered(2) + lineOf(3, "lost"));
  assert.deepEqual(readGapFiles(directory.path).doubtful, [], "the damaged line began no gap");
  directory.write("gaps.jsonl", lineOf(1, "lost") + undelivered(2) + damaged);
  assert.deepEqual(readGapFiles(directory.path).doubtful, [{ sinceMs, untilMs: null }]);
});

Deno.test("A ledger of 100,000 gaps opens within a second, in either form", () => {
  for (const isOld of [false, true]) {
    using directory = new TestDirectory();
    let text = "";
    for (let id = 1; id <= 100_000; id++) {
      const [since, until] = [START + id * 10_000, START + id * 10_000 + 1500].map((ms) =>
        new Date(ms).toISOString()
      );
      text += isOld
        ? `{"id":${id},"since":"${since}","cause":"stop","state":"open"}\n{"id":${id},"until":"${until}","state":"lost"}\n`
        : checkedLine({ id, since, until, cause: "stop", state: "lost" }) + "\n";
    }
    directory.write("gaps.jsonl", text);
    const before = cpuUsage(); // what others do on the machine meanwhile does not count
    const { gaps, faults } = readGaps(directory.path);
    const { user, system } = cpuUsage(before);
    assert.ok(user + system < 1_000_000, `${user + system} microseconds`);
    assert.deepEqual(faults, []);
    assert.ok(gaps.length <= 2 * GAPS_LIMIT);
    assert.equal(gaps[0]?.sinceMs, START + 10_000);
    assert.equal(gaps.at(-1)?.untilMs, START + 1_000_001_500);
  }
});

Deno.test("A ledger of a million gaps is read with a heap of 48 MB", async () => {
  using directory = new TestDirectory();
  {
    using file = Deno.openSync(directory.file("gaps.jsonl"), { write: true, create: true });
    for (let id = 1; id <= 1_000_000;) {
      let text = "";
      for (const end = id + 10_000; id < end; id++) {
        const [since, until] = [START + id * 1000, START + id * 1000 + 1].map((ms) =>
          new Date(ms).toISOString()
        );
        text += `{"id":${id},"since":"${since}","until":"${until}","cause":"stop","state":"lost"}\n`;
      }
      file.writeSync(new TextEncoder().encode(text));
    }
  }
  // The file has 100 MB, and all of its gaps as objects would be more. A process of its own has no garbage of others.
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--max-old-space-size=48", READ_GAPS_CHILD, directory.path],
    stdin: "null",
  }).output();
  assert.ok(success);
  const { count, span, faults }: ReadGapsReport = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(faults, []);
  assert.ok(count <= 2 * GAPS_LIMIT);
  assert.deepEqual(span, [START + 1000, START + 1_000_000_001]);
});

Deno.test("A ledger of 200 MB of line feeds is read in little memory", () => {
  using directory = new TestDirectory();
  directory.write("gaps.jsonl", LINES);
  {
    using file = Deno.openSync(directory.file("gaps.jsonl"), { append: true });
    const piece = new Uint8Array(1_000_000).fill(0x0a);
    for (let count = 0; count < 200; count++) file.writeSync(piece);
  }
  const before = Deno.memoryUsage().rss;
  assert.equal(readGaps(directory.path).gaps.length, 3);
  assert.ok(Deno.memoryUsage().rss - before < 50_000_000);
});
