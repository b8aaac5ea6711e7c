import assert from "node:assert/strict";
import type { Details } from "../../lib/logger.ts";
import { createParts, ListedDays, readProblem, serve } from "./rig.ts";

const DAYS = { "2026-11-22": { text: '{"a":1}\n' } };

Deno.test("createApp() answers 404 as a problem when there is nothing", async () => {
  await using api = serve(createParts());
  const answer = await api.ask("/nothing");
  assert.equal(answer.status, 404);
  assert.equal(answer.headers.get("Content-Type"), "application/problem+json");
  assert.deepEqual(await readProblem(answer), {
    type: "urn:flightlog:problem:not-found",
    title: "There is nothing here",
    status: 404,
    detail: "Ask for / to see what there is",
  });
});

for (const path of ["/", "/logs", "/logs/2026-11-22", "/health", "/ready", "/status"]) {
  Deno.test(`createApp() answers 405 with Allow when ${path} is asked to do anything but read`, async () => {
    await using api = serve(createParts({ archive: new ListedDays(DAYS) }));
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const answer = await api.ask(path, { method, body: method === "POST" ? "{}" : null });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get("Allow"), "GET, HEAD");
      assert.equal((await readProblem(answer)).type, "urn:flightlog:problem:method-not-allowed");
    }
  });

  Deno.test(`createApp() refuses a parameter it does not know when ${path} is asked`, async () => {
    await using api = serve(createParts({ archive: new ListedDays(DAYS) }));
    const answer = await api.ask(`${path}?sinc=1h`);
    if (path === "/health") {
      assert.equal(await answer.text(), "ok\n");
      return;
    }
    assert.equal(answer.status, 400);
    const problem = await readProblem(answer);
    assert.equal(problem.type, "urn:flightlog:problem:bad-parameter");
    assert.equal(problem.param, "sinc");
  });

  Deno.test(`createApp() answers HEAD ${path} like GET, without a body`, async () => {
    await using api = serve(createParts({ archive: new ListedDays(DAYS) }));
    const request = (method: string) =>
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const [getHead] = splitAnswer(await api.askRaw(request("GET")));
    const [headHead, headBody] = splitAnswer(await api.askRaw(request("HEAD")));
    assert.equal(headBody, "");
    assert.doesNotMatch(headHead, /^content-length: 0\r?$/im, "it is not the length of what GET gives");
    // How long the body is, GET may know only at its end; the rest comes in any order.
    const comparable = (head: string) =>
      head.toLowerCase().split("\r\n").filter((line) =>
        !/^(date|transfer-encoding|content-length):/.test(line)
      )
        .sort();
    assert.deepEqual(comparable(headHead), comparable(getHead));
  });
}

function splitAnswer(answer: string): [head: string, body: string] {
  const end = answer.indexOf("\r\n\r\n");
  return [answer.slice(0, end), answer.slice(end + 4)];
}

Deno.test("createApp() makes every answer safe for browsers, errors too", async () => {
  await using api = serve(createParts({ archive: new ListedDays(DAYS) }));
  for (const path of ["/", "/logs/2026-11-22", "/nothing", "/logs?x=1"]) {
    const answer = await api.ask(path);
    await answer.body?.cancel();
    assert.equal(answer.headers.get("X-Content-Type-Options"), "nosniff", path);
    assert.match(answer.headers.get("Content-Security-Policy")!, /default-src 'none'/);
    assert.equal(answer.headers.get("Referrer-Policy"), "no-referrer");
    assert.equal(answer.headers.get("Cross-Origin-Resource-Policy"), "same-origin");
  }
});

Deno.test("createApp() answers 500 without a word of the error, and logs it, when a part throws", async () => {
  const logged: [string, Details | undefined][] = [];
  const archive = new ListedDays(DAYS);
  archive.days = () => {
    throw new Error("secret path");
  };
  const logger = { log: (_: string, event: string, details?: Details) => void logged.push([event, details]) };
  await using api = serve(createParts({ archive, logger }));
  const answer = await api.ask("/logs");
  assert.equal(answer.status, 500);
  const problem = await readProblem(answer);
  assert.equal(problem.type, "urn:flightlog:problem:internal");
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
  assert.deepEqual(logged, [["request failed", { method: "GET", error: "Error: secret path" }]]);
});

const HOSTILE_PATHS = [
  "/logs/..",
  "/logs/../../etc/passwd",
  "/logs/..%2f..%2fetc%2fpasswd",
  "/logs/..%2F2026-11-22.jsonl",
  "/logs/%2e%2e/%2e%2e/etc/passwd",
  "/logs/..%5c..%5cetc",
  "/logs/..\\..\\etc",
  "/logs/%00",
  "/logs/2026-11-22%00.jsonl",
  "/logs/2026-11-22.jsonl%00",
  "/logs/2026-11-22.index",
  "/logs/2026-11-22.jsonl.gz.part",
  "/logs/gaps.jsonl",
  "/logs/lock",
  "/logs/%252e%252e%252f",
  "/logs/%zz",
  "/logs/%ff%fe",
  "/logs/2026-11-22/../../x",
  "/logs//2026-11-22",
  "//logs/2026-11-22",
  "/logs/２０２６-11-22",
  `/logs/${"A".repeat(4000)}`,
];

for (const path of HOSTILE_PATHS) {
  Deno.test(`createApp() opens nothing when ${JSON.stringify(path.slice(0, 40))} is asked for`, async () => {
    const archive = new ListedDays(DAYS);
    await using api = serve(createParts({ archive }));
    const bytes = String.fromCharCode(...new TextEncoder().encode(path));
    const answer = await api.askRaw(`GET ${bytes} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 40[04] /);
    assert.equal(archive.opened, 0);
    assert.doesNotMatch(answer, /[^\x20-\x7e\r\n]/);
  });
}

Deno.test("createApp() goes on when what it is asked is not HTTP", async () => {
  await using api = serve(createParts());
  for (
    const text of [
      "\0\0\0\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
  ) {
    assert.doesNotMatch(await api.askRaw(text), /^HTTP\/1.1 [25]/);
  }
  // A server names the highest version that it speaks (RFC 9110 section 6.2).
  assert.match(await api.askRaw("GET /health HTTP/1.0\r\n\r\n"), /^HTTP\/1.1 200 /);
  assert.match(
    await api.askRaw("GET http://127.0.0.1/health HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"),
    /^HTTP\/1.1 200 /,
  );
  assert.match(
    await api.askRaw("GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"),
    /^HTTP\/1.1 200 /,
  );
});
