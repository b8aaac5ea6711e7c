import assert from "node:assert/strict";
import { beginWith, endEmptyWith, peekLines } from "../../routes/hint_stream.ts";

const encoder = new TextEncoder();

function bodyOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => encoder.encode(chunk)));
}

const textOf = (body: ReadableStream<Uint8Array>) => new Response(body).text();
const ENDING = () => Promise.resolve("--- nothing ---\n");

Deno.test("endEmptyWith() adds an ending to a body without lines, also where it has remarks", async () => {
  assert.equal(await textOf(endEmptyWith(bodyOf(), ENDING)), "--- nothing ---\n");
  assert.equal(
    await textOf(endEmptyWith(bodyOf("--- gap ---\n--- gap ---\n", "--- gap ---\n"), ENDING)),
    "--- gap ---\n--- gap ---\n--- gap ---\n--- nothing ---\n",
  );
  assert.equal(await textOf(endEmptyWith(bodyOf(), () => Promise.resolve(null))), "");
});

Deno.test("endEmptyWith() leaves a body with a line as it is", async () => {
  for (const chunks of [["a\n"], ["--- gap ---\n", "--- gap ---\na\n", "--- gap ---\n"], ["-\n"]]) {
    const unasked = () => assert.fail("not asked for");
    assert.equal(await textOf(endEmptyWith(bodyOf(...chunks), unasked)), chunks.join(""));
  }
});

Deno.test("peekLines() tells whether there is a line, and gives the whole body all the same", async () => {
  for (
    const [chunks, hasLines] of [[[], false], [["--- a\n"], false], [
      ["--- a\n", "b\n", "c\n"],
      true,
    ]] as const
  ) {
    const peeked = await peekLines(bodyOf(...chunks));
    assert.equal(peeked.hasLines, hasLines);
    assert.equal(await textOf(peeked.body), chunks.join(""));
  }
});

Deno.test("peekLines() keeps a bounded number of remarks", async () => {
  let given = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encoder.encode(`--- ${given++}\n`)),
  }, { highWaterMark: 0 });
  const { hasLines, body } = await peekLines(endless);
  assert.equal(hasLines, true);
  assert.equal(given, 64);
  await body.cancel();
});

Deno.test("a body with a hint is cancelled with its reader, and fails as it does", async () => {
  for (
    const wrap of [
      (body: ReadableStream<Uint8Array>) => beginWith("x\n", body),
      (body: ReadableStream<Uint8Array>) => endEmptyWith(body, ENDING),
    ]
  ) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await wrap(new ReadableStream({ cancel: resolve })).cancel("gone");
    assert.equal(await promise, "gone");
    const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("damaged")) });
    await assert.rejects(textOf(wrap(broken)), /damaged/);
  }
});
