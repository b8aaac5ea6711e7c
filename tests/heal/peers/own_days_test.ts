import assert from "node:assert/strict";
import { OwnDays } from "../../../lib/heal/peers/own_days.ts";
import { DAY, openArchive, TestDirectory } from "../../archive/archive_rig.ts";
import { lineAt, momentOf, ServedRecorder } from "./peer_rig.ts";

const { signal } = new AbortController();
const MINUTE = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("10:01:00") };

async function linesOf(recorder: ServedRecorder, levels?: string[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of new OwnDays(recorder.archive).lines(DAY, MINUTE, signal, levels)) {
    lines.push(new TextDecoder().decode(line));
  }
  return lines;
}

Deno.test("OwnDays.lines() reads the lines of a span, and those of the day without a time", async () => {
  await using recorder = await ServedRecorder.start();
  const lines = ["09:59:59.999999999", "10:00:00", "10:00:59.999999999", "10:01:00"].map((time) =>
    lineAt(time, time)
  );
  await recorder.record([...lines, '{"message":"untimed"}']);
  assert.deepEqual(await linesOf(recorder), [lines[1], lines[2], '{"message":"untimed"}']);
});

Deno.test("OwnDays.lines() finds lines that were recorded a day before or after, but none without a time", async () => {
  await using recorder = await ServedRecorder.start();
  const lines = ["10:00:01", "10:00:02", "10:00:03"].map((time) => lineAt(time, time));
  for (const [at, line] of lines.entries()) {
    await recorder.record([line, '{"message":"untimed"}'], DAY + at - 1);
  }
  await recorder.record([lineAt("10:00:04", "too far")], DAY + 2);
  assert.deepEqual(await linesOf(recorder), [lines[0], lines[1], '{"message":"untimed"}', lines[2]]);
});

Deno.test("OwnDays.lines() reads one level alone, and all lines of many pieces", async () => {
  await using recorder = await ServedRecorder.start();
  const info = lineAt("10:00:01", "m", { more: ',"log":{"level":"info"}' });
  const unknown = lineAt("10:00:02", "m", { more: ',"log":{"level":"unknown"}' });
  await recorder.record([info, unknown]);
  assert.deepEqual(await linesOf(recorder, ["unknown"]), [unknown]);
  await recorder.record(
    Array.from({ length: 5000 }, (_, n) => lineAt("10:00:03", `line ${n} ${"x".repeat(200)}`)),
  );
  assert.equal((await linesOf(recorder)).length, 5002);
});

Deno.test("OwnDays gives back its place among the readers, also when it is not read to the end", async () => {
  await using recorder = await ServedRecorder.start();
  await recorder.record([lineAt("10:00:01", "m"), lineAt("10:00:02", "m")]);
  for await (const _ of new OwnDays(recorder.archive).lines(DAY, MINUTE, signal)) break;
  await new OwnDays(recorder.archive).digest(DAY, signal);
  assert.equal(recorder.archive.lines.readers, 0);
});

Deno.test("OwnDays.digest() of a day that was not recorded has no lines", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const digest = await new OwnDays(test.archive).digest(DAY, signal);
  assert.deepEqual([digest.minutes.size, digest.withoutIdentity], [0, 0]);
});
