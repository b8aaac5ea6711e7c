import assert from "node:assert/strict";
import { createLogger, LINES_PER_WINDOW, WINDOW_MS } from "../lib/logger.ts";
import { FakeClock } from "./rig/fake_clock.ts";

const START = "2026-11-22T10:00:00.000Z";

function createRig() {
  const clock = new FakeClock(START);
  const lines: string[] = [];
  return { clock, lines, logger: createLogger({ clock, write: (line) => lines.push(line) }) };
}

Deno.test("createLogger() writes one JSON object for each event", () => {
  const { lines, logger } = createRig();
  logger.log("warn", "gap begins", { cause: "crash", reason: 'two\n"lines"' });
  assert.deepEqual(lines, [
    '{"time":"2026-11-22T10:00:00.000Z","level":"warn","event":"gap begins","cause":"crash",' +
    '"reason":"two\\n\\"lines\\""}',
  ]);
});

Deno.test("createLogger() holds back more than so many lines of one event a minute, and says how many", () => {
  const { clock, lines, logger } = createRig();
  for (let i = 0; i < LINES_PER_WINDOW + 5; i++) logger.log("info", "often");
  logger.log("info", "seldom");
  assert.equal(lines.length, LINES_PER_WINDOW + 1);
  clock.advance(WINDOW_MS);
  logger.log("info", "often");
  assert.equal(JSON.parse(lines.at(-1)!).suppressed, 5);
  logger.log("info", "often");
  assert.equal(JSON.parse(lines.at(-1)!).suppressed, undefined);
});

Deno.test("createLogger() counts by the time that passes, not by a clock that is set", () => {
  const { clock, lines, logger } = createRig();
  for (let i = 0; i < LINES_PER_WINDOW; i++) logger.log("info", "often");
  clock.jump(-86_400_000);
  clock.advance(WINDOW_MS);
  logger.log("info", "often");
  assert.equal(lines.length, LINES_PER_WINDOW + 1);
});
