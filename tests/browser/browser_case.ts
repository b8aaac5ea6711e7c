/**
 * Promises that a test which needs a browser has one, and the program to look at, or says what is missing.
 *
 * @module
 */

import { chromiumPath, TestBrowser } from "./chromium.ts";
import { type Recorded, type RecordedOptions, startRecorded } from "./recorded.ts";

/**
 * Adds a test with a browser and a program of its own. Where there is no Chromium it is ignored, under a name
 * that says why.
 */
export function browserTest(
  name: string,
  options: RecordedOptions,
  run: (browser: TestBrowser, recorded: Recorded) => Promise<void>,
): void {
  const isMissing = chromiumPath === undefined;
  Deno.test({
    name: isMissing ? `${name} (needs Chromium: apt-get install chromium)` : name,
    ignore: isMissing,
    async fn() {
      await using stack = new AsyncDisposableStack();
      // Both take a second or two to start.
      const [browser, recorded] = await Promise.allSettled([TestBrowser.start(), startRecorded(options)]);
      if (browser.status === "fulfilled") stack.use(browser.value);
      if (recorded.status === "fulfilled") stack.use(recorded.value);
      if (browser.status === "rejected") throw browser.reason;
      if (recorded.status === "rejected") throw recorded.reason;
      await run(browser.value, recorded.value);
    },
  });
}
