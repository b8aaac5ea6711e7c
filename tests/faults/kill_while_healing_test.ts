import assert from "node:assert/strict";
import { killWhileHealing } from "./kill_while_healing.ts";

Deno.test({
  name:
    "A recorder killed at 50 random moments while it heals has each line once in the end, and has gone on healing",
  timeout: 600_000,
  async fn() {
    const { kills, healed, gaps } = await killWhileHealing({ seed: 1, kills: 50, missingMs: 2_000 });
    tell(`killed ${kills} times while healing, healed ${healed} times in spite of it`);
    assert.equal(kills, 50);
    assert.deepEqual(gaps.flatMap(({ unhealed }) => unhealed ?? []), []);
  },
});

// deno-lint-ignore no-console -- the figures are what people look for in the output of the tests
const tell = (text: string): void => console.log(text);
