import assert from "node:assert/strict";
import { lastLineTime, lineTime } from "../../../lib/archive/read/line_times.ts";

const encoder = new TextEncoder();
const MS = Date.parse("2026-11-22T10:00:00.500Z");
const TIMED = '{"message":"one","timestamp":"2026-11-22T10:00:00.5Z"}';
const UNTIMED = '{"message":"two"}';

Deno.test("lineTime() is the line's own timestamp, null where it has none", () => {
  assert.equal(lineTime(encoder.encode(TIMED)), MS);
  assert.equal(lineTime(encoder.encode(UNTIMED)), null);
  assert.equal(lineTime(encoder.encode('{"message":"x","timestamp":"just now"}')), null);
  assert.equal(lineTime(encoder.encode('{"mess')), null);
});

Deno.test("lastLineTime() passes over lines without a time", () => {
  const earlier = '{"message":"zero","timestamp":"2026-11-22T09:00:00Z"}';
  assert.equal(lastLineTime(encoder.encode(`${earlier}\n${TIMED}\n${UNTIMED}\n`)), MS);
  assert.equal(lastLineTime(encoder.encode(`${TIMED}\n`)), MS);
  assert.equal(lastLineTime(encoder.encode(`${UNTIMED}\n`)), null);
  assert.equal(lastLineTime(new Uint8Array()), null);
});
