import assert from "node:assert/strict";
import { inLanes } from "../rig/lanes.ts";
import { isSilent } from "./pair_faults.ts";
import { canMount } from "./small_volume.ts";
import {
  CLAIM_LIMIT,
  describeReports,
  LONG_OUTAGE_MS,
  LossyPair,
  type PairReport,
  planFaults,
  type PlannedFault,
} from "./two_recorders.ts";

/** So many pairs lose lines at random. */
const SEEDS = 20;

/** How often and how long each of them does, in milliseconds. */
const FAULTS_PER_SEED = 2;
const AWAY_MS = [200, 1200] as const;

/** One more is away for long, to see by how much more its gap claims. */
const LONG_AWAY: readonly PlannedFault[] = [{ name: "cut off", whom: 0, awayMs: 12_000 }];

/** So many pairs are given lines beside each other, and so many are read at once. */
const SPOILING_LANES = 4;
const READING_LANES = 2;

/** The most that all of it may take, in milliseconds. For more than a minute of it nothing is done: lines that young are not looked for. */
const LIMIT_MS = 900_000;

const without = canMount ? "" : " (without full disks: these need the right to mount a tmpfs)";

Deno.test({
  name:
    `Two recorders that lose lines at random, one after the other, both have all of them in the end${without}`,
  timeout: LIMIT_MS,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const plans = Array.from({ length: SEEDS }, (_, index) => index + 1)
      .map((seed) => ({ seed, plan: planFaults({ seed, faults: FAULTS_PER_SEED, awayMs: AWAY_MS }) }));
    // What is found only by comparing has to wait longest, so it comes first.
    const isCompared = ({ plan }: { plan: readonly PlannedFault[] }) =>
      plan.some(({ name }) => isSilent(name));
    const order = [
      ...plans.filter(isCompared),
      { seed: 0, plan: LONG_AWAY },
      ...plans.filter((one) => !isCompared(one)),
    ];
    const pairs: LossyPair[] = [];
    await inLanes(order, SPOILING_LANES, async ({ seed, plan }) => {
      pairs.push(stack.use(await LossyPair.spoil(seed, plan)));
    });
    const reports: PairReport[] = [];
    await inLanes(pairs, READING_LANES, async (pair) => {
      reports.push(await pair.heal());
      await pair[Symbol.asyncDispose]();
    });
    tell(describeReports(`two recorders, ${pairs.length} pairs`, reports));
    assert.deepEqual(reports.flatMap(({ unhealed }) => unhealed), []);
    assert.ok(reports.every(({ brought }) => brought > 0), "some lost nothing");
    const long = reports.find(({ long }) => long.outageMs > LONG_OUTAGE_MS)!.long;
    assert.ok(long.gapMs / long.outageMs < CLAIM_LIMIT, `${long.gapMs} ms for ${long.outageMs} ms`);
  },
});

// deno-lint-ignore no-console -- the figures are what people look for in the output of the tests
const tell = (text: string): void => console.log(text);
