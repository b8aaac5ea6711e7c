import assert from "node:assert/strict";
import { createParts, ListedDays, readAll, readProblem, serve } from "./rig.ts";

const ROUTES = [
  "/",
  "/logs",
  "/logs/2026-11-22",
  "/logs/2026-11-22.jsonl.gz",
  "/ready",
  "/status",
  "/nothing",
];

function partsWith(apiTokens: string[], onFly = true) {
  const archive = new ListedDays({ "2026-11-22": { text: "{}\n" } });
  return createParts({ archive, config: { apiTokens, onFly } });
}

function basic(user: string, password: string): string {
  return `Basic ${btoa(`${user}:${password}`)}`;
}

for (const path of ROUTES) {
  Deno.test(`GET ${path} answers 401 with both schemes when the token is missing or wrong, and so does HEAD`, async () => {
    await using api = serve(partsWith(["Sesame-1", "other"]));
    for (const method of ["GET", "HEAD"]) {
      for (
        const header of [
          undefined,
          "",
          "Bearer",
          "Bearer ",
          "Bearer wrong",
          "Bearer sesame-1",
          "Bearer Sesame-1 other",
          "Bearer Sesame-1,other",
          "Sesame-1",
          "Digest Sesame-1",
          basic("Sesame-1", ""),
          `Basic ${btoa("Sesame-1")}`,
          "Basic ****",
        ]
      ) {
        const headers: HeadersInit = header === undefined ? {} : { Authorization: header };
        const answer = await api.ask(path, { method, headers });
        const text = await answer.text();
        assert.equal(answer.status, 401, `${method} ${header}`);
        assert.match(answer.headers.get("WWW-Authenticate")!, /^Bearer realm=.*, Basic realm=/);
        assert.doesNotMatch(text, /Sesame-1|2026-11-22/);
      }
    }
  });
}

Deno.test("GET /logs answers when a token is sent as Bearer or as the password of Basic", async () => {
  await using api = serve(partsWith(["Sesame-1", "other"]));
  for (
    const header of [
      "Bearer Sesame-1",
      "bearer Sesame-1",
      "Bearer other",
      basic("", "other"),
      basic("anybody", "Sesame-1"),
    ]
  ) {
    const answer = await api.ask("/logs", { headers: { Authorization: header } });
    await answer.body?.cancel();
    assert.equal(answer.status, 200, header);
  }
});

Deno.test("GET /health answers without a token, and says nothing else", async () => {
  for (const tokens of [["Sesame-1"], []]) {
    await using api = serve(partsWith(tokens));
    const answer = await api.ask("/health");
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "ok\n");
  }
});

for (const path of ROUTES) {
  Deno.test(`GET ${path} answers 503 and says what to set when there is no API_TOKEN on Fly`, async () => {
    await using api = serve(partsWith([]));
    const answer = await api.ask(path, { headers: { Authorization: "Bearer undefined" } });
    assert.equal(answer.status, 503);
    const problem = await readProblem(answer);
    assert.equal(problem.type, "urn:flightlog:problem:no-api-token");
    assert.match(problem.detail, /fly secrets set API_TOKEN=/);
  });
}

Deno.test("GET /logs answers everyone who asks for a loopback host when there is no token off Fly", async () => {
  await using api = serve(partsWith([], false));
  for (const host of ["127.0.0.1", "localhost", "[::1]:8080", "flightlog.localhost"]) {
    const answer = await api.askRaw(`GET /logs HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 200 /, host);
  }
});

Deno.test("GET /logs answers 421 when a page asks under a name that was pointed at 127.0.0.1", async () => {
  await using api = serve(partsWith([], false));
  for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"]) {
    const answer = await api.askRaw(`GET /logs HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 421 /, host);
    assert.match(answer, /urn:flightlog:problem:misdirected/);
  }
});

Deno.test("GET /logs answers 401 when the header is not what any client would send", async () => {
  await using api = serve(partsWith(["Sesame-1"]));
  using connection = await api.connect();
  const header = `Basic ${"A".repeat(4000)}`;
  await connection.write(new TextEncoder().encode(
    `GET /logs HTTP/1.1\r\nHost: a\r\nAuthorization: ${header}\r\nConnection: close\r\n\r\n`,
  ));
  assert.match(await readAll(connection), /^HTTP\/1.1 401 /);
});
