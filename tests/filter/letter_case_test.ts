import assert from "node:assert/strict";
import { caseVariants, foldCase, matchesAnyCase } from "../../lib/filter/letter_case.js";

Deno.test("matchesAnyCase() is true of a text without an uppercase letter, as with ripgrep --smart-case", () => {
  for (const text of ["", "timeout", "404", "größe", "ошибка", "ß", "\n"]) {
    assert.equal(matchesAnyCase(text), true, text);
  }
  for (const text of ["Timeout", "timeOut", "É", "Ошибка", "Ⅷ"]) {
    assert.equal(matchesAnyCase(text), false, text);
  }
});

Deno.test("foldCase() makes letters small one by one, and an ASCII letter of none but ASCII letters", () => {
  assert.equal(foldCase("TypeError ÀÉ ΟΔΟΣ Ǆǅǆ 404"), "typeerror àé οδοσ ǆǆǆ 404");
  assert.equal(foldCase("\u0130 \u212a \ud800 ß ẞ"), "\u0130 \u212a \ud800 ß ß");
});

Deno.test("foldCase() keeps the place of every character, and folds nothing further the second time", () => {
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    const folded = foldCase(character);
    if (folded === character) continue;
    assert.equal(folded.length, character.length, code.toString(16));
    assert.equal(foldCase(folded), folded, code.toString(16));
  }
});

Deno.test("caseVariants() gives every character that folds to the same", () => {
  assert.deepEqual(caseVariants("a"), ["a", "A"]);
  assert.deepEqual(caseVariants("K"), ["k", "K"]);
  assert.deepEqual(caseVariants("7"), ["7"]);
  assert.deepEqual(caseVariants("Ǆ"), ["ǆ", "Ǆ", "ǅ"]);
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    const folded = foldCase(character);
    if (folded !== character) assert.ok(caseVariants(folded).includes(character), code.toString(16));
  }
});
