import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Gap, GapState } from "../../lib/gaps/gap.ts";
import type { Parts } from "../../routes/parts.ts";
import { createParts, serve } from "../routes/rig.ts";
import { browserTest } from "./browser_case.ts";
import { assertFits } from "./chromium.ts";
import { type FlyRecord, recordLine } from "./recorded.ts";

const DAY = "2026-01-05";

/** A record of a day that is over, at so many seconds past ten. */
function past(seconds: number, record: FlyRecord): string {
  const timestamp = `${DAY}T10:00:${String(seconds).padStart(2, "0")}.123456789Z`;
  return recordLine({ timestamp, ...record });
}

/** Lines that say `line 0.`, `line 1.` and so on. */
function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, number) => past(1, { message: `line ${number}.` }));
}

browserTest("The page lists the days, and needs no JavaScript to find lines in them", {
  days: {
    [DAY]: [
      past(1, { message: "hello" }),
      past(2, { message: "payment refused", app: "shop", level: "error" }),
      past(3, { message: "payment taken", app: "shop" }),
    ],
  },
}, async (browser, recorded) => {
  const { page, misdeeds } = await browser.open(recorded.url, { javaScriptEnabled: false });
  const row = page.getByRole("row").filter({ hasText: DAY });
  assert.match(await row.innerText(), /3/);
  assert.equal(
    await row.getByRole("link", { name: `${DAY} as gzip` }).getAttribute("href"),
    `/logs/${DAY}.jsonl.gz`,
  );

  await page.getByLabel("Text", { exact: true }).fill("payment");
  await page.getByLabel("App", { exact: true }).fill("sh*");
  await page.getByLabel("error").check();
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(new URL(page.url()).search, "?q=payment&app=sh*&tail=200&level=error");
  assert.deepEqual(await page.locator(".line .message").allInnerTexts(), ["payment refused"]);
  assert.equal(await page.locator(".line .match").innerText(), "payment");
  assert.equal(await page.getByLabel("App", { exact: true }).inputValue(), "sh*");
  assert.deepEqual(misdeeds, []);
});

browserTest(
  "The page finds in any case and leaves out, marks what was found, live too, and names what there is",
  {
    days: {
      [DAY]: [
        past(1, { message: "TypeError: a", app: "shop" }),
        past(2, { message: "typeerror again", app: "web" }),
        past(3, { message: "TYPEERROR of a healthcheck", app: "shop" }),
      ],
    },
  },
  async (browser, recorded) => {
    const { page, misdeeds } = await browser.open(recorded.url);
    await page.getByLabel("Text", { exact: true }).fill("typeerror");
    await page.getByLabel("Without text").fill("health");
    await page.getByLabel("App", { exact: true }).fill("SHOP, web, !api");
    await page.getByRole("button", { name: "Search" }).click();
    assert.deepEqual(await page.locator(".line .match").allInnerTexts(), ["TypeError", "typeerror"]);

    await page.getByRole("button", { name: "Live tail" }).click();
    await page.locator(".line").nth(1).waitFor();
    await recorded.publish({ message: "a TypeERROR just now", app: "shop" });
    await page.locator(".line").nth(2).waitFor();
    assert.deepEqual(await page.locator(".line .match").allInnerTexts(), [
      "TypeError",
      "typeerror",
      "TypeERROR",
    ]);

    await page.goto(`${recorded.url}/search?app=shpo`);
    assert.match(await page.locator(".empty").innerText(), /no app "shpo" in this span; there are shop, web/);
    assert.deepEqual(misdeeds, []);
  },
);

browserTest("The page draws the gaps of a day, and a search says that lines may be missing", {
  days: { [DAY]: [past(1, { message: "hello" })] },
  gaps: [
    `{"id":1,"since":"2026-01-04T09:00:00.000Z","until":"2026-01-04T09:00:00.500Z","cause":"start","state":"lost"}`,
    `{"id":2,"since":"${DAY}T06:00:00.000Z","until":"${DAY}T07:30:00.000Z","cause":"disconnect","state":"lost"}`,
  ],
}, async (browser, recorded) => {
  const { page } = await browser.open(recorded.url);
  const gap = page.getByRole("row").filter({ hasText: DAY }).locator(".gap");
  const bar = await page.getByRole("row").filter({ hasText: DAY }).locator(".covered").boundingBox();
  const drawn = await gap.boundingBox();
  assert.equal(Math.round((drawn!.x - bar!.x) / bar!.width * 24 * 60), 6 * 60);
  assert.equal(Math.round(drawn!.width / bar!.width * 24 * 60), 90);
  assert.match(await gap.textContent() ?? "", /06:00:00 to 07:30:00 \(1 h 30 m\): disconnect, lost/);

  await page.getByRole("link", { name: DAY, exact: true }).click();
  assert.match(await page.locator(".facts").innerText(), /Partial: .* 1 h 30 m .* 1 gap/);
});

