/**
 * Promises that after it ran, whatever a crash left in the directory is right again before the first write:
 * every whole line is where it was, what was torn off stands in a file of its own, derived files are those
 * of the truth or gone, half-done renames and removals are finished or undone. Damage in the middle of a
 * text is reported and never cut.
 *
 * The truth of a sealed text is its gzip file, that of everything behind it the plain file.
 *
 * @module
 */

import { join } from "node:path";
import { dayName, type DayNumber } from "../../day.ts";
import type { Finding } from "./aside.ts";
import { emptySummary, inflateBlock, sameBytes } from "../blocks/block.ts";
import {
  type DayIndex,
  IndexDamage,
  indexHeader,
  indexText,
  nextPlace,
  parseIndex,
  parseSeal,
} from "../blocks/day_index.ts";
import { listDayFiles } from "../day_files.ts";
import {
  copyBytes,
  readAt,
  readTextIfThere,
  removeIfThere,
  sizeOf,
  syncDirectory,
  writeAll,
  writeFileWhole,
} from "../disk.ts";
import {
  type BlockEntry,
  CONFLICT_SUFFIX,
  DAMAGED_SUFFIX,
  type FileKind,
  GAPS_FILE,
  gzFile,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  gzPartFile,
  HEADER_LINE_LIMIT_BYTES,
  indexFile,
  indexPartFile,
  parseFileName,
  plainFile,
  SEAL_LINE_LIMIT_BYTES,
  type SealEntry,
  TEMPORARY_SUFFIX,
  tornFile,
} from "../format.ts";
import { rebuildIndex } from "./index_repair.ts";
import { cutTornTail, inspectFile } from "../day/plain_end.ts";
import { unpackGzip } from "../blocks/unpack.ts";
import type { DayState } from "../day/recorded_day.ts";

/** What opening found. Days in `untouched` were left alone, each for the reason given. */
export interface Recovered {
  /** The days that can be read and recorded. */
  days: DayState[];
  /** The days left alone, and why. */
  untouched: Map<DayNumber, string>;
  /** What was out of order, in the order of its finding. */
  findings: Finding[];
}

/**
 * Puts the archive in `directory` right; see the module's comment. Blocks while it works. A day whose files
 * cannot be read or written (a bad sector, a full disk) is left alone: the others must be recorded all the same.
 */
export async function recoverArchive(directory: string): Promise<Recovered> {
  const recovered: Recovered = { days: [], untouched: new Map(), findings: [] };
  removeTemporaries(directory);
  for (const [day, files] of await listDayFiles(directory)) {
    try {
      const kinds = files.map(({ kind }) => kind);
      const state = new DayRecovery(directory, day, recovered.findings).run(kinds);
      if (state === "unknown version") {
        recovered.untouched.set(day, "its files were written by a newer version; run that version");
      } else if (state !== null) recovered.days.push(state);
    } catch (error) {
      const reason = (error as Error).message;
      recovered.untouched.set(day, reason);
      recovered.findings.push({ file: dayName(day), what: `left alone: ${reason}`, damage: true });
    }
  }
  return recovered;
}

/** Removes what a crash left half written: nothing refers to it. */
function removeTemporaries(directory: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory || !name.endsWith(TEMPORARY_SUFFIX)) continue;
    const whole = name.slice(0, -TEMPORARY_SUFFIX.length);
    if (whole === GAPS_FILE || parseFileName(whole) !== null) removeIfThere(join(directory, name));
  }
}

/** The recovery of one day. */
class DayRecovery {
  readonly #directory: string;
  readonly #day: DayNumber;
  readonly #findings: Finding[];

  constructor(directory: string, day: DayNumber, findings: Finding[]) {
    this.#directory = directory;
    this.#day = day;
    this.#findings = findings;
  }

