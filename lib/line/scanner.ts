/**
 * Promises to know a Fly log record from its bytes alone, many times faster than parsing and validating it,
 * and never to take for one what the schema in fly_log.ts refuses: a line in doubt is left to the schema.
 *
 * @module
 */

import { DEPTH_LIMIT, JsonReader, NOT_FOUND } from "./json_reader.ts";
import { FieldSpans, LineShape } from "./shape.ts";
import { readTimestamp } from "../timestamp.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The members that have a meaning, each with a bit of its own: by it a doubled one is noticed, and by it
 * {@linkcode LineScanner.escaped} says which fields contain a backslash. The objects among them, and ROOT,
 * are also the places in which a name is looked up.
 */
const ROOT = 0;
/** The bit of `message` in {@linkcode LineScanner.escaped}. */
export const MESSAGE = 1;
/** The bit of `log.level` in {@linkcode LineScanner.escaped}. */
export const LEVEL = 2;
/** The bit of `fly.app.name` in {@linkcode LineScanner.escaped}. */
export const APP = 4;
/** The bit of `fly.app.instance` in {@linkcode LineScanner.escaped}. */
export const INSTANCE = 8;
/** The bit of `fly.region` in {@linkcode LineScanner.escaped}. */
export const REGION = 16;
/** The bit of `event.provider` in {@linkcode LineScanner.escaped}. */
export const PROVIDER = 32;
const TIMESTAMP = 64;
const HOST = 128;
const LOG_OBJECT = 256;
const FLY_OBJECT = 512;
const APP_OBJECT = 1024;
const EVENT_OBJECT = 2048;
const ENVELOPE = 4096;
const OBJECTS = LOG_OBJECT | FLY_OBJECT | APP_OBJECT | EVENT_OBJECT;
/** Any other member. */
const OTHER = 0;
const ANY_VALUE = ENVELOPE | OTHER;

/**
 * After this many lines in a row that are not of the shape last learned, another shape is learned: lines that
 * take turns must not make the scanner learn all the time.
 */
const MISSES_LIMIT = 16;

const encoder = new TextEncoder();
const MESSAGE_NAME = encoder.encode("message");
const TIMESTAMP_NAME = encoder.encode("timestamp");
const LOG_NAME = encoder.encode("log");
const FLY_NAME = encoder.encode("fly");
const HOST_NAME = encoder.encode("host");
const EVENT_NAME = encoder.encode("event");
const LEVEL_NAME = encoder.encode("level");
const APP_NAME = encoder.encode("app");
const REGION_NAME = encoder.encode("region");
const NAME_NAME = encoder.encode("name");
const INSTANCE_NAME = encoder.encode("instance");
const PROVIDER_NAME = encoder.encode("provider");
const ENVELOPE_NAME = encoder.encode("flightlog");

/**
 * Recognises records and remembers where their fields are. A scanner is made once and used for line after line;
 * {@linkcode scan} allocates nothing, and everything it found holds until it is called again.
 *
 * A span is the range of bytes between the quotes of a string, or -1 to -1 where the record has no such
 * member. Where the field's bit in {@linkcode escaped} is not set, these bytes are the value in UTF-8.
 */
export class LineScanner {
  /** What the last {@linkcode scan} returned. Nothing else here has a meaning while it is false. */
  recognized = false;
  /** Where `timestamp` is. It never contains a backslash. */
  timestampStart: number = NOT_FOUND;
  /** See {@linkcode timestampStart}. */
  timestampEnd: number = NOT_FOUND;
  /** Where `message` is; always there. */
  messageStart: number = NOT_FOUND;
  /** See {@linkcode messageStart}. */
  messageEnd: number = NOT_FOUND;
  /** Where `log.level` is. */
  levelStart: number = NOT_FOUND;
  /** See {@linkcode levelStart}. */
  levelEnd: number = NOT_FOUND;
  /** Where `fly.app.name` is. */
  appStart: number = NOT_FOUND;
  /** See {@linkcode appStart}. */
  appEnd: number = NOT_FOUND;
  /** Where `fly.app.instance` is. */
  instanceStart: number = NOT_FOUND;
  /** See {@linkcode instanceStart}. */
  instanceEnd: number = NOT_FOUND;
  /** Where `fly.region` is. */
  regionStart: number = NOT_FOUND;
  /** See {@linkcode regionStart}. */
  regionEnd: number = NOT_FOUND;
  /** Where `event.provider` is. */
  providerStart: number = NOT_FOUND;
  /** See {@linkcode providerStart}. */
  providerEnd: number = NOT_FOUND;
  /** The bits of the fields that contain a backslash. */
  escaped = 0;
  /** Whether the record has a timestamp that is a moment; then it is in `seconds` and `nanoseconds`. */
  timed = false;
  /** Whole seconds of the record's own timestamp; of no meaning unless {@linkcode timed}. */
  seconds = 0;
  /** Nanoseconds of the record's own timestamp; of no meaning unless {@linkcode timed}. */
  nanoseconds = 0;
  /** Whether a line feed or carriage return stands between tokens. */
  hasNewline = false;
  /** Whether the record has the member that makes it an envelope, `flightlog`. */
  hasEnvelope = false;