browserTest("A healed gap looks healed: on the day, among the lines, and in the tail", {
  days: { [DAY]: [past(1, { message: "one" }), past(20, { message: "two" })] },
  gaps: [
    `{"id":1,"since":"2026-01-04T09:00:00.000Z","until":"2026-01-04T09:00:00.500Z","cause":"start","state":"lost"}`,
    `{"id":2,"since":"${DAY}T10:00:02.000Z","until":"${DAY}T10:00:17.000Z","cause":"stall","state":"healed",` +
    `"healing":{"sources":[{"name":"fly","lines":412}],"at":"${DAY}T10:15:17.000Z","until":null,"reason":null}}`,
  ],
}, async (browser, recorded) => {
  const { page, misdeeds } = await browser.open(recorded.url);
  const row = page.getByRole("row").filter({ hasText: DAY });
  const words = `Gap healed: 15 s from ${DAY} 10:00:02 (stall), 412 lines from fly, at ${DAY} 10:15:17`;
  assert.equal(await row.locator(".gap.healed title").textContent(), words);
  const [healed, covered, accent] = await page.evaluate(`[
    getComputedStyle(document.querySelector(".gap.healed")).fill,
    getComputedStyle(document.querySelector(".covered")).fill,
    getComputedStyle(document.querySelector(".primary")).backgroundColor,
  ]`) as string[];
  assert.notEqual(healed, covered);
  assert.notEqual(healed, accent);
  const summary = row.locator("summary");
  assert.equal(await summary.innerText(), "complete, 1 gap healed");
  assert.equal(await summary.getAttribute("title"), words);
  assert.equal(await row.getByText(words).last().isVisible(), false);
  await summary.click();
  await row.getByRole("listitem").getByText(words).waitFor();

  await page.goto(`${recorded.url}/search?since=${DAY}&until=${DAY}T23:00`);
  assert.match(await page.locator(".facts").innerText(), /^Complete: .* 1 gap of it was healed\.$/);
  assert.deepEqual(
    (await page.locator(".lines > li:not(.day)").allInnerTexts()).map((row) => row.trim().split("\n").at(-1)),
    ["one", words, "two"],
  );
  await page.goto(`${recorded.url}/tail?since=${DAY}`);
  await page.locator(".mark.healed", { hasText: "412 lines from fly" }).waitFor();
  assert.deepEqual(misdeeds, []);
});

browserTest(
  "The row of a gap in the tail says that it was healed when it is, and so does one of its own",
  {},
  async (browser) => {
    const sinceMs = Date.parse(`${DAY}T10:00:00Z`);
    const gap = (from: number, state: GapState, lines: number): Gap => ({
      ...{ id: 1, sinceMs: sinceMs + from, untilMs: sinceMs + from + 5000, cause: "stall", state },
      healing: { sources: [{ name: "fly", lines }], atMs: sinceMs, doneUntilMs: null, reason: null },
    });
    const told = [gap(0, "lost", 0), gap(0, "partial", 5), gap(0, "healed", 9), gap(60_000, "healed", 3)];
    const followers: Parts["followers"] = {
      follow: ({ gapNotice }) => ReadableStream.from(told.map((gap) => gapNotice(gap, true)!)),
    };
    await using api = serve(createParts({ followers }));
    const { page } = await browser.open(`http://127.0.0.1:${await api.port()}/tail`);
    const rows = page.locator("#lines > .mark");
    await rows.nth(1).waitFor();
    const words = (from: string, to: string, lines: number) =>
      `Gap healed: from ${DAY}T${from}.000Z to ${DAY}T${to}.000Z (stall), ${lines} lines from fly; ` +
      "the search has its lines";
    const shown = [words("10:01:00", "10:01:05", 3), words("10:00:00", "10:00:05", 9)];
    assert.deepEqual((await rows.allInnerTexts()).toSorted(), shown.toSorted());
    assert.equal(await page.locator(".mark:not(.healed)").count(), 0);
  },
);

