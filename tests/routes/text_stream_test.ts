import assert from "node:assert/strict";
import { textStream } from "../../routes/text_stream.ts";

const LINE =
  '{"timestamp":"2026-11-22T10:00:00.5Z","message":"héllo","log":{"level":"info"},"fly":{"app":{"name":"web","instance":"0e28"},"region":"fra"}}\n';

function sourceOf(pieces: Uint8Array[], onCancel = () => {}): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < pieces.length) controller.enqueue(pieces[next++]!);
      else controller.close();
    },
    cancel: onCancel,
  }, { highWaterMark: 0 });
}

async function textOf(pieces: Uint8Array[]): Promise<string> {
  return await new Response(textStream(sourceOf(pieces))).text();
}

const bytes = new TextEncoder().encode(LINE.repeat(3));

Deno.test("textStream() writes the same text however the lines are cut", async () => {
  const whole = await textOf([bytes]);
  assert.equal(whole.split("\n").length, 4);
  assert.match(whole, /^2026-11-22T10:00:00\.500Z web\[0e28\] fra \[info\] héllo\n/);
  assert.equal(await textOf(Array.from(bytes, (byte) => Uint8Array.of(byte))), whole);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.equal(await textOf([bytes.subarray(0, cut), bytes.subarray(cut)]), whole);
  }
});

Deno.test("textStream() writes nothing when there is nothing", async () => {
  assert.equal(await textOf([]), "");
});

Deno.test("textStream() writes a last line that has no newline", async () => {
  assert.match(await textOf([bytes.subarray(0, -1)]), /héllo\n$/);
});

Deno.test("textStream() takes time by the bytes when one line comes in many pieces", async () => {
  const message = new TextEncoder().encode("x".repeat(100));
  const pieces = [
    new TextEncoder().encode('{"message":"'),
    ...Array.from({ length: 20_000 }, () => message),
    new TextEncoder().encode('"}\n'),
  ];
  assert.ok((await textOf(pieces)).length > 2_000_000);
});

Deno.test("textStream() cancels its source when it is cancelled", async () => {
  let cancelled = false;
  const stream = textStream(sourceOf([bytes], () => cancelled = true));
  await stream.cancel();
  assert.equal(cancelled, true);
});

Deno.test("textStream() fails when its source does", async () => {
  const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("torn")) });
  await assert.rejects(new Response(textStream(failing)).text(), /torn/);
});
