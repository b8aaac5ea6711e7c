import assert from "node:assert/strict";
import { GZIP_HEADER } from "../../lib/archive/format.ts";
import { isLostLine } from "../../lib/line/lost_line.ts";
import { untilSo } from "../rig/wait.ts";
import { appendLines, DAY, DAY_NAME, dayText, openArchive, TestDirectory, textOf } from "./archive_rig.ts";
import { insertDayLines, lineAt, verifyFaults } from "./healing_rig.ts";

const FILE = `${DAY_NAME}.jsonl`;

Deno.test("Archive whose file is cut before the next lines are written writes again what was not synced", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  appendLines(archive, 0, 3);
  await untilSo(() => archive.ends()[0]?.committed === textOf(0, 3).length, "the lines in the file");
  Deno.truncateSync(directory.file(FILE), 0);
  appendLines(archive, 3, 5);
  await archive.sync();
  assert.equal(await dayText(archive), textOf(0, 5));
  assert.equal(archive.findings.length, 1);
  assert.match(
    archive.findings[0]!.what,
    /^was cut or changed while it was written: what was not synced is written again$/,
  );
});

Deno.test("Archive whose file is cut and written on breaks answers off until the hole is filled, and shows no NUL", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  appendLines(archive, 0, 3);
  await archive.sync();
  Deno.truncateSync(directory.file(FILE), 0);
  appendLines(archive, 3, 5);
  await untilSo(() => archive.ends()[0]?.committed === textOf(0, 5).length, "the lines in the file");
  await assert.rejects(dayText(archive), /there is a NUL at 0, where lines were written/);
  await archive.sync();
  assert.ok(!(await dayText(archive)).includes("\0"));
});

for (const left of [0, 1, 2]) {
  Deno.test(`Archive whose file is cut to ${left} lines says what is lost, and keeps every offset`, async () => {
    using directory = new TestDirectory();
    await using opened = await openArchive(directory);
    const { archive } = opened;
    const spans: string[][] = [];
    archive.onLoss(({ sinceMs, untilMs }) =>
      spans.push([sinceMs, untilMs].map((epochMs) => new Date(epochMs).toISOString()))
    );
    appendLines(archive, 0, 6);
    await archive.sync();
    Deno.truncateSync(directory.file(FILE), textOf(0, left).length + (left === 1 ? 20 : 0));
    appendLines(archive, 6, 8);
    await archive.sync();

    const text = await dayText(archive);
    const hole = text.slice(textOf(0, left).length, textOf(0, 6).length);
    assert.equal(text, textOf(0, left) + hole + textOf(6, 8));
    assert.ok(isLostLine(hole.trimEnd()), hole);
    assert.deepEqual(archive.findings, [{
      file: FILE,
      what: "was cut or changed while it was written: what was not synced is written again, " +
        `${hole.length} bytes of lines are lost`,
      damage: true,
    }]);
    const since = left === 0 ? "00:00:00.000" : left === 1 ? "09:59:00.500" : "09:59:01.500";
    assert.deepEqual(spans, [[`${DAY_NAME}T${since}Z`, `${DAY_NAME}T10:00:07.501Z`]]);
    assert.equal(archive.day(DAY)!.lines, left + 1 + 2);
    await opened.seal();
    assert.equal(archive.day(DAY)!.sealed, true);
    assert.equal(await dayText(archive), text);
    await opened.close();
    assert.deepEqual(await verifyFaults(directory), []);
    await using again = await openArchive(directory);
    assert.deepEqual(again.archive.findings, []);
    assert.equal(again.archive.day(DAY)!.lines, left + 1 + 2);
  });
}

Deno.test("Archive whose file is cut has what blocks were made of put back", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  const padding = 100_000;
  appendLines(archive, 0, 25, padding);
  await archive.sync();
  await untilSo(() => archive.day(DAY)!.gzBytes > GZIP_HEADER.length, "blocks");
  Deno.truncateSync(directory.file(FILE), 1000);
  appendLines(archive, 25, 26, padding);
  await archive.sync();
  const text = await dayText(archive);
  assert.ok(text.startsWith(textOf(0, 10, padding)));
  assert.ok(text.endsWith(textOf(25, 26, padding)));
  assert.equal(text.length, textOf(0, 26, padding).length);
  assert.equal(archive.day(DAY)!.lines, text.split("\n").length - 1);
  await opened.close();
  assert.deepEqual(await verifyFaults(directory), []);
});

Deno.test("Archive that is closed right after its file was cut fills it, and says so", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  let losses = 0;
  archive.onLoss(() => losses++);
  appendLines(archive, 0, 5);
  await archive.sync();
  Deno.truncateSync(directory.file(FILE), 0);
  appendLines(archive, 5, 6);
  assert.equal(await opened.close(), 0);
  assert.equal(losses, 1);
  assert.equal(directory.text(FILE).length, textOf(0, 6).length);
  assert.ok(directory.text(FILE).endsWith(textOf(5, 6)));
  assert.deepEqual(await verifyFaults(directory), []);
});

for (const isGoneOn of [false, true]) {
  const when = isGoneOn ? "after it has gone on" : "before it goes on";
  Deno.test(`Archive whose file is cut ${when} after lines were inserted loses none of those that are sealed`, async () => {
    using directory = new TestDirectory();
    await using opened = await openArchive(directory);
    const { archive } = opened;
    let losses = 0;
    archive.onLoss(() => losses++);
    appendLines(archive, 0, 6);
    await archive.sync();
    await insertDayLines(archive, directory.path, [lineAt("found", 36_100)]);
    const healed = await dayText(archive);
    if (isGoneOn) {
      appendLines(archive, 6, 8);
      await archive.sync();
    }
    Deno.truncateSync(directory.file(FILE), 100);
    appendLines(archive, 8, 10);
    await archive.sync();
    const text = await dayText(archive);
    assert.ok(text.startsWith(healed), "what is sealed");
    assert.ok(text.endsWith(textOf(8, 10)), "what was not synced");
    const hole = text.slice(healed.length, -textOf(8, 10).length);
    assert.equal(hole.length, isGoneOn ? textOf(6, 8).length : 0);
    assert.equal(isLostLine(hole.trimEnd()), isGoneOn);
    assert.equal(losses, isGoneOn ? 1 : 0);
    const lines = 7 + (isGoneOn ? 1 : 0) + 2;
    assert.equal(archive.day(DAY)!.lines, lines);
    await insertDayLines(archive, directory.path, [lineAt("found again", 36_100)]);
    await opened.close();
    assert.deepEqual(await verifyFaults(directory), []);
    await using again = await openArchive(directory);
    assert.deepEqual(again.archive.findings, []);
    assert.equal(again.archive.day(DAY)!.lines, lines + 1);
    await again.seal();
    assert.equal(again.archive.day(DAY)!.sealed, true);
    assert.equal(
      (await dayText(again.archive)).length,
      text.length + lineAt("found again", 36_100).text.length + 1,
    );
  });
}
