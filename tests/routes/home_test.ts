import assert from "node:assert/strict";
import { formatSize, formatSpan } from "../../routes/home.ts";
import { createParts, ListedDays, listedGaps, serve } from "./rig.ts";

Deno.test("GET / lists the days and ends with commands that work here", async () => {
  const archive = new ListedDays({
    "2026-11-22": { text: "{}\n".repeat(1234), sealed: false, gzBytes: 200 },
    "2026-11-21": { text: "{}\n", gzBytes: 25 },
  });
  const gaps = listedGaps([{
    id: 1,
    sinceMs: Date.parse("2026-11-21T10:00:00Z"),
    untilMs: Date.parse("2026-11-21T10:01:14Z"),
    cause: "crash",
    state: "lost",
    healing: null,
  }]);
  await using api = serve(createParts({ archive, gaps }));
  const answer = await api.ask("/", { headers: { Host: "localhost:1" } });
  assert.equal(answer.headers.get("Content-Type"), "text/plain; charset=UTF-8");
  const lines = (await answer.text()).split("\n");
  assert.deepEqual(lines.slice(0, 6), [
    "Flightlog 1.2.3: recording, nats://127.0.0.1:4222",
    "",
    "DAY         LINES      SIZE  GZIP  FIRST     LAST      SEALED  MISSING",
    "2026-11-22  1,234  3.62 KiB     -  00:00:01  11:22:33  no      -",
    "2026-11-21      1       3 B  25 B  00:00:01  11:22:33  yes     1 m 14 s in 1 gap",
    "",
  ]);
  const at = `http://127.0.0.1:${await api.port()}`;
  assert.deepEqual(lines.slice(6).map((line) => line.replace(/ +# .*/, "")), [
    `curl ${at}/logs/today.log`,
    `curl -fOJ ${at}/logs/yesterday.jsonl.gz`,
    `curl '${at}/search?since=1h&level=error&q=timeout&format=text'`,
    `curl -N '${at}/tail?tail=20&format=text'`,
    `curl ${at}/status`,
    "",
  ]);
});

Deno.test("GET / leaves out no day up to today, and says how much of one without lines is missing", async () => {
  const archive = new ListedDays({ "2026-11-19": { text: "{}\n", gzBytes: 25 } }, ["2026-11-20"]);
  const gaps = listedGaps([{
    id: 1,
    sinceMs: Date.parse("2026-11-20T23:00:00Z"),
    untilMs: null,
    cause: "stop",
    state: "open",
    healing: null,
  }]);
  await using api = serve(createParts({ archive, gaps }));
  const lines = (await (await api.ask("/")).text()).split("\n");
  assert.deepEqual(lines.slice(2, 8), [
    "DAY         LINES  SIZE  GZIP  FIRST     LAST      SEALED   MISSING",
    "2026-11-22      0     -     -  -         -         -        12 h 0 m in 1 gap",
    "2026-11-21      0     -     -  -         -         -        24 h 0 m in 1 gap",
    "2026-11-20      0     -     -  -         -         removed  1 h 0 m in 1 gap",
    "2026-11-19      1   3 B  25 B  00:00:01  11:22:33  yes      -",
    "",
  ]);
});

Deno.test("GET / says that there are no lines yet when there are none", async () => {
  await using api = serve(createParts());
  assert.match(await (await api.ask("/")).text(), /\n\nNo lines yet\.\n\ncurl /);
});

Deno.test("GET / shows the token's variable, and https behind a proxy", async () => {
  await using api = serve(createParts({ config: { apiTokens: ["Sesame-1"], onFly: true } }));
  const answer = await api.askRaw(
    "GET / HTTP/1.1\r\nHost: logs.example\r\nAuthorization: Bearer Sesame-1\r\nX-Forwarded-Proto: https\r\n" +
      "Connection: close\r\n\r\n",
  );
  assert.match(answer, /\ncurl -u ":\$API_TOKEN" https:\/\/logs\.example\/status /);
  assert.doesNotMatch(answer, /Sesame-1/);
});

for (const host of ["$(reboot)", "a;b", "a`b`", "a'b", 'a"b', "a&b"]) {
  Deno.test(`GET / shows no command when the host is ${host}`, async () => {
    await using api = serve(createParts({ config: { apiTokens: ["Sesame-1"], onFly: true } }));
    const answer = await api.askRaw(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer Sesame-1\r\nConnection: close\r\n\r\n`,
    );
    assert.ok(!answer.includes(host));
  });
}

Deno.test("formatSize() shows three digits", () => {
  assert.deepEqual([0, 999, 1000, 1024, 10_240, 1_048_576, 536_870_912, 1_610_612_736].map(formatSize), [
    "0 B",
    "999 B",
    "0.977 KiB",
    "1.00 KiB",
    "10.0 KiB",
    "1.00 MiB",
    "512 MiB",
    "1.50 GiB",
  ]);
});

Deno.test("formatSpan() shows the two largest units", () => {
  assert.deepEqual([0, 1, 59_000, 74_000, 3_600_000, 90_061_000].map(formatSpan), [
    "0 s",
    "1 s",
    "59 s",
    "1 m 14 s",
    "1 h 0 m",
    "25 h 1 m",
  ]);
});

Deno.test("GET / says of a day whose gaps are all healed that it is complete, and counts those that are beside others", async () => {
  const archive = new ListedDays({ "2026-11-22": { text: "{}\n" }, "2026-11-21": { text: "{}\n" } });
  const gap = (id: number, from: string, to: string, state: "lost" | "healed") => (
    { id, sinceMs: Date.parse(from), untilMs: Date.parse(to), cause: "crash", state, healing: null } as const
  );
  const gaps = listedGaps([
    gap(1, "2026-11-21T10:00:00Z", "2026-11-21T10:01:14Z", "lost"),
    gap(2, "2026-11-21T11:00:00Z", "2026-11-21T11:01:00Z", "healed"),
    gap(3, "2026-11-22T01:00:00Z", "2026-11-22T01:01:00Z", "healed"),
    gap(4, "2026-11-22T02:00:00Z", "2026-11-22T02:01:00Z", "healed"),
  ]);
  await using api = serve(createParts({ archive, gaps }));
  const rows = (await (await api.ask("/")).text()).split("\n").slice(3, 5);
  assert.deepEqual(rows.map((row) => row.split(/ {2,}/).at(-1)), [
    "complete, 2 gaps healed",
    "1 m 14 s in 1 gap, 1 gap healed",
  ]);
});
