import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest } from "./browser_case.ts";
import { assertFits } from "./chromium.ts";
import { type FlyRecord, recordLine } from "./recorded.ts";

/** Each would set `hacked`, go elsewhere, hide something or forge a line if it were anything but text. */
const MESSAGES = [
  "<script>hacked = 1</script>",
  "</script><script>hacked = 1</script>",
  '<img src="x" onerror="hacked = 1">',
  '"><svg onload="hacked = 1">',
  "'><iframe srcdoc='<script>parent.hacked = 1</script>'></iframe>",
  "</span></li></ol></section></main><h1 id=forged>forged</h1>",
  '<a href="javascript:hacked = 1" id="forged">a</a>',
  "<style>* { display: none !important }</style>",
  '<base href="http://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=http://evil.example/">',
  '<link rel="stylesheet" href="http://evil.example/a.css">',
  '<form action="http://evil.example/"><input name="q" autofocus onfocus="hacked = 1">',
  "<math><mtext></form><form><mglyph><style></math><img src onerror=hacked=1>",
  "<!-- ]]> <![CDATA[ <script>hacked = 1</script>",
  "&lt;script&gt;hacked = 1&lt;/script&gt; &#60;b&#62;",
  "${hacked = 1} {{hacked = 1}} <%= hacked %> #{hacked}",
  "javascript:hacked=1 //",
  "\x1b[2J\x1b[H\x1b]0;forged\x07\x1b[1A\x1b[2K",
  "\x1b]8;;javascript:hacked=1\x1b\\click\x1b]8;;\x1b\\",
  "\x1b[31m<script>hacked = 1</script>\x1b[0m",
  "\x1b[8mhidden\x1b[0m \x1b[30;40mblack on black\x1b[0m",
  "\x1b[<script>hacked = 1</script>m",
  "\u202egnp.exe \u2066isolated \u2028separated\u2029",
  "first\r\nSet-Cookie: forged=1\r\n\r\n<script>hacked = 1</script>",
  'first\n\nid: 2000-01-01:0\nevent: gap\ndata: {"message":"forged"}\n\n',
  "\ud800 lone \udc00",
  "\0\x01\x7f\x80\x9b31m",
  "Z\u0351\u036b\u0343\u036a\u0302\u0348\u0329\u0349".repeat(40),
  "\x1b[31ma\x1b[32mb".repeat(3000),
  "A".repeat(100_000),
  "__proto__",
];

/** The same in every other field. */
const RECORDS: FlyRecord[] = [
  { message: "app", app: '"><script>hacked = 1</script>' },
  { message: "level", level: '"><img src=x onerror=hacked=1>' },
  { message: "level of an object", level: "__proto__" },
  { message: "level of another", level: "constructor" },
  { message: "level with spaces", level: 'error" onmouseover="hacked = 1' },
  { message: "region", region: "<b>\x1b[2J\u202e" },
  { message: "instance", instance: "' autofocus onfocus='hacked = 1" },
  { message: "timestamp", timestamp: '2026-01-05" onclick="hacked = 1' },
  { message: "timestamp of year 9999", timestamp: "9999-12-31T23:59:59.999999999+00:00" },
  { message: "long app", app: "a".repeat(4096) },
];

const ADDRESSES = [
  "/search?q=%3Cscript%3Ehacked%20%3D%201%3C%2Fscript%3E",
  "/search?q=%22%3E%3Cscript%3Ehacked=1%3C/script%3E&app=%22+autofocus+onfocus=%22hacked=1",
  "/search?level=%22%3E%3Cimg+src=x+onerror=hacked=1%3E",
  "/search?%3Cscript%3Ehacked=1%3C/script%3E=1",
  "/search?since=%3Cscript%3Ehacked=1%3C/script%3E",
  "/tail?q=%22%3E%3Cscript%3Ehacked=1%3C/script%3E",
  "/tail?tail=%3Cscript%3E",
  "/?around=%3Cscript%3Ehacked=1%3C/script%3E",
];

