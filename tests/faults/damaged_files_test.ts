import assert from "node:assert/strict";
import { join } from "node:path";
import { TestDirectory } from "../archive/archive_rig.ts";
import { asVersion, filesOf, GZ, INDEX, LINES, sealed } from "../archive/repair/damages.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { runVerify } from "../rig/verify_process.ts";

/** Three gaps; in the second line a digit has changed since it was written: it said 13:00. */
const LEDGER =
  `{"id":1,"since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:00:01.000Z","cause":"start",` +
  `"state":"lost","check":"03c810fe"}
{"id":2,"since":"2026-11-22T18:00:00.000Z","until":"2026-11-22T13:00:02.000Z","cause":"disconnect",` +
  `"state":"lost","check":"a05f8f9e"}
{"id":4,"since":"2026-11-22T15:00:00.000Z","until":"2026-11-22T15:00:02.000Z","cause":"stop",` +
  `"state":"lost","check":"a0bb5c56"}
`;

/** Asks as people do. curl's code 18 is "partial file", 56 "failure in receiving"; the body is what was received. */
async function curl(...args: string[]): Promise<{ code: number; body: Uint8Array }> {
  const { code, stdout } = await new Deno.Command("curl", { args: ["-sS", "--max-time", "30", ...args] })
    .output();
  return { code, body: stdout };
}

Deno.test("Flightlog over files of which bytes have changed gives right answers or breaks them off, and says so", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-damaged-" });
  try {
    const index = new TextDecoder().decode(sealed[INDEX]).replace('"apps":["web"]', '"apps":["wec"]');
    await Deno.writeFile(join(directory, GZ), sealed[GZ]!);
    await Deno.writeTextFile(join(directory, INDEX), index);
    await Deno.writeTextFile(join(directory, "gaps.jsonl"), LEDGER);
    assert.equal(await runVerify(directory), 1);

    await using server = await NatsServer.start();
    const env = { NATS_URL: server.url, RETENTION_DAYS: "0", MAX_DISK_PERCENT: "0" };
    await using flightlog = await FlightlogProcess.start({ logDirectory: directory, env });
    await flightlog.untilLog("recording");
    const url = `http://127.0.0.1:${flightlog.port}`;

    const span = "since=2026-11-22T13:00:00Z&until=2026-11-22T13:00:02Z";
    const { gaps } = JSON.parse(new TextDecoder().decode((await curl(`${url}/gaps?${span}`)).body));
    assert.deepEqual(gaps, [{
      since: "2026-11-22T12:00:01.000Z",
      until: "2026-11-22T15:00:00.000Z",
      cause: "disk",
      state: "lost",
    }]);

    const day = "since=2026-11-22&until=2026-11-23";
    const found = await curl(`${url}/search?app=web&${day}&limit=9000`);
    assert.equal(found.code, 0);
    assert.equal(new TextDecoder().decode(found.body).split("\n").length - 1, LINES);
    assert.deepEqual(await Deno.readFile(join(directory, INDEX)), sealed[INDEX]);

    const gz = sealed[GZ]!.slice();
    gz[gz.length - 500]! ^= 1; // in the last block
    await Deno.writeFile(join(directory, GZ), gz);
    const saved = join(directory, "saved.gz");
    const ways = [
      ["-o", saved, `${url}/logs/2026-11-22.jsonl.gz`],
      ["--compressed", `${url}/logs/2026-11-22`],
      ["-r", `${gz.length - 600}-`, `${url}/logs/2026-11-22.jsonl.gz`],
      [`${url}/logs/2026-11-22`],
      [`${url}/logs/2026-11-22.log`],
      [`${url}/search?${day}&limit=20000`],
    ];
    for (const way of ways) assert.notEqual((await curl(...way)).code, 0, way.join(" "));
    // It may have been broken off before curl had anything to save.
    assert.notEqual(await runVerify(saved), 0);
    assert.equal((await curl("-f", `${url}/ready`)).code, 0, "recording goes on");
    assert.equal((await flightlog.stop()).code, 0);
    assert.equal(await runVerify(directory), 1);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Flightlog over a day whose files it leaves alone says wherever that day is asked for that it is missing", async () => {
  using directory = new TestDirectory();
  directory.write(GZ, sealed[GZ]!);
  directory.write(INDEX, sealed[INDEX]!);
  asVersion(directory, INDEX, 4);
  const before = filesOf(directory);
  await using server = await NatsServer.start();
  const env = { NATS_URL: server.url, RETENTION_DAYS: "0", MAX_DISK_PERCENT: "0" };
  await using flightlog = await FlightlogProcess.start({ logDirectory: directory.path, env });
  await flightlog.untilLog("recording");
  const ask = (path: string) => fetch(flightlog.url + path);

  const wholeDay = {
    since: "2026-11-22T00:00:00.000Z",
    until: "2026-11-23T00:00:00.000Z",
    cause: "disk",
    state: "lost",
  };
  const { gaps } = await (await ask("/gaps?since=2026-11-22T10:00:00Z&until=2026-11-22T10:00:01Z")).json();
  assert.deepEqual(gaps.filter(({ cause }: { cause: string }) => cause === "disk"), [wholeDay]);
  const { days } = await (await ask("/logs")).json();
  const listed = days.find(({ day }: { day: string }) => day === "2026-11-22");
  assert.deepEqual(listed.gaps.filter(({ cause }: { cause: string }) => cause === "disk"), [wholeDay]);
  for (const form of ["", ".jsonl", ".jsonl.gz", ".log", "?q=line"]) {
    const answer = await ask(`/logs/2026-11-22${form}`);
    assert.equal(answer.status, 500, form);
    assert.match(
      (await answer.json()).detail,
      /left alone at the start: its files were written by a newer version/,
    );
  }
  const found = await ask("/search?since=2026-11-22&until=2026-11-23");
  assert.match(found.headers.get("Log-Coverage")!, /^partial; gaps=\d+; seconds=86400$/);
  assert.equal(await found.text(), "");
  assert.equal(await (await ask("/ready")).text(), "ready\n");
  const { repaired } = await (await ask("/status")).json();
  assert.ok(
    repaired.some(({ what }: { what: string }) => /the day is left alone/.test(what)),
    JSON.stringify(repaired),
  );
  assert.equal((await flightlog.stop()).code, 0);
  for (const [name, bytes] of Object.entries(before)) assert.deepEqual(directory.read(name), bytes);
});