browserTest(
  "The tail shows lines as they are recorded, with levels and colours, until it is paused",
  {},
  async (browser, recorded) => {
    const { page, misdeeds } = await browser.open(`${recorded.url}/tail`);
    await page.getByText("live", { exact: true }).waitFor();
    await recorded.publish({ message: "plain \x1b[1;32mgreen\x1b[0m plain", level: "warn" });
    const green = page.locator(".level-warn .front-green.bold");
    assert.equal(await green.innerText(), "green");
    const [own, usual] = await page.evaluate(`["front-green", "message"].map((name) =>
    getComputedStyle(document.querySelector("." + name)).color)`) as string[];
    assert.notEqual(own, usual);

    await page.getByRole("button", { name: "Pause" }).click();
    await recorded.publish({ message: "while paused" }, { message: "again" });
    await page.getByRole("button", { name: "Resume (2)" }).waitFor();
    assert.equal(await page.locator(".line").count(), 1);
    await page.getByRole("button", { name: "Resume (2)" }).click();
    await page.getByText("while paused").waitFor();
    assert.equal(await page.locator(".line").count(), 3);
    await page.getByRole("button", { name: "Clear" }).click();
    assert.equal(await page.locator(".line").count(), 0);
    assert.deepEqual(misdeeds, []);
  },
);

