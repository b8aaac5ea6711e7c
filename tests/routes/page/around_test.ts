import assert from "node:assert/strict";
import { createParts, ListedDays, serve } from "../rig.ts";

/** Sixty lines of 18 bytes, `{"message":"n00"}` and a line feed each. */
function sixty(letter: string): string {
  return Array.from(
    { length: 60 },
    (_, number) => `{"message":"${letter}${String(number).padStart(2, "0")}"}\n`,
  )
    .join("");
}

/** The messages on the page around a place, the one it is about in brackets. */
async function around(cursor: string, archive: ListedDays): Promise<string> {
  await using api = serve(createParts({ archive }));
  const answer = await api.ask(`/?around=${cursor}`, { headers: { Accept: "text/html" } });
  const text = await answer.text();
  if (answer.status !== 200) return String(answer.status);
  return text.split("<li ").slice(1).map((row) => {
    const message = />(\w+)<\/span>\s*<\/li>/.exec(row)?.[1];
    return row.includes('aria-current="true"') ? `[${message}]` : message;
  }).join(" ");
}

function days(): ListedDays {
  const archive = new ListedDays({
    "2026-11-19": { text: sixty("a") },
    "2026-11-20": { text: sixty("b") },
    "2026-11-22": { text: sixty("c"), sealed: false },
  }, ["2026-11-18"]);
  archive.pieceBytes = 100;
  return archive;
}

Deno.test("GET /?around= finds the line from any of its bytes", async () => {
  for (const offset of [540, 541, 550, 556, 557]) {
    assert.match(await around(`2026-11-20:${offset}`, days()), / b29 \[b30\] b31 /);
  }
});

Deno.test("GET /?around= shows fifty lines on either side, also of the days before and behind", async () => {
  const shown = (await around("2026-11-20:540", days())).split(" ");
  assert.deepEqual([shown.length, shown[0], shown[50], shown[100]], [101, "a40", "[b30]", "c20"]);
});

Deno.test("GET /?around= ends where the archive does", async () => {
  const first = (await around("2026-11-19:0", days())).split(" ");
  assert.deepEqual([first.length, first[0], first.at(-1)], [51, "[a00]", "a50"]);
  const last = (await around("2026-11-22:1079", days())).split(" ");
  assert.deepEqual([last.length, last[0], last.at(-1)], [51, "c09", "[c59]"]);
});

Deno.test("GET /?around= reads on where lines are long", async () => {
  const text = ["x", "y", "z"].map((letter) => `{"message":"${letter}","pad":"${"p".repeat(70_000)}"}\n`)
    .join("");
  const archive = new ListedDays({ "2026-11-20": { text } });
  archive.pieceBytes = 50_000;
  assert.equal(await around("2026-11-20:100000", archive), "x [y] z");
});

Deno.test("GET /?around= refuses what is no place", async () => {
  for (
    const [cursor, status] of [
      ["2026-11-20:1080", "404"],
      ["2026-11-21:0", "404"],
      ["2026-11-18:0", "410"],
      ["2026-02-30:0", "400"],
      ["2026-11-20", "400"],
      ["2026-11-20:-1", "400"],
      ["", "400"],
      ["%3Cscript%3E", "400"],
    ] as const
  ) {
    assert.equal(await around(cursor, days()), status, cursor);
  }
});

Deno.test("GET /?around= closes all that it opens", async () => {
  const archive = days();
  await around("2026-11-20:540", archive);
  assert.ok(archive.opened > 0);
  assert.equal(archive.closed, archive.opened);
});