  run(files: FileKind[]): DayState | "unknown version" | null {
    const plains = files.flatMap((file) => file.kind === "plain" ? [file.from] : []).sort((a, b) => a - b);
    const hasGz = files.some(({ kind }) => kind === "gz");
    let seal: SealEntry | null = null;
    if (hasGz) {
      const found = this.#sealedText(plains);
      if (found === "unknown version") return found;
      if (found === "unpacked") plains.unshift(0);
      else seal = found;
    } else if (removeIfThere(this.#path(indexFile(this.#day)))) {
      this.#note(indexFile(this.#day), "removed: the day was not sealed yet", false);
    }
    const from = this.#livingPlain(plains, seal) ?? this.#lostPlain(seal);
    if (from === null) {
      this.#removeParts();
      return seal === null ? null : this.#sealedState(seal);
    }
    return this.#hotState(seal, from);
  }

  #path(file: string): string {
    return join(this.#directory, file);
  }

  #note(file: string, what: string, damage: boolean): void {
    this.#findings.push({ file, what, damage });
  }

  /** The seal of the gzip file, with its index put right; "unpacked" where the day had to become hot again. */
  #sealedText(plains: number[]): SealEntry | "unpacked" | "unknown version" | null {
    const name = indexFile(this.#day);
    const gzBytes = sizeOf(this.#path(gzFile(this.#day)));
    const fast = this.#readSealFast();
    if (fast !== null && fast.gzBytes === gzBytes) return fast;
    let fault = "it is of another gzip file";
    try {
      parseIndex(readTextIfThere(this.#path(name)) ?? "", this.#day);
    } catch (error) {
      if (!(error instanceof IndexDamage)) throw error;
      if (error.unknownVersion) {
        this.#note(name, error.message + "; the day is left alone", true);
        return "unknown version";
      }
      fault = error.message;
    }
    const rebuilt = this.#rebuildIndex();
    if (rebuilt !== null) {
      this.#note(name, `made again from the gzip file: ${fault}`, false);
      return rebuilt;
    }
    if (plains[0] === 0) {
      removeIfThere(this.#path(gzFile(this.#day)));
      removeIfThere(this.#path(name));
      this.#note(gzFile(this.#day), `removed, to be made again from the plain file: ${fault}`, false);
      return null;
    }
    return this.#unpack(fault);
  }

  /** Reads only the end of the index: with 400 days, that is most of what opening costs. */
  #readSealFast(): SealEntry | null {
    const size = sizeOf(this.#path(indexFile(this.#day)));
    if (size === null) return null;
    using file = Deno.openSync(this.#path(indexFile(this.#day)), { read: true });
    const start = new TextDecoder().decode(readAt(file, 0, HEADER_LINE_LIMIT_BYTES));
    const length = Math.min(size, SEAL_LINE_LIMIT_BYTES);
    return parseSeal(start, new TextDecoder().decode(readAt(file, size - length, length)), this.#day);
  }

  /** Makes the index again; null where the gzip file is damaged too. */
  #rebuildIndex(): SealEntry | null {
    const path = this.#path(indexFile(this.#day));
    let index: DayIndex & { seal: SealEntry };
    try {
      index = rebuildIndex(this.#path(gzFile(this.#day)), this.#day, readTextIfThere(path) ?? "");
    } catch {
      return null; // what is wrong with the gzip file is told when it is unpacked
    }
    writeFileWhole(path, indexText(index));
    return index.seal;
  }

  /** A gzip file that is damaged and has no index cannot be read block by block: the day becomes a hot one again. */
  #unpack(fault: string): "unpacked" {
    const gz = this.#path(gzFile(this.#day));
    const plain = this.#path(plainFile(this.#day, 0));
    const failure = unpackGzip(gz, plain + TEMPORARY_SUFFIX);
    Deno.renameSync(plain + TEMPORARY_SUFFIX, plain);
    if (failure === null) removeIfThere(gz);
    else Deno.renameSync(gz, gz + DAMAGED_SUFFIX);
    removeIfThere(this.#path(indexFile(this.#day)));
    syncDirectory(this.#directory);
    const done = failure === null
      ? "unpacked, to be sealed again"
      : `unpacked as far as it goes (${failure})`;
    this.#note(gzFile(this.#day), `${done}: ${fault}`, failure !== null);
    return "unpacked";
  }

  /** Where the plain file starts that the day goes on in; null for none. Plain files that are done are removed. */
  #livingPlain(plains: number[], seal: SealEntry | null): number | null {
    let living: number | null = null;
    let end = seal?.rawBytes ?? 0;
    for (const from of plains) {
      const path = this.#path(plainFile(this.#day, from));
      const size = sizeOf(path) ?? 0;
      if (from === end && living === null) {
        living = from;
        end = from + size;
      } else if (living !== null && from <= end && this.#joinPlain(living, path, from, end)) {
        end = from + size;
      } else if (seal !== null && from + size <= seal.rawBytes && this.#isSealed(path, from, size)) {
        removeIfThere(path);
        this.#note(plainFile(this.#day, from), "removed: its lines are sealed", false);
      } else if (seal === null && living === null) {
        Deno.renameSync(path, this.#path(plainFile(this.#day, 0)));
        this.#note(plainFile(this.#day, from), "renamed: the sealed text before it is missing", true);
        living = 0;
        end = size;
      } else {
        Deno.renameSync(path, path + CONFLICT_SUFFIX);
        this.#note(plainFile(this.#day, from), "set aside: its lines do not fit those that are sealed", true);
      }
    }
    return living;
  }

  /**
   * Puts a plain file behind another one; only a day that was unpacked has two. What the first one has of the
   * second already, from a try that a crash ended, must be the same: else gives false.
   */
  #joinPlain(living: number, path: string, from: number, end: number): boolean {
    using target = Deno.openSync(this.#path(plainFile(this.#day, living)), { read: true, write: true });
    using source = Deno.openSync(path, { read: true });
    const joined = readAt(target, from - living, end - from);
    if (!sameBytes(joined, readAt(source, 0, end - from))) return false;
    target.seekSync(from - living, Deno.SeekMode.Start);
    source.seekSync(0, Deno.SeekMode.Start);
    copyBytes(source, target, source.statSync().size);
    target.syncSync();
    Deno.removeSync(path);
    return true;
  }

  /** Whether the text of a plain file stands, byte for byte, in the sealed blocks; damaged ones do not count. */
  #isSealed(path: string, from: number, size: number): boolean {
    try {
      return this.#hasBlocksOf(path, from, size);
    } catch {
      return false;
    }
  }

  #hasBlocksOf(path: string, from: number, size: number): boolean {
    const index = parseIndex(Deno.readTextFileSync(this.#path(indexFile(this.#day))), this.#day);
    using gz = Deno.openSync(this.#path(gzFile(this.#day)), { read: true });
    using plain = Deno.openSync(path, { read: true });
    let same = 0;
    for (const block of index.blocks) {
      if (block.rawOffset < from || block.rawOffset >= from + size) continue;
      const text = inflateBlock(readAt(gz, block.gzOffset, block.gzLength), block);
      const length = Math.min(text.length, from + size - block.rawOffset);
      if (!sameBytes(text.subarray(0, length), readAt(plain, block.rawOffset - from, length))) return false;
      same += length;
    }
    return same === size;
  }

  /** Where a plain file would start that is gone but whose lines the part still has; null for none. */
  #lostPlain(seal: SealEntry | null): number | null {
    const part = this.#readPart(seal?.rawBytes ?? 0, seal);
    if (part.blocks.length === 0) return null;
    this.#note(plainFile(this.#day, part.header.rawFrom), "was missing", true);
    return part.header.rawFrom;
  }

  /** The index of the part that belongs to a plain file starting at `from`, as far as it can be used. */
  #readPart(from: number, seal: SealEntry | null): DayIndex {
    const header = indexHeader(this.#day, from, seal === null ? 0 : seal.gzBytes - GZIP_TRAILER_BYTES);
    const empty: DayIndex = { header, blocks: [], seal: null };
    const text = readTextIfThere(this.#path(indexPartFile(this.#day)));
    const gzBytes = sizeOf(this.#path(gzPartFile(this.#day)));
    if (text === null || gzBytes === null) return empty;
    const index = this.#intactIndex(text);
    if (index === null || index.header.rawFrom !== from || index.header.gzFrom !== header.gzFrom) {
      return empty;
    }
    const blocks = index.blocks.filter(({ gzOffset, gzLength }) =>
      gzOffset + gzLength <= header.gzFrom + gzBytes
    );
    using part = Deno.openSync(this.#path(gzPartFile(this.#day)), { read: true });
    if (seal === null && !sameBytes(readAt(part, 0, GZIP_HEADER.length), GZIP_HEADER)) return empty;
    while (blocks.length > 0 && this.#tryInflate(part, blocks.at(-1)!, header.gzFrom) === null) blocks.pop();
    return { header, blocks, seal: null };
  }

  #intactIndex(text: string): DayIndex | null {
    try {
      return parseIndex(text, this.#day);
    } catch (error) {
      if (error instanceof IndexDamage) return error.intact;
      throw error;
    }
  }

  #removeParts(): void {
    removeIfThere(this.#path(gzPartFile(this.#day)));
    removeIfThere(this.#path(indexPartFile(this.#day)));
  }

  #sealedState(seal: SealEntry): DayState {
    return {
      day: this.#day,
      seal,
      plain: null,
      part: { header: indexHeader(this.#day, seal.rawBytes, 0), blocks: [], seal: null },
      tail: emptySummary(),
      modifiedMs: this.#modifiedMs(gzFile(this.#day)),
    };
  }

  #hotState(seal: SealEntry | null, from: number): DayState {
    const name = plainFile(this.#day, from);
    const path = this.#path(name);
    const part = this.#readPart(from, seal);
    this.#putBack(path, part);
    if (part.blocks.length === 0 || !this.#writePart(part)) {
      part.blocks.length = 0; // made again from the plain file, which is the truth
      this.#removeParts();
    }
    const covered = nextPlace(part).rawOffset - from;
    const cut = cutTornTail(path, covered, (end) => this.#path(tornFile(this.#day, from + end)));
    if (cut.tornBytes > 0) {
      const kept = cut.kept ? `kept in "${tornFile(this.#day, from + cut.size)}"` : "which could not be kept";
      this.#note(name, `cut to its last whole line: ${cut.tornBytes} bytes behind it, ${kept}`, false);
    }
    const { summary, damagedLines } = inspectFile(path, covered, cut.size);
    if (damagedLines > 0) {
      this.#note(name, `has ${damagedLines} lines that are no records, among lines that are`, true);
    }
    return {
      day: this.#day,
      seal,
      plain: { from, size: cut.size },
      part,
      tail: summary,
      modifiedMs: this.#modifiedMs(name),
    };
  }

  /**
   * Blocks are made of synced text only: a plain file that is shorter lost lines that they still have. Where one
   * of them is damaged, all are set aside.
   */
  #putBack(path: string, part: DayIndex): void {
    const { rawFrom, gzFrom } = part.header;
    const end = nextPlace(part).rawOffset;
    using plain = Deno.openSync(path, { read: true, write: true, create: true });
    const size = plain.statSync().size;
    if (rawFrom + size >= end) return;
    using gz = Deno.openSync(this.#path(gzPartFile(this.#day)), { read: true });
    for (const block of part.blocks) {
      if (block.rawOffset + block.rawLength <= rawFrom + size) continue;
      const text = this.#tryInflate(gz, block, gzFrom);
      if (text === null) {
        const name = gzPartFile(this.#day);
        Deno.renameSync(this.#path(name), this.#path(name) + DAMAGED_SUFFIX);
        this.#note(name, `set aside: its block at ${block.gzOffset} is damaged`, true);
        part.blocks.length = 0;
        break;
      }
      plain.seekSync(block.rawOffset - rawFrom, Deno.SeekMode.Start);
      writeAll(plain, text);
    }
    plain.syncSync();
    const back = plain.statSync().size - size;
    this.#note(
      plainFile(this.#day, rawFrom),
      `was ${end - rawFrom - size} bytes short: ${back} put back from the blocks`,
      false,
    );
  }

  #tryInflate(gz: Deno.FsFile, block: BlockEntry, gzFrom: number): Uint8Array | null {
    try {
      return inflateBlock(readAt(gz, block.gzOffset - gzFrom, block.gzLength), block);
    } catch {
      return null;
    }
  }

  /** Writes the index of what can be used of the part; false where that fails, as on a full disk. */
  #writePart(part: DayIndex): boolean {
    const path = this.#path(indexPartFile(this.#day));
    const text = indexText(part);
    if (readTextIfThere(path) === text) return true;
    try {
      writeFileWhole(path, text);
      return true;
    } catch {
      return false;
    }
  }

  #modifiedMs(file: string): number {
    return Deno.statSync(this.#path(file)).mtime?.getTime() ?? 0;
  }
}