const HOSTILE: FlyRecord[] = [...MESSAGES.map((message) => ({ message })), ...RECORDS];

const LINES = [
  ...HOSTILE.map((record) => recordLine({ timestamp: "2026-01-05T10:00:00Z", ...record })),
  '{"message":"<script>hacked = 1</script>"}',
  "<script>hacked = 1</script>",
  '{"message":"the last one"}',
];

browserTest("Hostile lines are text in the list of what was found, and around a line", {
  days: { "2026-01-05": LINES },
}, async (browser, recorded) => {
  const { page, misdeeds } = await browser.open(recorded.url);
  for (const path of ["/search?tail=200", "/search?q=hacked", "/?around=2026-01-05:0"]) {
    await page.goto(recorded.url + path);
    await assertHarmless(page, misdeeds);
    if (path === "/search?tail=200") await assertAllShown(page);
  }
});

browserTest("Hostile lines are text in the tail", {}, async (browser, recorded) => {
  const { page, misdeeds } = await browser.open(`${recorded.url}/tail`);
  await page.getByText("live", { exact: true }).waitFor();
  await recorded.publish(...HOSTILE, { message: "the last one" });
  await page.getByText("the last one").waitFor();
  await assertHarmless(page, misdeeds);
  await assertAllShown(page);
});

browserTest("A hostile address is text in the page that answers it", {}, async (browser, recorded) => {
  const { page, misdeeds } = await browser.open(recorded.url);
  for (const address of ADDRESSES) {
    await page.goto(recorded.url + address);
    // That the address itself is refused is as it should be.
    await assertHarmless(page, misdeeds.filter((misdeed) => !/status of 40[04]/.test(misdeed)));
  }
});

/** Nothing ran, nothing was loaded, and the lines have made no element but those that every line has. */
async function assertHarmless(page: Page, misdeeds: readonly string[]): Promise<void> {
  assert.deepEqual(misdeeds, []);
  assert.equal(await page.evaluate("typeof hacked"), "undefined");
  assert.equal(await page.locator("#forged, iframe, base, object, embed, style, [style]").count(), 0);
  assert.equal(await page.locator("script:not([src^='/assets/'])").count(), 0);
  const names = await page.evaluate(
    `[...new Set([...document.querySelectorAll(".lines *")].map(({ localName }) => localName))].sort()`,
  ) as string[];
  assert.deepEqual(names.filter((name) => !["a", "li", "span"].includes(name)), []);
  const attributes = await page.evaluate(
    `[...new Set([...document.querySelectorAll(".lines *")].flatMap((one) => one.getAttributeNames()))].sort()`,
  ) as string[];
  const usual = ["aria-current", "class", "data-day", "href", "id", "title"];
  assert.deepEqual(attributes.filter((name) => !usual.includes(name)), []);
  const hidden = await page.evaluate(
    `/[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2028\\u2029\\u2066-\\u2069]/.test(document.body.innerText)`,
  );
  assert.equal(hidden, false);
  await assertFits(page);
}

/** Each line is there, as one row, and says what it said. */
async function assertAllShown(page: Page): Promise<void> {
  const shown = await page.locator(".line .message").allTextContents();
  for (const message of MESSAGES.filter((message) => /^[\x20-\x7e]{1,1000}$/.test(message))) {
    assert.ok(shown.includes(message), message);
  }
  assert.ok(shown.includes("\\x1b[2J\\x1b[H\\x1b]0;forged\\x07\\x1b[1A\\x1b[2K"));
  assert.ok(shown.includes("\\u202egnp.exe \\u2066isolated \\u2028separated\\u2029"));
  assert.ok(shown.includes("hidden black on black"));
  assert.ok(shown.includes(`${"A".repeat(4096)}… 95904 more characters`));
  assert.equal(shown.filter((text) => text.includes("forged")).length, 5);
}
