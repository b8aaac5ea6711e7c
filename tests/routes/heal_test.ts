import assert from "node:assert/strict";
import * as v from "valibot";
import { type Gap, type Span, UNRECORDED_GAP_ID } from "../../lib/gaps/gap.ts";
import { HealerBusy, type HealReport, type Tell } from "../../lib/heal/healer.ts";
import { healCommand } from "../../lib/heal/heal_command.ts";
import type { Parts } from "../../routes/parts.ts";
import { healLineSchema } from "../../routes/wire/heal.ts";
import { createParts, listedGaps, NOW_MS, readProblem, serve } from "./rig.ts";

const GAP: Gap = {
  id: 1,
  sinceMs: Date.parse("2026-11-22T09:00:00Z"),
  untilMs: Date.parse("2026-11-22T09:00:12Z"),
  cause: "disconnect",
  state: "healed",
  healing: null,
};

/** A healer that does as it is told. */
function healerThat(
  healNow: (span: Span, tell: Tell, signal: AbortSignal) => Promise<HealReport>,
): Parts["healer"] {
  const status = () => ({ due: 1, working: "the gap", beforeDoneMs: null, lines: { peers: 4, fly: 5 } });
  return { hasSource: true, healNow, status };
}

/** The lines of an answer, checked against their schema. */
async function readLines(response: Response) {
  assert.equal(response.headers.get("Content-Type"), "application/x-ndjson");
  return (await response.text()).trimEnd().split("\n").map((line) =>
    v.parse(healLineSchema, JSON.parse(line))
  );
}

Deno.test("POST /heal tells what is found out, and at the end the gaps", async () => {
  const spans: Span[] = [];
  const healer = healerThat((span, tell) => {
    spans.push(span);
    tell("Asking peers");
    return Promise.resolve({ lines: 7, gaps: [GAP] });
  });
  await using api = serve(createParts({ healer }));
  const lines = await readLines(await api.ask("/heal?since=2h&until=2026-11-22T11:00", { method: "POST" }));
  assert.deepEqual(lines[0], { event: "progress", what: "Asking peers" });
  assert.ok(lines[1]?.event === "done");
  assert.deepEqual([lines[1].lines, lines[1].gaps[0]!.state], [7, "healed"]);
  assert.deepEqual(spans, [{ sinceMs: NOW_MS - 7_200_000, untilMs: NOW_MS - 3_600_000 }]);
});

Deno.test("POST /heal without a span looks as far back as anybody may have lines", async () => {
  const spans: Span[] = [];
  const healer = healerThat((span) => {
    spans.push(span);
    return Promise.resolve({ lines: 0, gaps: [] });
  });
  await using api = serve(createParts({ healer }));
  await readLines(await api.ask("/heal", { method: "POST" }));
  assert.deepEqual(spans, [{ sinceMs: NOW_MS - 8 * 86_400_000, untilMs: NOW_MS }]);
});

Deno.test("POST /heal without a span leaves out the time before anything was recorded", async () => {
  const spans: Span[] = [];
  const healer = healerThat((span) => {
    spans.push(span);
    return Promise.resolve({ lines: 0, gaps: [] });
  });
  const untilMs = NOW_MS - 86_400_000;
  const before: Gap = { ...GAP, id: UNRECORDED_GAP_ID, sinceMs: 0, untilMs, cause: "before", state: "lost" };
  await using api = serve(createParts({ healer, gaps: listedGaps([before]) }));
  await readLines(await api.ask("/heal", { method: "POST" }));
  await readLines(await api.ask("/heal?since=3d", { method: "POST" }));
  assert.deepEqual(spans.map(({ sinceMs }) => sinceMs), [untilMs, NOW_MS - 3 * 86_400_000]);
});

Deno.test("POST /heal ends with the reason when healing fails", async () => {
  const healer = healerThat(() => Promise.reject(new Error("Cannot insert lines: the disk is full")));
  await using api = serve(createParts({ healer }));
  const lines = await readLines(await api.ask("/heal", { method: "POST" }));
  assert.deepEqual(lines, [{ event: "failed", reason: "Cannot insert lines: the disk is full" }]);
});

