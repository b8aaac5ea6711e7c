import assert from "node:assert/strict";
import { createParts, ListedDays, readProblem, serve, type ServedApi } from "./rig.ts";

const LINE = '{"message":"a","timestamp":"2026-11-21T10:00:00Z"}\n';

function serveDays(): ServedApi {
  return serve(createParts({
    archive: new ListedDays({ "2026-11-21": { text: LINE }, "2026-11-22": { text: LINE, sealed: false } }),
  }));
}

for (
  const path of [
    "/logs",
    "/search",
    "/gaps",
    "/status",
    "/health",
    "/ready",
    "/logs/today",
    "/logs/2026-11-21.log",
  ]
) {
  Deno.test(`GET ${path}/ answers as ${path} does`, async () => {
    await using api = serveDays();
    const [plain, slashed] = [await api.ask(path), await api.ask(`${path}/`)];
    assert.equal(slashed.status, plain.status);
    assert.equal(slashed.headers.get("Content-Type"), plain.headers.get("Content-Type"));
    assert.equal(await slashed.text(), await plain.text());
  });
}

Deno.test("GET /tail/ follows, and refuses what it does not know", async () => {
  await using api = serveDays();
  const answer = await api.ask("/tail/?format=text");
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
  assert.match((await readProblem(await api.ask("/tail/?until=now"))).detail, /is not a parameter here/);
});

for (
  const [ending, like] of [
    ["gz", "jsonl.gz"],
    ["json", "jsonl"],
    ["ndjson", "jsonl"],
    ["txt", "log"],
  ]
) {
  Deno.test(`GET /logs/yesterday.${ending} is /logs/yesterday.${like}`, async () => {
    await using api = serveDays();
    const [asked, meant] = [
      await api.ask(`/logs/yesterday.${ending}`),
      await api.ask(`/logs/yesterday.${like}`),
    ];
    assert.equal(asked.status, 200);
    for (const name of ["Content-Type", "Content-Disposition", "ETag"]) {
      assert.equal(asked.headers.get(name), meant.headers.get(name), name);
    }
    assert.deepEqual(await asked.bytes(), await meant.bytes());
  });
}

for (
  const [path, target] of [
    ["/days", "/logs"],
    ["/log", "/logs"],
    ["/today", "/logs/today"],
    ["/yesterday", "/logs/yesterday"],
    ["/follow", "/tail"],
    ["/grep", "/search"],
    ["/healthz", "/health"],
    ["/logs", "/search"],
  ]
) {
  Deno.test(`GET ${path}?app=web takes a browser to ${target}, and tells a terminal`, async () => {
    await using api = serveDays();
    const headers = { Accept: "text/html" };
    const browser = await api.ask(`${path}?app=web&q=a%26b`, { headers, redirect: "manual" });
    await browser.body?.cancel();
    assert.equal(browser.status, 307);
    assert.equal(browser.headers.get("Location"), `${target}?app=web&q=a%26b`);
    const terminal = await api.ask(`${path}?app=web&q=a%26b`);
    assert.equal(terminal.status, path === "/logs" ? 400 : 404);
    const { detail } = await readProblem(terminal);
    assert.ok(detail.includes(`sk for ${target}`), detail);
  });
}

Deno.test("GET /logs says of a parameter that nobody knows that it takes none", async () => {
  await using api = serveDays();
  const problem = await readProblem(await api.ask("/logs?app=web&sinc=1h"));
  assert.match(problem.detail, /is not a parameter here; this address takes none/);
});

Deno.test("GET /metrics says where the metrics are", async () => {
  await using api = serveDays();
  const answer = await api.ask("/metrics");
  assert.equal(answer.status, 404);
  assert.match((await readProblem(answer)).detail, /METRICS_PORT \(9091 unless it is set\)/);
});

for (
  const [path, name] of [
    ["/logs/today", "2026-11-22.jsonl"],
    ["/logs/2026-11-21.log", "2026-11-21.log"],
    ["/logs/2026-11-21?q=a", "2026-11-21-part.jsonl"],
    ["/logs/2026-11-21.log?q=a", "2026-11-21-part.log"],
    ["/search?q=a", "search.jsonl"],
    ["/search?q=a&format=text", "search.log"],
  ]
) {
  Deno.test(`GET ${path} is called ${name} when it is saved`, async () => {
    await using api = serveDays();
    const answer = await api.ask(path!);
    await answer.body?.cancel();
    assert.equal(answer.headers.get("Content-Disposition"), `inline; filename="${name}"`);
  });
}
