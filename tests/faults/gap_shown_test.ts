import assert from "node:assert/strict";
import * as v from "valibot";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { gapsSchema } from "../../routes/wire/gaps.ts";
import { NumberedLines, untilLastReadable } from "./oracle.ts";

const START_GAP = String.raw`--- gap \d\d:\d\d:\d\dZ – \d\d:\d\d:\d\dZ \(\d+ s\): start ---\n`;
const BEFORE_GAP = String.raw`--- gap – \d\d:\d\d:\d\dZ: before ---\n`;
const CUT_GAP = String
  .raw`--- gap (?:[\d-]+T)?\d\d:\d\d:\d\dZ – (?:[\d-]+T)?\d\d:\d\d:\d\dZ \(\d+ s\): disconnect ---\n`;

/** Lines `from` to `end`, less the last, as text. */
function linesOfText(from: number, end: number): string {
  return Array.from({ length: end - from }, (_, i) => String.raw`\S+Z \S+ \S+ \[\S+\] line=${from + i}\b.*\n`)
    .join("");
}

function whole(...patterns: string[]): RegExp {
  return new RegExp(`^${patterns.join("")}$`);
}

/** Reads a body until `isEnough` of its text, and returns that. */
async function readUntil(
  reader: ReadableStreamDefaultReader<string>,
  isEnough: (text: string) => boolean,
): Promise<string> {
  let text = "";
  while (!isEnough(text)) {
    const { done, value } = await reader.read();
    assert.ok(!done, `the stream ended after: ${text}`);
    text += value;
  }
  return text;
}

Deno.test("Every form of text shows a gap where it lies, and time before the first start is one", async () => {
  const server = await NatsServer.start();
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  await flightlog.untilLog("recording");
  const lines = new NumberedLines();
  {
    await using publisher = await Publisher.connect({ port: server.port });
    await lines.publish(publisher, 3);
    await untilLastReadable(flightlog, lines);
  }
  const ask = async (path: string) => await fetch(flightlog.url + path);
  const tail = await ask("/tail?tail=2&format=text");
  const reader = tail.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.match(await readUntil(reader, (text) => text.includes("line=2")), whole(linesOfText(1, 3)));

  await server.stop();
  const open = await readUntil(reader, (text) => text.includes(": disconnect"));
  assert.match(open, /^--- gap \d\d:\d\d:\d\dZ – now: disconnect ---\n$/);
  assert.match(
    await (await ask("/logs/today.log")).text(),
    whole(BEFORE_GAP, START_GAP, linesOfText(0, 3), String.raw`--- gap \S+ – now: disconnect ---\n`),
  );
  const opened = (await ask("/tail?tail=1&format=text")).body!.pipeThrough(new TextDecoderStream())
    .getReader();
  const first = await readUntil(opened, (text) => text.includes("disconnect") && text.includes("line=2"));
  assert.match(first, /--- gap \S+ – now: disconnect ---\n/);
  await opened.cancel();

  await using again = await NatsServer.start({ port: server.port });
  const closed = await readUntil(reader, (text) => text.includes(": disconnect"));
  assert.match(closed, whole(CUT_GAP));
  await using publisher = await Publisher.connect({ port: again.port });
  await lines.publish(publisher, 3);
  await untilLastReadable(flightlog, lines);
  assert.match(await readUntil(reader, (text) => text.includes("line=5")), whole(linesOfText(3, 6)));
  await reader.cancel();

  const all = whole(BEFORE_GAP, START_GAP, linesOfText(0, 3), CUT_GAP, linesOfText(3, 6));
  const sinceStart = whole(START_GAP, linesOfText(0, 3), CUT_GAP, linesOfText(3, 6));
  const cut = whole(linesOfText(1, 3), CUT_GAP, linesOfText(3, 6));
  for (
    const [path, wanted] of [
      ["/logs/today.log", all],
      ["/logs/today.txt", all],
      ["/logs/today?format=text&q=line", all],
      ["/search?format=text&q=line", sinceStart],
      ["/search?format=text&q=line&limit=100", sinceStart],
      ["/search?format=text&q=line&limit=2", whole(START_GAP, linesOfText(0, 2))],
      ["/search?format=text&tail=5", cut],
      ["/logs/today?format=text&tail=5", cut],
    ] as const
  ) {
    assert.match(await (await ask(path)).text(), wanted, path);
  }
  const page = await ask("/search?format=text&q=line&limit=2");
  await page.body!.cancel();
  const next = /<(.*)>; rel="next"/.exec(page.headers.get("Link")!)![1]!;
  assert.match(await (await ask(next)).text(), whole(linesOfText(2, 3), CUT_GAP, linesOfText(3, 4)));

  for (const path of ["/logs/today.jsonl", "/search?q=line", "/logs/today?q=line"]) {
    const answer = await ask(path);
    assert.match(answer.headers.get("Log-Coverage")!, /^partial; gaps=[23]; seconds=\d+$/, path);
    assert.doesNotMatch(await answer.text(), /---/, path);
  }

  const coverage = async (query: string) => {
    const answer = await fetch(`${flightlog.url}/search?${query}`, { method: "HEAD" });
    return answer.headers.get("Log-Coverage");
  };
  assert.equal(await coverage("since=2020-10-01&until=2020-10-02"), "partial; gaps=1; seconds=86400");
  assert.equal(await coverage("since=2999-10-01&until=2999-10-02"), "none");
  const { gaps } = v.parse(gapsSchema, await (await ask("/gaps")).json());
  assert.deepEqual(gaps.map(({ cause }) => cause).sort(), ["before", "disconnect", "start"]);
  assert.equal(gaps[0]!.since, "1970-01-01T00:00:00.000Z");
  assert.equal(gaps[0]!.until, gaps.find(({ cause }) => cause === "start")!.since);
});