Deno.test("POST /heal is ended by a client that goes away", async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  const healer = healerThat((_span, tell, signal) => {
    tell("Begun");
    begun.resolve(signal);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  await using api = serve(createParts({ healer }));
  const client = new AbortController();
  const response = await api.ask("/heal", { method: "POST", signal: client.signal });
  const signal = await begun.promise;
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
  client.abort();
  await response.body?.cancel().catch(() => {});
  await aborted;
});

Deno.test("POST /heal is refused where nobody can be asked, and while somebody else has asked", async () => {
  await using alone = serve(createParts());
  assert.match((await readProblem(await alone.ask("/heal", { method: "POST" }))).detail, /^Set PEERS/);
  const busy = healerThat(() => {
    throw new HealerBusy("Cannot heal now: somebody has asked for it already; ask again when that is done");
  });
  await using api = serve(createParts({ healer: busy }));
  const response = await api.ask("/heal", { method: "POST" });
  assert.equal(response.headers.get("Retry-After"), "60");
  assert.equal((await readProblem(response)).type, "urn:flightlog:problem:already-healing");
});

for (
  const [what, headers] of [
    ["a form of another site", { Origin: "https://evil.example" }],
    ["a page without a name", { Origin: "null" }],
    ["a page of a neighbour", { "Sec-Fetch-Site": "same-site" }],
  ] as [string, Record<string, string>][]
) {
  Deno.test(`POST /heal is refused to ${what}, whose browser sends the password along`, async () => {
    const healer = healerThat(() => Promise.reject(new Error("it was asked all the same")));
    await using api = serve(createParts({ healer }));
    // fetch() keeps these headers to itself, so they are written by hand.
    const lines = ["POST /heal HTTP/1.1", `Host: 127.0.0.1:${await api.port()}`, "Content-Length: 0"];
    const head = [...lines, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
    const answer = await api.askRaw([...head, "Connection: close", "", ""].join("\r\n"));
    assert.match(answer, /^HTTP\/1\.1 403 /);
    assert.match(answer, /urn:flightlog:problem:foreign-page/);
  });
}

Deno.test("GET /heal says that it takes POST, and does nothing", async () => {
  await using api = serve(createParts({ healer: healerThat(() => Promise.reject(new Error("asked"))) }));
  const response = await api.ask("/heal");
  assert.equal(response.headers.get("Allow"), "POST");
  assert.match((await readProblem(response)).detail, /^Use POST here/);
});

Deno.test("/status tells what the healer is doing", async () => {
  await using api = serve(createParts({ healer: healerThat(() => Promise.reject(new Error("asked"))) }));
  const { healing } = await (await api.ask("/status")).json();
  assert.deepEqual(healing, { due: 1, working: "the gap", beforeDone: null, lines: { peers: 4, fly: 5 } });
});

/** Runs the command against `healer`, and returns what it wrote and its code. */
async function runCommand(healer: Parts["healer"], ...args: string[]) {
  await using api = serve(createParts({ healer, config: { apiTokens: ["secret"], onFly: false } }));
  const out: string[] = [];
  const errors: string[] = [];
  const env = { FLIGHTLOG_URL: `http://127.0.0.1:${await api.port()}/`, API_TOKEN: "secret, other" };
  const code = await healCommand({
    ...{ args, env, write: (line) => out.push(line), writeError: (line) => errors.push(line) },
  });
  return { code, out, errors };
}

Deno.test("deno task heal prints what is found out and the gaps, and exits with 0 when all are healed", async () => {
  const healer = healerThat((_span, tell) => {
    tell("Asking peers");
    return Promise.resolve({ lines: 1, gaps: [GAP] });
  });
  assert.deepEqual(await runCommand(healer, "2h"), {
    code: 0,
    out: [
      "Asking peers",
      "gap 2026-11-22T09:00:00.000Z to 2026-11-22T09:00:12.000Z: disconnect, healed",
      "1 line brought back; nothing is missing",
    ],
    errors: [],
  });
});

Deno.test("deno task heal exits with 1 while a gap stays, and with 2 where it could not be asked", async () => {
  const stays = healerThat(() => Promise.resolve({ lines: 0, gaps: [{ ...GAP, state: "lost" }] }));
  const { code, out } = await runCommand(stays);
  assert.deepEqual([code, out.at(-1)], [1, "0 lines brought back; 1 of 1 gaps stay"]);
  const refused = await runCommand(stays, "soon");
  assert.equal(refused.code, 2);
  assert.match(refused.errors[0]!, /^Cannot heal: A parameter is wrong\. since must be a time/);
  const failing = await runCommand(healerThat(() => Promise.reject(new Error("the disk is full"))));
  assert.deepEqual([failing.code, failing.errors], [2, ["Ended before it was done: the disk is full"]]);
  const usage = await runCommand(stays, "1h", "0m", "more");
  assert.match(usage.errors[0]!, /^Usage: deno task heal/);
});

Deno.test("deno task heal says so when nothing answers at the address", async () => {
  const errors: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const env = { PORT: String(port) };
  const code = await healCommand({ args: [], env, write: () => {}, writeError: (line) => errors.push(line) });
  assert.equal(code, 2);
  assert.match(errors[0]!, new RegExp(`^Cannot ask http://127.0.0.1:${port}: .*FLIGHTLOG_URL`));
});

Deno.test("deno task heal says what an address is when FLIGHTLOG_URL is none", async () => {
  const errors: string[] = [];
  const writeError = (line: string) => errors.push(line);
  const env = { FLIGHTLOG_URL: "localhost:8080" };
  assert.equal(await healCommand({ args: [], env, write: () => {}, writeError }), 2);
  assert.deepEqual(errors, [
    'FLIGHTLOG_URL must be an address such as http://127.0.0.1:8080, not "localhost:8080"',
  ]);
});
