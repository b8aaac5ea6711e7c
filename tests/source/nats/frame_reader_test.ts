import assert from "node:assert/strict";
import { FrameReader, LINE_LIMIT_BYTES } from "../../../lib/source/nats/frame_reader.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function createReader(): { reader: FrameReader; seen: string[] } {
  const seen: string[] = [];
  const reader = new FrameReader({
    onMessage: (sid, message) => seen.push(`${sid} ${message.subject} ${decoder.decode(message.payload)}`),
    onControl: (text, frame) => seen.push(`${text}|${JSON.stringify(decoder.decode(frame))}`),
  });
  return { reader, seen };
}

const STREAM = 'INFO {"a":1}\r\n' +
  "MSG logs.a 1 5\r\nhello\r\n" +
  "PING\r\n" +
  "MSG logs.b 12 _INBOX.1 2\r\n\r\n\r\n" +
  "HMSG logs.c 2 12 15\r\nNATS/1.0\r\n\r\nabc\r\n" +
  "HMSG logs.d 2 reply.12 12 12\r\nNATS/1.0\r\n\r\n\r\n" +
  "MSG logs.e 1 0\r\n\r\n" +
  "-ERR 'Slow Consumer'\r\n" +
  "msg\tlogs.f  3 \t 9\r\nMSG a 1 1\r\n" +
  "+OK\r\nPONG\r\n";

const FRAMES = [
  'INFO {"a":1}|"INFO {\\"a\\":1}\\r\\n"',
  "1 logs.a hello",
  'PING|"PING\\r\\n"',
  "12 logs.b \r\n",
  "2 logs.c abc",
  "2 logs.d ",
  "1 logs.e ",
  "-ERR 'Slow Consumer'|\"-ERR 'Slow Consumer'\\r\\n\"",
  "3 logs.f MSG a 1 1",
  '+OK|"+OK\\r\\n"',
  'PONG|"PONG\\r\\n"',
];

Deno.test("FrameReader.read() finds the same frames however the bytes are cut", () => {
  const bytes = encoder.encode(STREAM);
  for (let size = 1; size <= bytes.length; size++) {
    const { reader, seen } = createReader();
    for (let start = 0; start < bytes.length; start += size) reader.read(bytes.slice(start, start + size));
    assert.deepEqual(seen, FRAMES, `in pieces of ${size} bytes`);
  }
});

Deno.test("FrameReader.read() needs the bytes no more when it returns", () => {
  const bytes = encoder.encode(STREAM);
  const buffer = new Uint8Array(7);
  const { reader, seen } = createReader();
  for (let start = 0; start < bytes.length; start += buffer.length) {
    const piece = bytes.subarray(start, start + buffer.length);
    buffer.set(piece);
    reader.read(buffer.subarray(0, piece.length));
    buffer.fill(0x58);
  }
  assert.deepEqual(seen, FRAMES);
});

for (
  const [name, text, reason] of [
    ["no frame", "garbage secret\r\n", "a line is no frame"],
    ["a line that only starts like a message", "MOSG secret 1 1\r\n", "a line is no frame"],
    ["a message without a blank", "MSGsecret 1 1\r\n", "a line is no frame"],
    ["an empty line", "\r\n", "a line is no frame"],
    ["a word that only starts like a frame", "PINGS\r\n", "a line is no frame"],
    ["a message without a size", "MSG secret 1\r\n", "a message line is incomplete"],
    ["a message with a size that is no number", "MSG secret 1 1x\r\n", "a message line is incomplete"],
    ["a message with a negative size", "MSG secret 1 -1\r\n", "a message line is incomplete"],
    ["a message with too many fields", "MSG secret 1 a 2 3\r\n", "a message line is incomplete"],
    ["headers longer than the message", "HMSG secret 1 12 3\r\n", "a message line is incomplete"],
    ["a payload that goes on", "MSG secret 1 2\r\nsecret\r\n", "a payload is not as long as announced"],
    ["a payload beyond all limits", "MSG secret 1 67108865\r\n", "a payload is longer than 67108864 bytes"],
    [
      "a size of thirty digits",
      "MSG secret 1 999999999999999999999999999999\r\n",
      "a payload is longer than",
    ],
  ] as const
) {
  Deno.test(`FrameReader.read() refuses ${name}, and reads nothing after it`, () => {
    for (const size of [1, 1000]) {
      const { reader, seen } = createReader();
      const bytes = encoder.encode(text);
      assert.throws(
        () => {
          for (let start = 0; start < bytes.length; start += size) {
            reader.read(bytes.slice(start, start + size));
          }
        },
        (error: unknown) =>
          error instanceof SyntaxError && error.message.includes(reason) && !error.message.includes("secret"),
      );
      reader.read(encoder.encode("PING\r\n"));
      assert.deepEqual(seen, []);
    }
  });
}

Deno.test("FrameReader.read() refuses a line that does not end", () => {
  const { reader } = createReader();
  const piece = encoder.encode("INFO ".padEnd(LINE_LIMIT_BYTES / 4, "x"));
  for (let count = 0; count < 4; count++) reader.read(piece);
  assert.throws(() => reader.read(piece), /a line is longer than 1048576 bytes/);
});

Deno.test("FrameReader.read() refuses a line that is too long when it comes in one piece", () => {
  const { reader } = createReader();
  const line = encoder.encode(`INFO ${"x".repeat(LINE_LIMIT_BYTES)}\r\n`);
  assert.throws(() => reader.read(line), /a line is longer than 1048576 bytes/);
});

Deno.test("FrameReader.stop() lets nothing more of the same bytes through", () => {
  const seen: string[] = [];
  const reader = new FrameReader({
    onMessage(_sid, message) {
      seen.push(message.subject);
      reader.stop();
    },
    onControl: (text) => seen.push(text),
  });
  reader.read(encoder.encode("MSG a 1 0\r\n\r\nMSG b 1 0\r\n\r\nPING\r\n"));
  assert.deepEqual(seen, ["a"]);
});
