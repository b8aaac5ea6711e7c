/**
 * Promises a real Chromium that starts with nothing and leaves nothing, and that tells of everything a page
 * must not do.
 *
 * @module
 */

import assert from "node:assert/strict";
import { exists } from "@std/fs";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

// When it is loaded, playwright-core looks below /proc for signs of Windows, which Deno lets nobody do who may
// not do everything. This variable, made for that check's own tests, puts it off.
Deno.env.set("__IS_WSL_TEST__", "1");
const { chromium } = await import("playwright-core");

/** What Chromium is called, on Debian first. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where else than on PATH it may be. */
const PLACES = ["/usr/bin", "/usr/local/bin", "/Applications/Google Chrome.app/Contents/MacOS"];

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A step that takes longer than this has failed, in milliseconds. */
const STEP_LIMIT_MS = 10_000;

/** The path of Chromium; undefined where there is none. */
export const chromiumPath: string | undefined = await findChromium();

async function findChromium(): Promise<string | undefined> {
  const directories = [...(Deno.env.get("PATH") ?? "").split(":").filter(Boolean), ...PLACES];
  for (const path of NAMES.flatMap((name) => directories.map((directory) => join(directory, name)))) {
    if (await exists(path, { isFile: true })) return path;
  }
}

/** A page, and what it did that no page may do. */
export interface WatchedPage {
  /** The page. */
  page: Page;
  /** Errors, dialogs, breaches of its policy, requests to other hosts, in words. */
  misdeeds: string[];
}

/** One running Chromium. Disposal ends it. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /**
   * Starts one, with a profile of its own that is removed at its end.
   *
   * @throws {Error} If there is none.
   */
  static async start(): Promise<TestBrowser> {
    if (chromiumPath === undefined) throw new Error("Cannot find Chromium: apt-get install chromium");
    return new TestBrowser(
      await chromium.launch({ executablePath: chromiumPath, headless: true, args: ARGUMENTS }),
    );
  }

  /** Opens a window that shares nothing with the others, at an address. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    this.#contexts.push(context);
    context.setDefaultTimeout(STEP_LIMIT_MS);
    const page = await context.newPage();
    const misdeeds: string[] = [];
    const { host } = new URL(url);
    page.on("pageerror", (error) => misdeeds.push(`error: ${error.message}`));
    page.on("dialog", async (dialog) => {
      misdeeds.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    // Chromium tells of breaches of the policy, of refused scripts and of missing files here.
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) misdeeds.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      if (new URL(request.url()).host !== host) misdeeds.push(`request: ${request.url()}`);
    });
    page.on("popup", (popup) => misdeeds.push(`popup: ${popup.url()}`));
    page.on("download", (download) => misdeeds.push(`download: ${download.url()}`));
    await page.goto(url);
    return { page, misdeeds };
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const context of this.#contexts) await context.close();
    await this.#browser.close();
  }
}

/** Fails if the page is wider than the window, and says what in it is. */
export async function assertFits(page: Page): Promise<void> {
  const wide = await page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    const scrolled = document.documentElement.scrollWidth;
    const inScroller = (element) => element !== null && element !== document.body &&
      (getComputedStyle(element).overflowX !== "visible" || inScroller(element.parentElement));
    return scrolled <= width ? [] : [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > width + 0.5 && !inScroller(element.parentElement))
      .map((element) => element.tagName + "." + element.getAttribute("class"));
  })()`);
  assert.deepEqual(wide, []);
}
