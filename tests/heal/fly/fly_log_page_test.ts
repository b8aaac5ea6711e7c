import assert from "node:assert/strict";
import { FlyApiError } from "../../../lib/heal/fly/fly_api_error.ts";
import { type FlyLogRow, parseFlyLogPage } from "../../../lib/heal/fly/fly_log_page.ts";

const ROW =
  `{"id":"7","type":"log","attributes":{"timestamp":"2026-11-22T10:00:00.123456789Z","message":"hello",
  "level":"info","instance":"0e286551c30586","region":"fra","meta":{"instance":"0e286551c30586","region":"fra",
  "event":{"provider":"proxy"},"http":{"request":{"id":null,"method":"GET","version":null},"response":{"status_code":502}},
  "error":{"code":null,"message":null},"url":{"full":"https://example.com/"},"unknown":1}}}`;

Deno.test("parseFlyLogPage() reads all members of a row", () => {
  assert.deepEqual(parseFlyLogPage(`{"data":[${ROW}],"meta":{"next_token":"5"}}`), {
    rows: [{
      id: "7",
      timestamp: "2026-11-22T10:00:00.123456789Z",
      atNs: 1_795_341_600_123_456_789n,
      decimals: 9,
      message: "hello",
      level: "info",
      instance: "0e286551c30586",
      region: "fra",
      provider: "proxy",
      more: {
        http: { request: { method: "GET" }, response: { status_code: 502 } },
        url: { full: "https://example.com/" },
      },
    }],
    unreadable: 0,
    nextToken: 5n,
  });
});

const TOKENS: [what: string, json: string, token: bigint | null][] = [
  ["a string", '"1795341600123456789"', 1_795_341_600_123_456_789n],
  ["a number above 2^53", "1795341600123456789", 1_795_341_600_123_456_789n],
  ["null", "null", null],
  ["an empty string", '""', null],
  ["a word", '"abc"', null],
  ["a number with an exponent", "1.8e18", null],
  ["a negative number", "-1", null],
  ["a number without end", "1".repeat(21), null],
];

for (const [what, json, token] of TOKENS) {
  Deno.test(`parseFlyLogPage() takes the token ${token} when it is ${what}`, () => {
    assert.equal(parseFlyLogPage(`{"data":[],"meta":{"next_token":${json}}}`).nextToken, token);
  });
}

Deno.test("parseFlyLogPage() takes no token when there is none", () => {
  for (const text of ['{"data":[]}', '{"data":[],"meta":null}', '{"data":[],"meta":{}}']) {
    assert.equal(parseFlyLogPage(text).nextToken, null);
  }
});

Deno.test("parseFlyLogPage() does not take a token from the text of a message", () => {
  const message = JSON.stringify('"next_token":1,{"next_token":"2"}');
  const page = parseFlyLogPage(`{"data":[${rowText(`"message":${message}`)}],"meta":{"next_token":"3"}}`);
  assert.equal(page.nextToken, 3n);
  assert.equal(page.rows[0]?.message, '"next_token":1,{"next_token":"2"}');
});

Deno.test("parseFlyLogPage() reads a row that says only what has to be there", () => {
  const row = read(`{"attributes":{"timestamp":"2026-11-22T10:00:00Z","message":"m"}}`);
  assert.deepEqual(row, {
    id: "",
    timestamp: "2026-11-22T10:00:00Z",
    atNs: 1_795_341_600_000_000_000n,
    decimals: 3,
    message: "m",
    level: null,
    instance: null,
    region: null,
    provider: null,
    more: {},
  });
});

Deno.test("parseFlyLogPage() takes null and empty fields for unknown, and looks into meta for them", () => {
  const row = read(
    `{"id":null,"attributes":{"timestamp":"2026-11-22T10:00:00Z","message":"m","level":"","instance":null,
    "region":null,"meta":{"instance":"i","region":"r","event":null,"http":null}}}`,
  );
  assert.deepEqual([row?.id, row?.level, row?.instance, row?.region, row?.provider, row?.more], [
    "",
    null,
    "i",
    "r",
    null,
    {},
  ]);
});

Deno.test("parseFlyLogPage() keeps the digits of an id that is a number", () => {
  assert.equal(
    read(rowText('"message":"m"').replace('"7"', "12345678901234567890"))?.id,
    "12345678901234567890",
  );
});

for (
  const [text, decimals] of [["", 3], [".1", 3], [".123", 3], [".1234", 6], [".123456", 6], [".1234567", 9], [
    ".123456789",
    9,
  ]] as const
) {
  Deno.test(`parseFlyLogPage() finds ${decimals} decimals in "${text}"`, () => {
    assert.equal(read(rowText('"message":"m"').replace("00Z", `00${text}Z`))?.decimals, decimals);
  });
}

Deno.test("parseFlyLogPage() counts rows that cannot be read, and returns the others", () => {
  const good = rowText('"message":"m"');
  const bad = [rowText('"message":null'), good.replace("10:00:00Z", "yesterday"), "7", "null"];
  const page = parseFlyLogPage(`{"data":[${[bad[0], bad[1], good, bad[2], bad[3]].join()}]}`);
  assert.deepEqual([page.rows.length, page.unreadable], [1, 4]);
});

Deno.test("parseFlyLogPage() leaves out what is nested without end", () => {
  const deep = `${'{"a":'.repeat(500)}1${"}".repeat(500)}`;
  assert.deepEqual(read(rowText(`"message":"m","meta":{"http":${deep}}`))?.more, {});
});

for (const text of ["", "<html></html>", "[]", "{}", '{"data":{}}', '{"data":[],"meta":{"next_token":{}}}']) {
  Deno.test(`parseFlyLogPage() throws when the answer is ${text === "" ? "empty" : text}`, () => {
    assert.throws(
      () => parseFlyLogPage(text),
      (error) =>
        error instanceof FlyApiError && error.failure === "answer" &&
        /is no page of logs/.test(error.message),
    );
  });
}

function rowText(attributes: string): string {
  return `{"id":"7","attributes":{"timestamp":"2026-11-22T10:00:00Z",${attributes}}}`;
}

function read(row: string): FlyLogRow | undefined {
  return parseFlyLogPage(`{"data":[${row}]}`).rows[0];
}
