/**
 * Promises messages such as nobody should send, the same ones for the same seed.
 *
 * @module
 */

import { createRandom } from "../rig/random.ts";

/** One message. */
export interface HostileMessage {
  /** Where it is published. */
  subject: string;
  /** Anything. */
  payload: Uint8Array;
}

/** What hostile messages are made with: a generator of numbers, the message's number, and a time near to now. */
interface Making {
  random: () => number;
  number: number;
  nowMs: number;
}

const encoder = new TextEncoder();

const APPS = [
  "..",
  "../../etc/passwd",
  "/",
  "/etc/passwd",
  "%2f",
  "..%2f..%2fetc",
  "a\u0000b",
  "a\nb",
  "\u202e",
  "2026-11-22.jsonl",
  "__proto__",
  "",
];

const TIMES: ((making: Making) => string)[] = [
  ({ nowMs }) => new Date(nowMs).toISOString(),
  ({ nowMs }) => new Date(nowMs).toISOString().replace("Z", "123456Z"),
  ({ nowMs }) => new Date(nowMs + 2 * 3_600_000).toISOString().replace("Z", "+02:00"),
  ({ nowMs }) => new Date(nowMs - 86_400_000).toISOString(),
  ({ nowMs }) => new Date(nowMs - 30 * 86_400_000).toISOString(),
  ({ nowMs }) => new Date(nowMs + 86_400_000).toISOString(),
  () => "0001-01-01T00:00:00Z",
  () => "9999-12-31T23:59:59.999999999Z",
  () => "2026-02-30T00:00:00Z",
  () => "2016-12-31T23:59:60Z",
  () => "../../2026-11-22",
  () => "",
  () => "1",
];

const SUBJECTS = [
  "logs.web.sjc.0e286551c30586",
  "logs.%2e%2e.sjc.m",
  "logs.%2f.sjc.m",
  "logs./etc/passwd.sjc.m",
  "logs.a/b.sjc.m",
  "logs.web",
  "logs.a.b.c.d.e.f.g",
  "logs.é日本🚀.sjc.m",
  `logs.${"x".repeat(3000)}.sjc.m`,
];

/** The kinds of payloads, each as likely as the others. */
const KINDS: ((making: Making) => Uint8Array | string)[] = [
  record,
  (making) => record(making).replaceAll(",", ",\n\r\n"),
  (making) => `  \t\r\n${record(making)}\n\n`,
  (making) => record(making).slice(0, -Math.ceil(making.random() * 20)),
  (making) => `${record(making)} {}`,
  (making) => `\ufeff${record(making)}`,
  (making) => `${record(making)}\u0000`,
  (making) => record(making).replace('"message":"', '"message":"\u0000\n'),
  (making) => record(making).replace('"message":"', '"message":"\\ud800\\u0000\\n\\udfff'),
  (making) => splice(record(making), making, [0xed, 0xa0, 0x80]),
  (making) => splice(record(making), making, [0xff]),
  (making) => splice(record(making), making, [0xc0, 0xaf]),
  (making) => record(making).replace("{", `{"deep":${"[".repeat(100)}${"]".repeat(100)},`),
  (making) => record(making).replace("{", `{"deep":${'{"a":'.repeat(100)}1${"}".repeat(100)},`),
  (making) => record(making).replace("{", '{"message":"first","message":"second",'),
  (making) =>
    record(making).replace("{", '{"n":9007199254740993,"f":1e400,"m":-0.0,"l":1234567890123456789012,'),
  (making) =>
    record(making).replace("{", '{"flightlog":{"rejected":"x","subject":"logs.a","payload":"AAAA"},'),
  (making) => record(making).replace("{", '{"\\u0066lightlog":1,'),
  (making) => record(making).replace('"message"', '"\\u006dessage"'),
  (making) => record(making).replace('"name":"', `"name":"${"x".repeat(4096)}`),
  (making) => record(making).replace("{", '{"__proto__":{"message":1},'),
  ({ number }) => `plain text ${number}`,
  ({ number }) => `{"msg":"no message ${number}"}`,
  ({ number }) => `[${number}]`,
  ({ number }) => `${number}`,
  ({ number }) => `"${number}"`,
  ({ number }) => `\n${number}\n`,
  ({ number }) => `{"message":${number}}`,
  ({ number }) => `{"message":"${number}"}`,
  ({ number }) => `{"message":"${number}","fly":{"app":{"name":${number}}}}`,
  ({ number }) => `{"message":"${number}","timestamp":${number}}`,
  ({ number }) => `\u001b[31m${number}\u001b[0m\r\nHTTP/1.1 200 OK\r\n\r\n<script>alert(${number})</script>`,
  noise,
  () => "",
];

/** Makes `count` messages around `nowMs`, in milliseconds since 1970. */
export function* hostileMessages(
  options: { seed: number; count: number; nowMs: number },
): Generator<HostileMessage, void> {
  const random = createRandom(options.seed);
  for (let number = 0; number < options.count; number++) {
    const made = pick(KINDS, random)({ random, number, nowMs: options.nowMs });
    yield {
      // Now and then an app that nobody has heard of.
      subject: random() < 0.1 ? `logs.app-${number}.sjc.m${number}` : pick(SUBJECTS, random),
      payload: typeof made === "string" ? encoder.encode(made) : made,
    };
  }
}

function record(making: Making): string {
  const { random, number } = making;
  const app = random() < 0.2 ? `app-${number}` : pick(APPS, random);
  const record = {
    event: { provider: "app" },
    fly: { app: { instance: pick(APPS, random), name: app }, region: pick(APPS, random) },
    host: "0ad1",
    log: { level: "info" },
    message: `number ${number}`,
    timestamp: pick(TIMES, random)(making),
  };
  return JSON.stringify(record);
}

function noise({ random }: Making): Uint8Array {
  return Uint8Array.from({ length: 1 + Math.floor(random() * 64) }, () => Math.floor(random() * 256));
}

/** Puts bytes that are no UTF-8 somewhere into a text. */
function splice(text: string, { random }: Making, bytes: number[]): Uint8Array {
  const good = encoder.encode(text);
  const place = Math.floor(random() * good.length);
  return Uint8Array.from([...good.subarray(0, place), ...bytes, ...good.subarray(place)]);
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)]!;
}
