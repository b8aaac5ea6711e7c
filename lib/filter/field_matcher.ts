/**
 * Promises to make a string of a field's bytes only when it has not seen them lately: the same few apps, regions
 * and levels come back line after line.
 *
 * @module
 */

/** This many values are remembered, each in the place that its bytes choose; a power of two. */
const PLACES = 64;

/** A value longer than this many bytes is not remembered. */
const REMEMBERED_BYTES = 64;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Asks one question of strings, also of those inside of JSON. The answer must only depend on the string. */
export class FieldMatcher {
  /** The answer where there is no value. */
  readonly absent: boolean;
  readonly #question: (value: string) => boolean;
  readonly #bytes = new Uint8Array(PLACES * REMEMBERED_BYTES);
  /** The length of the value in each place, -1 while there is none. */
  readonly #lengths = new Int32Array(PLACES).fill(-1);
  readonly #verdicts = new Uint8Array(PLACES);

  /** `question` is what is asked; `absent` is the answer where there is no value to ask about. */
  constructor(question: (value: string) => boolean, absent = false) {
    this.#question = question;
    this.absent = absent;
  }

  /** Asks about a value; undefined where there is none. */
  matches(value: string | undefined): boolean {
    return value === undefined ? this.absent : this.#question(value);
  }

  /**
   * Asks about the string between two quotes of valid JSON; `escaped` says whether there are backslashes in it.
   * Where `start` is -1 there is no value.
   */
  matchesBytes(bytes: Uint8Array, start: number, end: number, escaped: boolean): boolean {
    if (start === -1) return this.absent;
    const length = end - start;
    if (escaped || length > REMEMBERED_BYTES) return this.#decide(bytes, start, end, escaped);
    let hash = length;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    const first = place * REMEMBERED_BYTES;
    if (this.#lengths[place] === length) {
      let same = 0;
      while (same < length && this.#bytes[first + same] === bytes[start + same]) same++;
      if (same === length) return this.#verdicts[place] === 1;
    }
    const verdict = this.#decide(bytes, start, end, escaped);
    for (let i = 0; i < length; i++) this.#bytes[first + i] = bytes[start + i]!;
    this.#lengths[place] = length;
    this.#verdicts[place] = verdict ? 1 : 0;
    return verdict;
  }

  #decide(bytes: Uint8Array, start: number, end: number, escaped: boolean): boolean {
    const text = decoder.decode(bytes.subarray(start, end));
    return this.#question(escaped ? JSON.parse(`"${text}"`) : text);
  }
}
