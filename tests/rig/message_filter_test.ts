import assert from "node:assert/strict";
import { MessageFilter } from "./message_filter.ts";

const STREAM = [
  'INFO {"server_id":"A"}\r\n',
  "PONG\r\n",
  "MSG logs.web.fra.1 1 5\r\nfirst\r\n",
  "MSG logs.web.fra.1 1 reply 6\r\nsecond\r\n",
  "PING\r\n",
  "HMSG logs.web.fra.1 1 12 17\r\nNATS/1.0\r\n\r\nthird\r\n",
  "MSG logs.web.fra.1 1 14\r\nMSG a 1 2\r\n\r\n\n\r\n",
  "-ERR 'Slow Consumer'\r\n",
];

/** What a filter that loses the messages of these numbers, counted from 0, passes on of pieces of so many bytes. */
function filtered(lost: number[], pieceBytes: number): string {
  let message = 0;
  const filter = new MessageFilter(() => lost.includes(message++));
  const bytes = new TextEncoder().encode(STREAM.join(""));
  let text = "";
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    text += new TextDecoder().decode(filter.pass(bytes.slice(at, at + pieceBytes)));
  }
  return text;
}

Deno.test("MessageFilter leaves out whole messages, however the bytes are cut, and passes on all else", () => {
  for (let pieceBytes = 1; pieceBytes <= 200; pieceBytes++) {
    assert.equal(filtered([], pieceBytes), STREAM.join(""), `pieces of ${pieceBytes} bytes`);
    const [info, pong, first, , ping, , fourth, error] = STREAM;
    assert.equal(filtered([1, 2], pieceBytes), [info, pong, first, ping, fourth, error].join(""));
    assert.equal(filtered([0, 1, 2, 3], pieceBytes), [info, pong, ping, error].join(""));
  }
});

Deno.test("MessageFilter refuses what is no stream of a NATS server", () => {
  const pass = (text: string) => new MessageFilter(() => false).pass(new TextEncoder().encode(text));
  assert.throws(() => pass("MSG logs.web many\r\n"), /^Error: Cannot follow the stream: "MSG logs\.web many/);
  assert.throws(() => pass("x".repeat(64 * 1024 + 1)), /a line has more than 65536 bytes$/);
});
