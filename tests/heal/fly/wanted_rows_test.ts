import assert from "node:assert/strict";
import { WantedRows, type WantedRowsSpec } from "../../../lib/heal/fly/wanted_rows.ts";
import { LineScanner } from "../../../lib/line/scanner.ts";

const ALL: WantedRowsSpec = {
  subject: "logs.>",
  ownApp: null,
  excludeApps: [],
  includeApps: [],
  excludeText: [],
};

function row(message: string, region: string | null = "fra") {
  return { message, region, instance: "0e28" };
}

Deno.test("WantedRows has the apps that are recorded", () => {
  const mayHave = (spec: Partial<WantedRowsSpec>) => {
    const wanted = new WantedRows({ ...ALL, ...spec });
    return ["web", "api", "flightlog"].filter((app) => wanted.mayHave(app));
  };
  assert.deepEqual(mayHave({}), ["web", "api", "flightlog"]);
  assert.deepEqual(mayHave({ ownApp: "flightlog" }), ["web", "api"]);
  assert.deepEqual(mayHave({ excludeApps: ["a*"] }), ["web", "flightlog"]);
  assert.deepEqual(mayHave({ includeApps: ["web"] }), ["web"]);
  assert.deepEqual(mayHave({ subject: "logs.api.>" }), ["api"]);
  assert.deepEqual(mayHave({ subject: "logs.*.fra.0e28" }), ["web", "api", "flightlog"]);
});

Deno.test("WantedRows.wants() leaves out a row by its text, its app and its subject", () => {
  const wanted = new WantedRows({
    ...ALL,
    excludeText: ["ping"],
    excludeApps: ["api"],
    subject: "logs.*.fra.>",
  });
  assert.deepEqual([
    wanted.wants("web", row("hello")),
    wanted.wants("web", row("a ping")),
    wanted.wants("api", row("hello")),
    wanted.wants("web", row("hello", "sjc")),
  ], [true, false, false, false]);
});

Deno.test("WantedRows.wants() does not know of a row that hides what the subject chooses by", () => {
  const wanted = new WantedRows({ ...ALL, subject: "logs.web.fra.>" });
  assert.deepEqual([wanted.wants("web", row("a", null)), wanted.wants("api", row("a", null))], [null, false]);
});

Deno.test("WantedRows.leavesOut() judges a line that is here as a row", () => {
  const wanted = new WantedRows({ ...ALL, excludeText: ["ping"] });
  const judge = (message: string) => {
    const bytes = new TextEncoder().encode(`{"fly":{"app":{"name":"web"}},"message":"${message}"}`);
    const scanner = new LineScanner();
    assert.ok(scanner.scan(bytes, 0, bytes.length));
    return [
      wanted.leavesOut({ bytes, scanner, record: null }),
      wanted.leavesOut({ bytes, scanner, record: JSON.parse(new TextDecoder().decode(bytes)) }),
    ];
  };
  assert.deepEqual([judge("ping"), judge("hello")], [[true, true], [false, false]]);
});
