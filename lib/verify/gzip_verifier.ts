/**
 * Promises to tell of one gzip file, wherever it comes from, whether it is whole: a day that was downloaded has no index
 * beside it, but every gzip file ends with the checksum and the length of its text.
 *
 * @module
 */

import { basename } from "node:path";
import { inspectText } from "../archive/blocks/block.ts";
import { LINE_FEED } from "../archive/format.ts";

/** A line longer than this is not what this program writes, in bytes. */
const LINE_LIMIT_BYTES = 64 * 1024 * 1024;

/** What a gzip file has. */
export interface VerifiedGzip {
  /** How many lines could be read. */
  lines: number;
  /** How long their text is, in bytes. */
  bytes: number;
  /** What is wrong, in sentences with the file's name; empty for a whole file. */
  faults: string[];
}

/**
 * Reads a gzip file to its end. `onProgress` hears how many bytes of it were read so far.
 *
 * @throws {Error} If it cannot be opened.
 */
export async function verifyGzipFile(
  path: string,
  onProgress: (bytes: number) => void,
): Promise<VerifiedGzip> {
  const name = basename(path);
  const found: VerifiedGzip = { lines: 0, bytes: 0, faults: [] };
  const file = await Deno.open(path, { read: true });
  let done = 0;
  const counted = file.readable.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(piece, controller) {
        onProgress(done += piece.length);
        controller.enqueue(piece);
      },
    }),
  );
  let rest: Uint8Array = new Uint8Array();
  let noRecords = 0;
  try {
    for await (const piece of counted.pipeThrough(new DecompressionStream("gzip"))) {
      const text = rest.length === 0
        ? piece
        : new Uint8Array(await new Blob([rest.slice(), piece]).arrayBuffer());
      const end = text.lastIndexOf(LINE_FEED) + 1;
      if (end > 0) {
        const { summary, damagedLines } = inspectText(text.subarray(0, end));
        found.lines += summary.lines;
        noRecords += damagedLines;
      }
      found.bytes += end;
      rest = text.slice(end);
      if (rest.length > LINE_LIMIT_BYTES) throw new Error("a line of it has no end");
    }
    if (rest.length > 0) found.faults.push(`Cannot verify "${name}": its last line has no end`);
  } catch (error) {
    // Where reading fails says nothing: what was read before may be wrong as well.
    const what = `it is damaged: ${(error as Error).message}`;
    found.faults.push(`Cannot verify "${name}": ${what}; only the checksum at its end tells, and not where`);
  }
  if (noRecords > 0 && found.faults.length === 0) {
    found.faults.push(`Cannot verify "${name}": ${noRecords} of its lines are no records`);
  }
  return found;
}