browserTest(
  "The tail shows what its filter lets pass, and the form changes the filter",
  {},
  async (browser, recorded) => {
    const { page } = await browser.open(`${recorded.url}/tail`);
    await page.getByLabel("error").check();
    await page.getByLabel("Text", { exact: true }).fill("order");
    await page.getByRole("button", { name: "Live tail" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    await recorded.publish(
      { message: "order 1 taken" },
      { message: "disk full", level: "error" },
      { message: "order 2 lost", level: "error" },
    );
    await page.getByText(" 2 lost").waitFor();
    assert.deepEqual(await page.locator(".line .message").allInnerTexts(), ["order 2 lost"]);
  },
);

browserTest(
  "The tail says that nobody records, from the first moment and until it is over",
  {},
  async (browser, recorded) => {
    const { page } = await browser.open(`${recorded.url}/tail`);
    await page.getByText("live", { exact: true }).waitFor();
    await recorded.publish({ message: "before" });
    await page.getByText("before", { exact: true }).waitFor();
    await recorded.server.kill();
    await page.locator(".mark", { hasText: "disconnect, open" }).waitFor();
    await page.getByText("nobody records: disconnect", { exact: true }).waitFor();

    const late = (await browser.open(`${recorded.url}/tail`)).page;
    await late.getByText("nobody records: disconnect", { exact: true }).waitFor();
    await late.locator(".mark", { hasText: "disconnect, open" }).waitFor();

    await recorded.server.restart();
    for (const one of [page, late]) {
      await one.getByText("live", { exact: true }).waitFor();
      await one.locator(".mark", { hasText: "disconnect, lost" }).waitFor();
      assert.equal(await one.locator(".gap", { hasText: "disconnect" }).count(), 1);
      assert.equal(await one.locator(".mark", { hasText: "to now" }).count(), 0);
    }
  },
);

browserTest(
  "The tail says that its own connection is lost",
  {},
  async (browser, recorded) => {
    const { page } = await browser.open(`${recorded.url}/tail`);
    await page.getByText("live", { exact: true }).waitFor();
    await recorded.publish({ message: "before" });
    await page.getByText("before", { exact: true }).waitFor();
    await recorded.flightlog.stop();
    await page.getByText("connection of this page lost, trying again", { exact: true }).waitFor();
  },
);

browserTest(
  "The tail says how many lines a pause has cost, and where",
  { days: { [DAY]: [past(1, { message: "line before" })] } },
  async (browser, recorded) => {
    const { page } = await browser.open(`${recorded.url}/tail`);
    await page.getByText("line before").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await recorded.publish(...Array.from({ length: 2500 }, (_, number) => ({ message: `line ${number}.` })));
    await page.getByRole("button", { name: "Resume (2500)" }).click();
    await page.getByText("line 2499.").waitFor();
    assert.match(
      await page.locator(".mark", { hasText: "not shown" }).innerText(),
      /^502 lines are not shown/,
    );
    const rows = await page.locator("#lines > li:not(.day)").allInnerTexts();
    const mark = rows.findIndex((row) => row.includes("not shown"));
    assert.equal(mark, 0, "what was before it has made room");
    assert.match(rows[1]!, /line 502\./);
    assert.equal(rows.length, 1999);
  },
);

browserTest("Searches and what is around a line show a gap between the lines on either side of it", {
  days: {
    [DAY]: [past(1, { message: "one" }), past(20, { message: "two" }), past(30, { message: "three" })],
  },
  gaps: [
    `{"id":1,"since":"${DAY}T10:00:00.000Z","until":"${DAY}T10:00:00.500Z","cause":"start","state":"lost"}`,
    `{"id":2,"since":"${DAY}T10:00:02.000Z","until":"${DAY}T10:00:17.000Z","cause":"stall","state":"lost"}`,
  ],
}, async (browser, recorded) => {
  const { page } = await browser.open(`${recorded.url}/search?tail=2&until=${DAY}T10:00:25Z`);
  const rows = async () =>
    (await page.locator(".lines > li:not(.day)").allInnerTexts()).map((row) =>
      /(one|two|three)$|: (\w+), lost$|recorded before/.exec(row.trim())?.slice(1).find((word) => word) ??
        "before"
    );
  assert.deepEqual(await rows(), ["one", "stall", "two"]);
  await page.goto(`${recorded.url}/search?limit=2`);
  assert.deepEqual(await rows(), ["start", "one", "stall", "two"]);
  await page.locator(".line .time").first().click();
  assert.deepEqual(await rows(), ["before", "start", "one", "stall", "two", "three", "crash"]);
});

browserTest(
  "The tail keeps 2000 rows, the newest",
  { days: { [DAY]: numbered(2500) } },
  async (browser, recorded) => {
    const { page } = await browser.open(`${recorded.url}/tail?tail=2500`);
    await page.getByText("line 2499.").waitFor();
    assert.equal(await page.locator("#lines > li").count(), 2000);
    assert.match(await page.locator("#count").innerText(), /2,500 lines/);
  },
);

browserTest(
  "A line's own address shows what was around it",
  { days: { [DAY]: numbered(200) } },
  async (browser, recorded) => {
    const { page } = await browser.open(`${recorded.url}/search?q=line+100.`);
    await page.locator(".line .time").click();
    assert.equal(await page.locator(".line:target .message").innerText(), "line 100.");
    assert.deepEqual(
      [await page.locator(".message").first().innerText(), await page.locator(".message").last().innerText()],
      ["line 50.", "line 150."],
    );
    assert.equal(await page.locator(".record").innerText(), numbered(200)[100]);
    await page.getByRole("link", { name: "↓ Later" }).first().click();
    assert.equal(await page.locator(".line:target .message").innerText(), "line 150.");

    await page.goto(`${recorded.url}/tail?tail=1`);
    await page.locator(".line .time").click();
    assert.equal(await page.locator('.line[aria-current="true"] .message').innerText(), "line 199.");
  },
);

const WIDE = [
  past(1, { message: "x".repeat(3000) }),
  past(2, { message: `{"a":"${"y".repeat(500)}"}`, app: "z".repeat(63) }),
];
browserTest("No page is wider than a phone", { days: { [DAY]: WIDE } }, async (browser, recorded) => {
  const { page } = await browser.open(recorded.url, { viewport: { width: 360, height: 740 } });
  for (const path of ["/", "/search?q=x", "/search?since=teatime", "/tail?tail=5", `/?around=${DAY}:0`]) {
    await page.goto(recorded.url + path);
    if (path.startsWith("/tail")) await page.locator(".line").nth(1).waitFor();
    await assertFits(page);
  }
});

const COLOURS = [31, 32, 33, 34, 35, 36, 30, 37, 90, 97].map((code) => `\x1b[${code}mcolour`).join(" ");
const LEVELS = ["error", "warn", "info", "debug"];

browserTest("Everything can be read, light and dark", {
  days: { [DAY]: LEVELS.map((level, number) => past(number, { message: COLOURS, level })) },
}, async (browser, recorded) => {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await browser.open(`${recorded.url}/search?since=${DAY}`, { colorScheme });
    assert.deepEqual(await faintTexts(page), [], colorScheme);
    const red = await page.evaluate(`getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]`);
    assert.equal(Number(red) < 80, colorScheme === "dark");
  }
});

/** What has less contrast than WCAG 2.2 asks for (1.4.3), 4.5 to 1, with its contrast. */
async function faintTexts(page: Page): Promise<unknown> {
  return await page.evaluate(`(() => {
    const channels = (color) => color.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255);
    const luminance = (color) => channels(color)
      .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
      .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
      const { backgroundColor } = getComputedStyle(element);
      return /^rgb\\(/.test(backgroundColor) ? backgroundColor : behind(element.parentElement);
    };
    return [...document.querySelectorAll("a, p, h1, label, legend, button, .line span")].map((element) => {
      const [dark, light] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => a - b);
      return [(light + 0.05) / (dark + 0.05), element.outerHTML.slice(0, 80)];
    }).filter(([contrast]) => contrast < 4.5);
  })()`);
}

browserTest("The page and its tail work with the token as a browser's password", {
  env: { API_TOKEN: "Sesame-1" },
}, async (browser, recorded) => {
  const { page, misdeeds } = await browser.open(`${recorded.url}/tail`, {
    httpCredentials: { username: "me", password: "Sesame-1" },
  });
  await page.getByText("live", { exact: true }).waitFor();
  await recorded.publish({ message: "for those who know" });
  await page.getByText("for those who know").waitFor();
  assert.equal(await page.context().cookies().then((cookies) => cookies.length), 0);
  assert.deepEqual(misdeeds.filter((misdeed) => !misdeed.includes("401")), []);
});
