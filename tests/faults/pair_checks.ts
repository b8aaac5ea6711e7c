/**
 * Promises to find whatever is wrong with two recorders that should be equal by now, by every way out that there is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as v from "valibot";
import { daysSchema } from "../../routes/wire/days.ts";
import { gapsSchema } from "../../routes/wire/gaps.ts";
import { runVerify } from "../rig/verify_process.ts";
import { ask } from "./oracle.ts";
import { type AskedSpan, type PairedRecorder, spanQuery } from "./paired_recorder.ts";
import type { RecorderPair } from "./recorder_pair.ts";
import type { RepeatedLines } from "./repeated_lines.ts";

/** So many lines are asked for at once where pages are read. */
const PAGE_LINES = 10_000;

/** A gap of one recorder. */
export interface HealedGap {
  /** Why it is there. */
  cause: string;
  /** How long it is, in milliseconds. */
  ms: number;
  /** Null where its lines are back, as far as it says; else what it says. */
  unhealed: string | null;
  /** How many lines were brought for it. */
  lines: number;
}

/**
 * Holds both recorders against what was published, in every way in which lines are read. Returns the gaps of each.
 *
 * @throws {assert.AssertionError} If a line is missing, changed, there too often or out of order, or what is said of gaps does not
 * agree.
 */
export async function checkReadable({ both }: RecorderPair, lines: RepeatedLines): Promise<HealedGap[][]> {
  for (const recorder of both) await checkWaysOut(recorder, lines, lines.span);
  return await Promise.all(both.map((recorder) => readHealedGaps(recorder, lines.span)));
}

/**
 * Ends both, and verifies their archives.
 *
 * @throws {assert.AssertionError} If one of them does not end well, or is damaged.
 */
export async function checkArchives({ both }: RecorderPair): Promise<void> {
  for (const recorder of both) {
    assert.equal((await recorder.process.stop()).code, 0, `the end of the ${recorder.name} recorder`);
    assert.equal(await runVerify(recorder.directory), 0, `deno task verify of the ${recorder.name} one`);
  }
}

/**
 * Holds the text of all days against what was published. Returns the checksum of the text.
 *
 * @throws {assert.AssertionError} If a line is missing, changed, there too often or out of order.
 */
export async function checkText(recorder: PairedRecorder, lines: RepeatedLines): Promise<string> {
  const text = createHash("sha256");
  const links = await readLinks(recorder);
  await lines.judge(readLines(links.map(({ jsonl }) => jsonl), recorder, text));
  return text.digest("hex");
}

/** Where the days are, the oldest first. */
async function readLinks(recorder: PairedRecorder): Promise<{ jsonl: string; gz: string }[]> {
  const { days } = v.parse(daysSchema, await (await ask(recorder.process, "/logs")).json());
  return days.map(({ links }) => links).reverse();
}

/** Reads everything in three ways: the days' text, the days' gzip, and page by page. */
async function checkWaysOut(
  recorder: PairedRecorder,
  lines: RepeatedLines,
  span: AskedSpan,
): Promise<void> {
  const wanted = await checkText(recorder, lines);
  const unzipped = createHash("sha256");
  for (const { gz } of await readLinks(recorder)) {
    await unzip((await ask(recorder.process, gz)).body!, unzipped);
  }
  assert.equal(unzipped.digest("hex"), wanted, `the .gz of the ${recorder.name} recorder`);
  const paged = createHash("sha256");
  let path: string | undefined = `/search?${spanQuery(span)}&limit=${PAGE_LINES}`;
  while (path !== undefined) {
    const page: Response = await ask(recorder.process, path);
    paged.update(new Uint8Array(await page.arrayBuffer()));
    path = /<(.*)>; rel="next"/.exec(page.headers.get("Link") ?? "")?.[1];
  }
  assert.equal(paged.digest("hex"), wanted, `/search of the ${recorder.name} recorder`);
}

/** The lines of the files at these paths; their bytes go into `hash` as well. */
async function* readLines(
  paths: readonly string[],
  recorder: PairedRecorder,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<string, void> {
  for (const path of paths) {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of (await ask(recorder.process, path)).body!) {
      hash.update(bytes);
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = parts.pop()!;
      yield* parts;
    }
    assert.equal(rest, "", "the text of a day ends in mid-line");
  }
}

/** Hashes what `zcat` makes of a file. */
async function unzip(body: ReadableStream<Uint8Array>, hash: ReturnType<typeof createHash>): Promise<void> {
  const zcat = new Deno.Command("zcat", { stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  const writing = body.pipeTo(zcat.stdin);
  for await (const bytes of zcat.stdout) hash.update(bytes);
  await writing;
  assert.equal((await zcat.status).code, 0, "the code of zcat");
}

/** The gaps in the span, which must be what the answers with lines say too. */
async function readHealedGaps(recorder: PairedRecorder, span: AskedSpan): Promise<HealedGap[]> {
  const answer = await ask(recorder.process, `/gaps?${spanQuery(span)}`);
  const { gaps } = v.parse(gapsSchema, await answer.json());
  const lines = await ask(recorder.process, `/search?${spanQuery(span)}&limit=1`);
  await lines.body?.cancel();
  const isComplete = gaps.every(({ state }) => state === "healed");
  const told = isComplete ? `complete${gaps.length === 0 ? "" : `; healed=${gaps.length}`}` : "partial";
  const coverage = lines.headers.get("Log-Coverage") ?? "";
  assert.equal(
    isComplete ? coverage : coverage.split(";")[0],
    told,
    `${recorder.name}: ${JSON.stringify(gaps)}`,
  );
  return gaps.map(({ since, until, cause, state, healed, reason }) => ({
    cause,
    ms: Date.parse(until!) - Date.parse(since),
    unhealed: state === "healed"
      ? null
      : `${recorder.name}: ${cause} ${since} to ${until}, ${state}: ${reason}`,
    lines: (healed?.sources ?? []).reduce((sum, source) => sum + source.lines, 0),
  }));
}

/**
 * Has both look once more, and sees that of two recorders that are equal nobody sends the other a line.
 *
 * @throws {assert.AssertionError} If one of them still asks for lines.
 */
export async function checkSilence({ both, sinceMs }: RecorderPair): Promise<void> {
  const before = both.map(({ asked }) => asked.requests.length);
  for (const recorder of both) {
    assert.equal(
      await recorder.heal(sinceMs),
      0,
      `lines that the ${recorder.name} recorder still found`,
    );
  }
  for (const [index, { asked }] of both.entries()) {
    const requests = asked.requests.slice(before[index]);
    assert.ok(requests.length > 0, "they did not compare");
    for (const request of requests) assert.match(request, /^GET \/logs\/[\d-]+\/digest$/);
  }
}
