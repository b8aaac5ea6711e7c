/**
 * Promises what an S3 server says in XML, as far as it is elements with elements or text in them: that is all of S3's answers.
 * What is no such XML is null, and nothing in it is followed: there are no entities but XML's own five and numbers.
 *
 * @module
 */

/** Elements lie at most so deep within one another; S3's answers have four levels. */
const DEPTH_LIMIT = 16;

/** An element. */
export interface XmlElement {
  /** Its name, as `ListBucketResult`. */
  name: string;
  /** The elements in it. */
  children: XmlElement[];
  /** The text in it, outside of {@linkcode children}. */
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** A tag, or what is passed over: a declaration, a comment. */
const TAG = /<(?:\?[^]*?\?|!--[^]*?--|(\/?)([A-Za-z][\w.-]*)(?:\s[^<>]*?)?(\/?))>/y;

/**
 * Reads the one element that `xml` is; null for anything else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const error = readXml("<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>");
 * assert.equal(error?.name, "Error");
 * assert.equal(textOf(error!, "Code"), "NoSuchKey");
 * ```
 */
export function readXml(xml: string): XmlElement | null {
  const top: XmlElement = { name: "", children: [], text: "" };
  const open = [top];
  for (let at = 0; at < xml.length;) {
    const element = open.at(-1)!;
    if (xml[at] !== "<") {
      const found = xml.indexOf("<", at);
      const end = found === -1 ? xml.length : found;
      const text = readText(xml.slice(at, end));
      if (text === null) return null;
      element.text += text;
      at = end;
      continue;
    }
    TAG.lastIndex = at;
    const tag = TAG.exec(xml);
    if (tag === null) return null;
    at = TAG.lastIndex;
    const [, isEnd, name, isEmpty] = tag;
    if (name === undefined) continue;
    if (isEnd) {
      if (open.length === 1 || open.pop()!.name !== name) return null;
      continue;
    }
    const child: XmlElement = { name, children: [], text: "" };
    element.children.push(child);
    if (isEmpty) continue;
    if (open.push(child) > DEPTH_LIMIT) return null;
  }
  const isWhole = open.length === 1 && top.children.length === 1 && top.text.trim() === "";
  return isWhole ? top.children[0]! : null;
}

/** The elements of a name in `element`, in their order. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The text of the one element of a name in `element`; null where there is none, or more than one. */
export function textOf(element: XmlElement, name: string): string | null {
  const found = childrenOf(element, name);
  return found.length === 1 ? found[0]!.text : null;
}

/** Text for an element. */
export function xmlText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Text without its entities; null where there is one that is not XML's own. */
function readText(text: string): string | null {
  let isKnown = true;
  const read = text.replace(/&([^;&]*);?/g, (_, name: string) => {
    const known = ENTITIES[name] ?? readNumber(name);
    isKnown &&= known !== null;
    return known ?? "";
  });
  return isKnown ? read : null;
}

/** The character of a numeric entity, `#38` or `#x26`. */
function readNumber(name: string): string | null {
  const match = /^#(?:(\d{1,7})|x([0-9a-f]{1,6}))$/i.exec(name);
  if (match === null) return null;
  const code = match[1] === undefined ? parseInt(match[2]!, 16) : Number(match[1]);
  return code <= 0x10ffff ? String.fromCodePoint(code) : null;
}
