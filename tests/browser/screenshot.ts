/**
 * Makes the picture of the page for the README, and, where a directory is named, pictures of every page for
 * whoever changes them: `deno run -P=dev tests/browser/screenshot.ts [DIRECTORY]`.
 *
 * @module
 */

import { ensureDir } from "@std/fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { flyLines } from "../rig/fly_lines.ts";
import { TestBrowser } from "./chromium.ts";
import { startRecorded } from "./recorded.ts";

const DAY_MS = 86_400_000;

/** How many days the archive has, and how many lines the busiest of them. */
const DAYS = 9;
const LINES = 6000;

/** Days are looked at for sealing every ten seconds; this is longer, in milliseconds. */
const SEAL_LIMIT_MS = 20_000;

const nowMs = Date.now();
const midnightMs = Math.floor(nowMs / DAY_MS) * DAY_MS;

await main(Deno.args[0]);

async function main(directory: string | undefined): Promise<void> {
  const names = Array.from({ length: DAYS }, (_, ago) => dayAgo(ago));
  const days = Object.fromEntries(names.map((name, ago) => [name, dayLines(ago)]).reverse());
  delete days[names[6]!];
  await using recorded = await startRecorded({ days, gaps: gapLines(), env: { SEAL_AFTER: "0s" } });
  await using browser = await TestBrowser.start();
  const { log } = recorded.flightlog;
  // Every day but today's, and the one that is missing.
  for (let sealed = 0, from = 0; sealed < DAYS - 2; sealed++) {
    await log.until((line) => line.includes('"day sealed"'), "a sealed day", from, SEAL_LIMIT_MS);
    from = 1 + log.lines.findIndex((line, number) => number >= from && line.includes('"day sealed"'));
  }
  await picture(fileURLToPath(new URL("./page.png", import.meta.url)), "/", { width: 1100, height: 580 });
  if (directory === undefined) return;
  await ensureDir(directory);
  const paths = {
    days: "/",
    search: "/search?q=GET&tail=50",
    errors: "/search?level=error&level=warn&tail=50",
    wrong: "/search?since=teatime",
    tail: "/tail?tail=60",
    around: `/?around=${names[1]}:200000`,
    healed: `/search?since=${names[2]}T08:00&until=${names[2]}T09:00`,
  };
  for (const [name, path] of Object.entries(paths)) {
    await picture(join(directory, `${name}.png`), path, { width: 1280, height: 900 });
    await picture(join(directory, `${name}_dark.png`), path, { width: 1280, height: 900 }, true);
    await picture(join(directory, `${name}_phone.png`), path, { width: 360, height: 780 }, true);
  }

  async function picture(
    file: string,
    path: string,
    viewport: { width: number; height: number },
    isDark = false,
  ): Promise<void> {
    const { page, misdeeds } = await browser.open(recorded.url + path, {
      viewport,
      colorScheme: isDark ? "dark" : "light",
    });
    if (path.startsWith("/tail")) await page.locator(".line").nth(20).waitFor();
    await page.screenshot({ path: file });
    // deno-lint-ignore no-console -- whoever makes the pictures reads it
    for (const misdeed of misdeeds) console.error(`${path}: ${misdeed}`);
  }
}

function dayAgo(days: number): string {
  return new Date(midnightMs - days * DAY_MS).toISOString().slice(0, 10);
}

function dayLines(ago: number): string[] {
  // The first day begins with the first start, at half past nine.
  const startMs = midnightMs - ago * DAY_MS + (ago === DAYS - 1 ? 9.5 * 3_600_000 : 0);
  const spanMs = ago === 0 ? nowMs - startMs : midnightMs - (ago - 1) * DAY_MS - startMs;
  const count = Math.round(LINES * (1 - (ago % 4) / 8) * spanMs / DAY_MS);
  const lines = flyLines({ seed: ago + 1, startMs, intervalMs: spanMs / count * 0.98, count });
  return [...lines].map(({ payload }) => payload).filter((line) =>
    line.startsWith("{") && line.endsWith("}")
  );
}

function gapLines(): string[] {
  const gaps = [
    [8, 9.4, 9.41, "start", "lost"],
    [1, 14.2, 14.22, "disconnect", "lost"],
    [2, 8.1, 8.6, "stop", "healed"],
    [3, 2.5, 4.1, "stall", "partial"],
    [3, 17.9, 17.95, "crash", "healed"],
    [6, -1.5, 25, "refused", "lost"],
  ] as const;
  return gaps.map(([ago, from, to, cause, state], number) => {
    const at = (hours: number) => new Date(midnightMs - ago * DAY_MS + hours * 3_600_000).toISOString();
    const healing = {
      sources: [{ name: "http://[fdaa::1]:8080", lines: 412 }, {
        name: "fly",
        lines: state === "healed" ? 3 : 0,
      }],
      ...{
        at: at(to + 0.25),
        until: null,
        reason: state === "healed" ? null : "2 of 9 lines after the gap are not there",
      },
    };
    const known = { id: number + 1, since: at(from), until: at(to), cause, state };
    return JSON.stringify(state === "lost" ? known : { ...known, healing });
  });
}