  #seen = 0;
  readonly #shape = new LineShape();
  readonly #spans = new FieldSpans();
  #misses = MISSES_LIMIT;
  readonly #json = new JsonReader();

  /**
   * Tells whether `bytes` from `start` to `end`, which is within them, is a record beyond doubt. False says nothing about the line
   * but that the schema has to be asked: besides what is no record at all, this is so for doubled members,
   * backslashes in the timestamp or in the names of members, and {@linkcode DEPTH_LIMIT}.
   */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.recognized = false;
    this.timed = false;
    this.#json.open(bytes);
    if (!this.#scanShape(bytes, start, end) && !this.#scanAny(bytes, start, end)) return false;
    if (this.timestampStart !== NOT_FOUND) {
      this.timed = readTimestamp(bytes, this.timestampStart, this.timestampEnd, this);
    }
    this.recognized = true;
    return true;
  }

  #forget(): void {
    this.timestampStart = this.timestampEnd = NOT_FOUND;
    this.messageStart = this.messageEnd = NOT_FOUND;
    this.levelStart = this.levelEnd = NOT_FOUND;
    this.appStart = this.appEnd = NOT_FOUND;
    this.instanceStart = this.instanceEnd = NOT_FOUND;
    this.regionStart = this.regionEnd = NOT_FOUND;
    this.providerStart = this.providerEnd = NOT_FOUND;
    this.escaped = 0;
  }

  /** Recognises a line of the shape that was learned. */
  #scanShape(bytes: Uint8Array, start: number, end: number): boolean {
    const json = this.#json;
    const shape = this.#shape;
    const { fields } = shape;
    if (fields === 0) return false;
    this.#forget();
    let at = start;
    for (let field = 0; field < fields; field++) {
      at = shape.piece(field, json, at, end);
      if (at === NOT_FOUND) return false;
      at = this.#field(shape.members[field]!, bytes, at, end);
      if (at === NOT_FOUND) return false;
    }
    if (shape.piece(fields, json, at, end) !== end) return false;
    this.hasNewline = shape.hasNewline;
    this.hasEnvelope = shape.hasEnvelope;
    this.#misses = 0;
    return true;
  }

  /** Recognises a line of any shape. */
  #scanAny(bytes: Uint8Array, start: number, end: number): boolean {
    const json = this.#json;
    this.#forget();
    this.#seen = 0;
    this.#spans.count = 0;
    json.newline = false;
    const at = this.#object(ROOT, bytes, json.space(bytes, start, end), end);
    if (at === NOT_FOUND || json.space(bytes, at, end) !== end) return false;
    if ((this.#seen & MESSAGE) === 0) return false;
    this.hasNewline = json.newline;
    this.hasEnvelope = (this.#seen & ENVELOPE) !== 0;
    if (++this.#misses > MISSES_LIMIT && this.#shape.learn(bytes, start, end, this.#spans)) {
      this.#shape.hasNewline = this.hasNewline;
      this.#shape.hasEnvelope = this.hasEnvelope;
      this.#misses = 0;
    }
    return true;
  }

  /** Goes over the object that is `place` and returns the position after it. */
  #object(place: number, bytes: Uint8Array, at: number, end: number): number {
    const json = this.#json;
    if (at >= end || bytes[at] !== OPEN_BRACE) return NOT_FOUND;
    at = json.space(bytes, at + 1, end);
    if (at < end && bytes[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (at >= end || bytes[at] !== QUOTE) return NOT_FOUND;
      const nameStart = at + 1;
      json.escaped = false;
      at = json.string(bytes, nameStart, end);
      if (at === NOT_FOUND || json.escaped) return NOT_FOUND;
      const member = memberAt(place, bytes, nameStart, at);
      at = json.space(bytes, at + 1, end);
      if (at >= end || bytes[at] !== COLON) return NOT_FOUND;
      at = json.space(bytes, at + 1, end);
      if ((this.#seen & member) !== 0) return NOT_FOUND;
      this.#seen |= member;
      const valueStart = at;
      if ((member & ANY_VALUE) === member) {
        at = json.value(bytes, at, end, DEPTH_LIMIT);
      } else if ((member & OBJECTS) !== 0) {
        at = this.#object(member, bytes, at, end);
      } else {
        at = this.#field(member, bytes, at, end);
        this.#spans.add(member, valueStart, at);
      }
      if (at === NOT_FOUND) return NOT_FOUND;
      at = json.space(bytes, at, end);
      if (at >= end) return NOT_FOUND;
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_FOUND;
      at = json.space(bytes, at + 1, end);
    }
  }

  /** Goes over the string that is the value of `member`, and remembers where it is. */
  #field(member: number, bytes: Uint8Array, at: number, end: number): number {
    const json = this.#json;
    if (at >= end || bytes[at] !== QUOTE) return NOT_FOUND;
    const start = at + 1;
    json.escaped = false;
    const close = json.string(bytes, start, end);
    if (close === NOT_FOUND) return NOT_FOUND;
    if (json.escaped) {
      if (member === TIMESTAMP) return NOT_FOUND;
      this.escaped |= member;
    }
    switch (member) {
      case MESSAGE:
        this.messageStart = start;
        this.messageEnd = close;
        break;
      case TIMESTAMP:
        this.timestampStart = start;
        this.timestampEnd = close;
        break;
      case LEVEL:
        this.levelStart = start;
        this.levelEnd = close;
        break;
      case APP:
        this.appStart = start;
        this.appEnd = close;
        break;
      case INSTANCE:
        this.instanceStart = start;
        this.instanceEnd = close;
        break;
      case REGION:
        this.regionStart = start;
        this.regionEnd = close;
        break;
      case PROVIDER:
        this.providerStart = start;
        this.providerEnd = close;
        break;
    }
    return close + 1;
  }
}

/** Tells which member of `place` the name is. */
function memberAt(place: number, bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  switch (place) {
    case ROOT:
      if (length === 3) {
        if (same(FLY_NAME, bytes, start)) return FLY_OBJECT;
        return same(LOG_NAME, bytes, start) ? LOG_OBJECT : OTHER;
      }
      if (length === 4) return same(HOST_NAME, bytes, start) ? HOST : OTHER;
      if (length === 5) return same(EVENT_NAME, bytes, start) ? EVENT_OBJECT : OTHER;
      if (length === 7) return same(MESSAGE_NAME, bytes, start) ? MESSAGE : OTHER;
      if (length !== 9) return OTHER;
      if (same(TIMESTAMP_NAME, bytes, start)) return TIMESTAMP;
      return same(ENVELOPE_NAME, bytes, start) ? ENVELOPE : OTHER;
    case LOG_OBJECT:
      return length === 5 && same(LEVEL_NAME, bytes, start) ? LEVEL : OTHER;
    case FLY_OBJECT:
      if (length === 3) return same(APP_NAME, bytes, start) ? APP_OBJECT : OTHER;
      return length === 6 && same(REGION_NAME, bytes, start) ? REGION : OTHER;
    case APP_OBJECT:
      if (length === 4) return same(NAME_NAME, bytes, start) ? APP : OTHER;
      return length === 8 && same(INSTANCE_NAME, bytes, start) ? INSTANCE : OTHER;
    default:
      return length === 8 && same(PROVIDER_NAME, bytes, start) ? PROVIDER : OTHER;
  }
}

function same(name: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}
