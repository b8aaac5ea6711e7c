/**
 * Promises one answer to whether two letters are the same in either case, to the recorder's threads and, as it
 * stands here, to the browser: what a search finds is what the page marks.
 *
 * @module
 */

// @ts-check

/** What may be a letter that has a lower case. */
const FOLDABLE = /[A-Z\u0080-\u{10ffff}]/gu;

const UPPERCASE = /\p{Uppercase}/u;

/** The last character that is looked at for {@linkcode caseVariants}; letters with cases all lie before it. */
const LAST_WITH_CASE = 0x1ffff;
const CHARACTERS_AT_ONCE = 4096;

/** For each letter that others become when folded, those others. @type {Map<string, string[]> | null} */
let unfolded = null;

/**
 * Whether a text is looked for in any case: it has no uppercase letter (Unicode's property Uppercase), as with
 * ripgrep's --smart-case.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function matchesAnyCase(text) {
  return !UPPERCASE.test(text);
}

/**
 * Puts each letter into lower case by itself, as long as that is one letter too (Unicode's simple mapping), and
 * an ASCII letter only where an ASCII letter was: the Kelvin sign is no k. The length stays the same, so places
 * in the folded text are places in the text.
 *
 * @param {string} text
 * @returns {string}
 */
export function foldCase(text) {
  return text.replace(FOLDABLE, foldCharacter);
}

/**
 * @param {string} character
 * @returns {string}
 */
function foldCharacter(character) {
  const lower = character.toLowerCase();
  if (lower.length !== character.length) return character;
  return character.charCodeAt(0) < 0x80 || lower.charCodeAt(0) >= 0x80 ? lower : character;
}

/**
 * Every character that {@linkcode foldCase} makes the same as `character`.
 *
 * @param {string} character
 * @returns {string[]}
 */
export function caseVariants(character) {
  const folded = foldCase(character);
  if (folded.charCodeAt(0) < 0x80) {
    const upper = folded.toUpperCase();
    return upper === folded ? [folded] : [folded, upper];
  }
  return [folded, ...(lettersByFolded().get(folded) ?? [])];
}

/** @returns {Map<string, string[]>} */
function lettersByFolded() {
  if (unfolded !== null) return unfolded;
  unfolded = new Map();
  for (let first = 0; first <= LAST_WITH_CASE; first += CHARACTERS_AT_ONCE) {
    const codes = Array.from({ length: CHARACTERS_AT_ONCE }, (_, i) => first + i);
    // The expression is native code: one by one, this would hold up the thread for 50 ms.
    for (const character of String.fromCodePoint(...codes).match(/\p{Changes_When_Lowercased}/gu) ?? []) {
      const folded = foldCharacter(character);
      if (folded === character || character < "\x80") continue;
      const others = unfolded.get(folded);
      if (others === undefined) unfolded.set(folded, [character]);
      else others.push(character);
    }
  }
  return unfolded;
}
