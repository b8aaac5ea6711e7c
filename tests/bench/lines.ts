/**
 * Promises Fly-shaped lines that are the same in every run, made faster than any recorder takes them, and
 * already framed for a NATS server, so that publishing them is one copy.
 *
 * @module
 */

/** What every line in {@linkcode NEEDLE_LINES} of a day contains and no other. */
export const NEEDLE = "deadline exceeded on shard 7f3a91";

/** How many lines of a day contain {@linkcode NEEDLE}. */
export const NEEDLE_LINES = 20;

/** The app that writes {@linkcode RARE_LINES} lines a day. */
export const RARE_APP = "nightly-report";

/** How many lines a day are of {@linkcode RARE_APP}. */
export const RARE_LINES = 10;

/** Lines that are published together. */
export interface LineBatch {
  /** How many. */
  count: number;
  /** The protocol's `PUB` frames of all of them. */
  frames: Uint8Array;
  /** The bytes of the payloads, each with a newline: what an archive of them takes. */
  payloadBytes: number;
  /** The bytes of the blog post's text lines of them. */
  textBytes: number;
}

const REGIONS = ["ams", "fra", "iad", "nrt", "sjc", "syd"];
/** The more often an app stands here, the more it writes. */
const APPS = [
  "web",
  "web",
  "web",
  "web",
  "api",
  "api",
  "api",
  "worker",
  "worker",
  "mailer",
  "postgres",
  "proxy",
];
const PATHS = [
  "/",
  "/items",
  "/items/{n}",
  "/login",
  "/search?q={n}",
  "/static/app.{n}.js",
  "/api/v2/orders/{n}",
];
const MACHINES_PER_APP = 4;

/** More than any frame of these lines takes, in bytes. */
const FRAME_LIMIT_BYTES = 1024;

/** One machine of an app: what all its lines begin with. */
interface Machine {
  instance: string;
  region: string;
  subject: string;
  start: string;
}

const MACHINES = new Map([...new Set([...APPS, RARE_APP])].map((app, i) => [app, machinesOf(app, i)]));
const encoder = new TextEncoder();

/**
 * Makes the lines of one day, in order of their timestamps, spread evenly over `spanMs`. The same options make
 * the same lines, however they are divided into batches.
 */
export class LineSource {
  #dayStartMs: number;
  #stepMs: number;
  #total: number;
  #next = 0;
  #random = 0x2545f491;
  #second = -1;
  #secondText = "";

  /** `dayStartMs` is the first line's time, `total` how many lines there will be within `spanMs`. */
  constructor(options: { dayStartMs: number; spanMs: number; total: number }) {
    this.#dayStartMs = options.dayStartMs;
    this.#stepMs = options.spanMs / options.total;
    this.#total = options.total;
  }

  /** How many lines are left. */
  get left(): number {
    return this.#total - this.#next;
  }

  /** The next lines: `count` of them, or as many as are left. */
  batch(count: number): LineBatch {
    const start = this.#next;
    const end = Math.min(this.#total, start + count);
    const frames = new Uint8Array((end - start) * FRAME_LIMIT_BYTES);
    const payload = new Uint8Array(FRAME_LIMIT_BYTES);
    let length = 0;
    let payloadBytes = 0;
    let textBytes = 0;
    for (; this.#next < end; this.#next++) {
      const machine = MACHINES.get(this.#app())![this.#draw(MACHINES_PER_APP)]!;
      const level = this.#draw(50) === 0 ? "error" : "info";
      const message = this.#message();
      const quoted = JSON.stringify(message);
      const timestamp = this.#timestamp();
      const text = `${machine.start}${level}"},"message":${quoted},"timestamp":"${timestamp}"}`;
      const bytes = encoder.encodeInto(text, payload).written;
      length += encoder.encodeInto(`PUB ${machine.subject} ${bytes}\r\n`, frames.subarray(length)).written;
      frames.set(payload.subarray(0, bytes), length);
      length += bytes;
      frames[length++] = 13;
      frames[length++] = 10;
      payloadBytes += bytes + 1;
      // What the payload has beyond the text's own characters is UTF-8, which the message has too.
      const messageBytes = message.length + (bytes - text.length);
      textBytes += `${timestamp} [${machine.instance}] ${machine.region} [${level}] \n`.length + messageBytes;
    }
    return { count: end - start, frames: frames.slice(0, length), payloadBytes, textBytes };
  }

  // xorshift32: quick, and the same everywhere.
  #draw(below: number): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return (x >>> 0) % below;
  }

  #isOneOf(times: number): boolean {
    const every = Math.max(1, Math.floor(this.#total / times));
    return this.#next % every === every >> 1 && this.#next < every * times;
  }

  #app(): string {
    return this.#isOneOf(RARE_LINES) ? RARE_APP : APPS[this.#draw(APPS.length)]!;
  }

  #message(): string {
    const number = this.#draw(1_000_000);
    const request = (this.#draw(0x7fffffff)).toString(16).padStart(8, "0");
    const millis = this.#draw(900);
    if (this.#isOneOf(NEEDLE_LINES)) return `request_id=${request} ${NEEDLE} after ${millis}ms`;
    switch (this.#draw(12)) {
      case 0:
        return JSON.stringify({
          level: "info",
          msg: "job done",
          job: number,
          queue: "mail",
          ms: millis,
          id: request,
        });
      case 1:
        return `\u001b[32mINFO\u001b[0m worker picked up \u001b[1mjob ${number}\u001b[0m id=${request}`;
      case 2:
        return `Grüße an 顧客 ${number} ✓ request_id=${request}`;
      case 3:
        return `    at handle (/app/src/handlers/order_${number % 97}.js:${millis}:17)`;
      default: {
        const path = PATHS[this.#draw(PATHS.length)]!.replace("{n}", String(number));
        const address = `${number % 223}.${millis % 251}.${this.#draw(256)}.${this.#draw(256)}`;
        return `${address} - "GET ${path} HTTP/1.1" 200 ${number % 48_611} ${millis}ms request_id=${request}`;
      }
    }
  }

  #timestamp(): string {
    const ms = this.#dayStartMs + this.#next * this.#stepMs;
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 19);
    }
    const nanoseconds = Math.floor((ms - second * 1000) * 1e6);
    return `${this.#secondText}.${String(nanoseconds).padStart(9, "0")}Z`;
  }
}

function machinesOf(app: string, place: number): Machine[] {
  return Array.from({ length: MACHINES_PER_APP }, (_, i) => {
    const instance =
      (Math.imul(place * MACHINES_PER_APP + i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0") +
      `c3058${i}`;
    const region = REGIONS[(place + i) % REGIONS.length]!;
    return {
      instance,
      region,
      subject: `logs.${app}.${region}.${instance}`,
      start: `{"event":{"provider":"app"},"fly":{"app":{"instance":"${instance}","name":"${app}"},` +
        `"region":"${region}"},"host":"0ad${i}","log":{"level":"`,
    };
  });
}
